package states

import (
	"testing"
	"time"
)

// TestNext walks from the oldest minor to the newest, and no further.
func TestNext(t *testing.T) {
	at, steps := MinorVersion{2, 3}, 0
	for ; at.Next().Known(); at = at.Next() {
		if !at.Less(at.Next()) {
			t.Fatalf("%s is followed by %s", at, at.Next())
		}
		steps++
	}
	if at != minor37 || steps != 8 || (MinorVersion{2, 2}).Next().Known() || (MinorVersion{}).Next().Known() {
		t.Errorf("%d steps lead from 2.3 to %s", steps, at)
	}
}

// TestUp: whoever has no address yet cannot be asked, and cannot be listed in a claim.
func TestUp(t *testing.T) {
	for _, c := range []struct {
		instance Instance
		want     bool
	}{
		{Instance{}, false},
		{Instance{Address: "10.0.0.1"}, false},
		{Instance{State: InstanceRunning}, false},
		{Instance{State: InstancePending}, false},
		{Instance{Address: "10.0.0.1", State: InstancePending}, true},
		{Instance{Address: "10.0.0.1", State: InstanceRunning}, true},
		{Instance{Address: "10.0.0.1", State: InstanceStopped}, false},
		{Instance{Address: "10.0.0.1", State: InstanceGone}, false},
	} {
		if got := c.instance.Up(); got != c.want {
			t.Errorf("%+v is up: %v", c.instance, got)
		}
	}
}

// TestEveryFieldOfARecordCounts: a batch that deletes what is not exactly there is refused as a whole.
func TestEveryFieldOfARecordCounts(t *testing.T) {
	r := Record{Name: "a.", Type: "A", TTL: 60, Values: []string{"10.0.0.1"}}
	for _, o := range []Record{
		{Name: "b.", Type: "A", TTL: 60, Values: r.Values}, {Name: "a.", Type: "TXT", TTL: 60, Values: r.Values},
		{Name: "a.", Type: "A", TTL: 61, Values: r.Values}, {Name: "a.", Type: "A", TTL: 60},
	} {
		if r.Equal(&o) || !o.Equal(&o) {
			t.Errorf("%+v equals %+v, or not itself", r, o)
		}
	}
}

func TestEveryFieldOfAClaimCounts(t *testing.T) {
	v37 := MinorVersion{3, 7}
	r := ClaimRecord{ClaimFormed, "releaseetcd-1", 7, v37, []ClaimMember{{"i-a", "10.0.0.1"}}}
	for _, o := range []ClaimRecord{
		{ClaimPending, "releaseetcd-1", 7, v37, r.Members}, {ClaimFormed, "releaseetcd-2", 7, v37, r.Members}, {ClaimFormed, "releaseetcd-1", 8, v37, r.Members},
		{ClaimFormed, "releaseetcd-1", 7, v37, nil}, {ClaimFormed, "releaseetcd-1", 7, v37, []ClaimMember{{"i-a", "10.0.0.2"}}},
		{ClaimFormed, "releaseetcd-1", 7, MinorVersion{3, 6}, r.Members},
	} {
		if r.Equal(&o) || !o.Equal(&o) {
			t.Errorf("%+v equals %+v, or not itself", r, o)
		}
	}
}

// TestOneIsGoneAndNotTheOther: the proof is of one instance.
func TestOneIsGoneAndNotTheOther(t *testing.T) {
	g := Group{Known: Yes, At: epoch, Absent: []Absence{{Key: "i-c", Reads: 9, Since: epoch.Add(-time.Hour)}}}
	if g.Gone("i-c") != Yes || g.Gone("i-d") != Unknown || !g.missing("i-c") || g.missing("i-d") {
		t.Errorf("i-c is gone: %v, i-d is: %v", g.Gone("i-c"), g.Gone("i-d"))
	}
}

func TestPortsAtTheirLimits(t *testing.T) {
	for _, c := range []struct {
		client, peer int
		fine         bool
	}{{1, 65535, true}, {65535, 1, true}, {0, 2380, false}, {2379, 0, false}, {65536, 2380, false}, {2379, 65536, false}, {2379, 2379, false}} {
		config := Config{ClientPort: c.client, PeerPort: c.peer, OnTotalLoss: HaltOnTotalLoss}
		if err := config.Validate(); (err == nil) != c.fine {
			t.Errorf("ports %d and %d: %v", c.client, c.peer, err)
		}
	}
}
