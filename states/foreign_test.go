package states

import "testing"

// TestForeign: only data that another instance has run is another's. A disk that was emptied is nobody's, whatever its record says.
func TestForeign(t *testing.T) {
	for _, c := range []struct {
		disk string
		want bool
	}{
		{"member 3.7 i-a", true},
		{"broken 3.7 i-a", true},
		{"empty i-a", false},
		{"unknown i-a", false},
		{"member 3.7 i-b", false},
		{"member 3.7", false},
	} {
		if got := told(t, "daemon i-b of releaseetcd wants 3.7 has 3.7", "disk "+c.disk).now().foreign(); got != c.want {
			t.Errorf("disk %s: %v", c.disk, got)
		}
	}
}

// TestForeignServer: a server on another's data is stopped when that instance may run its own, or the others are a quorum without
// it, as they said since it was found.
func TestForeignServer(t *testing.T) {
	for _, c := range []struct {
		what  string
		lines []string
		want  bool
	}{
		{"its owner may run", []string{"group desired 3: i-a running, i-c running, i-d running"}, true},
		{"all are healthy", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d"}, true},
		{"one of the others is ill", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d unhealthy 9s"}, false},
		{"one of the others was not asked", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d unasked"}, false},
		{"a learner does not vote", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d learner"}, false},
		{"and is not counted either", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d, i-e learner"}, true},
		{"three of five", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d, i-e, i-f unhealthy 9s"}, true},
		{"two of five", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d, i-e unhealthy 9s, i-f unhealthy 9s"}, false},
		{"there are no others", []string{"members 7 at 3.7 leader i-a: i-a"}, false},
		{"nobody was asked", nil, false},
		{"they were, before it was found", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d", "state Discovering"}, false},
		{"they have lost their quorum since", []string{"members 7 at 3.7 leader i-c: i-a, i-c, i-d", "members no-quorum"}, false},
	} {
		d := told(t, append([]string{
			"daemon i-b of releaseetcd wants 3.7 has 3.7", "state Discovering", "disk member 3.7 joined i-a", "process running 3.7",
			"group desired 3: i-a gone, i-c running, i-d running", "tick 1s",
		}, c.lines...)...)
		if got := asks[StopEtcd](d.decide(t)); got != c.want {
			t.Errorf("%s: it is stopped: %v", c.what, got)
		}
	}
}

// TestForeignData: such data is set aside once a list was read through a quorum that its server was no part of.
func TestForeignData(t *testing.T) {
	const list = "members 7 at 3.7 leader i-c: i-a, i-c, i-d"
	for _, c := range []struct {
		what  string
		lines []string
		want  bool
	}{
		{"read since", []string{"tick 1s", list}, true},
		{"read before it was found", []string{list, "state Discovering"}, false},
		{"never read", []string{"tick 1s"}, false},
		{"read since, and then no more", []string{"tick 1s", list, "tick 1s", "members no-quorum"}, false},
		{"read while its server ran", []string{"tick 1s", list, "process ended stopped 0 times 0s ago"}, false},
		{"read when its server had ended", []string{"tick 1s", "process ended stopped 0 times 0s ago", "tick 1s", list}, true},
	} {
		d := told(t, append([]string{"daemon i-b of releaseetcd wants 3.7 has 3.7", "state Discovering", "disk member 3.7 joined i-a", "process stopped"}, c.lines...)...)
		if got := asks[SetAsideData](d.decide(t)); got != c.want {
			t.Errorf("%s: it is set aside: %v", c.what, got)
		}
	}
}
