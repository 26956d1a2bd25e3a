package states

import (
	"strings"
	"testing"
)

// TestRecordOlderThanTheData: the record beside the data names the server that last ran on it, unless it was brought back from a
// backup. Then that server is refused, and what the cluster runs is started instead; 2.3 takes the data of 3.0 for damaged.
func TestRecordOlderThanTheData(t *testing.T) {
	const all, newer, corrupt = "installed 2.3 3.0 3.5 3.6 3.7; ", "process ended newer 2 times 5s ago: no; ", "process ended corrupt 2 times 5s ago: crc; "
	for _, c := range []struct{ what, lines, want string }{
		{"refused, and the cluster is ahead", all + "disk member 3.6; " + newer + "members 7 at 3.7 leader i-b: i-b, i-c", "3.7"},
		{"refused, and the cluster is not ahead", all + "disk member 3.6; " + newer + "members 7 at 3.6 leader i-b: i-b, i-c", "3.7"},
		{"refused, and the cluster is behind", all + "disk member 3.6; " + newer + "members 7 at 3.5 leader i-b: i-b, i-c", "3.7"},
		{"refused for another reason", all + "disk member 3.6; process ended refused 2 times 5s ago: unknown flag; members 7 at 3.7 leader i-b: i-b, i-c", "3.6"},
		{"only a peer tells, and it is two minors on", all + "disk member 3.5; " + newer + "peer i-b answers 7 at 3.7: i-b, i-c", "3.7"},
		{"two clusters tell, two minors on", all + "disk member 3.5; " + newer + "peer i-b answers 7 at 3.7: i-b; peer i-c answers 8 at 3.7: i-c", "3.6"},
		{"the list tells, two minors on", all + "disk member 3.5; " + newer + "members 7 at 3.7 leader i-b: i-b, i-c", "3.7"},
		{"no record, and one older server", "installed 3.6; process stopped; disk member", "3.6"},
		{"no record", all + "process stopped; disk member", "2.3"},
		{"no record, and only newer servers than the one that is wanted", "wants 3.5; installed 3.6 3.7; process stopped; disk member", "nothing"},
		{"not refused", all + "disk member 3.6; process ended crash 2 times 5s ago: panic; members 7 at 3.7 leader i-b: i-b, i-c", "3.6"},
		{"another server was refused", all + "disk member 3.7; " + newer + "disk member 3.6; members 7 at 3.7 leader i-b: i-b, i-c", "3.6"},
		{"only a peer tells", all + "disk member 3.6; " + newer + "peer i-b answers 7 at 3.7: i-b, i-c", "3.7"},
		{"two clusters tell", all + "disk member 3.6; " + newer + "peer i-b answers 7 at 3.7: i-b; peer i-c answers 8 at 3.9: i-c", "3.7"},
		{"the list goes before a peer", all + "disk member 3.5; " + newer + "peer i-b answers 7 at 3.7: i-b; members 7 at 3.6 leader i-b: i-b, i-c", "3.6"},
		{"data of 3.0", all + "disk member 2.3; " + corrupt, "3.0"},
		{"data of 3.0, and no 3.0 server", "installed 2.3 3.7; disk member 2.3; " + corrupt, "2.3"},
		{"2.3 that is not taken for damaged", all + "disk member 2.3; process ended crash 2 times 5s ago: panic", "2.3"},
		{"3.0 takes it for damaged too", all + "disk member 3.0; " + corrupt + "disk member 2.3", "2.3"},
		{"damaged data of later servers", all + "disk member 3.6; " + corrupt, "3.6"},
	} {
		lines := append([]string{"daemon i-a of releaseetcd wants 3.7 has 3.7", "state Running"}, strings.Split(c.lines, "; ")...)
		started := "nothing"
		for _, command := range told(t, lines...).decide(t).Commands {
			if start, ok := command.(StartEtcd); ok {
				started = start.Minor.String()
			}
		}
		if started != c.want {
			t.Errorf("%s: starts %s, want %s", c.what, started, c.want)
		}
	}
}
