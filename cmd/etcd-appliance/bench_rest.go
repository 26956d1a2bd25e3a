package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

const (
	calmDown        = 30 * time.Second // after the cluster has formed, before it counts as at rest
	memoryGoal      = 40 << 20
	processorGoal   = 0.3 // % of a core
	followerCallGap = 5 * time.Minute
	leaderCalls     = 4 // a minute
)

// restReport is what the daemons took beside a cluster at rest.
type restReport struct {
	lasted  time.Duration
	etcd    string // version
	daemons []restingDaemon
}

// restingDaemon is one of them.
type restingDaemon struct {
	leader    bool
	memory    processMemory
	processor float64 // % of a core
	calls     []awsCall
}

// awsCall is a call to AWS, other than one to the metadata service.
type awsCall struct {
	action string
	at     time.Time
}

// measureRest watches the daemons of a cluster that nothing happens to. Nobody looks at it meanwhile.
func (b *bench) measureRest(ctx context.Context) (report restReport, err error) {
	calls := &callLog{byCaller: map[string][]awsCall{}}
	resting := *b
	resting.rig.Cloud.Log = calls.add
	err = resting.cluster(ctx, "rest", withDaemon, func(ctx context.Context, r *rig.Rig) error {
		_, before, err := runOperation(ctx, r, benchOperations[0], nil, withDaemon)
		if err != nil {
			return err
		}
		if err := restFor(ctx, calmDown); err != nil {
			return err
		}
		b.say("at rest for %s", b.rest)
		report, err = watchRest(ctx, r, before, b.rest, calls)
		return err
	})
	return report, err
}

func watchRest(ctx context.Context, r *rig.Rig, before *observer.View, rest time.Duration, calls *callLog) (restReport, error) {
	instances := before.InService()
	used := map[string]time.Duration{}
	begun := time.Now()
	for _, i := range instances {
		var err error
		if used[i.ID], err = processorTime(r.DaemonPID(i.ID)); err != nil {
			return restReport{}, err
		}
	}
	if err := restFor(ctx, rest); err != nil {
		return restReport{}, err
	}
	report := restReport{lasted: time.Since(begun), etcd: instances[0].Etcd.Version}
	for _, i := range instances {
		d := restingDaemon{leader: i.Etcd.Leader == i.Etcd.MemberID, calls: calls.since(i.ID, begun)}
		pid := r.DaemonPID(i.ID)
		spent, err := processorTime(pid)
		if err == nil {
			d.memory, err = memoryOf(pid)
		}
		if err != nil {
			return restReport{}, err
		}
		d.processor = 100 * (spent - used[i.ID]).Seconds() / time.Since(begun).Seconds()
		report.daemons = append(report.daemons, d)
	}
	slices.SortStableFunc(report.daemons, func(a, b restingDaemon) int { return order(b.leader) - order(a.leader) })
	return report, stillAtRest(ctx, r, before)
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

// stillAtRest fails if something has happened to the cluster after all.
func stillAtRest(ctx context.Context, r *rig.Rig, before *observer.View) error {
	now := r.Look(ctx)
	if err := now.Settled(benchSize); err != nil {
		return err
	}
	was, _ := before.Leader()
	if is, _ := now.Leader(); is.ID != was.ID {
		return fmt.Errorf("the leader was %s and is %s", was.ID, is.ID)
	}
	return nil
}

// callLog notes who called AWS when.
type callLog struct {
	mu       sync.Mutex
	byCaller map[string][]awsCall
}

// add is the cloud's hook.
func (l *callLog) add(c awsfake.Call, _ error) {
	if c.Service == "imds" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byCaller[c.Caller] = append(l.byCaller[c.Caller], awsCall{c.Action, time.Now()})
}

func (l *callLog) since(caller string, begun time.Time) []awsCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.byCaller[caller]), func(c awsCall) bool { return c.at.Before(begun) })
}

// callsSeldom tells whether no call was made again within the gap.
func callsSeldom(calls []awsCall, gap time.Duration) bool {
	last := map[string]time.Time{}
	for _, c := range calls {
		if before, ok := last[c.action]; ok && c.at.Sub(before) < gap {
			return false
		}
		last[c.action] = c.at
	}
	return true
}
