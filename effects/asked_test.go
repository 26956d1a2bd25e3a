package effects

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// TestServerThatBeginsIsNotWaitedFor: its client port accepts connections and says nothing. One that has answered may take the time
// of the whole question.
func TestServerThatBeginsIsNotWaitedFor(t *testing.T) {
	r := clustered(t)
	var bounds []time.Duration
	r.Within = func(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		if d != workWithin { // which bounds the reads of those that have answered
			bounds = append(bounds, d)
		}
		return context.WithCancel(ctx)
	}
	answer := r.etcd.status[r.url(0)]
	for _, c := range []struct {
		what    string
		answers bool
		bounds  []time.Duration
	}{
		{"never asked", false, []time.Duration{startPatience}},
		{"has not answered", true, []time.Duration{startPatience}},
		{"has answered", true, nil},
		{"has answered, and hangs", false, nil},
		{"hung", true, []time.Duration{startPatience}},
	} {
		delete(r.etcd.status, r.url(0))
		if c.answers {
			r.etcd.status[r.url(0)] = answer
		}
		bounds = nil
		if l := r.clusterNow(true).Local; l.Answers != states.Is(c.answers) || !slices.Equal(bounds, c.bounds) {
			t.Errorf("%s: answers %s, waited for %v, want %v", c.what, l.Answers, bounds, c.bounds)
		}
	}
}

// TestPeerPortIsAskedForAReason: a server that begins is silent there as well, and every silence takes time from the question.
func TestPeerPortIsAskedForAReason(t *testing.T) {
	for _, c := range []struct {
		what               string
		upgrades, joins    bool
		answered, answers  bool
		asked, askedOthers int
	}{
		{"at rest", false, false, true, true, 0, 0},
		{"started again", false, false, false, false, 0, 0},
		{"joins", false, true, false, false, 1, 0},
		{"joins, and serves", false, true, true, true, 0, 0},
		{"is to be upgraded", true, false, true, true, 2, 2}, // before its status; then as one of all
		{"is to be upgraded, and begins", true, false, false, true, 1, 2},
	} {
		r := clustered(t)
		r.process.state.Minor, r.joining = states.MinorVersion{Major: 3, Minor: 6}, c.joins
		if !c.upgrades {
			r.Want(r.process.state.Minor, states.Version{})
		}
		r.Observe()
		if c.answered {
			r.clusterNow(true)
		}
		if !c.answers {
			delete(r.etcd.status, r.url(0))
		}
		peers := &askedPeers{}
		r.Peers = peers
		r.clusterNow(true)
		own := 0
		for _, address := range peers.asked {
			if address == r.facts.Self.Address {
				own++
			}
		}
		if others := len(peers.asked) - own; own != c.asked || others != c.askedOthers {
			t.Errorf("%s: asks itself %d times and others %d times, want %d and %d", c.what, own, others, c.asked, c.askedOthers)
		}
	}
}

// TestVersionIsOfWhoeverKnowsIt: one that answers, and has not decided, is not the last to be asked.
func TestVersionIsOfWhoeverKnowsIt(t *testing.T) {
	r := newRig(t, nil)
	want := states.MinorVersion{Major: 3, Minor: 6}
	r.peers["10.9.0.2"], r.peers["10.9.0.3"], version["10.9.0.3"] = nil, nil, want
	defer delete(version, "10.9.0.3")
	if got := r.askVersion(t.Context(), "10.9.0.1", "10.9.0.2", "10.9.0.3"); got != want {
		t.Errorf("knows %s, want %s", got, want)
	}
}

// TestOwnChangeIsReadBack: at rest too, the list is read again after a command.
func TestOwnChangeIsReadBack(t *testing.T) {
	r := clustered(t)
	r.clusterNow(false)
	r.pass(time.Second)
	r.do(promote)
	before := len(r.etcd.calls)
	r.clusterNow(false)
	r.clusterNow(false)
	if got := r.etcd.calls[before:]; !slices.Equal(got, []string{"members"}) {
		t.Errorf("asks %q, want the list, once", got)
	}
}

// TestEndpointsAreThoseOfTheMembers, and connections to others are closed. What a peer has told lasts until the list is read.
func TestEndpointsAreThoseOfTheMembers(t *testing.T) {
	r := clustered(t)
	told := "http://10.9.9.9:2379"
	learn := func() { r.addEndpoints([]states.Member{{ClientURL: told}}) }
	r.hold = true
	r.pass(time.Second)
	r.endpoints = nil
	r.process.state.Running = states.No
	r.turn(states.Needs{Cluster: time.Second})
	learn() // while it is asked, and there was nobody to ask
	r.deliver()
	if r.hold = false; !slices.Contains(r.endpoints, told) {
		t.Errorf("of an unknown cluster, knows %q", r.endpoints)
	}
	r.etcd.listErr = errors.New("no quorum")
	if r.clusterNow(true); !slices.Contains(r.endpoints, told) {
		t.Errorf("of a list that cannot be read, knows %q", r.endpoints)
	}
	r.etcd.listErr, r.etcd.list.Members = nil, r.etcd.list.Members[:2]
	want := []string{r.url(0), r.url(1)}
	slices.Sort(want)
	if r.clusterNow(true); !slices.Equal(r.endpoints, want) || !slices.Equal(r.etcd.kept, want) {
		t.Errorf("knows %q, connected to %q, want %q", r.endpoints, r.etcd.kept, want)
	}
}
