package sim

import (
	"os"
	"strconv"
	"testing"
)

// seeds of every test run; `etcd-appliance sim --seeds N` runs more.
const seeds = 100

func TestSeedsHoldEveryInvariant(t *testing.T) {
	t.Parallel()
	n := seeds
	if s := os.Getenv("SEEDS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	for seed := range uint64(n) {
		if r := Run(Options{Seed: seed + 1}); r.Violation != nil {
			t.Fatalf("%s\n%v\nreplay: etcd-appliance sim --seed %d", r.Plan, r.Violation, r.Plan.Seed)
		}
	}
}

// The same seed must be the same run, event for event: a failure that cannot be replayed is worth nothing.
func TestSameSeedSameRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		a, b := Run(Options{Seed: seed}), Run(Options{Seed: seed})
		if a.Hash != b.Hash || a.Events != b.Events {
			t.Fatalf("seed %d: two runs differ: %d events with hash %x, %d with %x", seed, a.Events, a.Hash, b.Events, b.Hash)
		}
	}
}

func BenchmarkSeeds(b *testing.B) {
	var events uint64
	for seed := uint64(1); b.Loop(); seed++ {
		events += Run(Options{Seed: seed}).Events
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
