package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

const (
	refreshGoal    = 1.5                    // times three bare replacements
	refreshGapGoal = 150 * time.Millisecond // without an acknowledgement
)

// refreshKinds are the ways that a group can go about it, by the healthy percentages of the refresh.
var refreshKinds = []struct {
	name      string
	low, high int32
}{{"terminates and launches together", 90, 0}, {"launches first", 100, 134}}

// refreshReport has the refreshes by their kind, and the rolls of the same rounds that a script has done.
type refreshReport struct {
	begun     time.Time
	rounds    int
	refreshed map[string][]rollLap
	bare      []rollLap
}

// measureRefresh upgrades clusters by instance refreshes that nobody looks after.
func (b *bench) measureRefresh(ctx context.Context) (refreshReport, error) {
	report := refreshReport{begun: time.Now().UTC(), rounds: b.rounds, refreshed: map[string][]rollLap{}}
	floor := *b
	floor.rig.EtcdVersion = upgradeFrom
	hooked := floor
	hooked.rig.Hooks = true
	for round := range b.rounds {
		name := func(what string) string { return fmt.Sprintf("%02d-refresh-%s", round+1, what) }
		l, err := floor.rolled(ctx, name("floor"), withoutDaemon, rollByReplacement)
		if err != nil {
			return report, fmt.Errorf("round %d, floor: %w", round+1, err)
		}
		report.bare = append(report.bare, l)
		b.say("round %d of %d, floor   by replacement %.2f, longest gap %d ms", round+1, b.rounds, l.took.Seconds(), l.gap.Milliseconds())
		for n, kind := range refreshKinds {
			refresh := func(ctx context.Context, r *rig.Rig, _ *observer.View, _ bool) error {
				return refreshAll(ctx, r, kind.low, kind.high)
			}
			if l, err = hooked.rolled(ctx, name(fmt.Sprint(n)), withDaemon, refresh); err != nil {
				return report, fmt.Errorf("round %d, group that %s: %w", round+1, kind.name, err)
			}
			report.refreshed[kind.name] = append(report.refreshed[kind.name], l)
			b.say("round %d of %d, daemon  refresh that %s %.2f, longest gap %d ms", round+1, b.rounds, kind.name, l.took.Seconds(), l.gap.Milliseconds())
		}
	}
	return report, nil
}

// rolled forms a cluster of its own and rolls it.
func (b *bench) rolled(ctx context.Context, name string, daemon bool, do rollFunc) (l rollLap, err error) {
	ctx, cancel := context.WithTimeout(ctx, rollWithin)
	defer cancel()
	err = b.cluster(ctx, name, daemon, func(ctx context.Context, r *rig.Rig) (err error) {
		l, _, err = measureRoll(ctx, r, daemon, do)
		return err
	})
	return l, err
}

// refreshAll is over when the group says so, and all is well.
func refreshAll(ctx context.Context, r *rig.Rig, low, high int32) error {
	if err := errors.Join(r.Configure(upgradeTo), r.Refresh(ctx, low, high)); err != nil {
		return err
	}
	_, err := lookUntil(ctx, r, func(v *observer.View) error {
		if err := errors.Join(v.Settled(benchSize), runUpgraded(v, benchSize)); err != nil {
			return err
		}
		return r.Refreshed(ctx)
	})
	return err
}

// refreshes is their part of the page.
func (r *benchReport) refreshes() string {
	f, g := &r.refresh, goals{}
	took := func(l rollLap) time.Duration { return l.took }
	gap := func(l rollLap) time.Duration { return l.gap }
	floor := spreadOfRolls(f.bare, took)
	rows := [][]string{{"a refresh of 3 that", "daemon", "floor", "ratio", "goal", ""}}
	gaps := [][]string{{"meanwhile", "daemon", "floor", "goal", ""}}
	for _, kind := range refreshKinds {
		laps := f.refreshed[kind.name]
		ratio := spreadOfRolls(laps, took).median.Seconds() / floor.median.Seconds()
		rows = append(rows, []string{
			kind.name, spreadOfRolls(laps, took).String(), floor.String(), fmt.Sprintf("%.2f", ratio),
			fmt.Sprintf("%g times the floor", refreshGoal), g.judge(ratio <= refreshGoal, "refresh that "+kind.name),
		})
		gaps = append(gaps, []string{
			kind.name, spreadOfRolls(laps, gap).inMilliseconds(), spreadOfRolls(f.bare, gap).inMilliseconds(),
			fmt.Sprintf("under %d ms", refreshGapGoal.Milliseconds()), g.judge(spreadOfRolls(laps, gap).median < refreshGapGoal, "gap of a refresh that "+kind.name),
		})
	}
	return fmt.Sprintf("%s\nMeasured by\n\n```\nmake bench ARGS='--only refresh --rounds %d'\n```\n\non %s, with etcd-appliance %s, from etcd %s to %s.\n\nMachine: %s, after: %s.\n\n%s\n\n",
		refreshHeading, f.rounds, f.begun.Format("2 January 2006 15:04 UTC"), version, upgradeFrom, upgradeTo, r.machine, r.loadAfter, g.String()) +
		"A group with both lifecycle hooks is refreshed by instances that want the next minor, and nobody looks after it: from the start of the " +
		"refresh until the group says that it has succeeded, all three are healthy members of the new version, and DNS and the claim say so. " +
		"The floor are three bare replacements, each by a member that runs the new version at once; a member of the daemon's joins as what the cluster is, and is upgraded then.\n\n" +
		table(rows) + "\nThe longest time between two acknowledgements of a client that knows all members and writes every 10 ms. The floor kills its leader. " +
		"A gap of half a second is the client's own patience with one attempt: a write that a follower has passed on is dropped by a leader that is handing over (raft's stepLeader, while leadTransferee is set), and nobody tells the follower. It costs one write in two or three refreshes, and the bare script of an upgrade in place as much.\n\n" +
		table(gaps)
}
