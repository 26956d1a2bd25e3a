package states

import (
	"strings"
	"testing"
	"time"
)

// TestOldEntries: what was written before the whole cluster had left the older server has to be behind a snapshot, and no more. Where
// that is not known, it is all that there is.
func TestOldEntries(t *testing.T) {
	for _, c := range []struct {
		what    string
		level   string
		settled uint64
		want    uint64
	}{
		{"its server had the version then", "3.6", 40, 40},
		{"its server has not said", "3.6", 0, 90},
		{"others run an older one still", "3.5", 40, 90},
	} {
		o := Observation{Process: Process{Minor: minorOf("3.6")}}
		o.Cluster.Version, o.Cluster.Settled, o.Cluster.Local.Applied = minorOf(c.level), c.settled, 90
		if got := (&turn{Observation: &o}).oldEntries(); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

// upgrader gives a dialogue of i-a: a follower that runs 3.6.16 and wants 3.7, with nothing in its way.
func upgrader(t *testing.T, lines ...string) *dialogue {
	t.Helper()
	return told(t, append([]string{
		"daemon i-a of releaseetcd wants 3.7 has 3.6 3.7", "state Running", "disk member 3.6 joined snapshot=100", "process running 3.6",
		"group desired 3: i-a running, i-b running, i-c running", "lock free",
		"members 7 at 3.6 leader i-b: i-a 3.6.16 applied 90, i-b 3.6.16 applied 90, i-c 3.6.16 applied 90", "local i-a leader i-b",
	}, lines...)...)
}

// now is what the functions of the dialogue's state would read.
func (d *dialogue) now() *turn {
	return &turn{Observation: &d.o, Config: &d.config, State: d.machine.State(), since: d.machine.memory.Entered}
}

// TestTheLockInFull: the record is all that the next daemon, and an operator, will know of the upgrade.
func TestTheLockInFull(t *testing.T) {
	d := upgrader(t).decide(t)
	want := HoldUpgradeLock{UpgradeLock{Owner: "i-a", Member: 0xa1, From: minor36, To: minor37, Index: 90}}
	if len(d.Commands) != 1 || d.Commands[0] != want {
		t.Errorf("%+v, want %+v", d.Commands, want)
	}
}

// TestHop is which minor comes next, and what keeps it.
func TestHop(t *testing.T) {
	for _, c := range []struct {
		what  string
		lines []string
		to    string // none where empty
		why   string // a part of it
	}{
		{"one up", nil, "3.7", ""},
		{"it runs what it wants", []string{"wants 3.6"}, "", ""},
		{"nothing is configured", []string{"wants 0.0"}, "", ""},
		{"what runs is not known", []string{"process running 0.0"}, "", ""},
		{"the cluster has lost its quorum", []string{"members no-quorum"}, "", "waits to learn the version of the cluster"},
		{"another member runs an older one", []string{"members 7 at 3.5 leader i-b: i-a 3.6.16, i-b 3.5.35, i-c 3.6.16"}, "", "waits for the other members to run etcd 3.6"},
		{"another member runs an older one, and its data has risen", []string{"members 7 at 3.5 leader i-b: i-a 3.6.16, i-b 3.5.35, i-c 3.6.16", "local i-a leader i-b storage 3.6"}, "", "waits for the other members to run etcd 3.6"},
		{"the server is not installed", []string{"installed 3.6"}, "", "no 3.7 server is installed"},
		{"the next one is not installed", []string{"installed 3.5 3.7", "process running 3.5", "members 7 at 3.5 leader i-b: i-a, i-b, i-c"}, "", "leads through 3.6"},
		{"back, as others are still", []string{"wants 3.6", "process running 3.7", "members 7 at 3.6 leader i-b: i-a 3.7.1, i-b 3.6.16, i-c 3.6.16"}, "3.6", ""},
		{"back, alone", []string{"wants 3.6", "process running 3.7", "members 7 at 3.7 leader i-b: i-a, i-b, i-c unstarted"}, "", "cannot be taken back: the whole cluster runs it; to go back, run: " +
			"etcdctl --endpoints=http://10.0.0.1:2379,http://10.0.0.2:2379 downgrade validate 3.6 && etcdctl --endpoints=http://10.0.0.1:2379,http://10.0.0.2:2379 downgrade enable 3.6; "},
		{"back by two, alone", []string{"wants 3.5", "process running 3.7", "members 7 at 3.7 leader i-b: i-a, i-b, i-c"}, "", "downgrade enable 3.6; "},
		{"back to what is not installed", []string{"wants 3.6", "installed 3.7", "process running 3.7", "members 7 at 3.7 leader i-b: i-a, i-b, i-c"}, "", "that must be installed"},
		{"back to a patch that no member may run beside it", []string{"wants 3.6", "installed 3.6.10 3.7", "process running 3.7", "members 7 at 3.7 leader i-b: i-a, i-b, i-c"}, "", "3.6.11 or later must be installed instead of 3.6.10"},
		{"back to the oldest that may", []string{"wants 3.6", "installed 3.6.11 3.7", "process running 3.7", "members 7 at 3.7 leader i-b: i-a, i-b, i-c"}, "", "downgrade enable 3.6; "},
		{"back to the first that can be gone back to", []string{"wants 3.5", "installed 3.5 3.6", "members 7 at 3.6 leader i-b: i-a, i-b, i-c"}, "", "downgrade enable 3.5; "},
		{"back to what never can", []string{"wants 3.4", "installed 3.4 3.5", "process running 3.5", "members 7 at 3.5 leader i-b: i-a, i-b, i-c"}, "", "no cluster before 3.6 can be told"},
		{"back, as etcd was told", []string{"wants 3.5", "process running 3.7", "members 7 at 3.7 leader i-b: i-a, i-b, i-c", "local i-a leader i-b downgrade 3.6"}, "", "waits for all members to answer"},
		{"further back, as etcd was told", []string{"wants 3.5", "installed 3.5 3.6", "members 7 at 3.6 leader i-b: i-a, i-b, i-c", "local i-a leader i-b downgrade 3.6"}, "", "has gone back to 3.6"},
		{"back, its data lowered", []string{"wants 3.6", "process running 3.7", "members 7 at 3.6 leader i-b: i-a 3.7.1, i-b 3.7.1, i-c 3.7.1", "local i-a leader i-b storage 3.6"}, "3.6", ""},
		{"back, its data not lowered yet", []string{"wants 3.6", "process running 3.7", "members 7 at 3.6 leader i-b: i-a 3.7.1, i-b 3.7.1, i-c 3.7.1", "local i-a leader i-b storage 3.7"}, "", "from version 3.7 to 3.6"},
		{
			"back to what a new cluster begins with", []string{"wants 3.0", "installed 3.0 3.1", "process running 3.1", "members 7 at 3.0 leader i-b: i-a 3.1.20, i-b 3.1.20, i-c 3.1.20"},
			"", "waits for the cluster version to settle",
		},
		{"the installed one is not fit for use", []string{"wants 3.5", "installed 3.4 3.5.2", "process running 3.4", "members 7 at 3.4 leader i-b: i-a, i-b, i-c"}, "", "none older than 3.5.3"},
		{"the installed one does not tell its version", []string{"wants 3.5", "installed 3.4 3.5", "process running 3.4", "members 7 at 3.4 leader i-b: i-a, i-b, i-c"}, "3.5", ""},
	} {
		to, why := upgrader(t, c.lines...).now().hop()
		if (to.Known() || c.to != "") && to.String() != c.to || (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s: to %s (%s), want %s (%s)", c.what, to, why, c.to, c.why)
		}
	}
}

// TestChange is whether the patch or the minor is changed first.
func TestChange(t *testing.T) {
	runs := func(version string) string {
		return "members 7 at 3.6 leader i-b: i-a " + version + ", i-b 3.6.16, i-c 3.6.16"
	}
	for _, c := range []struct {
		what  string
		lines []string
		goal  string // none where empty
		why   string // a part of it
	}{
		{"it runs what is installed", []string{"wants 3.6", "installed 3.6.16"}, "", ""},
		{"a newer patch is installed", []string{"wants 3.6", "installed 3.6.17"}, "3.6.17", ""},
		{"an older patch is installed", []string{"wants 3.6", "installed 3.6.15"}, "", "its next restart goes back"},
		{"an older patch is installed and configured", []string{"wants 3.6.15", "installed 3.6.15"}, "3.6.15", ""},
		{"it runs what is installed and configured", []string{"wants 3.6.16", "installed 3.6.16"}, "", ""},
		{"another than the configured is installed", []string{"wants 3.6.17", "installed 3.6.15"}, "", "etcd 3.6.17 is configured"},
		{"the installed one does not tell its version", []string{"wants 3.6.16", "installed 3.6"}, "", ""},
		{"the running one has not told its version", []string{"wants 3.6", "installed 3.6.17", "local unknown"}, "", ""},
		{"a newer patch is no step on the way to the next minor", []string{"installed 3.6.17 3.7"}, "3.7", ""},
		{"but for one too old for that step", []string{"installed 3.6.17 3.7", runs("3.6.5"), "local i-a leader i-b"}, "3.6.17", ""},
		{"which can only wait where no newer one is installed", []string{"installed 3.6.4 3.7", runs("3.6.5"), "local i-a leader i-b"}, "3.7", ""},
	} {
		lock, why := upgrader(t, c.lines...).now().change()
		goal := ""
		if lock.To.Known() {
			goal = lock.Goal()
		}
		if goal != c.goal || (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s: to %q (%s), want %q (%s)", c.what, goal, why, c.goal, c.why)
		}
	}
}

// TestChanging: whoever is to change its server, or may be, looks at the lock.
func TestChanging(t *testing.T) {
	for _, c := range []struct {
		minor, wanted, runs, installed string // of the last two, - is not known
		want                           bool
	}{
		{"3.6", "3.6", "3.6.16", "3.6.16", false},
		{"3.6", "3.7", "3.6.16", "3.6.16", true},
		{"3.6", "3.7", "-", "-", true},
		{"3.6", "3.6", "3.6.16", "3.6.17", true},
		{"3.6", "3.6", "3.6.16", "3.6.15", true}, // it may be configured yet
		{"3.6", "3.6", "3.6.16", "-", false},
		{"3.6", "3.6", "-", "3.6.17", false},
		{"3.6", "3.6", "3.5.35", "3.6.17", false}, // what the server before has answered
		{"0.0", "3.7", "-", "-", false},           // nothing has ever run here
	} {
		o := Observation{Wanted: minorOf(c.wanted), Process: Process{Minor: minorOf(c.minor)}}
		o.Cluster.Local.Version = exactly(c.runs)
		if v := exactly(c.installed); v.Known() {
			o.Patches = []Version{v}
		}
		if got := o.Changing(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// TestGate: a member is not stopped on what was true some time ago, or of which nobody knows.
func TestGate(t *testing.T) {
	five := func(e string) []string {
		return []string{"group desired 5: i-a running, i-b running, i-c running, i-d running, i-e gone", "members 7 at 3.6 leader i-b: i-a, i-b, i-c, i-d, i-e " + e}
	}
	for _, c := range []struct {
		what  string
		lines []string
		but   func(*Observation)
		why   string // a part of it
	}{
		{"all is well", nil, nil, ""},
		{"AWS was asked, and no answer is known", nil, func(o *Observation) { o.Group.Known = No }, "fresh answer about its auto-scaling group"},
		{"AWS was never asked", nil, func(o *Observation) { o.Group.Known = Unknown }, "fresh answer about its auto-scaling group"},
		{"AWS was asked a minute ago", []string{"tick 1m", "members 7 at 3.6 leader i-b: i-a, i-b, i-c"}, nil, ""},
		{"AWS was asked longer ago", []string{"tick 60001ms", "members 7 at 3.6 leader i-b: i-a, i-b, i-c"}, nil, "fresh answer about its auto-scaling group"},
		{"no quorum answers", []string{"members no-quorum"}, nil, "asks how the other members are"},
		{"the members were asked in another state", []string{"tick 1ms", "state Running"}, nil, "asks how the other members are"},
		{"the list is newer than what its members said", nil, func(o *Observation) { o.Cluster.At = o.Cluster.At.Add(1) }, "asks how the other members are"},
		{"a member is to be removed", five("unhealthy 9s"), nil, "waits for the leader to remove i-e"},
		{"a member has yet to start", five("unstarted"), nil, "waits for member 10.0.0.5 to be a voter"},
		{"a member whose instance has ended was not asked", five("unasked"), nil, "waits for the leader to remove i-e"},
		{"a member whose instance ends is healthy still", five(""), nil, ""},
		{"a member is ill, and whether its instance has ended is not known", append(five("unhealthy 9s"), "group desired 5: i-a running"), nil, ""},
	} {
		d := upgrader(t, c.lines...)
		if c.but != nil {
			c.but(&d.o)
		}
		why := d.now().gate(&UpgradeLock{Owner: "i-a", Member: 0xa1, From: minor36, To: minor37})
		if (why == "") != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s: %q, want %q", c.what, why, c.why)
		}
	}
}

// TestMootHalt: a halt ends when what has failed would not be tried again, and only then.
func TestMootHalt(t *testing.T) {
	for _, c := range []struct {
		what  string
		lines []string
		want  bool
	}{
		{"the same is wanted still", []string{"halted i-a 3.6 to 3.7"}, false},
		{"it was given up", []string{"halted i-a 3.6 to 3.7", "wants 3.6"}, true},
		{"it was given up, and the record cannot be read", []string{"halted i-a 3.6 to 3.7", "wants 3.6", "lock unknown"}, false},
		{"it was given up here, and another has failed", []string{"halted i-b 3.6 to 3.7", "wants 3.6"}, false},
		{"the next server was taken away", []string{"halted i-a 3.6 to 3.7", "installed 3.6"}, false},
		{"that server has run by now", []string{"halted i-a 3.5 to 3.6"}, true},
		{"its member has been replaced", []string{"halted i-a 3.6 to 3.7", "members 7 at 3.6 leader i-b: i-a#c7 3.6.16, i-b 3.6.16, i-c 3.6.16", "local i-a#c7 leader i-b"}, true},
		{"of a patch: the same is installed", []string{"halted i-a 3.6 to 3.6.17", "wants 3.6", "installed 3.6.17"}, false},
		{"of a patch: another is installed", []string{"halted i-a 3.6 to 3.6.17", "wants 3.6", "installed 3.6.18"}, true},
		{"of a patch: the installed one does not tell its version", []string{"halted i-a 3.6 to 3.6.17", "wants 3.6", "installed 3.6"}, false},
		{"of a patch: it runs", []string{"halted i-a 3.6 to 3.6.16", "wants 3.6", "installed 3.6.16"}, true},
		{"nobody has failed, and who it is is not known", []string{"self unknown"}, false},
	} {
		if got := asks[ReleaseUpgradeLock](upgrader(t, c.lines...).decide(t)); got != c.want {
			t.Errorf("%s: the halt ends: %v", c.what, got)
		}
	}
}

// TestUnreadIsNotFree: a lock that was not read may be anyone's.
func TestUnreadIsNotFree(t *testing.T) {
	for _, known := range []Fact{Unknown, No} {
		d := upgrader(t)
		d.o.Cluster.Upgrade.Known = known
		if got := d.decide(t); len(got.Commands) > 0 || !strings.Contains(got.Why, "waits to learn who holds the upgrade lock") {
			t.Errorf("that it was read is %s: %s, %v", known, got.Why, got.Commands)
		}
	}
}

// TestLeaderPatience: the leader leaves a free lock to its followers for 20 s, and then takes it.
func TestLeaderPatience(t *testing.T) {
	for after, want := range map[time.Duration]bool{0: false, 19 * time.Second: false, leaderPatience - 1: false, leaderPatience: true} {
		d := upgrader(t, "state LeadingHousekeeping", "claim formed 7 releaseetcd-1: i-a, i-b, i-c", "zone published: i-a, i-b, i-c", "local i-a leader i-a",
			"tick "+after.String(), "fresh")
		if got := asks[HoldUpgradeLock](d.decide(t)); got != want {
			t.Errorf("after %v it asks for the lock: %v", after, got)
		}
	}
}

// TestHowLongAWishIsNew: for a minute it is looked at closely, and then what is in its way is reported. That is never its turn.
func TestHowLongAWishIsNew(t *testing.T) {
	for _, c := range []struct {
		after   time.Duration
		lines   []string
		cluster time.Duration
		reports int
	}{
		{59 * time.Second, nil, fast, 0},
		{reportAfter - 1, nil, fast, 0},
		{reportAfter, nil, restCluster, 0},
		{reportAfter + 1, nil, restCluster, 1},
		{time.Hour, nil, restCluster, 1},
		{time.Hour, []string{"lock i-b 3.6 to 3.7"}, restCluster, 0},
	} {
		d := upgrader(t, append(c.lines, "members 7 at 3.6 leader i-b: i-a, i-b, i-c unhealthy 9s", "tick "+c.after.String(), "fresh")...)
		if got := d.decide(t); got.Needs.Cluster != c.cluster || len(got.Reports) != c.reports {
			t.Errorf("after %v, %v: asks every %v, and reports %q", c.after, c.lines, got.Needs.Cluster, got.Reports)
		}
	}
}
