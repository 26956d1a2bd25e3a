package sim

import "testing"

// TestTwoRegions lets clusters span two regions, whatever their seeds draw.
func TestTwoRegions(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 20
	}
	goal := false
	for seed := range seeds {
		plan := newPlan(seed)
		if plan.Nodes == 1 {
			plan.Nodes = 3
		}
		plan.Regions = 2
		r := Run(Options{Seed: seed, Plan: &plan})
		if r.Violation != nil {
			t.Errorf("seed %d: %v", seed, r.Violation)
		}
		goal = goal || r.Coverage.Goals[PeerRevoked] > 0
	}
	if !goal {
		t.Error("no peer was let in no longer")
	}
}
