// Package driver is what a mutant is judged by besides the unit tests of its package: the exhaustive search and the simulator.
// It is linked into the test binary of the mutated package (see weave.go), so that one binary holds all mutants and all judges.
package driver

import (
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/sim"
	"github.com/etcd-appliance/etcd-appliance/sim/explore"
)

// init bounds what a mutant may use: one that never ends, or eats all memory, must not take the machine with it. The bound is
// on processor time, so that a busy machine kills nobody.
func init() {
	debug.SetGCPercent(800) // as a campaign does: a run leaves little behind and much garbage on its way
	if seconds, err := strconv.ParseUint(os.Getenv("MUTANTS_CPU"), 10, 32); err == nil {
		_ = syscall.Setrlimit(syscall.RLIMIT_CPU, &syscall.Rlimit{Cur: seconds, Max: seconds})
		_ = syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: 8 << 30, Max: 8 << 30})
	}
}

// scopes are small enough to be searched in a second each, and between them have every fault of the search. The cheap ones are
// first: most mutants go no further.
var scopes = []struct {
	name string
	explore.Options
}{
	{"upgrade", explore.Options{Scope: explore.ScopeUpgrade, Nodes: 3, Crashes: 1, Lost: 1}},
	{"upgrade that fails", explore.Options{Scope: explore.ScopeUpgrade, Nodes: 3, Unfit: true}},
	{"upgrade and server crash", explore.Options{Scope: explore.ScopeUpgrade, Nodes: 3, EtcdCrashes: 1}},
	{"roll", explore.Options{Scope: explore.ScopeRoll, Nodes: 3, Terminate: 1}},
	{"bootstrap of two", explore.Options{Scope: explore.ScopeBootstrap, Nodes: 2, Crashes: 2, Lost: 2}},
	{"lost disk", explore.Options{Scope: explore.ScopeJoin, Nodes: 3, Disks: 1, Crashes: 1, Lost: 1}},
	{"stale read", explore.Options{Scope: explore.ScopeJoin, Nodes: 3, Terminate: 1, Stale: 1}},
	{"replacement", explore.Options{Scope: explore.ScopeJoin, Nodes: 3, Terminate: 1, Crashes: 1, Lost: 1}},
	{"bootstrap", explore.Options{Scope: explore.ScopeBootstrap, Nodes: 3}},
	{"upgrade of one", explore.Options{Scope: explore.ScopeUpgrade, Nodes: 3, One: true, Terminate: 1}},
	{"server crash", explore.Options{Scope: explore.ScopeJoin, Nodes: 3, Terminate: 1, EtcdCrashes: 1}},
}

// Search looks for a broken invariant, or a goal out of reach, in every scope.
func Search(t *testing.T) {
	for _, s := range scopes {
		s.Workers, s.MaxStates = 1, 2_000_000
		r, err := explore.Run(s.Options)
		switch {
		case err != nil:
			t.Fatalf("KILLED by %s: %v", "search", err)
		case r.Invariant != "":
			t.Fatalf("KILLED by %s in %q: %s\n%s", r.Invariant, s.name, r.Detail, strings.Join(r.Trace, "\n"))
		case r.Stuck > 0:
			t.Fatalf("KILLED by L6 in %q: %d states cannot reach the goal\n%s", s.name, r.Stuck, strings.Join(r.Trace, "\n"))
		case r.Complete && r.Goals == 0:
			t.Fatalf("KILLED by L6 in %q: the goal is never reached", s.name)
		}
	}
}

// Seeds runs the seeds from MUTANTS_FROM to MUTANTS_SEEDS, and stops at the first violation.
func Seeds(t *testing.T) {
	seeds := number("MUTANTS_SEEDS", 200)
	for seed := number("MUTANTS_FROM", 1); seed <= seeds; seed++ {
		if r := sim.Run(sim.Options{Seed: seed}); r.Violation != nil {
			t.Fatalf("KILLED by %s at seed %d: %v", r.Violation.Invariant, seed, r.Violation)
		}
	}
}

// Goals runs seeds whatever they break, and fails if a goal that MUTANTS_GOALS does not name is never reached.
func Goals(t *testing.T) {
	var cover sim.Coverage
	cover.Edges = map[sim.Edge]*sim.EdgeSeen{}
	for seed := uint64(1); seed <= number("MUTANTS_SEEDS", 200); seed++ {
		r := sim.Run(sim.Options{Seed: seed})
		cover.Add(&r.Coverage)
	}
	known := strings.Split(os.Getenv("MUTANTS_GOALS"), ";")
	for _, g := range cover.Missed() {
		t.Logf("MISSED %s", g)
		if !slices.Contains(known, g.String()) {
			t.Fatalf("KILLED by goal: it never happened that %s", g)
		}
	}
}

func number(name string, otherwise uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return otherwise
}
