package states

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// holder gives a dialogue of i-a that has just been given the upgrade lock, and may stop its server.
func holder(t *testing.T, lines ...string) *dialogue {
	t.Helper()
	return upgrader(t, append([]string{"state Upgrading", "lock i-a 3.6 to 3.7", "tick 1s", "fresh"}, lines...)...)
}

// TestUpgradeBegins: the server is stopped on what is true under the lock. What is only not known is waited for, and for what has
// changed the lock is given back.
func TestUpgradeBegins(t *testing.T) {
	const stops, waits, returns = "stops", "waits", "returns"
	for _, c := range []struct {
		what  string
		lines []string
		want  string
	}{
		{"all is well", nil, stops},
		{"no quorum answers", []string{"members no-quorum"}, waits},
		{"the lock was not read", []string{"lock unknown"}, waits},
		{"its server is silent", []string{"local silent"}, waits},
		{"its server was not asked", []string{"local unknown"}, waits},
		{"the members were asked in another state", []string{"tick 1ms", "state Upgrading"}, waits},
		{"the members were asked before it had the lock", []string{"lock free", "tick 1ms", "lock i-a 3.6 to 3.7"}, waits},
		{"another member has fallen ill", []string{"members 7 at 3.6 leader i-b: i-a 3.6.16, i-b 3.6.16, i-c unhealthy 1s"}, returns},
		{"it wants what it runs by now", []string{"wants 3.6"}, returns},
		{"another has halted the upgrade", []string{"halted i-b 3.6 to 3.7"}, returns},
		{"another patch is installed by now", []string{"wants 3.6", "lock i-a 3.6 to 3.6.17", "installed 3.6.18", "tick 1s", "fresh"}, returns},
		{
			"its record is of an earlier step", // by a daemon that was rolled back
			[]string{"wants 3.6", "process running 3.7", "lock i-a 3.5 to 3.6", "tick 1s", "members 7 at 3.6 leader i-b: i-a 3.7.1, i-b 3.6.16, i-c 3.6.16", "local i-a leader i-b"}, returns,
		},
	} {
		d := holder(t, c.lines...).decide(t)
		got := waits
		switch {
		case asks[StopForUpgrade](d):
			got = stops
		case asks[ReleaseUpgradeLock](d):
			got = returns
		}
		if got != c.want || got == waits && len(d.Commands) > 0 {
			t.Errorf("%s: %s (%s), want %s", c.what, got, d.Why, c.want)
		}
	}
}

// settler gives a dialogue of i-a whose new server serves, on a leader that has applied 5000 entries.
func settler(t *testing.T, applied int, lines ...string) *dialogue {
	t.Helper()
	return holder(t, append([]string{
		"disk member 3.7 joined snapshot=100", "process running 3.7", "tick 1s",
		fmt.Sprintf("members 7 at 3.6 leader i-b: i-a 3.7.1 applied %d, i-b 3.6.16 applied 5000, i-c 3.6.16 applied 5000", applied), "local i-a leader i-b",
	}, lines...)...)
}

// TestUpgradeSettles: the lock is given back by a member that serves, is healthy, and has what the leader has, but for the last
// 1000 entries.
func TestUpgradeSettles(t *testing.T) {
	self := func(words string) string { return "members 7 at 3.6 leader i-b: " + words + "i-b 3.6.16, i-c 3.6.16" }
	for _, c := range []struct {
		what    string
		applied int
		lines   []string
		want    bool
	}{
		{"all is well", 5000, nil, true},
		{"its server is silent", 5000, []string{"local silent"}, false},
		{"its server was not asked", 5000, []string{"local unknown"}, false},
		{"no quorum answers", 5000, []string{"members no-quorum"}, false},
		{"the list is from before its start", 5000, []string{"tick 1s", "process running 3.7"}, false},
		{"its server knows no leader", 5000, []string{"local i-a leaderless"}, false},
		{"it is not healthy", 5000, []string{self("i-a unhealthy 1s, ")}, false},
		{"it was not asked how it is", 5000, []string{self("i-a unasked, ")}, false},
		{"it is not listed", 5000, []string{self("")}, false},
		{"the leader is not listed", 1, []string{"local i-a leader i-d"}, true},
		{"it lacks 1000 entries", 4000, nil, true},
		{"it lacks 1001 entries", 3999, nil, false},
		{"it was asked after its leader", 5001, nil, true},
	} {
		if d := settler(t, c.applied, c.lines...).decide(t); asks[ReleaseUpgradeLock](d) != c.want || d.To != Upgrading {
			t.Errorf("%s: gives the lock back: %v (%s)", c.what, !c.want, d.Why)
		}
	}
}

// TestUpgradePatience: that a new server does not serve is reported once it has had five minutes.
func TestUpgradePatience(t *testing.T) {
	for _, local := range []string{"local silent", "local unknown"} {
		for after, want := range map[time.Duration]bool{time.Minute: false, upgradePatience: false, upgradePatience + 1: true, time.Hour: true} {
			d := settler(t, 5000, local, "process running 3.7", "tick "+after.String(), "fresh").decide(t)
			if got := len(d.Reports) > 0; got != want || !strings.Contains(d.Why, "waits for its etcd 3.7 to serve") {
				t.Errorf("%s for %v: %s, reported: %v", local, after, d.Why, got)
			}
		}
	}
}

// TestTheHaltInFull: what went wrong is in the record, for whoever looks at it elsewhere.
func TestTheHaltInFull(t *testing.T) {
	d := holder(t, "disk member 3.7 joined", "process ended refused 3 times 1h ago: unknown flag")
	want := d.o.Cluster.Upgrade.Lock
	want.Why = "unknown flag"
	if got := d.decide(t); len(got.Commands) != 2 || got.Commands[0] != (HaltUpgrade{want}) {
		t.Errorf("%+v, want a halt %+v", got.Commands, want)
	}
}
