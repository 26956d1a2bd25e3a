package states

import (
	"strings"
	"testing"
	"time"
)

// held gives a dialogue of i-d, a healthy voter that its launching hook holds since just now.
func held(t *testing.T, lines ...string) *dialogue {
	t.Helper()
	return told(t, append([]string{
		"daemon i-d of releaseetcd wants 3.7 has 3.6 3.7", "state Running", "disk member 3.7 joined snapshot=100", "process running 3.7",
		"group desired 3: i-a running, i-b running, i-d running", "hook launching 60s", "lock free",
		"members 7 at 3.7 leader i-a: i-a 3.7.1 applied 90, i-b 3.7.1 applied 90, i-d 3.7.1 applied 90", "local i-d leader i-a",
	}, lines...)...)
}

// TestLaunchIsCompleteWithAHealthyVoter, and with nothing less.
func TestLaunchIsCompleteWithAHealthyVoter(t *testing.T) {
	for _, c := range []struct {
		what     string
		lines    []string
		complete bool
	}{
		{"a healthy voter", nil, true},
		{"its cluster has no quorum", []string{"members no-quorum"}, false},
		{"the list was never read", []string{"members unknown"}, false},
		{"it is a learner", []string{"members 7 at 3.7 leader i-a: i-a, i-b, i-d learner", "local i-d leader i-a learner"}, false},
		{"it knows no leader", []string{"local i-d leaderless"}, false},
		{"it was not asked", []string{"members 7 at 3.7 leader i-a: i-a, i-b, i-d unasked"}, false},
		{"it is not listed", []string{"members 7 at 3.7 leader i-a: i-a, i-b"}, false},
		{"it is ending", []string{"ending shutdown: SIGTERM"}, false},
		{"its upgrade can come", []string{"process running 3.6", "members 7 at 3.6 leader i-a: i-a 3.6.16, i-b 3.6.16, i-d 3.6.16"}, false},
		{"which has been in the way of something", []string{
			"process running 3.6", "members 7 at 3.6 leader i-a: i-a 3.6.16, i-b 3.6.16, i-d 3.6.16", "tick 4m59s", "fresh",
		}, false},
		{"for long", []string{
			"process running 3.6", "members 7 at 3.6 leader i-a: i-a 3.6.16, i-b 3.6.16, i-d 3.6.16", "tick 5m", "fresh",
		}, true},
	} {
		d := held(t, c.lines...).decide(t)
		if asks[CompleteHook](d) != c.complete {
			t.Errorf("%s: %s, does %v", c.what, d.Why, d.Commands)
		}
	}
}

// TestHopelessLaunch: trouble of its own, for a quarter of an hour.
func TestHopelessLaunch(t *testing.T) {
	trouble := []string{"state Joining", "disk empty", "process stopped", "installed 3.7", "peer i-a answers 7 at 3.5: i-a, i-b"}
	for _, c := range []struct {
		what    string
		after   string
		members string
		abandon bool
	}{
		{"not for long", "14m59s", "members 7 at 3.5 leader i-a: i-a 3.5.35, i-b 3.5.35", false},
		{"for long", "15m", "members 7 at 3.5 leader i-a: i-a 3.5.35, i-b 3.5.35", true},
		{"its cluster has no quorum", "15m", "members no-quorum", false},
	} {
		d := held(t, append(trouble, c.members, "tick "+c.after, "fresh", "polled")...).decide(t)
		if asks[CompleteHook](d) != c.abandon {
			t.Errorf("%s: %s, does %v, reports %q", c.what, d.Why, d.Commands, d.Reports)
		}
	}
	blind := held(t, "process stopped", "disk unknown: input/output error", "members unknown", "local unknown", "tick 15m")
	if d := blind.decide(t); !asks[CompleteHook](d) {
		t.Errorf("its disk has kept it from ever asking a cluster: %s, does %v, reports %q", d.Why, d.Commands, d.Reports)
	}
}

// TestTheWordsOfAHookAreOfWhereItStays: an edge has its own reason, and what a launch waits for is no part of it.
func TestTheWordsOfAHookAreOfWhereItStays(t *testing.T) {
	d := held(t, "members 7 at 3.7 leader i-a: i-a, i-b, i-d learner", "local i-d leader i-a learner").decide(t)
	if len(d.Because) == 0 || strings.Contains(strings.Join(d.Because, ""), "launch") || !strings.HasSuffix(d.Why, "its launch waits: for its member to be a healthy voter") {
		t.Errorf("%s because of %q: %s", d.To, d.Because, d.Why)
	}
}

// TestTerminationIsCompleteWhenAllIsDone: whoever waits for it ends the instance then.
func TestTerminationIsCompleteWhenAllIsDone(t *testing.T) {
	stopped := []string{"process ended stopped 1 times 0s ago: SIGTERM"}
	ending := "ending terminating: Auto Scaling is terminating the instance"
	for _, c := range []struct {
		what       string
		lines      []string
		does, ends bool
	}{
		{"its server has ended", append(stopped, ending), true, false},
		{"its server runs", []string{ending}, false, false},
		{"its server has crashed before it had left", []string{"process ended crash 1 times 0s ago: panic", ending}, false, false},
		{"only its daemon ends", append(stopped, "ending shutdown: SIGTERM"), false, true},
		{"both, and there is time yet", append(stopped, ending, "ending shutdown: SIGTERM", "tick 4999ms"), true, false},
		{"both, and there is none", append(stopped, ending, "ending shutdown: SIGTERM", "tick 5s"), false, true},
	} {
		d := held(t, append([]string{"hook terminating 60s"}, c.lines...)...).decide(t)
		if asks[CompleteHook](d) != c.does || d.Done != c.ends || d.To != Leaving {
			t.Errorf("%s: in %s %s, does %v, ends %v", c.what, d.To, d.Why, d.Commands, d.Done)
		}
	}
	if d := held(t, "hook terminating 60s", "tick 1m").decide(t); len(d.Commands) != 0 {
		t.Errorf("its metadata has told nothing yet: does %v", d.Commands)
	}
}

// TestHeartbeats are sent when a third of the timeout is over, of the wait or since the last one.
func TestHeartbeats(t *testing.T) {
	for _, c := range []struct {
		lines []string
		beats bool
	}{
		{[]string{"tick 19999ms"}, false},
		{[]string{"tick 20s"}, true},
		{[]string{"tick 20s", "hook beat", "tick 19999ms"}, false},
		{[]string{"tick 20s", "hook beat", "tick 20s"}, true},
	} {
		d := held(t, append([]string{"members no-quorum"}, c.lines...)...).decide(t)
		if asks[HookHeartbeat](d) != c.beats {
			t.Errorf("%q: %s, does %v", c.lines, d.Why, d.Commands)
		}
	}
}

func TestAtMost(t *testing.T) {
	for _, c := range []struct{ need, age, want time.Duration }{{0, time.Second, time.Second}, {time.Minute, time.Second, time.Second}, {1, time.Second, 1}} {
		if atMost(&c.need, c.age); c.need != c.want {
			t.Errorf("%v, want %v", c.need, c.want)
		}
	}
}

// TestWhoIsReplaced: an instance that runs, for its member that is ill, in a cluster that is well without it.
func TestWhoIsReplaced(t *testing.T) {
	const five = "group desired 5: i-a running, i-b running, i-c running, i-d running, i-e running"
	for _, c := range []struct {
		what     string
		lines    []string
		replaced bool
	}{
		{"ill for long", nil, true},
		{"it is well again", []string{"members 7 at 3.7 leader i-a: i-a, i-b, i-c"}, false},
		{"it was not asked", []string{"members 7 at 3.7 leader i-a: i-a, i-b, i-c unasked"}, false},
		{"a learner that is ill", []string{"members 7 at 3.7 leader i-a: i-a, i-b, i-c learner unhealthy 15m"}, false},
		{"and a learner is ill too", []string{"group desired 3: i-a running, i-b running, i-c running, i-d running", "members 7 at 3.7 leader i-a: i-a, i-b, i-c, i-d learner unhealthy 15m"}, false},
		{"a learner that has been ill for longer than a voter", []string{"group desired 3: i-a running, i-b running, i-c running, i-d running", "members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 1s, i-d learner unhealthy 15m"}, false},
		{"another voter is ill", []string{"members 7 at 3.7 leader i-a: i-a, i-b unhealthy 1s, i-c unhealthy 15m"}, false},
		{"a cluster of two", []string{"group desired 2: i-a running, i-c running", "members 7 at 3.7 leader i-a: i-a, i-c unhealthy 15m"}, false},
		{"its instance is stopped", []string{"group desired 3: i-a running, i-b running, i-c stopped"}, false},
		{"its instance is on its way out", []string{"group desired 3: i-a running, i-b running, i-c outside running"}, false},
		{"one of five", []string{five, "members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 15m, i-d, i-e"}, true},
		{"one of five, and another has just fallen ill", []string{five, "members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 15m, i-d unhealthy 1s, i-e"}, false},
		{"of a group that is to grow, where nobody can join before", []string{"group desired 5: i-a running, i-b running, i-c running, i-d running, i-e running"}, true},
		{"of a group that is to shrink", []string{"group desired 2: i-a running, i-b running, i-c running"}, false},
		{"and someone is joining", []string{five, "members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 15m, i-d learner"}, false},
		{"the group is not known", []string{"group unknown"}, false},
		{"the group was asked a minute ago", []string{"members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 15m", "tick 1m", "members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 16m"}, true},
		{"and more", []string{"tick 60001ms", "members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 16m"}, false},
	} {
		lines := append([]string{
			"daemon i-a of releaseetcd wants 3.7 has 3.7", "replaces after 15m", "state LeadingHousekeeping", "disk member 3.7 joined", "process running 3.7",
			"group desired 3: i-a running, i-b running, i-c running", "zone none", "claim formed 7 releaseetcd-i-a-1: i-a, i-b, i-c",
			"members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 15m", "local i-a leader i-a",
		}, c.lines...)
		if d := told(t, lines...).decide(t); asks[ReplaceInstance](d) != c.replaced {
			t.Errorf("%s: %s, does %v", c.what, d.Why, d.Commands)
		}
	}
	for _, known := range []Fact{Unknown, No} { // AWS has answered before, and what it said then is all there is
		d := leader(t, "replaces after 15m", "members 7 at 3.7 leader i-a: i-a, i-b, i-c unhealthy 15m")
		if d.o.Group.Known = known; asks[ReplaceInstance](d.decide(t)) {
			t.Errorf("the group is known: %s, and i-c is replaced", known)
		}
	}
}

// TestLockOfAnUnprovenServerIsKept: a daemon that ends gives the upgrade lock back, unless the next one may need it to go back.
func TestLockOfAnUnprovenServerIsKept(t *testing.T) {
	for _, c := range []struct {
		what  string
		lines []string
		back  bool
	}{
		{"the old server runs", []string{"process running 3.6", "local i-a leader i-b", "lock i-a 3.6 to 3.7"}, true},
		{"and does not answer", []string{"process running 3.6", "local silent", "lock i-a 3.6 to 3.7"}, true},
		{"the new server answers", []string{"process running 3.7", "local i-a leader i-b", "lock i-a 3.6 to 3.7"}, true},
		{"and does not", []string{"process running 3.7", "local silent", "lock i-a 3.6 to 3.7"}, false},
		{"and was not asked", []string{"process running 3.7", "local unknown", "lock i-a 3.6 to 3.7"}, false},
		{"a patch: which server that is nobody knows", []string{"process running 3.6", "local silent", "lock i-a 3.6 to 3.6.17"}, true},
	} {
		lines := append([]string{"state Upgrading"}, c.lines...)
		if d := upgrader(t, append(lines, "ending shutdown: SIGTERM")...).decide(t); asks[ReleaseUpgradeLock](d) != c.back {
			t.Errorf("%s: %s, does %v", c.what, d.Why, d.Commands)
		}
	}
}

// TestTheEndIsHeldForWhatCanBeMended: a server that does not come back is waited for for five minutes, and others that are no quorum yet
// for as long as AWS lets it.
func TestTheEndIsHeldForWhatCanBeMended(t *testing.T) {
	ending := []string{"hook terminating 60s", "ending terminating: Auto Scaling is terminating the instance"}
	few := "members 7 at 3.7 leader i-a: i-a, i-b unhealthy 9s, i-d"
	for _, c := range []struct {
		what  string
		lines []string
		beats bool
	}{
		{"its server keeps ending", []string{"process ended corrupt 3 times 9s ago: crc mismatch", "tick 4m59s"}, true},
		{"for long", []string{"process ended corrupt 3 times 9s ago: crc mismatch", "tick 5m"}, false},
		{"its server is silent", []string{"local silent", "tick 5m"}, false},
		{"its cluster has no quorum", []string{"members no-quorum", "tick 5m"}, false},
		{"its cluster was never asked", []string{"members unknown", "local i-d leader i-a", "tick 5m"}, false},
		{"the others are no quorum", []string{few, "tick 5h", "fresh"}, true},
		{"and its own server hears a leader and does nothing", []string{"members 7 at 3.7 leader i-a: i-a, i-b unhealthy 9s, i-d unhealthy 9s", "tick 5h", "fresh"}, false},
		{"and nobody has asked how it is itself", []string{"members 7 at 3.7 leader i-a: i-a, i-b unhealthy 9s, i-d unasked", "tick 5h", "fresh"}, false},
		{"its server was told to stop and does not end, killed or not", []string{few, "process stopping 3.7", "tick 5h", "fresh"}, false},
		{"for a moment", []string{few, "process stopping 3.7", "tick 4m59s", "fresh"}, true},
		{"and the system shuts down, which has not stopped its server yet", []string{few, "ending shutdown: SIGTERM", "tick 5h", "fresh"}, true},
	} {
		d := held(t, append(ending, c.lines...)...).decide(t)
		if asks[HookHeartbeat](d) != c.beats {
			t.Errorf("%s: %s, does %v", c.what, d.Why, d.Commands)
		}
	}
}

// TestWhoCannotLeaveYetLeadsNoLonger: only who leads removes the members of instances that have ended.
func TestWhoCannotLeaveYetLeadsNoLonger(t *testing.T) {
	for _, c := range []struct {
		what, group, members string
		to                   uint64
		removes              bool
	}{
		{"to one that stays", "group desired 3: i-a running, i-b gone, i-d outside running", "members 7 at 3.7 leader i-d: i-a, i-b unhealthy 9s, i-d", 0xa1, false},
		{"not to one that leaves as well", "group desired 3: i-a outside running, i-b gone, i-d outside running", "members 7 at 3.7 leader i-d: i-a, i-b unhealthy 9s, i-d", 0, true},
		{"to one that leaves as well, by one that leaves at once", "group desired 3: i-a outside running, i-b outside running, i-d outside running", "members 7 at 3.7 leader i-d: i-a, i-b, i-d", 0xa1, false},
		{"to one that leaves as well, by one that was not asked how it is", "group desired 3: i-a outside running, i-b outside running, i-d outside running", "members 7 at 3.7 leader i-d: i-a, i-b, i-d unasked", 0xa1, false},
		{"where nobody else is left, it goes on itself", "group desired 3: i-b gone, i-d outside running", "members 7 at 3.7 leader i-d: i-b unhealthy 9s, i-d", 0, true},
	} {
		d := held(t, "hook none", c.group, c.members, "local i-d leader i-d", "ending terminating: Auto Scaling is terminating the instance").decide(t)
		to := uint64(0)
		for _, command := range d.Commands {
			if move, ok := command.(MoveLeader); ok {
				to = move.To
			}
		}
		if to != c.to || asks[RemoveMember](d) != c.removes {
			t.Errorf("%s: %s, does %v", c.what, d.Why, d.Commands)
		}
	}
}

// TestWhoEndsRemovesOnlyAsALeader: another instance's member is housekeeping, which rests while a member changes its server.
func TestWhoEndsRemovesOnlyAsALeader(t *testing.T) {
	for _, c := range []struct {
		what  string
		lines []string
		want  bool
	}{
		{"it leads", nil, true},
		{"another leads", []string{"local i-d leader i-a"}, false},
		{"another member changes its server", []string{"lock i-a 3.6 to 3.7"}, false},
		{"it is not known whether one does", []string{"lock unknown"}, false},
		{"nor was it ever read", []string{"lock free"}, false},
	} {
		lines := []string{
			"hook none", "group desired 3: i-a outside running, i-b gone, i-d outside running", "members 7 at 3.7 leader i-d: i-a, i-b unhealthy 9s, i-d",
			"local i-d leader i-d", "ending terminating: Auto Scaling is terminating the instance",
		}
		d := held(t, append(lines, c.lines...)...)
		if c.what == "nor was it ever read" {
			d.o.Cluster.Upgrade.Known = Unknown
		}
		if got := d.decide(t); asks[RemoveMember](got) != c.want {
			t.Errorf("%s: %s, does %v", c.what, got.Why, got.Commands)
		}
	}
}
