package states

import (
	"testing"
	"time"
)

// TestWhatTheLeaderKnowsExpires: DNS lacks i-c, which the leader publishes by what it knows of its members, for 15 seconds.
func TestWhatTheLeaderKnowsExpires(t *testing.T) {
	for age, acts := range map[time.Duration]bool{0: true, 15 * time.Second: true, 15*time.Second + 1: false, 30 * time.Second: false} {
		d := leader(t, "zone published: i-a, i-b")
		d.o.Now = d.o.Now.Add(age)
		if got := d.decide(t); asks[PublishDNS](got) != acts || (got.Needs.Cluster == fast) == acts {
			t.Errorf("%v after it was told: %s, asks again after %v, does %v", age, got.Why, got.Needs.Cluster, got.Commands)
		}
	}
}

// TestLongUpgradesAreReported: a server may read a snapshot for minutes before it serves.
func TestLongUpgradesAreReported(t *testing.T) {
	for held, reports := range map[time.Duration]int{0: 0, 3 * time.Minute: 0, 5 * time.Minute: 0, 5*time.Minute + 1: 1} {
		d := leader(t, "lock i-c 3.6 to 3.7")
		d.o.Now = d.o.Now.Add(held)
		if got := d.tell(t, "fresh").decide(t); len(got.Reports) != reports || len(got.Commands) != 0 {
			t.Errorf("held for %v: %s, reports %q, does %v", held, got.Why, got.Reports, got.Commands)
		}
	}
}

// TestSilentRegionIsReported: two minutes are two answers that did not come.
func TestSilentRegionIsReported(t *testing.T) {
	for _, c := range []struct {
		silent  []string
		age     time.Duration
		reports int
	}{
		{[]string{"eu-west-1"}, 2 * time.Minute, 0},
		{[]string{"eu-west-1"}, 2*time.Minute + 1, 1},
		{nil, time.Hour, 0},
	} {
		d := leader(t)
		d.o.Group.Silent, d.o.Group.At = c.silent, d.o.Now.Add(-c.age)
		if got := d.decide(t); len(got.Reports) != c.reports {
			t.Errorf("%v for %v: reports %q", c.silent, c.age, got.Reports)
		}
	}
}

// TestALearnerCountsForNothing: where its instance has ended it is taken out of the list, whoever else is well. In the way it would
// keep out the very instance that could make them well.
func TestALearnerCountsForNothing(t *testing.T) {
	for _, c := range []struct {
		what, members string
		removed       bool
	}{
		{"a learner beside one healthy voter of three", "i-a, i-b unasked, i-c unasked, i-d learner unhealthy 9s", true},
		{"a voter beside one healthy voter of three", "i-a, i-b unasked, i-c unasked, i-d unhealthy 9s", false},
	} {
		d := leader(t, "group desired 3: i-a running, i-b running, i-c running, i-d gone", "members 7 at 3.7 leader i-a: "+c.members).decide(t)
		if asks[RemoveMember](d) != c.removed {
			t.Errorf("%s: %s, does %v, reports %q", c.what, d.Why, d.Commands, d.Reports)
		}
	}
}

// TestPaceAfter: AWS is asked less often the longer something has been wrong.
func TestPaceAfter(t *testing.T) {
	for _, c := range []struct{ since, pace time.Duration }{
		{0, time.Second},
		{30*time.Second - 1, time.Second},
		{30 * time.Second, 10 * time.Second},
		{5*time.Minute - 1, 10 * time.Second},
		{5 * time.Minute, 30 * time.Second},
		{time.Hour, 30 * time.Second},
	} {
		if got := paceAfter(c.since); got != c.pace {
			t.Errorf("wrong since %v: AWS is asked after %v, want %v", c.since, got, c.pace)
		}
	}
}
