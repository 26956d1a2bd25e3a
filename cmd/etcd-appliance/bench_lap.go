package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// benchOperation is something that happens to a cluster of three, and is over when it is whole again.
type benchOperation struct {
	name, short string
	goal        time.Duration // how much longer than the floor it may take
	trigger     func(context.Context, *rig.Rig, *observer.View) error
}

// benchOperations happen to a cluster one after the other. What they do to it they do through the same calls with the daemon
// and without.
var benchOperations = []benchOperation{
	{"bootstrap of 3", "bootstrap", time.Second,
		func(ctx context.Context, r *rig.Rig, _ *observer.View) error { return r.Launch(ctx, benchSize) }},
	{"restart after kill -9, follower", "restart", 500 * time.Millisecond, onOne("follower", (*observer.View).Follower, killEtcd)},
	{"restart after kill -9, leader", "restart leader", 500 * time.Millisecond, onOne("leader", (*observer.View).Leader, killEtcd)},
	{"replacement of a follower", "replacement", 2 * time.Second, onOne("follower", (*observer.View).Follower, (*rig.Rig).Terminate)},
	{"replacement of the leader", "replacement of leader", 2 * time.Second, onOne("leader", (*observer.View).Leader, (*rig.Rig).Terminate)},
}

// dnsGoal is how long after the cluster DNS may be right.
const dnsGoal = 2 * time.Second

func killEtcd(r *rig.Rig, ctx context.Context, instance string) error {
	_, err := r.KillEtcd(ctx, instance)
	return err
}

func onOne(role string, find func(*observer.View) (observer.Instance, bool), do func(*rig.Rig, context.Context, string) error) func(context.Context, *rig.Rig, *observer.View) error {
	return func(ctx context.Context, r *rig.Rig, v *observer.View) error {
		i, ok := find(v)
		if !ok {
			return errors.New("no instance is the " + role)
		}
		return do(r, ctx, i.ID)
	}
}

const (
	// A member that has been connected to the others for less than 5 s refuses changes of the membership, whoever asks for
	// them. This is more, for the floor and the daemon alike.
	betweenOperations = 6 * time.Second
	lapPatience       = 90 * time.Second
	// It is soon done, and etcd's own part in it is 0.3 s or 2.5 s by chance.
	bootstrapsPerRound = 3
	// A look that takes longer waits for a server that is not there yet, and the next one may find it.
	lookPatience = 250 * time.Millisecond
	lookPause    = 10 * time.Millisecond
)

// lap is how long an operation took, from its trigger.
type lap struct {
	started time.Duration // until the last server process was started
	healthy time.Duration // until all instances were the voters of one healthy cluster
	dns     time.Duration // and DNS said so too; zero where there is no DNS
}

// runOperations does all of these to one cluster.
func runOperations(ctx context.Context, r *rig.Rig, operations []benchOperation, daemon bool, done func(benchOperation, lap)) error {
	var view *observer.View
	var formed []uint64
	for n, o := range operations {
		if n > 0 {
			if err := restFor(ctx, betweenOperations); err != nil {
				return err
			}
		}
		var err error
		var l lap
		if l, view, err = runOperation(ctx, r, o, view, daemon); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		if n == 0 {
			formed = view.ClusterIDs()
		}
		if is := view.ClusterIDs(); !slices.Equal(is, formed) {
			return fmt.Errorf("%s: the cluster was %x and is %x", o.name, formed, is)
		}
		done(o, l)
	}
	return nil
}

// runOperation triggers it and looks until it is over.
func runOperation(ctx context.Context, r *rig.Rig, o benchOperation, before *observer.View, daemon bool) (l lap, v *observer.View, err error) {
	ctx, cancel := context.WithTimeout(ctx, lapPatience)
	defer cancel()
	begun := time.Now()
	if err := o.trigger(ctx, r, before); err != nil {
		return l, nil, err
	}
	v, err = lookUntil(ctx, r, func(v *observer.View) error {
		if err := v.Healthy(benchSize); err != nil {
			return err
		}
		if l.healthy == 0 {
			l.healthy = v.Ended.Sub(begun)
			l.started = max(0, lastStart(r, v).Sub(begun)) // they are told by different clocks
		}
		if !daemon {
			return nil
		}
		if err := v.DNSRight(); err != nil {
			return err
		}
		if l.dns == 0 {
			l.dns = v.Ended.Sub(begun)
		}
		return v.ClaimRight() // not measured, but the next operation is to find everything settled
	})
	return l, v, err
}

// lastStart is when the youngest server of a healthy cluster was started.
func lastStart(r *rig.Rig, v *observer.View) (last time.Time) {
	for _, i := range v.InService() {
		if at, err := startOf(r.EtcdPID(i.ID)); err == nil && at.After(last) {
			last = at
		}
	}
	return last
}

// lookUntil looks again and again, until a view suits.
func lookUntil(ctx context.Context, r *rig.Rig, suits func(*observer.View) error) (*observer.View, error) {
	tick := time.NewTicker(lookPause)
	defer tick.Stop()
	for {
		look, cancel := context.WithTimeout(ctx, lookPatience)
		v := r.Look(look)
		cancel()
		wrong := suits(v)
		if wrong == nil {
			return v, nil
		}
		select {
		case <-ctx.Done():
			return v, fmt.Errorf("%w (%w)", wrong, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func restFor(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
