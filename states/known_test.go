package states

import (
	"slices"
	"testing"
	"time"
)

// leader gives a dialogue of i-a that leads a cluster of three in order, everything known and a moment old.
func leader(t *testing.T, lines ...string) *dialogue {
	t.Helper()
	return told(t, append([]string{
		"daemon i-a of releaseetcd wants 3.7 has 3.7", "state LeadingHousekeeping", "disk member 3.7 joined", "process running 3.7",
		"group desired 3: i-a running, i-b running, i-c running", "claim formed 7 releaseetcd-i-a-1: i-a, i-b, i-c",
		"zone published: i-a, i-b, i-c", "members 7 at 3.7 leader i-a: i-a, i-b, i-c", "local i-a leader i-a",
	}, lines...)...)
}

func told(t *testing.T, lines ...string) *dialogue {
	t.Helper()
	return newDialogue().tell(t, lines...)
}

func (d *dialogue) tell(t *testing.T, lines ...string) *dialogue {
	t.Helper()
	for _, line := range lines {
		if _, err := d.say(line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return d
}

func (d *dialogue) decide(t *testing.T) Decision {
	t.Helper()
	decision, err := d.machine.Step(&d.o)
	if err != nil {
		t.Fatal(err)
	}
	return decision
}

func asks[C Command](d Decision) bool {
	return slices.ContainsFunc(d.Commands, func(c Command) bool { _, ok := c.(C); return ok })
}

// TestPromotionSeenHalfway: its own server is asked a moment before the member list is read, and the promotion falls between.
// Two rules that each believed another of the two answers sent the machine round in circles until Step gave up, and with it
// the daemon.
func TestPromotionSeenHalfway(t *testing.T) {
	for _, s := range []string{"Joining", "Running"} {
		d := told(t, "daemon i-d of releaseetcd wants 3.7 has 3.7", "state "+s, "disk member 3.7", "process running 3.7",
			"members 7 at 3.7 leader i-a: i-a, i-b, i-d", "local i-d leader i-a learner")
		if got := d.decide(t); got.To != Joining || asks[PromoteMember](got) {
			t.Errorf("from %s: %+v", s, got)
		}
	}
}

// TestOnlyInstancesAreProvenGone: a member that another supervisor has named "etcd-2" is no instance that AWS could know, so
// AWS not knowing it proves nothing. The instance at its address runs.
func TestOnlyInstancesAreProvenGone(t *testing.T) {
	d := leader(t, "members 7 at 3.7 leader i-a: i-a, i-b, i-c named etcd-2 unhealthy 70s", "absent etcd-2 9 reads 70s")
	if got := d.decide(t); asks[RemoveMember](got) {
		t.Errorf("removes a member whose instance runs: %+v", got.Commands)
	}
}

// TestPublishedNamesStayUntilAWSIsAsked: the new leader last read the group before i-c joined. i-c is published, healthy, and
// AWS was never asked for it: its names must not be taken out of the SRV sets because they are not known here.
func TestPublishedNamesStayUntilAWSIsAsked(t *testing.T) {
	d := leader(t, "group desired 3: i-a running, i-b running")
	if got := d.decide(t); asks[PublishDNS](got) {
		t.Errorf("publishes before it has asked: %+v", got.Commands)
	}
}

// TestAPausedLeaderAsksBeforeItActs: the daemon was stopped for a minute. What it knew of the members before may not be so any
// more, and DNS lacks i-c, which it would publish by that.
func TestAPausedLeaderAsksBeforeItActs(t *testing.T) {
	d := leader(t, "zone published: i-a, i-b")
	if got := d.decide(t); !asks[PublishDNS](got) {
		t.Fatalf("publishes nothing: %s", got.Why)
	}
	d = leader(t, "zone published: i-a, i-b", "tick 1m")
	if got := d.decide(t); len(got.Commands) > 0 || got.Needs.Cluster != fast {
		t.Errorf("acts on what it knew a minute ago: %v", got.Commands)
	}
	d = leader(t, "zone published: i-a, i-b", "tick 1m", "fresh")
	if got := d.decide(t); !asks[PublishDNS](got) {
		t.Errorf("publishes nothing once it has asked: %s", got.Why)
	}
}

// TestJoinsTheClusterThatItSees: the peers of the group serve cluster 7, and the member list was read from a cluster 8 that
// an endpoint from before still leads to (an instance that has left the group, and runs on).
func TestJoinsTheClusterThatItSees(t *testing.T) {
	d := told(t, "daemon i-d of releaseetcd wants 3.7 has 3.7", "state Joining", "disk empty", "process stopped",
		"group desired 3: i-a running, i-b running, i-d running", "peer i-a answers 7 at 3.7: i-a, i-b", "peer i-b answers 7 at 3.7: i-a, i-b",
		"join held", "tick 1ms", "members 8 at 3.7 leader i-e: i-e")
	if got := d.decide(t); asks[AddMember](got) {
		t.Errorf("adds itself to a cluster that none of its peers serves: %s", got.Why)
	}
}

// TestNobodyIsNoProof: a claim that names nobody is no claim of which all have ended.
func TestNobodyIsNoProof(t *testing.T) {
	d := told(t, "total-loss new", "daemon i-d of releaseetcd wants 3.7 has 3.7", "disk empty", "process stopped",
		"group desired 1: i-d running", "polled", "claim formed 7 releaseetcd-i-a-1:")
	if got := d.decide(t); got.To != Discovering {
		t.Errorf("%s: %s", got.To, got.Why)
	}
}

// TestClaimNamesWhoMakesIt: EC2's answer is behind and shows this instance without an address, while a group that is being
// rebalanced has as many others as it wants.
func TestClaimNamesWhoMakesIt(t *testing.T) {
	for _, store := range []string{"nowhere", "absent"} {
		d := told(t, "daemon i-a of releaseetcd wants 3.7 has 3.7", "disk empty", "process stopped", "claim "+store,
			"group desired 2: i-a no-address, i-b running, i-c running", "peer i-b refuses", "peer i-c refuses")
		if got := d.decide(t); len(got.Commands) > 0 {
			t.Errorf("claim %s: %v", store, got.Commands)
		}
	}
}

// TestAbsenceNeedsTimeAndReads spells out the proof by silence.
func TestAbsenceNeedsTimeAndReads(t *testing.T) {
	for _, c := range []struct {
		reads int
		since time.Duration
		want  Fact
	}{
		{0, 0, Unknown}, {1, time.Hour, Unknown}, {2, time.Hour, Unknown}, {3, time.Minute - 1, Unknown}, {3, time.Minute, Yes}, {1000, time.Second, Unknown},
	} {
		g := Group{Known: Yes, At: epoch, Absent: []Absence{{Key: "i-c", Reads: c.reads, Since: epoch.Add(-c.since)}}}
		if got := g.Gone("i-c"); got != c.want {
			t.Errorf("%d reads over %v: gone is %s, want %s", c.reads, c.since, got, c.want)
		}
		g.Known = Unknown
		if g.Gone("i-c") != Unknown || g.Gone("i-x") != Unknown {
			t.Error("an unknown group proves something")
		}
	}
}
