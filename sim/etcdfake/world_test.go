package etcdfake

import (
	"errors"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// fixture is a world with a clock that tests turn.
type fixture struct {
	*World
	t     *testing.T
	now   time.Time
	minor states.MinorVersion // of the servers that are started
}

var minor37 = states.MinorVersion{Major: 3, Minor: 7}

func newFixture(t *testing.T) *fixture {
	f := &fixture{t: t, minor: minor37, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	f.World = New(Options{Now: func() time.Time { return f.now }})
	return f
}

func (f *fixture) node(id string) *Node { return f.Node(id, address(id)) }

// pass lets time pass, event by event.
func (f *fixture) pass(d time.Duration) {
	for end := f.now.Add(d); ; {
		next, ok := f.NextEvent()
		if !ok || next.After(end) {
			f.now = end
			return
		}
		f.now = next
		f.Advance()
	}
}

func address(id string) string  { return "10.0.0." + id[2:] }
func endpoint(id string) string { return "http://" + address(id) + ":2379" }

func list(ids ...string) (l []states.ClaimMember) {
	for _, id := range ids {
		l = append(l, states.ClaimMember{ID: id, Address: address(id)})
	}
	return l
}

func (f *fixture) start(id string, state states.ClusterState, l []states.ClaimMember) {
	f.t.Helper()
	err := f.Node(id, address(id)).Process().Start(states.StartEtcd{
		Minor: f.minor, Name: id, Address: address(id), State: state, Token: "t", Cluster: l,
	})
	if err != nil {
		f.t.Fatal(id, err)
	}
}

// three forms a cluster of three that has settled.
func (f *fixture) three() {
	f.t.Helper()
	for _, id := range []string{"i-1", "i-2", "i-3"} {
		f.start(id, states.ClusterNew, list("i-1", "i-2", "i-3"))
	}
	f.pass(10 * time.Second)
	if c := f.Clusters(); len(c) != 1 || !c[0].HasQuorum() || c[0].Version() != minor37 {
		f.t.Fatal("the cluster did not form")
	}
}

func TestJoinPromoteReplace(t *testing.T) {
	f := newFixture(t)
	f.three()
	etcd := f.Node("i-4", address("i-4")).Etcd()
	id, err := etcd.AddMember(t.Context(), []string{endpoint("i-9"), endpoint("i-1")}, peerURL(address("i-4")), true)
	if err != nil {
		t.Fatal(err)
	}
	if err := etcd.PromoteMember(t.Context(), []string{endpoint("i-1")}, id); !errors.Is(err, effects.ErrNotInSync) {
		t.Fatal("promoted before it was started:", err)
	}
	f.start("i-4", states.ClusterExisting, list("i-1", "i-2", "i-3", "i-4"))
	f.pass(5 * time.Second)
	if err := etcd.PromoteMember(t.Context(), []string{endpoint("i-4"), endpoint("i-1")}, id); err != nil {
		t.Fatal(err)
	}
	f.Kill("i-2")
	f.pass(5 * time.Second)
	c := f.Clusters()[0]
	dead := c.Members()[indexOf(c.Members(), address("i-2"))].ID
	if err := etcd.RemoveMember(t.Context(), []string{endpoint("i-4")}, dead); err != nil {
		t.Fatal(err)
	}
	if n, healthy, holders := c.Voters(); n != 3 || healthy != 3 || holders != 3 {
		t.Fatal(n, healthy, holders)
	}
}

// A server that runs is not enough: a learner is promoted once it has what its leader has (etcd server.go isLearnerReady).
func TestLearnerThatLagsIsNotPromoted(t *testing.T) {
	f := newFixture(t)
	f.three()
	etcd := f.node("i-4").Etcd()
	id, err := etcd.AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address("i-4")), true)
	if err != nil {
		t.Fatal(err)
	}
	f.node("i-4").CatchUp = time.Minute
	f.start("i-4", states.ClusterExisting, list("i-1", "i-2", "i-3", "i-4"))
	f.pass(50 * time.Second)
	if err := etcd.PromoteMember(t.Context(), []string{endpoint("i-1")}, id); !errors.Is(err, effects.ErrNotInSync) {
		t.Fatal("promoted while it fetches its data:", err)
	}
	f.pass(20 * time.Second)
	if err := etcd.PromoteMember(t.Context(), []string{endpoint("i-1")}, id); err != nil {
		t.Fatal(err)
	}
}

func TestRemovedMemberExits(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	leader := c.Leader()
	etcd := f.Node("i-1", address("i-1")).Etcd()
	if err := etcd.RemoveMember(t.Context(), []string{endpoint("i-1")}, leader); err != nil {
		t.Fatal(err)
	}
	f.pass(5 * time.Second)
	if !c.HasQuorum() || c.Leader() == leader {
		t.Fatal("the cluster did not elect another leader")
	}
	for _, n := range f.Nodes() {
		if _, id := n.MemberID(); id == leader && n.Process().Inspect().Reason != states.ExitRemoved {
			t.Fatal("the removed member did not exit")
		}
	}
}

func TestSplitBrainShows(t *testing.T) {
	f := newFixture(t)
	f.start("i-1", states.ClusterNew, list("i-1"))
	f.start("i-2", states.ClusterNew, list("i-2"))
	f.pass(5 * time.Second)
	for _, id := range []string{"i-1", "i-2"} {
		if err := f.Write(address(id)); err != nil {
			t.Fatal(err)
		}
	}
	if c := f.Clusters(); len(c) != 2 || c[0].Token() != c[1].Token() || c[0].Served().IsZero() || c[1].Served().IsZero() {
		t.Fatal("two clusters expected")
	}
}

func TestLostMajorityLosesWrites(t *testing.T) {
	f := newFixture(t)
	f.three()
	if err := f.Write(address("i-1")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"i-1", "i-2", "i-3"} {
		f.Crash(id)
	}
	f.LoseDisk("i-1")
	f.LoseDisk("i-2")
	if _, _, holders := f.Clusters()[0].Voters(); holders != 1 {
		t.Fatal(holders)
	}
	f.start("i-1", states.ClusterNew, list("i-1", "i-2", "i-3"))
	f.start("i-2", states.ClusterNew, list("i-1", "i-2", "i-3"))
	f.pass(5 * time.Second)
	troubles := map[Trouble]int{}
	for _, i := range f.Incidents() {
		troubles[i.Trouble]++
	}
	if troubles[WipedMember] != 2 || troubles[LostWrites] != 1 {
		t.Fatal(f.Incidents())
	}
}

func TestQuorumLossAndLeases(t *testing.T) {
	f := newFixture(t)
	f.three()
	etcd := f.Node("i-1", address("i-1")).Etcd()
	ends := []string{endpoint("i-1"), endpoint("i-2"), endpoint("i-3")}
	if l, err := etcd.HoldLock(t.Context(), ends, "k", "i-1", time.Minute); err != nil || l.Owner != "i-1" {
		t.Fatal(l, err)
	}
	f.Crash("i-2")
	f.Crash("i-3")
	f.pass(2 * time.Minute)
	if _, err := etcd.Members(t.Context(), ends); err == nil {
		t.Fatal("a list without quorum")
	}
	if s, err := etcd.Status(t.Context(), ends[0]); err != nil || s.Leader != 0 {
		t.Fatal(s, err)
	}
	if l := f.Clusters()[0].Lock("k"); l.Owner != "i-1" {
		t.Fatal("without a leader nobody revokes a lease:", l)
	}
	f.start("i-2", states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	if l, err := etcd.HoldLock(t.Context(), ends, "k", "i-2", time.Minute); err != nil || l.Owner != "i-1" {
		t.Fatal("a lease outlives the time without a leader", l, err)
	}
	f.pass(2 * time.Minute)
	if l, err := etcd.HoldLock(t.Context(), ends, "k", "i-2", time.Minute); err != nil || l.Owner != "i-2" {
		t.Fatal(l, err)
	}
}

func BenchmarkStatus(b *testing.B) {
	now := time.Unix(0, 0)
	w := New(Options{Now: func() time.Time { return now }})
	n := w.Node("i-1", "10.0.0.1")
	if err := n.Process().Start(states.StartEtcd{Minor: minor37, Name: "i-1", Address: "10.0.0.1", State: states.ClusterNew, Cluster: list("i-1")}); err != nil {
		b.Fatal(err)
	}
	for range 10 {
		if next, ok := w.NextEvent(); ok {
			now = next
			w.Advance()
		}
	}
	etcd, peers, process := n.Etcd(), n.Peers(), n.Process()
	b.ReportAllocs()
	for b.Loop() {
		_, e1 := etcd.Status(b.Context(), "http://10.0.0.1:2379")
		_, e2 := peers.Ask(b.Context(), "10.0.0.1")
		if e1 != nil || e2 != nil || process.Inspect().Running != states.Yes {
			b.Fatal(e1, e2)
		}
	}
}

// BenchmarkRestart is one member's crash and return in a cluster of five: ten events or so.
func BenchmarkRestart(b *testing.B) {
	f := &fixture{now: time.Unix(1e9, 0)}
	f.World = New(Options{Now: func() time.Time { return f.now }})
	ids := []string{"i-1", "i-2", "i-3", "i-4", "i-5"}
	start := func(id string, state states.ClusterState) {
		if err := f.Node(id, address(id)).Process().Start(states.StartEtcd{
			Minor: minor37, Name: id, Address: address(id), State: state, Cluster: list(ids...),
		}); err != nil {
			b.Fatal(err)
		}
	}
	for _, id := range ids {
		start(id, states.ClusterNew)
	}
	f.pass(10 * time.Second)
	b.ReportAllocs()
	revision := f.Revision()
	for i := 0; b.Loop(); i++ {
		id := ids[i%5]
		f.Crash(id)
		start(id, states.ClusterRestart)
		f.pass(5 * time.Second)
	}
	b.ReportMetric(float64(f.Revision()-revision)/b.Elapsed().Seconds(), "events/s")
}
