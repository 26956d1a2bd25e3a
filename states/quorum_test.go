package states

import (
	"math/bits"
	"slices"
	"testing"
	"time"
)

// majorities is Quorum told by a rival that can only count: the smallest size of which any two sets of n voters overlap.
func majorities(n int) int {
	for size := 1; known[n] == 0; size++ {
		if everyTwoMeet(n, size) {
			known[n] = size
		}
	}
	return known[n]
}

// known keeps what majorities has counted.
var known [8]int

func everyTwoMeet(n, size int) bool {
	for a := range uint(1) << n {
		for b := range uint(1) << n {
			if bits.OnesCount(a) == size && bits.OnesCount(b) == size && a&b == 0 {
				return false
			}
		}
	}
	return true
}

func TestQuorumIsTheSmallestThatOverlaps(t *testing.T) {
	for n := 1; n <= 7; n++ {
		if got, want := Quorum(n), majorities(n); got != want {
			t.Errorf("Quorum(%d) = %d, want %d", n, got, want)
		}
	}
}

// TestSurvivesRemoval removes each voter from each cluster of up to seven with each set of healthy ones.
func TestSurvivesRemoval(t *testing.T) {
	for n := 1; n <= 7; n++ {
		for healthy := range uint(1) << n {
			for removed := range n {
				left := healthy &^ (1 << removed)
				want := n > 1 && bits.OnesCount(left) >= majorities(n-1) // of nobody there is no majority
				if got := SurvivesRemoval(n, bits.OnesCount(healthy), left != healthy); got != want {
					t.Errorf("of %d voters %b are healthy, %d is removed: %v, want %v", n, healthy, removed, got, want)
				}
			}
		}
	}
}

// survivesDumbly is the same question of a member list.
func survivesDumbly(members []Member, removed uint64) bool {
	voters, healthy := 0, 0
	for _, m := range members {
		if m.Learner || m.ID == removed {
			continue
		}
		voters++
		if m.Health == Yes && m.ClientURL != "" {
			healthy++
		}
	}
	return voters > 0 && healthy >= majorities(voters)
}

// TestReportLoss: a cluster that has had no quorum for more than a minute is reported, and one of which nothing is known yet is
// not, unless its own server says nothing either.
func TestReportLoss(t *testing.T) {
	const never = 0
	silent := []string{"members unknown", "local silent"}
	for _, c := range []struct {
		what  string
		lines []string
		after time.Duration // from when it is reported; never, if it is not within an hour
	}{
		{"no quorum answers", []string{"members no-quorum"}, time.Minute},
		{"no quorum answers the server's own daemon", []string{"members no-quorum", "local silent"}, time.Minute},
		{"nobody was asked, and its server is silent", silent, time.Minute},
		{"nobody was asked, its server not either", []string{"members unknown", "local unknown"}, time.Minute},
		{"nobody was asked, and its server answers", []string{"members unknown", "local i-a leader i-b"}, never},
		{"its server is silent, and the others are a quorum", []string{"local silent"}, never},
		{"nobody was asked, and no server runs", append(silent, "process stopped"), never},
		{"nobody was asked, and whether a server runs is not known", append(silent, "process unknown"), never},
		{"all is well", nil, never},
	} {
		begin := []string{"daemon i-a of releaseetcd wants 3.7 has 3.7", "state Running", "disk member 3.7 joined", "process running 3.7",
			"members 7 at 3.7 leader i-b: i-a, i-b, i-c", "local i-a leader i-b"}
		reports := func(at time.Duration) bool {
			d := told(t, append(begin, append(c.lines, "tick "+at.String())...)...)
			return slices.Contains(d.decide(t).Reports, "no quorum of the cluster answers")
		}
		switch {
		case c.after == never && reports(time.Hour):
			t.Errorf("%s: is reported", c.what)
		case c.after != never && (reports(c.after) || !reports(c.after+1)):
			t.Errorf("%s: is not reported after just %v", c.what, c.after)
		}
	}
}
