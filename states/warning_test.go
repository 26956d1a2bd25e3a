package states

import "testing"

// TestAWarnedLeader yields before it does anything else, and keeps house where it cannot.
func TestAWarnedLeader(t *testing.T) {
	for _, c := range []struct {
		what              string
		lines             []string
		yields, publishes bool
	}{
		{"another stays", nil, true, false},
		{"nobody else stays", []string{"group desired 3: i-a running, i-b outside running, i-c outside running"}, false, true},
		{"its server cannot be told to", []string{"process running 3.2", "members 7 at 3.2 leader i-a: i-a, i-b, i-c", "wants 3.2", "installed 3.2"}, false, true},
	} {
		d := leader(t, append([]string{"zone published: i-a, i-b", "ending warned: system-reboot"}, c.lines...)...).decide(t)
		if asks[MoveLeader](d) != c.yields || asks[PublishDNS](d) != c.publishes {
			t.Errorf("%s: %s, does %v", c.what, d.Why, d.Commands)
		}
	}
}
