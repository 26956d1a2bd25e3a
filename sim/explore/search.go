package explore

import (
	"sync"
	"sync/atomic"
)

// reached is a state of the level under way, with its number.
type reached struct {
	world  world
	number uint32
}

// violation is a broken invariant, and the transition that broke it.
type violation struct {
	broken
	from, to uint64 // hashes
	act      act
}

// search goes level by level: all states that are n events away from the beginning, then all that are n+1.
type search struct {
	options *Options
	first   world
	seen    *seen
	workers []*worker
	levels  []uint32 // number of the first state of each level
	cut     atomic.Bool
	found   *violation

	transitions atomic.Uint64 // of all workers, but for the chunks under way
}

// worker expands states. What it finds stays with it until the level has ended.
type worker struct {
	*search
	expander
	from        reached
	fromHash    uint64
	depth       uint16
	fresh       []reached
	edges       []edge
	goals       []uint32
	beyond      []uint32
	transitions uint64
	found       *violation
}

// edge is a transition that is no fault.
type edge struct{ from, to uint32 }

func newSearch(o *Options, first world) (*search, error) {
	s := &search{options: o, first: first, seen: newSeen()}
	for range o.Workers {
		d, err := newDecider(o)
		if err != nil {
			return nil, err
		}
		w := &worker{search: s, expander: expander{decider: d, options: o}}
		w.emit = w.reach
		s.workers = append(s.workers, w)
	}
	return s, nil
}

// chunk is how many states a worker takes at a time.
const chunk = 256

func (s *search) run() {
	number, _ := s.seen.put(s.first.hash(), 0, 0)
	s.workers[0].note(&s.first, number)
	level := [][]reached{{{s.first, number}}}
	for depth := uint16(1); len(level) > 0 && s.found == nil && !s.cut.Load(); depth++ {
		s.levels = append(s.levels, s.seen.count.Load())
		level = s.step(level, depth)
		if s.options.MaxStates > 0 && s.seen.count.Load() >= s.options.MaxStates {
			s.cut.Store(true)
		}
	}
}

// step expands one level.
func (s *search) step(level [][]reached, depth uint16) [][]reached {
	for _, states := range level {
		var taken atomic.Int64
		var all sync.WaitGroup
		for _, w := range s.workers {
			all.Go(func() {
				for !s.cut.Load() {
					end := int(taken.Add(chunk))
					if end-chunk >= len(states) {
						return
					}
					before := w.transitions
					for i := end - chunk; i < min(end, len(states)); i++ {
						w.visit(&states[i], depth)
					}
					s.watch(w.transitions-before, depth)
				}
			})
		}
		all.Wait()
	}
	var next [][]reached
	for _, w := range s.workers {
		if len(w.fresh) > 0 {
			next = append(next, w.fresh)
		}
		w.fresh = nil
		s.found = first(s.found, w.found)
	}
	return next
}

// watch tells who watches of a chunk that is done.
func (s *search) watch(transitions uint64, depth uint16) {
	all := s.transitions.Add(transitions)
	if s.options.Watch != nil && !s.options.Watch(Progress{States: uint64(s.seen.count.Load()), Transitions: all, Depth: int(depth)}) {
		s.cut.Store(true)
	}
}

func (w *worker) visit(r *reached, depth uint16) {
	w.from, w.fromHash, w.depth = *r, r.world.hash(), depth
	w.expand(&w.from.world)
}

// reach is told every transition.
func (w *worker) reach(next *world, a act, bad broken) {
	w.transitions++
	if bad.invariant == "" {
		bad = next.check()
	}
	hash := next.hash()
	if bad.invariant != "" {
		w.found = first(w.found, &violation{bad, w.fromHash, hash, a})
		return
	}
	number, fresh := w.seen.put(hash, w.fromHash, w.depth)
	if fresh {
		w.note(next, number)
		w.fresh = append(w.fresh, reached{*next, number})
	}
	if a.fault == noFault && !w.search.options.SafetyOnly {
		w.edges = append(w.edges, edge{w.from.number, number})
	}
}

func (w *worker) note(state *world, number uint32) {
	if state.goal(w.search.options) {
		w.goals = append(w.goals, number)
	}
	if state.beyondRecovery() {
		w.beyond = append(w.beyond, number)
	}
}

// first gives the violation that is told: the same one, whichever worker found it.
func first(a, b *violation) *violation {
	if a == nil || b != nil && (b.to < a.to || b.to == a.to && b.from < a.from) {
		return b
	}
	return a
}
