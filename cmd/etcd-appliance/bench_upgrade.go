package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// The step that is measured.
const (
	upgradeFrom = "3.6"
	upgradeTo   = "3.7"
)

const (
	upgradeGoal = 2                      // times the floor
	gapGoal     = 100 * time.Millisecond // without an acknowledgement, in an upgrade in place
	rollWithin  = 3 * time.Minute
	settleDown  = 2 * time.Second // after a leader was lost, before the next is
)

// rollLap is how long an upgrade took, and how long a client that writes through all members had no acknowledgement at most.
type rollLap struct{ took, gap time.Duration }

// upgradeReport has the rolls by who did them: withDaemon and withoutDaemon.
type upgradeReport struct {
	begun                  time.Time
	rounds                 int
	from, to               string // versions
	inPlace, byReplacement map[bool][]rollLap
	stopped, killed        []time.Duration // gaps when the leader's server is, and nobody has moved the leadership
}

// measureUpgrade runs rounds as those of the other operations are run. Every roll has a cluster of its own.
func (b *bench) measureUpgrade(ctx context.Context) (upgradeReport, error) {
	report := upgradeReport{begun: time.Now().UTC(), rounds: b.rounds, inPlace: map[bool][]rollLap{}, byReplacement: map[bool][]rollLap{}}
	old := *b
	old.rig.EtcdVersion = upgradeFrom
	for round := range b.rounds {
		order := []bool{withDaemon, withoutDaemon}
		if round%2 == 1 {
			order = []bool{withoutDaemon, withDaemon}
		}
		for _, daemon := range order {
			for _, o := range []struct {
				name string
				roll rollFunc
				to   map[bool][]rollLap
			}{
				{"in-place", rollInPlace, report.inPlace}, {"by-replacement", rollByReplacement, report.byReplacement},
			} {
				name := map[bool]string{withDaemon: "daemon", withoutDaemon: "floor"}[daemon]
				err := old.cluster(ctx, fmt.Sprintf("%02d-%s-%s", round+1, o.name, name), daemon, func(ctx context.Context, r *rig.Rig) error {
					return report.measure(ctx, r, o.to, daemon, o.roll)
				})
				if err != nil {
					return report, fmt.Errorf("round %d, %s %s: %w", round+1, name, o.name, err)
				}
				last := o.to[daemon][len(o.to[daemon])-1]
				b.say("round %d of %d, %-6s  %s %.2f, longest gap %d ms", round+1, b.rounds, name, o.name, last.took.Seconds(), last.gap.Milliseconds())
			}
		}
	}
	return report, nil
}

// measure forms a cluster and rolls it. One without daemons also loses its leader then, which nobody has planned.
func (u *upgradeReport) measure(ctx context.Context, r *rig.Rig, to map[bool][]rollLap, daemon bool, do rollFunc) error {
	ctx, cancel := context.WithTimeout(ctx, rollWithin)
	defer cancel()
	took, from, err := measureRoll(ctx, r, daemon, do)
	if err != nil {
		return err
	}
	u.from = from
	to[daemon] = append(to[daemon], took)
	if daemon {
		return nil
	}
	return u.loseLeader(ctx, r)
}

// rollFunc takes a cluster to the next minor, with daemons or without.
type rollFunc func(ctx context.Context, r *rig.Rig, v *observer.View, daemon bool) error

// measureRoll forms a cluster and rolls it. It tells the version that it has formed with, too.
func measureRoll(ctx context.Context, r *rig.Rig, daemon bool, do rollFunc) (took rollLap, from string, err error) {
	_, view, err := runOperation(ctx, r, benchOperations[0], nil, daemon)
	if err != nil {
		return took, "", err
	}
	if err := restFor(ctx, betweenOperations); err != nil {
		return took, "", err
	}
	took.gap, err = gapOf(ctx, r, daemon, func() error {
		begun := time.Now()
		err := do(ctx, r, view, daemon)
		took.took = time.Since(begun)
		return err
	})
	return took, view.InService()[0].Etcd.Version, err
}

// loseLeader stops the leader of a cluster without daemons and then kills the next one. A server that is asked to stop hands its
// leadership over by itself (etcdserver TryLeadershipTransferOnShutdown); one that is killed does not.
func (u *upgradeReport) loseLeader(ctx context.Context, r *rig.Rig) error {
	for _, how := range []struct {
		gaps *[]time.Duration
		end  func(instance string) error
	}{
		{&u.stopped, func(instance string) error { return r.StopEtcd(ctx, instance) }},
		{&u.killed, func(instance string) error { return killEtcd(r, ctx, instance) }},
	} {
		if err := restFor(ctx, settleDown); err != nil {
			return err
		}
		view, err := lookUntil(ctx, r, func(v *observer.View) error { return v.Healthy(benchSize) })
		if err != nil {
			return err
		}
		u.to = view.InService()[0].Etcd.Version
		leader, _ := view.Leader()
		gap, err := gapOf(ctx, r, withoutDaemon, func() error {
			if err := how.end(leader.ID); err != nil {
				return err
			}
			_, err := lookUntil(ctx, r, func(v *observer.View) error { return v.Healthy(benchSize) })
			return err
		})
		if err != nil {
			return err
		}
		*how.gaps = append(*how.gaps, gap)
	}
	return nil
}

// gapOf writes through all members meanwhile, and tells the longest time between two acknowledgements. The members are found in
// DNS where they are published there.
func gapOf(ctx context.Context, r *rig.Rig, daemon bool, do func() error) (time.Duration, error) {
	find := r.Finder()
	if !daemon {
		find = r.FinderInGroup()
	}
	w := r.WriteTo(find, fmt.Sprintf("gap/%d/", time.Now().UnixNano()))
	defer w.Stop()
	for w.Progress().Acked < 50 {
		if err := restFor(ctx, lookPause); err != nil {
			return 0, err
		}
	}
	w.Lap()
	if err := do(); err != nil {
		return 0, err
	}
	return w.Lap().Lap, nil
}

// rollInPlace changes the servers one by one, the leader's last. The daemons do so when they are told what is wanted.
func rollInPlace(ctx context.Context, r *rig.Rig, v *observer.View, daemon bool) error {
	leader, _ := v.Leader()
	instances := leaderLast(v)
	if daemon {
		for _, i := range instances {
			if err := r.WantOne(i.ID, upgradeTo); err != nil {
				return err
			}
		}
		_, err := lookUntil(ctx, r, func(v *observer.View) error { return errors.Join(v.Healthy(benchSize), runUpgraded(v, benchSize)) })
		return err
	}
	for n, i := range instances {
		if i.ID == leader.ID {
			if err := moveLeader(ctx, leader, instances[0]); err != nil {
				return err
			}
		}
		if err := errors.Join(r.EditOne(i.ID, upgradeTo), r.StopEtcd(ctx, i.ID)); err != nil {
			return err
		}
		if _, err := lookUntil(ctx, r, func(v *observer.View) error { return errors.Join(v.Healthy(benchSize), runUpgraded(v, n+1)) }); err != nil {
			return err
		}
	}
	return nil
}

// rollByReplacement terminates the instances one by one, the leader last, each when all is well after the one before: with the
// daemon DNS and the claim too, as `etcd-appliance roll` waits for.
func rollByReplacement(ctx context.Context, r *rig.Rig, v *observer.View, daemon bool) error {
	if err := r.Configure(upgradeTo); err != nil {
		return err
	}
	whole := func(v *observer.View) error { return v.Healthy(benchSize) }
	if daemon {
		whole = func(v *observer.View) error { return v.Settled(benchSize) }
	}
	for n, i := range leaderLast(v) {
		if err := r.Terminate(ctx, i.ID); err != nil {
			return err
		}
		if _, err := lookUntil(ctx, r, func(v *observer.View) error { return errors.Join(whole(v), runUpgraded(v, n+1)) }); err != nil {
			return err
		}
	}
	return nil
}

func leaderLast(v *observer.View) []observer.Instance {
	leader, _ := v.Leader()
	list := v.InService()
	slices.SortStableFunc(list, func(a, b observer.Instance) int { return order(a.ID == leader.ID) - order(b.ID == leader.ID) })
	return list
}

func runUpgraded(v *observer.View, want int) error {
	n := 0
	for _, i := range v.InService() {
		if strings.HasPrefix(i.Etcd.Version, upgradeTo+".") {
			n++
		}
	}
	if n != want {
		return fmt.Errorf("%d members run %s", n, upgradeTo)
	}
	return nil
}

func moveLeader(ctx context.Context, from, to observer.Instance) error {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + from.Address + ":2379"}, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.MoveLeader(ctx, to.Etcd.MemberID)
	return err
}

// upgrades is their part of the page.
func (r *benchReport) upgrades() string {
	u, g := &r.upgrade, goals{}
	rows := [][]string{{"roll of 3", "daemon", "floor", "ratio", "goal", ""}}
	gaps := [][]string{{"meanwhile", "daemon", "floor", "goal", ""}}
	for _, o := range []struct {
		name  string
		rolls map[bool][]rollLap
	}{{"in place", u.inPlace}, {"by replacement", u.byReplacement}} {
		took := func(daemon bool) spread {
			return spreadOfRolls(o.rolls[daemon], func(r rollLap) time.Duration { return r.took })
		}
		gap := func(daemon bool) spread {
			return spreadOfRolls(o.rolls[daemon], func(r rollLap) time.Duration { return r.gap })
		}
		ratio := took(withDaemon).median.Seconds() / took(withoutDaemon).median.Seconds()
		rows = append(rows, []string{
			o.name, took(withDaemon).String(), took(withoutDaemon).String(), fmt.Sprintf("%.1f", ratio),
			fmt.Sprintf("%d times the floor", upgradeGoal), g.judge(ratio <= upgradeGoal, "upgrade "+o.name),
		})
		goal, verdict := "", ""
		if o.name == "in place" {
			goal, verdict = fmt.Sprintf("under %d ms", gapGoal.Milliseconds()), g.judge(gap(withDaemon).median < gapGoal, "gap of an upgrade in place")
		}
		gaps = append(gaps, []string{"upgrade " + o.name, gap(withDaemon).inMilliseconds(), gap(withoutDaemon).inMilliseconds(), goal, verdict})
	}
	for _, lost := range []struct {
		how  string
		gaps []time.Duration
	}{{"the leader is stopped, and nobody has moved the leadership", u.stopped}, {"the leader is killed", u.killed}} {
		gaps = append(gaps, []string{lost.how, "", spreadOver(lost.gaps).inMilliseconds(), "", ""})
	}
	return fmt.Sprintf("%s\nMeasured by\n\n```\nmake bench ARGS='--only upgrade --rounds %d'\n```\n\non %s, with etcd-appliance %s, from etcd %s to %s.\n\nMachine: %s, after: %s.\n\n%s\n\n",
		upgradeHeading, u.rounds, u.begun.Format("2 January 2006 15:04 UTC"), version, u.from, u.to, r.machine, r.loadAfter, g.String()) +
		"From the order until all three are healthy members of the new version. The floor is a script that has nothing to find out: for each member, " +
		"the leader last, move the leadership away if it leads, stop the server, start the new one on its data, wait for health; or remove the member, add a " +
		"learner of the new version, start it, promote it, wait for health. By replacement etcd itself refuses to remove a member for 5 s after " +
		"the last one was connected, and each of the daemon's new members joins as what the cluster is and is upgraded then.\n\n" + table(rows) + "\n" +
		"The longest time between two acknowledgements of a client that knows all members and writes every 10 ms. An instance that is replaced is killed; its leadership " +
		"cannot be moved first.\n\n" + table(gaps)
}

func spreadOfRolls(rolls []rollLap, of func(rollLap) time.Duration) spread {
	var list []time.Duration
	for _, r := range rolls {
		list = append(list, of(r))
	}
	return spreadOver(list)
}
