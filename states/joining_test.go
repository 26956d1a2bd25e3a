package states

import (
	"slices"
	"testing"
	"time"
)

// joiner gives a dialogue of i-d that joins a cluster of two, with an empty disk.
func joiner(t *testing.T, lines ...string) *dialogue {
	t.Helper()
	return told(t, append([]string{
		"daemon i-d of releaseetcd wants 3.7 has 3.7", "state Joining", "disk empty", "process stopped",
		"group desired 3: i-a running, i-b running, i-d running", "peer i-a answers 7 at 3.7: i-a, i-b",
	}, lines...)...)
}

// TestTheJoinLockAges: its holder keeps it alive from the age of 5 seconds on, and uses it no more from the age of 20, at which the
// lease that it asked for has run out.
func TestTheJoinLockAges(t *testing.T) {
	const lease = 20 * time.Second
	for _, c := range []struct {
		age         time.Duration
		keeps, adds bool
	}{
		{0, false, true},
		{5*time.Second - 1, false, true},
		{5 * time.Second, true, true},
		{lease - 1, true, true},
		{lease, true, false},
		{time.Hour, true, false},
	} {
		d := joiner(t, "join held")
		d.o.Now = d.o.Now.Add(c.age)
		got := d.tell(t, "members 7 at 3.7 leader i-a: i-a, i-b").decide(t)
		if keeps := slices.Contains(got.Commands, Command(HoldJoinLock{TTL: lease})); keeps != c.keeps || asks[AddMember](got) != c.adds {
			t.Errorf("held for %v: %s, does %v", c.age, got.Why, got.Commands)
		}
	}
}

// TestOnlyAStartThatPromisedNothingIsRepeated: i-d was added, its server has ended, and its disk is empty. Started once more under
// the same ID it could contradict what it said before (etcd issue 3504), unless it never got so far as to say anything.
func TestOnlyAStartThatPromisedNothingIsRepeated(t *testing.T) {
	promisedNothing := []string{"stale", "unstarted", "refused", "bootstrapped", "newer"}
	for reason := range exitReasons {
		got := joiner(t, "join held", "join added i-d", "tick 1s", "process ended "+reason+" 1 times 0s ago: last words",
			"members 7 at 3.7 leader i-a: i-a, i-b, i-d unstarted learner").decide(t)
		again := slices.Contains(promisedNothing, reason)
		if asks[StartEtcd](got) != again || asks[RemoveMember](got) == again {
			t.Errorf("ended, %s: %s, does %v", reason, got.Why, got.Commands)
		}
	}
}

// TestNobodyJoinsWhileAMemberChangesItsServer: two changes at a time could cost the quorum that either alone leaves.
func TestNobodyJoinsWhileAMemberChangesItsServer(t *testing.T) {
	for upgrade, adds := range map[string]bool{"lock free": true, "lock i-b 3.6 to 3.7": false} {
		d := joiner(t, "join held", "members 7 at 3.7 leader i-a: i-a, i-b", upgrade).decide(t)
		if asks[AddMember](d) != adds || asks[ReleaseJoinLock](d) == adds {
			t.Errorf("%s: %s, does %v", upgrade, d.Why, d.Commands)
		}
	}
}

// TestItsOwnEntry: of a learner nobody is asked, and a voter is taken out of the list only where the others are a quorum without it.
func TestItsOwnEntry(t *testing.T) {
	for _, c := range []struct {
		what, members string
		removed       bool
	}{
		{"a learner, and the others were not asked how they are", "i-a unasked, i-b unasked, i-d learner unhealthy 9s", true},
		{"a learner that another server answers as", "i-a, i-b, i-d learner", true},
		{"a voter, and the others were not asked", "i-a unasked, i-b unasked, i-d unhealthy 9s", false},
		{"a voter that another server answers as", "i-a, i-b, i-d", false},
		{"a voter, and the others are a quorum", "i-a, i-b, i-d unhealthy 9s", true},
	} {
		if d := joiner(t, "members 7 at 3.7 leader i-a: "+c.members).decide(t); asks[RemoveMember](d) != c.removed {
			t.Errorf("%s: %s, does %v", c.what, d.Why, d.Commands)
		}
	}
}

// TestAJoinerThatIsRefusedSaysSo: etcd does not start for the entry, as while the cluster is told to go back to an older minor.
func TestAJoinerThatIsRefusedSaysSo(t *testing.T) {
	for _, c := range []struct {
		times string
		after time.Duration
		want  bool
	}{{"1", 0, false}, {"2", 0, true}, {"3", 0, true}, {"3", time.Hour, true}} {
		got := joiner(t, "join held", "join added i-d", "process ended refused "+c.times+" times 0s ago: incompatible", "tick "+c.after.String(),
			"members 7 at 3.7 leader i-a: i-a, i-b, i-d unstarted learner").decide(t)
		want := "etcd ended " + c.times + " times in a row: incompatible"
		if slices.Contains(got.Reports, want) != c.want || len(got.Reports) > 1 {
			t.Errorf("refused %s times, %v ago: reports %q (%s)", c.times, c.after, got.Reports, got.Why)
		}
	}
}

// TestMine: an address may be that of two members where another supervisor ran its server on another port.
func TestMine(t *testing.T) {
	named, moved := Member{ID: 1, Name: "i-d", Address: "10.0.0.4"}, Member{ID: 2, Name: "i-d", Address: "10.0.0.9"}
	added, others := Member{ID: 3, Address: "10.0.0.4"}, Member{ID: 4, Name: "etcd-4", Address: "10.0.0.4"}
	elsewhere, unstarted := Member{ID: 5, Name: "i-a", Address: "10.0.0.1"}, Member{ID: 6, Address: "10.0.0.6"}
	for _, c := range []struct {
		what string
		list []Member
		want uint64
	}{
		{"nobody is listed", nil, 0},
		{"others are", []Member{elsewhere, unstarted}, 0},
		{"by its name", []Member{elsewhere, unstarted, named}, named.ID},
		{"by its name, wherever it listens", []Member{elsewhere, moved}, moved.ID},
		{"by its address, before it has a name", []Member{elsewhere, unstarted, added}, added.ID},
		{"by its address, under another's name", []Member{elsewhere, unstarted, others}, others.ID},
		{"its name goes before its address", []Member{others, moved}, moved.ID},
		{"what it added goes before what it found there", []Member{others, added}, added.ID},
	} {
		o := Observation{Self: Self{ID: "i-d", Address: "10.0.0.4"}, Cluster: Cluster{Members: c.list}}
		got := uint64(0)
		if m := (&turn{Observation: &o}).mine(); m != nil {
			got = m.ID
		}
		if got != c.want {
			t.Errorf("%s: member %d, want %d", c.what, got, c.want)
		}
	}
}
