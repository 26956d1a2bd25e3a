package explore

// stuck finds the states from which the goal cannot be reached by nature's own course and the daemons' decisions: it goes
// backwards from every goal. Faults are left out, since a daemon that only a crash sets free is stuck.
func (s *search) stuck() (stuck, excused []uint32) {
	total := int(s.seen.count.Load())
	back := s.backwards(total)
	safe := make([]bool, total)
	var queue []uint32
	visit := func(n uint32) {
		if !safe[n] {
			safe[n] = true
			queue = append(queue, n)
		}
	}
	for _, w := range s.workers {
		for _, n := range w.goals {
			visit(n)
		}
	}
	for len(queue) > 0 {
		n := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, from := range back.of(n) {
			visit(from)
		}
	}
	beyond := make([]bool, total)
	for _, w := range s.workers {
		for _, n := range w.beyond {
			beyond[n] = true
		}
	}
	for n := range safe {
		switch {
		case safe[n]:
		case beyond[n]:
			excused = append(excused, uint32(n))
		default:
			stuck = append(stuck, uint32(n))
		}
	}
	return stuck, excused
}

// reverse lists, for every state, those it is reached from: one row after the other.
type reverse struct{ begin, from []uint32 }

func (r *reverse) of(n uint32) []uint32 { return r.from[r.begin[n]:r.begin[n+1]] }

func (s *search) backwards(total int) *reverse {
	r := &reverse{begin: make([]uint32, total+2)}
	edges := 0
	for _, w := range s.workers {
		for _, e := range w.edges {
			r.begin[e.to+2]++
		}
		edges += len(w.edges)
	}
	for i := 2; i < len(r.begin); i++ {
		r.begin[i] += r.begin[i-1]
	}
	r.from = make([]uint32, edges)
	for _, w := range s.workers {
		for _, e := range w.edges {
			r.from[r.begin[e.to+1]] = e.from
			r.begin[e.to+1]++
		}
		w.edges = nil
	}
	return r
}

// nearest gives the hash of the state, of those numbered, that is the fewest events away from the beginning.
func (s *search) nearest(numbers []uint32) uint64 {
	level := len(s.levels)
	for _, n := range numbers { // numbers are given level by level
		for level > 0 && n < s.levels[level-1] {
			level--
		}
	}
	among := make(map[uint32]bool, len(numbers))
	for _, n := range numbers {
		among[n] = true
	}
	best := uint64(0)
	for i := range s.seen.shard {
		for _, e := range s.seen.shard[i].table {
			if e.hash != 0 && int(e.level) == level && among[e.number] && (best == 0 || e.hash < best) {
				best = e.hash
			}
		}
	}
	return best
}

func (s *search) result() *Result {
	r := &Result{States: uint64(s.seen.count.Load()), Depth: len(s.levels) - 1, Complete: !s.cut.Load()}
	for _, w := range s.workers {
		r.Transitions += w.transitions
		r.Goals += uint64(len(w.goals))
	}
	switch {
	case s.found != nil:
		r.Invariant, r.Detail, r.Complete = s.found.invariant, s.found.detail, false
		r.Trace = s.trace(s.found.from, s.found)
	case r.Complete && !s.options.SafetyOnly:
		stuck, excused := s.stuck()
		r.Stuck, r.Excused = uint64(len(stuck)), uint64(len(excused))
		if len(stuck) > 0 {
			r.Trace = s.trace(s.nearest(stuck), nil)
		}
	}
	return r
}
