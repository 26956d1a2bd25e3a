package explore

import (
	"github.com/etcd-appliance/etcd-appliance/states"
)

// reading is how a turn sees the world: what time has done, and which source answers from the past.
type reading uint8

// With "young" nothing has expired, with "old" everything may have that a rule waits for.
const (
	young reading = iota
	old
	staleAWS   // young, and AWS answers from before its last change
	staleClaim // young, and the store answers from before the claim's last change
)

// seenMember is a member as etcd tells it to anyone who asks.
type seenMember struct {
	id, slot                uint8
	learner, named, started bool
	healthy                 bool
	minor                   uint8 // of its server; 0 while that does not answer
}

// view is all that the observation of one turn is made of. It is small and comparable, so that a decision that was made once
// is not made again: Step is a pure function of the observation, and the observation one of the view.
type view struct {
	self  uint8
	state uint8
	old   bool

	inst     instance // of its own: the metadata service knows
	disk     diskState
	minor    uint8
	joined   bool
	setAside bool
	proc     process
	reason   uint8
	runs     uint8

	lockOwner uint8
	lockHeld  bool
	added     uint8
	tookPart  bool
	upLock    uint8

	group   [maxNodes]instance
	answers [maxNodes]states.Fact
	members [maxMembers]seenMember

	claim    record
	token    uint8
	version  uint8 // cluster version, 0 until known
	quorum   bool
	leader   uint8 // member ID
	memberID uint8 // that the own server answers as
	learner  bool
	leads    uint8 // member ID of the leader that the own server knows
	deaf     bool
}

// look makes the view of a node's turn.
func (w *world) look(self uint8, how reading) (v view) {
	n := &w.nodes[self]
	v = view{
		self: self, state: n.state, old: how == old,
		inst: n.inst, disk: n.disk, minor: n.minor, joined: n.joined, setAside: n.setAside,
		proc: n.proc, reason: n.reason, runs: n.runs,
		lockOwner: n.lockOwner, lockHeld: n.lockHeld, added: n.added, tookPart: n.tookPart, upLock: n.upLock,
		claim: w.claim, token: w.token, quorum: w.leader != 0,
	}
	if how == staleClaim {
		v.claim = w.claimBefore
	}
	if w.served {
		v.version = w.minor
	}
	if v.quorum {
		v.upLock = w.upgrade
	}
	w.lookAround(&v, how)
	w.lookAtCluster(&v, n)
	return v
}

func (w *world) lookAround(v *view, how reading) {
	for i := range w.nodes {
		n := &w.nodes[i]
		v.group[i] = n.inst
		if how == staleAWS {
			v.group[i] = w.instBefore[i]
		}
		switch {
		case uint8(i) == v.self || v.group[i] != inService && v.group[i] != terminating || !n.lives():
		case n.proc == booting || n.proc == serving:
			v.answers[i] = states.Yes
		default:
			v.answers[i] = states.No
		}
	}
}

func (w *world) lookAtCluster(v *view, n *node) {
	for i := range w.members {
		m := &w.members[i]
		if m.id == 0 {
			break
		}
		s := seenMember{id: m.id, slot: m.slot, learner: m.learner, named: m.named, started: m.started}
		if server := &w.nodes[m.slot]; server.proc == serving && server.diskID == m.id {
			s.healthy, s.minor = w.leader != 0, server.runs
		}
		v.members[i] = s
	}
	if w.leader != 0 {
		v.leader = w.at(w.leader - 1).id
	}
	own := w.find(n.diskID)
	if n.proc == serving {
		v.memberID = n.diskID
		if own != nil {
			v.leads, v.learner = v.leader, own.learner
		}
	}
	v.deaf = v.old && n.proc == booting && own != nil && own.learner && !own.started && w.leader != 0
}
