package main

import (
	"context"
	"os"
	"runtime"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim"
	"github.com/etcd-appliance/etcd-appliance/sim/explore"
)

// simGoal is in events a second on one core.
const simGoal = 500_000

// The exhaustive search that CI runs too, and its goals: so many transitions, in so long on all cores.
var searchScope = explore.Options{Scope: explore.ScopeUpgrade, Nodes: 3, Terminate: 1}

const (
	searchGoal   = 10_000_000
	searchWithin = time.Minute
)

// simReport is how fast the simulator was.
type simReport struct {
	seeds     int
	violated  []uint64 // seeds that broke an invariant: they end early, and should not exist
	events    uint64
	simulated time.Duration
	took      time.Duration
	processor time.Duration // less than took where the machine had other things to do
}

// measureSim runs the first seeds, one after the other on one core, without traces.
func measureSim(ctx context.Context, seeds int) simReport {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	before, _ := processorTime(os.Getpid())
	begun := time.Now()
	r := simReport{}
	for seed := uint64(1); seed <= uint64(seeds) && ctx.Err() == nil; seed++ {
		result := sim.Run(sim.Options{Seed: seed})
		r.seeds++
		r.events += result.Events
		r.simulated += result.Simulated
		if result.Violation != nil {
			r.violated = append(r.violated, seed)
		}
	}
	r.took = time.Since(begun)
	after, _ := processorTime(os.Getpid())
	r.processor = after - before
	return r
}

func (r *simReport) perSecond() float64      { return float64(r.events) / r.took.Seconds() }
func (r *simReport) hoursPerSecond() float64 { return r.simulated.Hours() / r.took.Seconds() }
func (r *simReport) perProcessorSecond() float64 {
	return float64(r.events) / max(r.processor, time.Millisecond).Seconds()
}
