package etcdfake

import (
	"errors"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

func TestDamageShowsAtTheStart(t *testing.T) {
	for _, damage := range []Damage{BadLog, BadDatabase, NoDatabase} {
		f := newFixture(t)
		f.three()
		f.Spoil("i-3", damage)
		if d := f.node("i-3").Disk().Inspect(); d.State != states.DiskMember {
			t.Fatal(d)
		}
		f.start("i-3", states.ClusterRestart, nil)
		f.pass(time.Second)
		f.ended("i-3", states.ExitCorrupt, string(damage))
	}
}

func TestDataOfAnotherCluster(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.start("i-7", states.ClusterNew, list("i-7"))
	f.pass(5 * time.Second)
	f.Crash("i-7")
	f.CopyDisk("i-7", "i-3")
	if id, _ := f.node("i-3").MemberID(); id == f.Clusters()[0].ID() {
		t.Fatal("the data is not the other cluster's")
	}
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	f.runs("i-3")
	a, err := f.node("i-1").Peers().Ask(t.Context(), address("i-3"))
	if err != nil || a.ClusterID == f.Clusters()[0].ID() {
		t.Fatal(a, err)
	}
	if _, err := f.node("i-1").Etcd().Status(t.Context(), endpoint("i-3")); err == nil {
		t.Fatal("it serves at an address that its cluster does not know")
	}
	if _, healthy, _ := f.Clusters()[0].Voters(); healthy != 2 || len(f.Incidents()) != 0 {
		t.Fatal(healthy, f.Incidents())
	}
	f.CopyDisk("i-1", "i-3")
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	if i := f.Incidents(); len(i) != 1 || i[0].Trouble != TwinMember || i[0].Instance != "i-3" {
		t.Fatal(i)
	}
}

func TestFailingDisk(t *testing.T) {
	f := newFixture(t)
	f.three()
	n := f.node("i-3")
	f.FailDisk("i-3", DiskFull)
	f.ended("i-3", states.ExitCrash, "no space left on device")
	if err := n.Disk().RecordStart(states.StartEtcd{State: states.ClusterRestart}); !errors.Is(err, DiskFull) {
		t.Fatal(err)
	}
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(time.Second)
	f.ended("i-3", states.ExitCrash, "no space left on device")
	f.FailDisk("i-3", DiskReadOnly)
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(time.Second)
	f.ended("i-3", states.ExitCrash, "read-only file system")
	f.FailDisk("i-3", nil)
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	if _, healthy, _ := f.Clusters()[0].Voters(); healthy != 3 {
		t.Fatal("the data was good all the time")
	}
}

func TestSlowStart(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.Crash("i-3")
	f.node("i-3").StartDelay = 30 * time.Minute
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(29 * time.Minute)
	f.runs("i-3")
	if _, err := f.node("i-1").Peers().Ask(t.Context(), address("i-3")); !errors.Is(err, effects.ErrRefused) {
		t.Fatal("it reads its data, and does not listen yet:", err)
	}
	f.pass(2 * time.Minute)
	if _, healthy, _ := f.Clusters()[0].Voters(); healthy != 3 {
		t.Fatal(healthy)
	}
}

func TestStalledServerKeepsItsPlace(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	leader := f.instanceOf(c.Leader())
	f.Stall(leader, true)
	f.pass(time.Minute)
	if f.instanceOf(c.Leader()) != leader {
		t.Fatal("it answers its peers, and leads on")
	}
	etcd := f.node(leader).Etcd()
	if _, err := etcd.Status(t.Context(), endpoint(leader)); !errors.Is(err, Timeout) {
		t.Fatal(err)
	}
	if _, err := f.node(leader).Peers().Ask(t.Context(), address(leader)); err != nil {
		t.Fatal(err)
	}
	f.Stall(leader, false)
	if _, err := etcd.Status(t.Context(), endpoint(leader)); err != nil {
		t.Fatal(err)
	}
}

// A server that is paused for less than an election timeout of its peers, and one that is paused for a minute.
func TestPausedLeader(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	leader := f.instanceOf(c.Leader())
	f.Hang(leader, true)
	f.pass(time.Minute)
	if !c.HasQuorum() || f.instanceOf(c.Leader()) == leader {
		t.Fatal("nobody took over")
	}
	f.Hang(leader, false)
	f.pass(time.Second)
	if s, err := f.node(leader).Etcd().Status(t.Context(), endpoint(leader)); err != nil || s.Leader != c.Leader() {
		t.Fatal(s, err)
	}
}

func TestLeaderFlaps(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	led := map[uint64]int{}
	for range 6 {
		before := c.Leader()
		c.Depose()
		if c.HasQuorum() || f.Write(address("i-1")) == nil {
			t.Fatal("it serves without a leader")
		}
		f.pass(2 * time.Second)
		if c.Leader() == before || !c.HasQuorum() {
			t.Fatal("the same one leads again")
		}
		led[c.Leader()]++
	}
	if len(led) < 2 {
		t.Fatal(led)
	}
	one := newFixture(t)
	one.formAt(minor37, "i-1").Depose()
	if one.pass(2 * time.Second); !one.Clusters()[0].HasQuorum() {
		t.Fatal("the only voter leads again")
	}
}

func TestPartitions(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	leader := f.instanceOf(c.Leader())
	a, b := f.follower(), ""
	for _, n := range f.Nodes() {
		if n.ID != leader && n.ID != a {
			b = n.ID
		}
	}
	etcd := f.node(b).Etcd()
	f.Partition([]string{address(a)}, []string{address(b)}, AllPorts) // the followers from each other: nobody else sees it
	f.pass(10 * time.Second)
	if _, healthy, _ := c.Voters(); healthy != 3 {
		t.Fatal(healthy)
	}
	if _, err := etcd.Status(t.Context(), endpoint(a)); err == nil {
		t.Fatal("b sees a")
	}
	f.Recut(nil)
	f.Cut(address(leader), address(a), PeerPort) // one way, between leader and follower: raft needs both
	f.pass(10 * time.Second)
	if s, err := etcd.Status(t.Context(), endpoint(a)); err != nil || s.Leader != 0 {
		t.Fatal("a is without a leader, and says so:", s, err)
	}
	if _, err := etcd.Members(t.Context(), []string{endpoint(a)}); !errors.Is(err, Timeout) {
		t.Fatal(err)
	}
	f.Recut(nil)
	f.pass(5 * time.Second)
	f.Partition([]string{address(a)}, []string{address(b), address(leader)}, ClientPort)
	if _, err := etcd.Status(t.Context(), endpoint(a)); !errors.Is(err, Timeout) {
		t.Fatal(err)
	}
	if _, err := f.node(b).Peers().Ask(t.Context(), address(a)); err != nil {
		t.Fatal("the peer port is open:", err)
	}
	if _, healthy, _ := c.Voters(); healthy != 3 {
		t.Fatal(healthy)
	}
}

// A fault may let time pass: a call arrives later than it was made, in a world that has moved on.
func TestCallArrivesLate(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	leader := f.instanceOf(c.Leader())
	to := f.member(f.follower())
	f.Fault = func(call Call) Fault {
		if call.Action == MoveLeader {
			f.Crash(leader)
			f.now = f.now.Add(5 * time.Second)
		}
		return Fault{}
	}
	if err := f.node(leader).Etcd().MoveLeader(t.Context(), endpoint(leader), to); !errors.Is(err, effects.ErrRefused) {
		t.Fatal(err)
	}
	if !c.HasQuorum() {
		t.Fatal("5 s have not passed")
	}
}
