package states

import (
	"math/bits"
	"testing"
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
				want := n > 1 && bits.OnesCount(left) >= majorities(n-1)
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
