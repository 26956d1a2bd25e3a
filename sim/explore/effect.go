package explore

import (
	"github.com/etcd-appliance/etcd-appliance/states"
)

// answer is what becomes of a command that takes effect.
type answer uint8

const (
	answered    answer = iota
	answerLost         // done, and the daemon takes it for failed
	requestLost        // not done, and the daemon takes it for failed
)

// effect is one command of a node taking effect.
type effect struct {
	*world
	slot uint8
	self *node
	lost bool
	bad  broken
}

// take lets the first command of a lane take effect. A lane stops at its first failure, as effects does.
func (w *world) take(slot uint8, lane states.Lane, how answer) broken {
	self := &w.nodes[slot]
	queue := self.lane.of(lane)
	c := queue[0]
	copy(queue, queue[1:])
	queue[len(queue)-1] = 0
	e := effect{world: w, slot: slot, self: self, lost: how == answerLost}
	had := w.hasQuorum()
	ok := how != requestLost && e.do(c)
	if !ok || e.lost {
		clear(queue)
	}
	w.settle()
	if had && !w.hasQuorum() && w.token != 0 {
		e.fail("C1", "the command costs the cluster its quorum")
	}
	return e.bad
}

func (e *effect) fail(invariant, detail string) {
	if e.bad.invariant == "" {
		e.bad = broken{invariant, detail}
	}
}

// do carries out a command, and tells whether it succeeded.
func (e *effect) do(c command) bool {
	switch c.kind() {
	case startEtcd:
		return e.start(c.start())
	case stopEtcd:
		return e.stop()
	case setAsideData:
		return e.setAside()
	case forgetSetAside:
		e.self.setAside = false
		return true
	case recordJoined:
		e.self.joined = true
		return true
	case createClaim:
		if e.claim.exists() {
			return false
		}
		e.setClaim(record(c & 0x3ff))
		return true
	case updateClaim:
		if e.claim != record(c&0x3ff) {
			return false
		}
		e.setClaim(record(c >> 10 & 0x3ff))
		return true
	default:
		return e.leader != 0 && e.ofCluster(c) // no quorum, no answer
	}
}

func (w *world) setClaim(r record) {
	if w.budget[faultStale] > 0 && w.claim != r {
		w.claimBefore = w.claim
	}
	w.claim = r
}

// stop is SIGTERM. From here on the server counts as down.
func (e *effect) stop() bool {
	if e.self.proc == booting || e.self.proc == serving {
		e.self.proc = stopping
	}
	return true
}

// setAside must not take the copy that makes a majority: S2.
func (e *effect) setAside() bool {
	if e.self.proc != stopped {
		return false
	}
	if m := e.find(e.self.diskID); e.self.disk == diskMember && m != nil && !m.learner {
		if n, _ := e.voters(); e.holders() == n/2+1 {
			e.fail("S2", "sets aside data that makes the majority")
		}
	}
	e.self.disk, e.self.diskID, e.self.minor, e.self.joined, e.self.setAside = diskEmpty, 0, 0, false, true
	e.down &^= 1 << e.slot
	return true
}

// holders counts the voters whose data is there, running or not.
func (w *world) holders() (n int) {
	for i := range w.members {
		m := &w.members[i]
		if in := &w.nodes[m.slot]; m.id != 0 && !m.learner && in.lives() && in.disk == diskMember && in.diskID == m.id {
			n++
		}
	}
	return n
}

// start does what effects.startEtcd checks, and then what etcd's bootstrap does.
func (e *effect) start(s start) bool {
	n := e.self
	if n.proc != stopped {
		return true
	}
	if (s.state == startAgain) != (n.disk == diskMember) {
		return false
	}
	e.changesServer(s.minor)
	n.runs, n.minor, n.tookPart = s.minor, s.minor, n.added != 0
	if s.state != startAgain {
		n.joined = false
	}
	reason := states.ExitNone
	switch s.state {
	case startNew:
		reason = e.form(s)
	case startExisting:
		reason = e.enter(s)
	default:
		switch {
		case s.minor < e.minor:
			reason = states.ExitNewer
		case e.unfit && e.slot == 0 && s.minor == minorNew:
			reason = states.ExitRefused
		}
	}
	if reason != states.ExitNone {
		n.reason = uint8(reason)
		return true
	}
	n.proc, n.reason = booting, 0
	return true
}

// form begins a new cluster, or takes part in one that is forming.
func (e *effect) form(s start) states.ExitReason {
	if e.token != s.token {
		if e.served && e.holdsAny() {
			e.fail("S1", "a server of a second cluster starts while data of the first is left")
		}
		e.found(s)
	}
	id := e.slot + 1
	m := e.find(id)
	if m != nil && m.started && e.anyUp() {
		return states.ExitBootstrapped
	}
	e.begin(m, id)
	return states.ExitNone
}

func (e *effect) holdsAny() bool {
	for i := range e.nodes {
		if e.nodes[i].lives() && e.nodes[i].disk == diskMember {
			return true
		}
	}
	return false
}

// found makes the first member list.
func (e *effect) found(s start) {
	e.token, e.members, e.served, e.leader, e.minor, e.joinLock = s.token, [maxMembers]member{}, false, 0, s.minor, 0
	at := 0
	for slot := range uint8(maxNodes) {
		if s.list>>slot&1 == 1 {
			e.members[at] = member{id: slot + 1, slot: slot, named: true}
			at++
		}
	}
}

func (e *effect) anyUp() bool {
	for i := range e.nodes {
		if p := e.nodes[i].proc; uint8(i) != e.slot && (p == booting || p == serving) {
			return true
		}
	}
	return false
}

// enter joins a living cluster, whose list must be the one given.
func (e *effect) enter(s start) states.ExitReason {
	m := e.at(e.slot)
	switch {
	case !e.anyUp() || m == nil || e.list() != s.list:
		return states.ExitStale
	case !e.served || s.minor < e.minor:
		return states.ExitRefused
	}
	e.begin(m, m.id)
	return states.ExitNone
}

// begin makes an empty disk a member's. Twice for one member is S2: it has forgotten what it promised. While the claim
// is pending an instance cannot tell the loss of its disk from its first start (docs/decisions/0001-bootstrap-claim.md).
func (e *effect) begin(m *member, id uint8) {
	if m != nil {
		if m.begun && e.claim.state() == states.ClaimFormed {
			e.fail("S2", "a member starts again under its old ID with an empty disk")
		}
		m.begun = true
	}
	e.self.disk, e.self.diskID = diskMember, id
}
