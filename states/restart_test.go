package states

import (
	"fmt"
	"testing"
	"time"
)

func TestRestartDelay(t *testing.T) {
	for n := range 50 {
		id := fmt.Sprintf("i-%017x", n*7919)
		if d := restartDelay(id, 0); d != 0 {
			t.Errorf("%s: waits %v before its first start", id, d)
		}
		if d := restartDelay(id, 1); d != 0 {
			t.Errorf("%s: waits %v before its first restart, which must be at once", id, d)
		}
		last := time.Duration(0)
		for exits := 2; exits <= 100_000; exits = exits*5/4 + 1 {
			full := maxDelay
			if exits < 12 {
				full = min(maxDelay, firstDelay<<(exits-2))
			}
			d := restartDelay(id, exits)
			if d > full || d <= full-full/4 || d > 30*time.Second {
				t.Errorf("%s: waits %v after %d exits, want up to a quarter less than %v", id, d, exits, full)
			}
			if full < maxDelay && d < last {
				t.Errorf("%s: waits %v after %d exits, less than before (%v)", id, d, exits, last)
			}
			last = d
		}
	}
}

// Instances that crash together must not start together for ever.
func TestRestartDelaysSpread(t *testing.T) {
	seen := map[time.Duration]bool{}
	for _, id := range []string{"i-a", "i-b", "i-c", "i-d", "i-e"} {
		first, again := restartDelay(id, 9), restartDelay(id, 9)
		seen[first] = true
		if first != again {
			t.Error("the jitter is chance: a replay would decide differently")
		}
	}
	if len(seen) < 4 {
		t.Errorf("five instances wait for only %d different times", len(seen))
	}
	least, most := maxDelay, time.Duration(0)
	for n := range 500 {
		d := restartDelay(fmt.Sprintf("i-%017x", n), 9)
		least, most = min(least, d), max(most, d)
	}
	if quarter := maxDelay / 4; most-least < quarter*95/100 {
		t.Errorf("many instances wait from %v to %v, which is not the quarter of %v", least, most, maxDelay)
	}
}

func TestStartDue(t *testing.T) {
	for _, c := range []struct {
		process Process
		want    bool
	}{
		{Process{}, false},
		{Process{Running: Yes}, false},
		{Process{Running: No}, true},
		{Process{Running: No, Stopping: true}, false},
		{Process{Running: No, Exits: 1, Exited: epoch}, true},
		{Process{Running: No, Exits: 2, Exited: epoch}, false},
		{Process{Running: No, Exits: 2, Exited: epoch.Add(-firstDelay)}, true},
		{Process{Running: No, Exits: 1 << 30, Exited: epoch.Add(-maxDelay)}, true},
	} {
		o := Observation{Now: epoch, Self: Self{ID: "i-a"}, Process: c.process}
		if got := (&turn{Observation: &o}).startDue(); got != c.want {
			t.Errorf("%+v: %v, want %v", c.process, got, c.want)
		}
	}
}

// TestWhoseDataItIs: a server is started on data that is known to be its own instance's, or nobody's.
func TestWhoseDataItIs(t *testing.T) {
	for _, c := range []struct {
		self, disk string
		want       bool
	}{
		{"i-a", "i-a", true},
		{"i-a", "", true}, // of another supervisor
		{"i-a", "i-b", false},
		{"", "i-a", false},
		{"", "", false},
	} {
		o := Observation{Now: epoch, Self: Self{ID: c.self}, Disk: Disk{State: DiskMember, Name: c.disk}, Process: Process{Running: No}}
		if got := (&turn{Observation: &o}).startDue(); got != c.want {
			t.Errorf("instance %q starts a server on the data of %q: %v", c.self, c.disk, got)
		}
	}
}
