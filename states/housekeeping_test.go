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
