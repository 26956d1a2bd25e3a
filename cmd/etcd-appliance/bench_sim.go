package main

import (
	"context"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim"
	"github.com/etcd-appliance/etcd-appliance/sim/explore"
)

// The goals of the simulator, on two cores: events a second, scenarios and cluster-years a minute, and so many transitions of the
// exhaustive search, in so long.
const (
	simCores     = 2
	eventsGoal   = 1_500_000
	richGoal     = 10_000
	yearsGoal    = 2
	searchGoal   = 10_000_000
	searchWithin = time.Minute
)

// garbage is the GC percent of simulations: a run leaves little behind and makes much garbage on its way, so memory is cheaper than
// the collector's time.
const garbage = 800

// The exhaustive search that CI runs too.
var searchScope = explore.Options{Scope: explore.ScopeUpgrade, Nodes: 3, Terminate: 1, Workers: simCores}

// simReport is how fast the simulator was.
type simReport struct {
	sweep  simSample    // seeds as campaigns run them
	rich   simSample    // five instances for two hours, of which all are full of faults
	states []abstractly // after more and more seeds
	search *explore.Result
}

// simSample is what some runs came to.
type simSample struct {
	runs      int
	violated  []uint64 // seeds that broke an invariant: they end early, and should not exist
	events    uint64
	faults    int
	simulated time.Duration
	took      time.Duration
	processor time.Duration // as much as took for each core, where the machine had nothing else to do
}

// abstractly is how many abstract states some seeds had between them, and in how long.
type abstractly struct {
	seeds, states int
	simulated     time.Duration
	took          time.Duration
}

// measureSim measures all of it, without traces.
func (b *bench) measureSim(ctx context.Context) (r simReport, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(simCores))
	b.say("simulator: %d seeds", b.seeds)
	r.sweep = runSeeds(ctx, 1, b.seeds, func(seed uint64) sim.Options { return sim.Options{Seed: seed} }, nil)
	b.say("simulator: %d clusters of five, for two hours", b.seeds/2)
	r.rich = runSeeds(ctx, 1, b.seeds/2, func(seed uint64) sim.Options {
		plan := sim.Rich(seed)
		return sim.Options{Seed: seed, Plan: &plan}
	}, nil)
	b.say("simulator: abstract states of %d seeds", 5*b.seeds)
	r.states = countStates(ctx, b.seeds/2, b.seeds*3/2, 5*b.seeds)
	b.say("search: an upgrade of three, in which an instance may end")
	r.search, err = explore.Run(searchScope)
	return r, err
}

// runSeeds runs seeds on all cores. each, which may be nil, is told of every run, one at a time.
func runSeeds(ctx context.Context, from uint64, seeds int, of func(seed uint64) sim.Options, each func(*sim.Result)) (s simSample) {
	defer debug.SetGCPercent(debug.SetGCPercent(garbage))
	before, _ := processorTime(os.Getpid())
	begun := time.Now()
	var (
		mu    sync.Mutex
		taken atomic.Uint64
		all   sync.WaitGroup
	)
	for range simCores {
		all.Go(func() {
			for i := taken.Add(1) - 1; i < uint64(seeds) && ctx.Err() == nil; i = taken.Add(1) - 1 {
				result := sim.Run(of(from + i))
				mu.Lock()
				s.add(&result)
				if each != nil {
					each(&result)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	s.took = time.Since(begun)
	after, _ := processorTime(os.Getpid())
	s.processor = max(after-before, statTick)
	slices.Sort(s.violated)
	return s
}

func (s *simSample) add(r *sim.Result) {
	s.runs++
	s.events += r.Events
	s.faults += len(r.Faults)
	s.simulated += r.Simulated
	if r.Violation != nil {
		s.violated = append(s.violated, r.Plan.Seed)
	}
}

// countStates counts the abstract states of the first seeds, up to each of some numbers of them.
func countStates(ctx context.Context, upTo ...int) (curve []abstractly) {
	seen := map[uint64]struct{}{}
	at := abstractly{}
	for _, n := range upTo {
		s := runSeeds(ctx, uint64(at.seeds)+1, n-at.seeds, func(seed uint64) sim.Options { return sim.Options{Seed: seed, Abstract: true} },
			func(r *sim.Result) { maps.Copy(seen, r.Abstract) })
		at = abstractly{n, len(seen), at.simulated + s.simulated, at.took + s.took}
		curve = append(curve, at)
	}
	return curve
}

const year = 365 * 24 * time.Hour

func (s *simSample) eventsPerSecond() float64 { return float64(s.events) / s.took.Seconds() }
func (s *simSample) perCore() float64         { return float64(s.events) / s.processor.Seconds() }
func (s *simSample) runsPerMinute() float64   { return float64(s.runs) / s.took.Minutes() }
func (s *simSample) faultsPerHour() float64   { return float64(s.faults) / s.simulated.Hours() }
func (s *simSample) yearsPerMinute() float64 {
	return float64(s.simulated) / float64(year) / s.took.Minutes()
}
