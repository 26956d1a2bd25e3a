package etcdfake

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func minor(major, minor int) states.MinorVersion {
	return states.MinorVersion{Major: major, Minor: minor}
}

// patches makes a node's installed servers.
func patches(patch map[states.MinorVersion]int) func(states.MinorVersion) states.Version {
	return func(m states.MinorVersion) states.Version {
		return states.Version{Major: m.Major, Minor: m.Minor, Patch: patch[m]}
	}
}

// formAt forms a cluster of this minor.
func (f *fixture) formAt(m states.MinorVersion, ids ...string) *Cluster {
	f.t.Helper()
	f.minor = m
	for _, id := range ids {
		f.start(id, states.ClusterNew, list(ids...))
	}
	f.pass(10 * time.Second)
	c := f.Clusters()[0]
	if !c.HasQuorum() || c.Version() != m {
		f.t.Fatal("the cluster did not form", c.Version())
	}
	return c
}

// restartAt stops a server and starts another minor on its data.
func (f *fixture) restartAt(id string, m states.MinorVersion) {
	f.t.Helper()
	if err := f.node(id).Process().Stop(); err != nil {
		f.t.Fatal(err)
	}
	f.pass(3 * time.Second)
	f.minor = m
	f.start(id, states.ClusterRestart, nil)
	f.pass(6 * time.Second)
}

// ended wants the server of a node to have ended so, with these words.
func (f *fixture) ended(id string, want states.ExitReason, words string) {
	f.t.Helper()
	p := f.node(id).Process().Inspect()
	if p.Running != states.No || p.Reason != want || !strings.Contains(p.Detail, words) {
		f.t.Fatalf("%s: %+v, want reason %d and %q", id, p, want, words)
	}
}

func (f *fixture) runs(ids ...string) {
	f.t.Helper()
	for _, id := range ids {
		if p := f.node(id).Process().Inspect(); p.Running != states.Yes {
			f.t.Fatalf("%s does not run: %s", id, p.Detail)
		}
	}
}

func (f *fixture) writes(id string, n int) {
	f.t.Helper()
	for range n {
		if err := f.Write(address(id)); err != nil {
			f.t.Fatal(err)
		}
	}
}

// Every minor takes over from the one before, member by member; the cluster version follows when the last one has, not before.
// (The minors 3.1 to 3.4 in between are the same but for the numbers, and are all in the chain.)
func TestUpgradeThroughEveryMinor(t *testing.T) {
	f := newFixture(t)
	f.SnapshotCount = 5
	ids := []string{"i-1", "i-2", "i-3"}
	c := f.formAt(minor(2, 3), ids...)
	for _, m := range []states.MinorVersion{minor(3, 0), minor(3, 1), minor(3, 2), minor(3, 3), minor(3, 4), minor(3, 5), minor(3, 6), minor(3, 7)} {
		before := c.Version()
		for i, id := range ids {
			f.restartAt(id, m)
			f.runs(ids...)
			if want := map[bool]states.MinorVersion{true: m, false: before}[i == 2]; c.Version() != want {
				t.Fatalf("%s on %d servers: cluster version %s", m, i+1, c.Version())
			}
		}
		f.writes("i-1", 30)
	}
	if n, healthy, holders := c.Voters(); n != 3 || healthy != 3 || holders != 3 || len(f.Incidents()) != 0 {
		t.Fatal(n, healthy, holders, f.Incidents())
	}
}

func TestYoungLogStopsTheSecondUpgrade(t *testing.T) {
	f := newFixture(t)
	ids := []string{"i-1", "i-2", "i-3"}
	f.formAt(minor(3, 5), ids...)
	for _, id := range ids {
		f.restartAt(id, minor(3, 6))
	}
	f.restartAt("i-1", minor(3, 7))
	f.ended("i-1", states.ExitRefused, "unmarshal should never fail")
	f.minor = minor(3, 6) // the data is as good as before
	f.start("i-1", states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	f.runs(ids...)
	f.restartAt("i-1", minor(3, 7)) // and better: 3.6 has taken a snapshot at its second start
	f.runs(ids...)
	f.restartAt("i-2", minor(3, 7))
	f.ended("i-2", states.ExitRefused, "unmarshal should never fail")
}

func TestDowngradeIsRefusedOnceTheVersionRose(t *testing.T) {
	f := newFixture(t)
	ids := []string{"i-1", "i-2", "i-3"}
	c := f.formAt(minor(3, 6), ids...)
	f.restartAt("i-1", minor(3, 7))
	f.restartAt("i-2", minor(3, 7))
	f.restartAt("i-1", minor(3, 6)) // one is old still: it may go back
	f.runs(ids...)
	f.restartAt("i-1", minor(3, 7))
	f.restartAt("i-3", minor(3, 7))
	if c.Version() != minor(3, 7) {
		t.Fatal(c.Version())
	}
	f.restartAt("i-2", minor(3, 6))
	f.ended("i-2", states.ExitNewer, "3.7.0")
	f.runs("i-1", "i-3")
	f.minor = minor(3, 7)
	f.start("i-2", states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	if !c.Downgrade(minor(3, 6)) {
		t.Fatal("the downgrade was not accepted")
	}
	f.pass(5 * time.Second)
	if c.Version() != minor(3, 6) {
		t.Fatal("the cluster version was not lowered:", c.Version())
	}
	for _, id := range ids {
		f.restartAt(id, minor(3, 6))
	}
	f.runs(ids...)
	if c.Downgrade(minor(3, 4)) {
		t.Fatal("a downgrade by two minors was accepted")
	}
}

func TestNobodyJoinsDuringADowngrade(t *testing.T) {
	f := newFixture(t)
	c := f.formAt(minor(3, 7), "i-1")
	c.Downgrade(minor(3, 6))
	f.pass(5 * time.Second)
	if _, err := f.node("i-2").Etcd().AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address("i-2")), true); err != nil {
		t.Fatal(err)
	}
	for _, m := range []states.MinorVersion{minor(3, 6), minor(3, 7)} {
		f.minor = m
		f.start("i-2", states.ClusterExisting, list("i-1", "i-2"))
		f.pass(5 * time.Second)
		f.ended("i-2", states.ExitRefused, "incompatible with current running cluster")
	}
}

func TestVersionIsHeldBackByTheDeadAndTheUnstarted(t *testing.T) {
	f := newFixture(t)
	c := f.formAt(minor(3, 6), "i-1", "i-2", "i-3")
	f.Crash("i-3")
	f.restartAt("i-1", minor(3, 7))
	f.restartAt("i-2", minor(3, 7))
	f.pass(time.Minute)
	if c.Version() != minor(3, 6) {
		t.Fatal("it rose over a dead member:", c.Version())
	}
	f.minor = minor(3, 7)
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(10 * time.Second)
	if c.Version() != minor(3, 7) {
		t.Fatal(c.Version())
	}
}

// Nothing stops a server two minors ahead from joining. Its first words kill every member up to 3.4, and again at each start.
func TestSkippingAMinorKillsTheOthers(t *testing.T) {
	f := newFixture(t)
	f.formAt(minor(3, 4), "i-1", "i-2", "i-3")
	if _, err := f.node("i-4").Etcd().AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address("i-4")), true); err != nil {
		t.Fatal(err)
	}
	f.minor = minor(3, 6)
	f.start("i-4", states.ClusterExisting, list("i-1", "i-2", "i-3", "i-4"))
	f.pass(10 * time.Second)
	for range 2 {
		for _, id := range []string{"i-1", "i-2", "i-3"} {
			f.ended(id, states.ExitCrash, "not implemented")
		}
		f.minor = minor(3, 4)
		for _, id := range []string{"i-1", "i-2", "i-3"} {
			f.start(id, states.ClusterRestart, nil)
		}
		f.pass(10 * time.Second)
	}
	f.minor = minor(3, 6) // and in place it does not start
	f.start("i-1", states.ClusterRestart, nil)
	f.pass(time.Second)
	f.ended("i-1", states.ExitCrash, "missing term information")
}
