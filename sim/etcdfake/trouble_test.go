package etcdfake

import (
	"errors"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// instanceOf finds the instance of a member.
func (f *fixture) instanceOf(member uint64) string {
	for _, n := range f.Nodes() {
		if _, id := n.MemberID(); id == member {
			return n.ID
		}
	}
	f.t.Fatal("no such member")
	return ""
}

// member is the member of an instance.
func (f *fixture) member(id string) uint64 {
	_, m := f.node(id).MemberID()
	return m
}

// follower is the first instance of a voter that does not lead.
func (f *fixture) follower() string {
	for _, n := range f.Nodes() {
		if _, m := n.MemberID(); n.Running() && m != f.Clusters()[0].Leader() {
			return n.ID
		}
	}
	f.t.Fatal("no follower")
	return ""
}

func TestPartitionedLeaderIsReplaced(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	leader := f.instanceOf(c.Leader())
	for _, n := range f.Nodes() {
		if n.ID != leader {
			f.Cut(address(leader), n.Address, PeerPort) // one direction is enough
		}
	}
	f.pass(5 * time.Second)
	if !c.HasQuorum() || f.instanceOf(c.Leader()) == leader {
		t.Fatal("the majority did not elect another leader")
	}
	etcd := f.Node(leader, address(leader)).Etcd()
	if s, err := etcd.Status(t.Context(), endpoint(leader)); err != nil || s.Leader != 0 {
		t.Fatal("it still believes in a leader", s, err)
	}
	if err := f.Write(address(leader)); !errors.Is(err, Timeout) {
		t.Fatal("a minority took a write:", err)
	}
	f.Recut(nil)
	f.pass(time.Second)
	if n, healthy, holders := c.Voters(); n != 3 || healthy != 3 || holders != 3 {
		t.Fatal(n, healthy, holders)
	}
}

func TestLostAnswerLeavesItsEffect(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.pass(5 * time.Second)
	f.Cut(address("i-1"), address("i-4"), ClientPort) // requests of i-4 arrive, and answers do not
	etcd := f.Node("i-4", address("i-4")).Etcd()
	_, err := etcd.AddMember(t.Context(), []string{endpoint("i-1"), endpoint("i-2")}, peerURL(address("i-4")), true)
	if !errors.Is(err, Timeout) || indexOf(f.Clusters()[0].Members(), address("i-4")) < 0 {
		t.Fatal("the outcome should be unknown, and the member added:", err)
	}
}

func TestFaults(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.pass(5 * time.Second)
	var calls []Call
	f.Fault = func(c Call) Fault {
		calls = append(calls, c)
		if c.Target == address("i-1") {
			return Fault{Err: effects.ErrRefused}
		}
		return Fault{}
	}
	etcd := f.Node("i-4", address("i-4")).Etcd()
	if _, err := etcd.AddMember(t.Context(), []string{endpoint("i-1"), endpoint("i-2")}, peerURL(address("i-4")), true); err != nil {
		t.Fatal(err)
	}
	want := Call{Caller: "i-4", Action: AddMember, Target: address("i-2")}
	if len(calls) != 2 || calls[1] != want {
		t.Fatal(calls)
	}
}

// A call whose answer is lost has taken place, and one that never arrived has not.
func TestTimeoutLeavesTheEffectOrNone(t *testing.T) {
	for _, applied := range []bool{true, false} {
		f := newFixture(t)
		f.three()
		f.pass(5 * time.Second)
		f.Fault = func(Call) Fault { return Fault{Err: Timeout, Apply: applied} }
		_, err := f.Node("i-4", address("i-4")).Etcd().AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address("i-4")), true)
		if !errors.Is(err, Timeout) {
			t.Errorf("applied %t: told %v", applied, err)
		}
		if n := len(f.Clusters()[0].Members()); (n == 4) != applied {
			t.Errorf("applied %t: %d members", applied, n)
		}
	}
}

func TestSpoiledData(t *testing.T) {
	f := newFixture(t)
	f.three()
	n := f.Node("i-3", address("i-3"))
	f.Corrupt("i-3")
	if n.Disk().Inspect().State != states.DiskMember {
		t.Fatal("spoiled data looks like a member's until a server reads it")
	}
	f.start("i-3", states.ClusterRestart, nil)
	f.pass(time.Second)
	if r := n.Process().Inspect().Reason; r != states.ExitCorrupt {
		t.Fatal(r)
	}
	if err := n.Disk().SetAside("test"); err != nil {
		t.Fatal(err)
	}
	if d := n.Disk().Inspect(); d.State != states.DiskEmpty || !d.SetAside {
		t.Fatal(d)
	}
	f.Tear("i-2")
	if d := f.Node("i-2", address("i-2")).Disk().Inspect(); d.State != states.DiskBroken {
		t.Fatal(d)
	}
	if _, _, holders := f.Clusters()[0].Voters(); holders != 1 {
		t.Fatal(holders)
	}
}

func TestAddressIsReused(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.Kill("i-3")
	twin := f.Node("i-9", address("i-3"))
	if _, err := twin.Peers().Ask(t.Context(), address("i-3")); !errors.Is(err, effects.ErrRefused) {
		t.Fatal(err)
	}
	if n, healthy, holders := f.Clusters()[0].Voters(); n != 3 || healthy != 2 || holders != 2 {
		t.Fatal(n, healthy, holders)
	}
}
