package explore

import (
	"fmt"
	"runtime"
	"time"
)

// Scope is what a search is about.
type Scope string

// The scopes: which world a search begins with.
const (
	ScopeBootstrap Scope = "bootstrap" // new instances, and nothing else
	ScopeJoin      Scope = "join"      // a cluster in order, of which an instance may end
	ScopeUpgrade   Scope = "upgrade"   // the same, and every instance wants the next minor
	ScopeRoll      Scope = "roll"      // the same, and the instances that replace others want it
)

// Options bound a search.
type Options struct {
	Scope Scope
	Nodes int

	// How many of each fault a run may have.
	Crashes, Lost, EtcdCrashes, Terminate, Stale, Disks int

	Unfit bool // the first instance cannot run the next minor
	One   bool // only the first instance wants the next minor, and those that replace others

	Workers    int    // 0: one for each core
	MaxStates  uint32 // 0: no limit; a search that reaches it is not complete
	SafetyOnly bool   // leave the question out whether the goal stays reachable
	Bend       Bend   // for tests: plants a bug

	// Watch is told every now and then how far the search is, by one worker or another; when it says no, the search is cut off.
	// May be nil.
	Watch func(Progress) (goOn bool)
}

// Progress is how far a search is.
type Progress struct {
	States, Transitions uint64
	Depth               int
}

func (o *Options) spare() int { return min(o.Terminate, maxNodes-o.Nodes) }

// Result is what a search has found.
type Result struct {
	States, Transitions uint64
	Depth               int
	Took                time.Duration
	Complete            bool // every state within the budgets was visited

	Invariant, Detail string // the first that was broken; empty when all held
	Goals             uint64 // states in which everything is as it should be
	Stuck             uint64 // states from which, without further faults, no such state can be reached
	Excused           uint64 // the same, where nature took more than can be mended
	Trace             []string
}

// Err tells what is wrong, if anything is.
func (r *Result) Err() error {
	switch {
	case r.Invariant != "":
		return fmt.Errorf("invariant %s: %s", r.Invariant, r.Detail)
	case r.Stuck > 0:
		return fmt.Errorf("%d states cannot reach the goal any more", r.Stuck)
	case !r.Complete:
		return fmt.Errorf("the search was cut off at %d states", r.States)
	}
	return nil
}

// validate tells what is wrong with the options.
func (o *Options) validate() error {
	if o.Nodes < 1 || o.Nodes > maxNodes {
		return fmt.Errorf("nodes %d: want 1 to %d", o.Nodes, maxNodes)
	}
	for _, n := range []int{o.Crashes, o.Lost, o.EtcdCrashes, o.Terminate, o.Stale, o.Disks} {
		if n < 0 || n > 200 {
			return fmt.Errorf("budget %d: want 0 to 200", n)
		}
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return nil
}

// Run searches.
func Run(o Options) (*Result, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	begin, err := o.begin()
	if err != nil {
		return nil, err
	}
	s, err := newSearch(&o, begin)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	s.run()
	r := s.result()
	r.Took = time.Since(begun)
	return r, nil
}

// begin makes the world that a scope begins with.
func (o *Options) begin() (world, error) {
	var w world
	for f, n := range []int{o.Crashes, o.Lost, o.EtcdCrashes, o.Terminate, o.Stale, o.Disks} {
		w.budget[f] = uint8(n)
	}
	for i := range o.Nodes {
		w.nodes[i].inst = inService
		w.nodes[i].startDaemon()
	}
	switch o.Scope {
	case ScopeBootstrap:
	case ScopeJoin:
		w.inOrder(o.Nodes, minorNew)
	case ScopeUpgrade, ScopeRoll:
		w.inOrder(o.Nodes, minorOld)
	default:
		return w, fmt.Errorf("scope %q: want %q, %q, %q or %q", o.Scope, ScopeBootstrap, ScopeJoin, ScopeUpgrade, ScopeRoll)
	}
	w.unfit = o.Unfit
	w.remember()
	if o.Stale > 0 {
		w.claimBefore = w.claim
	}
	return w, nil
}

// wants is the minor that an instance is configured for.
func (o *Options) wants(slot uint8) uint8 {
	keeps := o.Scope == ScopeRoll || o.Scope == ScopeUpgrade && o.One && slot > 0
	if keeps && int(slot) < o.Nodes {
		return minorOld
	}
	return minorNew
}

// inOrder makes a cluster that has formed, led by the first instance.
func (w *world) inOrder(nodes int, minor uint8) {
	for i := range uint8(nodes) {
		n := &w.nodes[i]
		n.disk, n.diskID, n.minor, n.joined = diskMember, i+1, minor, true
		n.proc, n.runs, n.state = serving, minor, stateNumber("Running")
		w.members[i] = member{id: i + 1, slot: i, named: true, started: true, begun: true}
	}
	w.nodes[0].state = stateNumber("LeadingHousekeeping")
	w.token, w.served, w.minor, w.leader = 1, true, minor, 1
	w.claim = newRecord(1, 1, w.list())
}
