package sim

import (
	"testing"
	"time"
)

// TestOldServers: the way from 2.3 to 3.0 under the faults of any other run. Few seeds go it by themselves.
func TestOldServers(t *testing.T) {
	upgraded := 0
	for seed := uint64(30); seed < 60; seed++ {
		plan := newPlan(seed)
		plan.Old, plan.InPlace, plan.Newer = true, seed%2 == 0, plan.Chaos/2
		if plan.Nodes == 1 {
			plan.Nodes = 3
		}
		plan.Quiet = Span(5 * time.Minute)
		r := Run(Options{Seed: seed, Plan: &plan})
		if r.Violation != nil {
			t.Errorf("%s: %v", plan, r.Violation)
		}
		if r.Coverage.Goals[UpgradedAll] > 0 {
			upgraded++
		}
	}
	if upgraded < 10 {
		t.Errorf("%d clusters have come to 3.0", upgraded)
	}
}
