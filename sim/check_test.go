package sim

import (
	"context"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// breaks tells whether a bug, which is told of every fault, is found by an invariant under one of the first seeds.
func breaks(t *testing.T, invariant string, bug func(*world, FaultEvent)) {
	t.Helper()
	for seed := range uint64(100) {
		if r := Run(Options{Seed: seed, planted: bug}); r.Violation != nil {
			if r.Violation.Invariant != invariant {
				t.Fatalf("seed %d: %v instead of %s", seed, r.Violation, invariant)
			}
			return
		}
	}
	t.Fatalf("no seed breaks %s", invariant)
}

// voters are two instances that serve as members of the cluster.
func voters(w *world) (a, b *node) {
	c := w.served()
	for _, n := range w.nodes {
		if n.etcd.Running() && !n.gone && n.voterOf(c) != nil {
			a, b = n, a
		}
	}
	return a, b
}

// No rule of the daemon starts a server on a copy of another's data, and one that finds such a server stops it.
func TestOneMemberOnTwoInstancesBreaksS4(t *testing.T) {
	t.Parallel()
	breaks(t, "S4", func(w *world, _ FaultEvent) {
		if a, b := voters(w); b != nil {
			b.endDaemon()
			w.etcd.CopyDisk(a.id, b.id)
			_ = b.etcd.Process().Start(states.StartEtcd{Minor: a.etcd.Runs().MinorOf()})
			w.planted = nil
		}
	})
}

// The simulator's instances have two minors, which are neighbours. A third lets servers that are none meet.
func TestFarMinorsInOneClusterBreakS6(t *testing.T) {
	t.Parallel()
	breaks(t, "S6", func(w *world, _ FaultEvent) {
		if _, b := voters(w); b != nil {
			w.etcd.Crash(b.id)
			_ = b.etcd.Process().Start(states.StartEtcd{Minor: states.MinorVersion{Major: 3, Minor: 9}})
			w.planted = nil
		}
	})
}

// removes has a daemon remove another member, whatever its rules say, once it may be looked at.
func removes(ready func(*world, *node) bool) func(*world, FaultEvent) {
	return func(w *world, _ FaultEvent) {
		a, b := voters(w)
		if b == nil || !ready(w, a) {
			return
		}
		w.planted, w.chaos = nil, false // the command itself is spared
		_ = checkedEtcd{a.etcd.Etcd(), a}.RemoveMember(context.Background(), nil, b.voterOf(w.served()).ID)
	}
}

// A removal under the upgrade lock is rare by itself: an instance must end in the seconds in which another member is upgraded.
func TestRemovalUnderTheUpgradeLockBreaksC4(t *testing.T) {
	t.Parallel()
	breaks(t, "C4", removes(func(w *world, _ *node) bool { return w.check.locked && w.now > w.check.upgrades.since+time.Second }))
}

// An error at the one read that comes right before a removal is rarer still.
func TestRemovalUponAnErrorBreaksC8(t *testing.T) {
	t.Parallel()
	breaks(t, "C8", removes(func(w *world, n *node) bool { return !w.check.locked && n.answers.failed&theLocks != 0 }))
}

// Some runs watch the converged cluster for a day.
func TestSomeRunsAreQuietForADay(t *testing.T) {
	const many = 5000
	days := 0
	for seed := range uint64(many) {
		if p := newPlan(seed); time.Duration(p.Quiet) == 24*time.Hour {
			days++
		}
	}
	if days < many/1000 || days > many/100 {
		t.Errorf("%d of %d runs are", days, many)
	}
}
