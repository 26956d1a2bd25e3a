package sim

import (
	"slices"
	"time"
)

// shrinkRuns bounds how often a plan is replayed to make it smaller.
const shrinkRuns = 1500

// shrinker makes a plan smaller for as long as it breaks the same invariant.
type shrinker struct {
	options   Options
	invariant string
	best      Result // of the smallest plan so far
	runs      int
}

// Shrink finds a smaller plan that breaks the same invariant as the run did, by delta debugging over the faults that happened
// (Zeller's ddmin), and then over the rest of the plan. It returns the run of that plan, which is the run itself if its list of
// faults alone does not break the invariant.
func Shrink(r Result) Result { return shrink(Options{}, r) }

func shrink(o Options, r Result) Result {
	if r.Violation == nil {
		return r
	}
	s := &shrinker{options: o, invariant: r.Violation.Invariant, best: r}
	p := r.Plan
	p.Mode, p.Rates = "", nil // which mean nothing beside a list
	if !s.breaks(p, r.Faults) {
		return r
	}
	for before := -1; before != len(s.best.Plan.Only); { // what is left out last may make something else superfluous
		before = len(s.best.Plan.Only)
		s.rest()
		s.byStep()
		s.byKind()
		s.byPart()
	}
	return s.best
}

// breaks replays the plan with these faults only, and keeps it if it breaks the invariant.
func (s *shrinker) breaks(p Plan, only []FaultEvent) bool {
	if s.runs >= shrinkRuns {
		return false
	}
	s.runs++
	p.Only = append([]FaultEvent{}, only...)
	o := s.options
	o.Plan = &p
	r := Run(o)
	if r.Violation == nil || r.Violation.Invariant != s.invariant {
		return false
	}
	// What was planned and did not happen is no part of the failure. The faults that did are identified as they happened.
	r.Plan.Only = append([]FaultEvent{}, r.Faults...)
	s.best = r
	return true
}

// byKind leaves out all faults of a class at once: most runs have hundreds that have nothing to do with the failure.
func (s *shrinker) byKind() {
	for k := range Kinds {
		all := s.best.Plan.Only
		rest := slices.DeleteFunc(slices.Clone(all), func(e FaultEvent) bool { return e.Kind == k })
		if len(rest) < len(all) {
			s.breaks(s.best.Plan, rest)
		}
	}
}

// byPart is ddmin: it leaves out one part of the list after the other, in ever smaller parts down to single faults.
func (s *shrinker) byPart() {
	for parts := 2; len(s.best.Plan.Only) > 0; {
		all := s.best.Plan.Only
		size := (len(all) + parts - 1) / parts
		smaller := false
		for from := 0; from < len(all) && !smaller; from += size {
			to := min(from+size, len(all))
			smaller = s.breaks(s.best.Plan, slices.Concat(all[:from], all[to:]))
		}
		switch {
		case smaller:
			parts = max(2, min(parts-1, len(s.best.Plan.Only)))
		case size == 1:
			return
		default:
			parts = min(2*parts, len(all))
		}
	}
}

// rest tries a simpler group: without the hook, the change of the configuration and the time after the last fault.
func (s *shrinker) rest() {
	for _, simpler := range []func(*Plan){
		func(p *Plan) { p.Hook = false },
		func(p *Plan) { p.Newer = 0 },
		func(p *Plan) { p.Long = false },
		func(p *Plan) { p.Claim = "route53" },
		func(p *Plan) { p.Nodes = 1 },
		func(p *Plan) { p.Nodes = min(3, p.Nodes) },
		func(p *Plan) { p.Chaos = min(p.Chaos, p.lastFault()+Span(time.Minute)) },
		func(p *Plan) { p.Quiet = min(p.Quiet, Span(time.Minute)) },
	} {
		p := s.best.Plan
		if simpler(&p); !samePlan(&p, &s.best.Plan) {
			s.breaks(p, p.Only)
		}
	}
}

// byStep leaves out steps of the script, the last first. What demands that the world converges stays.
func (s *shrinker) byStep() {
	for i := len(s.best.Plan.Script) - 1; i >= 0; i-- {
		p := s.best.Plan
		if p.Script[i] != "stabilize" {
			p.Script = slices.Delete(slices.Clone(p.Script), i, i+1)
			s.breaks(p, p.Only)
		}
	}
}

func (p *Plan) lastFault() (last Span) {
	for _, e := range p.Only {
		last = max(last, e.At+e.For)
	}
	return last
}

func samePlan(a, b *Plan) bool {
	return a.Hook == b.Hook && a.Newer == b.Newer && a.Long == b.Long && a.Claim == b.Claim && a.Nodes == b.Nodes && a.Chaos == b.Chaos && a.Quiet == b.Quiet
}
