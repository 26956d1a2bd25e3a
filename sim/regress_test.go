package sim

import "testing"

// Seeds that once broke an invariant; the CHANGELOG says by which mistake. A seed is only a way to make a run, and stops to
// show its mistake when the plans or the streams change; these are kept because they still make busy runs.
func TestSeedsOfPastFailures(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{17, 22, 26, 30, 69, 99, 209, 256, 813, 1215, 1402, 1462, 2504} {
		if r := Run(Options{Seed: seed}); r.Violation != nil {
			t.Errorf("seed %d: %v", seed, r.Violation)
		}
	}
}
