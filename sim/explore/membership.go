package explore

import "github.com/etcd-appliance/etcd-appliance/states"

// ofCluster carries out a command that a quorum of the cluster answers. What effects compares before it acts is compared
// here, and what etcd itself refuses is refused.
func (e *effect) ofCluster(c command) bool {
	switch c.kind() {
	case holdJoinLock:
		return e.holdJoinLock()
	case releaseJoinLock:
		return e.releaseJoinLock()
	case addMember:
		return e.addMember(c.arg(0, 1) == 1)
	case promoteMember:
		return e.promote(c.arg(0, 4))
	case removeMember:
		return e.remove(c.arg(0, 4), c.arg(4, 1) == 1, c.arg(5, 3))
	case moveLeader:
		return e.moveLeader(c.arg(0, 4))
	case holdUpgradeLock:
		return e.holdUpgradeLock()
	case releaseUpgradeLock:
		return e.releaseUpgradeLock(c.arg(0, 3), c.arg(3, 1) == 1)
	case haltUpgrade:
		return e.haltUpgrade()
	case stopForUpgrade:
		return e.stopForUpgrade(int(c.arg(0, 4)))
	default:
		panic("explore: not a command of the cluster")
	}
}

func (e *effect) holdJoinLock() bool {
	if e.joinLock == 0 && lockOf(e.upgrade) == 0 {
		e.joinLock = e.slot + 1
	}
	if !e.lost {
		e.self.lockOwner, e.self.lockHeld = e.joinLock, e.joinLock == e.slot+1
	}
	return true
}

func (e *effect) releaseJoinLock() bool {
	if e.joinLock != 0 && e.joinLock != e.slot+1 {
		return false
	}
	e.joinLock = 0
	if !e.lost {
		e.self.lockOwner, e.self.lockHeld, e.self.added, e.self.tookPart = 0, false, 0, false
	}
	return true
}

func (e *effect) addMember(learner bool) bool {
	voters, up, learners := 0, 0, 0
	for i := range e.members {
		switch m := &e.members[i]; {
		case m.id == 0:
		case m.learner:
			learners++
		default:
			voters++
			up += int(bit(e.up(m)))
		}
	}
	if e.at(e.slot) != nil || learner && learners > 0 || voters > 1 && up < states.Quorum(voters+1) {
		return false
	}
	id, ok := e.add(e.slot, learner)
	if ok && !e.lost {
		e.self.added, e.self.tookPart = id, false
	}
	return ok
}

// promote needs the learner in sync, and etcd's rule about started members.
func (e *effect) promote(id uint8) bool {
	m := e.find(id)
	if m == nil {
		return false
	}
	if !m.learner {
		return true
	}
	voters, started := e.named(0)
	if !e.up(m) || !m.started || started+1 < states.Quorum(voters+1) {
		return false
	}
	m.learner = false
	return true
}

// named counts the voters, and those that have a name, without one member.
func (e *effect) named(without uint8) (voters, named int) {
	for i := range e.members {
		if m := &e.members[i]; m.id != 0 && !m.learner && m.id != without {
			voters++
			named += int(bit(m.named))
		}
	}
	return voters, named
}

// remove checks C3 at the moment when the member goes.
func (e *effect) remove(id uint8, named bool, slot uint8) bool {
	m := e.find(id)
	switch {
	case m == nil:
		return true
	case m.named != named || m.slot != slot:
		return false
	case !m.learner && (!e.survives(id) || !e.mayRemove(m)):
		return false
	case slot != e.slot && lockOf(e.upgrade) != 0:
		return false // effects reads the lock again before it removes another's member
	}
	if e.nodes[slot].inst == inService && slot != e.slot {
		e.fail("C3", "removes the member of another instance that is in service")
	}
	e.drop(id)
	return true
}

// survives is effects' own look at the others, right before a voter is removed.
func (e *effect) survives(removed uint8) bool {
	others, healthy := 0, 0
	for i := range e.members {
		m := &e.members[i]
		if m.id == 0 || m.learner || m.id == removed {
			continue
		}
		others++
		if m.started && e.up(m) && e.nodes[m.slot].proc == serving {
			healthy++
		}
	}
	return healthy >= states.Quorum(others)
}

// mayRemove is EtcdServer.mayRemoveMember.
func (e *effect) mayRemove(m *member) bool {
	if voters, named := e.named(m.id); named < states.Quorum(voters) {
		return false
	}
	if !e.up(m) {
		return true
	}
	n, up := e.voters()
	return up-1 >= 1+(n-1)/2
}

func (e *effect) moveLeader(to uint8) bool {
	m := e.find(to)
	switch {
	case e.leader != e.slot+1:
		return true
	case m == nil || m.learner || !e.up(m):
		return false
	}
	e.leader = m.slot + 1
	return true
}
