package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// act is something that is done to the cluster. It is over when the group has its size again, its instances are the members of
// one healthy cluster, and DNS says so.
type act struct {
	title   string
	size    int    // of the group when it is over
	minor   string // that all members then run; empty when that does not matter
	trigger func(context.Context, *play) error
}

// acts are the whole demo, for a cluster of n. Where there is a server to upgrade to, the last act does that.
func acts(n int, from, to string) []act {
	program := repairs(n)
	if to == "" {
		return program
	}
	title := fmt.Sprintf("upgrade etcd %s to %s, one after the other", from, to)
	return append(program, act{title, n, to, func(_ context.Context, p *play) error { return p.rig.Want(to) }})
}

func repairs(n int) []act {
	scale := func(to int) func(context.Context, *play) error {
		return func(ctx context.Context, p *play) error { return p.rig.Scale(ctx, to) }
	}
	return []act{
		{fmt.Sprintf("launch %d instances: they form a cluster", n), n, "",
			func(ctx context.Context, p *play) error { return p.rig.Launch(ctx, n) }},
		{"kill a follower's etcd: it restarts on its data", n, "", func(ctx context.Context, p *play) error {
			i, err := pick("follower", (*observer.View).Follower, p)
			if err == nil {
				_, err = p.rig.KillEtcd(ctx, i.ID)
			}
			return err
		}},
		{"terminate a follower: the group replaces it", n, "", func(ctx context.Context, p *play) error {
			i, err := pick("follower", (*observer.View).Follower, p)
			if err == nil {
				err = p.rig.Terminate(ctx, i.ID)
			}
			return err
		}},
		{"terminate the leader: another takes over", n, "", func(ctx context.Context, p *play) error {
			i, err := pick("leader", (*observer.View).Leader, p)
			if err == nil {
				err = p.rig.Terminate(ctx, i.ID)
			}
			return err
		}},
		{fmt.Sprintf("scale out from %d to %d", n, n+2), n + 2, "", scale(n + 2)},
		{fmt.Sprintf("scale in from %d to %d", n+2, n), n, "", scale(n)},
	}
}

func pick(what string, find func(*observer.View) (observer.Instance, bool), p *play) (observer.Instance, error) {
	i, ok := find(p.rig.Latest())
	if !ok {
		return i, fmt.Errorf("no instance is the %s", what)
	}
	return i, nil
}

// outcome is how an act went. Its times count from the trigger.
type outcome struct {
	title          string
	begun          time.Time // zero before the act
	healthy, right time.Duration
	wrong          string // what is still missing
	written        rig.Progress
	over           bool
}

// play is the demo under way.
type play struct {
	rig    *rig.Rig
	writer *rig.Writer
	begun  time.Time

	mu       sync.Mutex
	outcomes []outcome
}

// actPatience is how long an act may take.
const actPatience = time.Minute

// perform plays the acts, with a pause after each for people to read what it did.
func (p *play) perform(ctx context.Context, program []act, pause time.Duration) error {
	p.mu.Lock()
	for _, a := range program {
		p.outcomes = append(p.outcomes, outcome{title: a.title})
	}
	p.mu.Unlock()
	for n, a := range program {
		if err := p.performOne(ctx, n, a); err != nil {
			return fmt.Errorf("act %d of %d, %s: %w", n+1, len(program), a.title, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	return nil
}

func (p *play) performOne(ctx context.Context, n int, a act) error {
	ctx, cancel := context.WithTimeout(ctx, actPatience)
	defer cancel()
	p.writer.Lap()
	begun := time.Now()
	p.edit(n, func(o *outcome) { o.begun = begun })
	if err := a.trigger(ctx, p); err != nil {
		return err
	}
	_, err := p.rig.Wait(ctx, func(v *observer.View) error { return p.judge(n, &a, v) })
	p.edit(n, func(o *outcome) { o.over, o.written = err == nil, p.writer.Lap() })
	return err
}

// judge tells whether an act is over, and notes how far it has come.
func (p *play) judge(n int, a *act, v *observer.View) error {
	healthy := v.Healthy(a.size)
	settled := v.Settled(a.size)
	if healthy == nil && a.minor != "" {
		healthy = v.Run(a.minor)
		settled = errors.Join(settled, healthy)
	}
	p.edit(n, func(o *outcome) {
		since := v.Ended.Sub(o.begun)
		switch {
		case healthy != nil:
			o.healthy, o.right, o.wrong = 0, 0, healthy.Error()
		case o.healthy == 0:
			o.healthy = since
		}
		switch {
		case settled == nil:
			o.right, o.wrong = since, ""
		case healthy == nil:
			o.wrong = settled.Error()
		}
	})
	return settled
}

func (p *play) edit(n int, change func(*outcome)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.outcomes[n])
}

// Outcomes is a copy of how the acts have gone so far.
func (p *play) outcomesNow() []outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.outcomes)
}

// check is something that must hold at the end.
type check struct {
	what string
	err  error
}

// checks looks at the cluster once more, when nothing is written any more.
func (p *play) checks(ctx context.Context, size int) []check {
	ctx, cancel := context.WithTimeout(ctx, actPatience)
	defer cancel()
	p.writer.Stop()
	v, err := p.rig.WaitHealthy(ctx, size)
	var addresses []string
	for _, i := range v.InService() {
		addresses = append(addresses, i.Address)
	}
	written := p.writer.Progress()
	wrote := error(nil)
	if written.Acked == 0 {
		wrote = fmt.Errorf("no write was acknowledged: %w", written.Err)
	}
	return []check{
		{fmt.Sprintf("the %d instances of the group are the members of one healthy cluster", size), err},
		{fmt.Sprintf("a client wrote all the while: %d keys were acknowledged", written.Acked), wrote},
		{"every acknowledged key reads back through each member", p.writer.Verify(ctx, addresses...)},
		{"one cluster ID from the beginning to the end", p.rig.OneCluster()},
		{"the A record and the three SRV records lead to the members", v.DNSRight()},
		{"the bootstrap claim is formed, and names this cluster", v.ClaimRight()},
	}
}
