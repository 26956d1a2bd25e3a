package etcdfake

import (
	"errors"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// alone leaves the leader without its followers, and asks it to remove the second of them.
func (f *fixture) alone() (leader string, followers []string) {
	f.t.Helper()
	f.three()
	f.Clusters()[0].Depose() // so that it is not the first server that leads
	f.pass(8 * time.Second)
	leader = f.instanceOf(f.Clusters()[0].Leader())
	for _, n := range f.Nodes() {
		if n.ID != leader {
			followers = append(followers, n.ID)
			f.Crash(n.ID)
		}
	}
	err := f.node(leader).Etcd().RemoveMember(f.t.Context(), []string{endpoint(leader)}, f.member(followers[1]))
	if !errors.Is(err, Timeout) || len(f.Clusters()[0].Members()) != 3 {
		f.t.Fatal("a change without quorum:", err)
	}
	return leader, followers
}

func TestChangeWithoutQuorumComesToPassLater(t *testing.T) {
	f := newFixture(t)
	leader, followers := f.alone()
	f.pass(time.Minute)
	if len(f.Clusters()[0].Members()) != 3 {
		t.Fatal("it was made without quorum")
	}
	f.start(followers[0], states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	c := f.Clusters()[0]
	if f.instanceOf(c.Leader()) != leader || len(c.Members()) != 2 || find(c.Members(), f.member(followers[1])) != nil {
		t.Fatal("the longest log leads, and commits what is in it:", c.Members())
	}
	f.start(followers[1], states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	f.ended(followers[1], states.ExitRemoved, "permanently removed")
}

func TestChangeWithoutQuorumIsLostWithItsLeader(t *testing.T) {
	f := newFixture(t)
	leader, followers := f.alone()
	f.Crash(leader)
	for _, id := range followers {
		f.start(id, states.ClusterRestart, nil)
	}
	f.pass(5 * time.Second)
	f.start(leader, states.ClusterRestart, nil)
	f.pass(5 * time.Second)
	f.Crash(followers[0]) // it may lead again, with a log that is the others'
	f.pass(5 * time.Second)
	if c := f.Clusters()[0]; !c.HasQuorum() || len(c.Members()) != 3 {
		t.Fatal("others led since:", c.Members())
	}
}

// Of two that may lead, the one with the change on top of its log does, wherever it stands.
func TestLongerLogLeads(t *testing.T) {
	f := newFixture(t)
	f.three()
	c := f.Clusters()[0]
	c.Depose()
	f.pass(8 * time.Second)
	leader := f.instanceOf(c.Leader())
	first, dead := f.other(leader), ""
	for _, n := range f.Nodes() {
		if n.ID != leader && n.ID != first {
			dead = n.ID
		}
	}
	f.Crash(dead)
	f.Partition([]string{address(leader)}, []string{address(first)}, PeerPort)
	if err := f.node(leader).Etcd().RemoveMember(t.Context(), []string{endpoint(leader)}, f.member(dead)); !errors.Is(err, Timeout) {
		t.Fatal(err)
	}
	f.Recut(nil)
	f.pass(5 * time.Second)
	if f.instanceOf(c.Leader()) != leader || len(c.Members()) != 2 {
		t.Fatal(first, leader, c.Members())
	}
}

// As long a log as the others' is not enough where theirs is of a later term.
func TestChangeIsVoidOnceAnotherHasLed(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.pass(5 * time.Second)
	c := f.Clusters()[0]
	leader := f.instanceOf(c.Leader())
	for _, n := range f.Nodes() {
		if n.ID != leader {
			f.Partition([]string{address(leader)}, []string{n.Address}, PeerPort)
		}
	}
	err := f.node(leader).Etcd().RemoveMember(t.Context(), []string{endpoint(leader)}, f.member(f.other(leader)))
	if !errors.Is(err, Timeout) {
		t.Fatal(err)
	}
	f.pass(5 * time.Second)
	next := f.instanceOf(c.Leader())
	f.Crash(next)
	f.Recut(nil)
	f.pass(5 * time.Second)
	if !c.HasQuorum() || next == leader || len(c.Members()) != 3 {
		t.Fatal(next, c.Members())
	}
}

func TestChangeIsDroppedWithoutALeader(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.pass(5 * time.Second)
	c := f.Clusters()[0]
	leader := f.instanceOf(c.Leader())
	for _, n := range f.Nodes() {
		if n.ID != leader {
			f.Crash(n.ID)
		}
	}
	dead := f.other(leader)
	f.pass(3 * time.Second) // it has given up to lead
	if err := f.node(leader).Etcd().RemoveMember(t.Context(), []string{endpoint(leader)}, f.member(dead)); !errors.Is(err, Timeout) {
		t.Fatal(err)
	}
	for _, n := range f.Nodes() {
		if n.ID != leader {
			f.start(n.ID, states.ClusterRestart, nil)
		}
	}
	f.pass(10 * time.Second)
	if len(c.Members()) != 3 {
		t.Fatal(c.Members())
	}
}

// A follower that lags hands the change on, and does not see it made.
func TestLaggardChangesAndDoesNotTell(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.pass(5 * time.Second)
	lags := f.follower()
	f.Lag(lags, true)
	_, err := f.node(lags).Etcd().AddMember(t.Context(), []string{endpoint(lags)}, peerURL(address("i-4")), true)
	if !errors.Is(err, Timeout) || indexOf(f.Clusters()[0].Members(), address("i-4")) < 0 {
		t.Fatal("the outcome should be unknown, and the member added:", err)
	}
}

// other is an instance other than the leader, running or not.
func (f *fixture) other(leader string) string {
	for _, n := range f.Nodes() {
		if n.ID != leader {
			return n.ID
		}
	}
	f.t.Fatal("no follower")
	return ""
}
