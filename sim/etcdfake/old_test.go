package etcdfake

import (
	"errors"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

func TestLearnersBefore34(t *testing.T) {
	f := newFixture(t)
	c := f.formAt(minor(3, 3), "i-1", "i-2", "i-3")
	etcd := f.node("i-9").Etcd()
	id, err := etcd.AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address("i-4")), true)
	if m := find(c.Members(), id); err != nil || m == nil || m.Learner {
		t.Fatal("a 3.3 server adds a voter in silence:", m, err)
	}
	if err := etcd.PromoteMember(t.Context(), []string{endpoint("i-1")}, id); err == nil || errors.Is(err, effects.ErrNotLearner) {
		t.Fatal("3.3 knows no promotion:", err)
	}
	if err := etcd.RemoveMember(t.Context(), []string{endpoint("i-1")}, id); err != nil {
		t.Fatal(err)
	}
	f.restartAt("i-1", minor(3, 4))
	if _, err := etcd.AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address("i-5")), true); err != nil {
		t.Fatal(err)
	}
	f.pass(time.Second)
	f.ended("i-2", states.ExitCrash, "ConfChange type")
	f.ended("i-3", states.ExitCrash, "ConfChange type")
	f.runs("i-1")
}

func TestJoinBetween23And30(t *testing.T) {
	for _, young := range []bool{true, false} {
		f := newFixture(t)
		f.SnapshotCount = 100
		c := f.formAt(minor(2, 3), "i-1", "i-2", "i-3")
		if !young {
			c.index += 200 // v2 keys
		}
		c.change(func(members []states.Member) []states.Member { // over the v2 API, which the daemon has no port for
			return append(members, states.Member{ID: 7, Address: address("i-4")})
		})
		f.minor = minor(3, 1)
		f.start("i-4", states.ClusterExisting, list("i-1", "i-2", "i-3", "i-4"))
		f.pass(5 * time.Second)
		f.ended("i-4", states.ExitRefused, "incompatible with current running cluster")
		f.minor = minor(3, 0)
		f.start("i-4", states.ClusterExisting, list("i-1", "i-2", "i-3", "i-4"))
		f.pass(10 * time.Second)
		f.runs("i-1", "i-2", "i-3")
		if young {
			f.runs("i-4")
			continue
		}
		f.ended("i-4", states.ExitCorrupt, "snapshot file doesn't exist")
		for _, id := range []string{"i-1", "i-2", "i-3"} {
			f.restartAt(id, minor(3, 0))
		}
		f.start("i-4", states.ClusterRestart, nil)
		f.pass(5 * time.Second)
		f.ended("i-4", states.ExitCorrupt, "snapshot file doesn't exist") // what it has received is not undone
	}
}

// A 2.3 leader that was restarted remembers nothing before its snapshot: a member that is upgraded in place, and has missed more
// than that, is sent a snapshot, and dies of it (etcd issue 6022).
func TestInPlaceBehindARestartedLeader(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		f := newFixture(t)
		f.SnapshotCount = 20
		f.formAt(minor(2, 3), "i-1", "i-2", "i-3")
		f.Crash("i-3")
		f.writes("i-1", 50)
		if restarted {
			for _, id := range []string{"i-1", "i-2"} {
				f.restartAt(id, minor(2, 3))
			}
		}
		f.minor = minor(3, 0)
		f.start("i-3", states.ClusterRestart, nil)
		f.pass(10 * time.Second)
		if restarted {
			f.ended("i-3", states.ExitCorrupt, "snapshot file doesn't exist")
		} else {
			f.runs("i-3")
		}
	}
}

func TestCallsBefore34(t *testing.T) {
	for m, known := range map[states.MinorVersion]bool{minor(3, 2): false, minor(3, 3): true} {
		f := newFixture(t)
		leader := f.instanceOf(f.formAt(m, "i-1", "i-2", "i-3").Leader())
		err := f.node(leader).Etcd().MoveLeader(t.Context(), endpoint(leader), f.member(f.follower()))
		f.Clusters()[0].Raise(NoSpace, 1)
		if s, err := f.node("i-1").Etcd().Status(t.Context(), endpoint("i-1")); err != nil || len(s.Errors) != 0 {
			t.Error("the status tells no errors before 3.4:", s, err)
		}
		if known != (err == nil) || !known && !errors.Is(err, errUnimplemented) {
			t.Error(m, err)
		}
	}
}

func TestClientPortFrom23To30(t *testing.T) {
	f := newFixture(t)
	f.formAt(minor(2, 3), "i-1", "i-2", "i-3")
	etcd, peers := f.node("i-1").Etcd(), f.node("i-1").Peers()
	if _, err := etcd.Status(t.Context(), endpoint("i-1")); !errors.Is(err, errNotGRPC) {
		t.Fatal("2.3 does not speak gRPC:", err)
	}
	if a, err := peers.Ask(t.Context(), address("i-1")); err != nil || a.ClusterVersion != minor(2, 3) {
		t.Fatal(a, err)
	}
	f.restartAt("i-1", minor(3, 0))
	if _, err := etcd.Status(t.Context(), endpoint("i-1")); !errors.Is(err, errNotCapable) {
		t.Fatal("3.0 answers no v3 call while the cluster is 2.3:", err)
	}
	f.restartAt("i-2", minor(3, 0))
	f.restartAt("i-3", minor(3, 0))
	if _, err := etcd.Status(t.Context(), endpoint("i-1")); err != nil {
		t.Fatal(err)
	}
}

// 3.1 and 2.3 cannot be peers: a server two minors ahead starts on the data and is alone.
func TestServersThatDoNotSpeak(t *testing.T) {
	f := newFixture(t)
	c := f.formAt(minor(2, 3), "i-1", "i-2", "i-3")
	f.restartAt("i-1", minor(3, 1))
	f.runs("i-1")
	if _, healthy, _ := c.Voters(); healthy != 2 {
		t.Fatal(healthy)
	}
}

func TestKeysBefore32(t *testing.T) {
	for _, keys := range []int{0, 1} {
		f := newFixture(t)
		f.SnapshotCount = 5
		ids := []string{"i-1", "i-2", "i-3"}
		f.formAt(minor(2, 3), ids...)
		f.writes("i-1", 30) // v2 keys: they do not count
		for _, m := range []states.MinorVersion{minor(3, 0), minor(3, 1)} {
			for _, id := range ids {
				f.restartAt(id, m)
			}
		}
		f.writes("i-1", keys)
		f.restartAt("i-1", minor(3, 2))
		if keys == 0 {
			f.ended("i-1", states.ExitCorrupt, "database snapshot file path error")
		} else {
			f.runs("i-1")
		}
	}
}

func TestMemberListOfALaggard(t *testing.T) {
	for _, m := range []states.MinorVersion{minor(3, 4), minor(3, 5)} {
		f := newFixture(t)
		c := f.formAt(m, "i-1", "i-2", "i-3")
		lags := f.follower()
		f.Lag(lags, true)
		etcd := f.node(lags).Etcd()
		if _, err := etcd.AddMember(t.Context(), []string{endpoint(f.instanceOf(c.Leader()))}, peerURL(address("i-4")), true); err != nil {
			t.Fatal(err)
		}
		l, err := etcd.Members(t.Context(), []string{endpoint(lags)})
		if m == minor(3, 4) && (err != nil || len(l.Members) != 3) || m == minor(3, 5) && !errors.Is(err, Timeout) {
			t.Fatal(m, l, err)
		}
		if a, err := f.node("i-9").Peers().Ask(t.Context(), address(lags)); err != nil || len(a.Members) != 3 {
			t.Fatal("the peer port tells what the server knows:", a, err)
		}
		f.Lag(lags, false)
		if l, err := etcd.Members(t.Context(), []string{endpoint(lags)}); err != nil || len(l.Members) != 4 {
			t.Fatal(m, l, err)
		}
	}
}

// Before 3.5.30 and 3.6.11 a voter that is down keeps everybody out; from then on a quorum of the new size is enough, with a
// second member that has not started.
func TestConnectivityRuleByPatch(t *testing.T) {
	for _, test := range []struct {
		minor states.MinorVersion
		patch int
		old   bool
	}{
		{minor(3, 4), 45, true}, {minor(3, 5), 29, true}, {minor(3, 5), 30, false}, {minor(3, 6), 10, true}, {minor(3, 6), 11, false},
	} {
		f := newFixture(t)
		f.World.Release = patches(map[states.MinorVersion]int{test.minor: test.patch})
		f.formAt(test.minor, "i-1", "i-2", "i-3")
		etcd := f.node("i-9").Etcd()
		for i, id := range []string{"i-4", "i-5"} {
			_, err := etcd.AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address(id)), false)
			if refused := i == 1 && test.old; errors.Is(err, effects.ErrUnhealthy) != refused || !refused && err != nil {
				t.Error(test, id, err)
			}
		}
	}
}
