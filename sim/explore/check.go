package explore

// broken is an invariant that does not hold; the zero value is none.
type broken struct{ invariant, detail string }

// check holds what must be true in every state. What a command must not do is checked where it takes effect.
func (w *world) check() broken {
	for i := range w.members {
		for j := range i {
			if w.members[i].id != 0 && w.members[i].slot == w.members[j].slot {
				return broken{"S5", "two members stand for one instance"}
			}
		}
	}
	return w.oneDown()
}

// goal is where every run must be able to end up: the list is the group, its members are healthy voters, their claim is
// written, and nobody holds a lock.
func (w *world) goal(o *Options) bool {
	voters := 0
	for i := range w.nodes {
		n := &w.nodes[i]
		if !n.lives() {
			continue
		}
		m := w.at(uint8(i))
		if wants := o.wants(uint8(i)); n.runs < wants && (!o.Unfit || haltOf(w.upgrade) == 0) {
			return false
		}
		if n.inst == terminating || m == nil || m.learner || !m.started || !n.alive || n.proc != serving || n.diskID != m.id || !n.joined || n.setAside {
			return false
		}
		voters++
	}
	n, _ := w.voters()
	return w.leader != 0 && voters == o.Nodes && n == voters && w.members[voters].id == 0 && w.joinLock == 0 && lockOf(w.upgrade) == 0 &&
		w.claim.exists() && w.claim.state() == 1 && w.claim.list() == w.list()
}

// beyondRecovery tells whether nature took more than any daemon can mend: of a cluster that has served, fewer data are left
// than a quorum of the voters; of one that is forming, fewer of the claimed instances than a quorum, and yet not none, which
// would permit to claim anew.
func (w *world) beyondRecovery() bool {
	if w.served {
		n, _ := w.voters()
		return w.holders() < n/2+1
	}
	claimed, left := 0, 0
	for i := range w.nodes {
		if w.claim.list()>>i&1 == 1 {
			claimed++
			left += int(bit(w.nodes[i].inst == inService))
		}
	}
	return left > 0 && left < claimed/2+1
}
