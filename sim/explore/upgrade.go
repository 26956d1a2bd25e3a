package explore

import (
	"math/bits"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// holdUpgradeLock is one transaction: there is no record, and no joiner holds its lock.
func (e *effect) holdUpgradeLock() bool {
	if e.upgrade != 0 || e.joinLock != 0 {
		return false
	}
	e.upgrade = newRecords(e.slot+1, 0)
	if !e.lost {
		e.self.upLock = e.upgrade
	}
	return true
}

// releaseUpgradeLock compares the owner, as effects compares the revision.
func (e *effect) releaseUpgradeLock(owner uint8, halted bool) bool {
	lock, halt := lockOf(e.upgrade), haltOf(e.upgrade)
	switch {
	case halted && halt == owner:
		halt = 0
	case !halted && lock == owner:
		if owner != e.slot+1 && e.nodes[owner-1].lives() {
			e.fail("C5", "takes the upgrade lock from an instance that runs")
		}
		lock = 0
	default:
		return false
	}
	e.upgrade = newRecords(lock, halt)
	return true
}

func (e *effect) haltUpgrade() bool {
	if haltOf(e.upgrade) == 0 {
		e.upgrade = newRecords(lockOf(e.upgrade), e.slot+1)
	}
	return true
}

// stopForUpgrade looks at everything again, as effects does, and stops the server.
func (e *effect) stopForUpgrade(desired int) bool {
	own := e.find(e.self.diskID)
	if lockOf(e.upgrade) != e.slot+1 || own == nil || e.self.proc != serving || e.leader == e.slot+1 {
		return false
	}
	voters, healthy := 0, 0
	for i := range e.members {
		m := &e.members[i]
		if m.id == 0 {
			break
		}
		if m.learner || !m.started {
			return false
		}
		voters++
		healthy += int(bit(e.up(m) && e.nodes[m.slot].proc == serving))
	}
	if voters != desired || healthy-1 < states.Quorum(voters) {
		return false
	}
	e.self.proc = stopping
	e.down |= 1 << e.slot
	return true
}

// changesServer is S3 where a server starts: only the holder of the lock may start another one than ran on the data before.
func (e *effect) changesServer(minor uint8) {
	if e.self.minor != minor && e.self.disk == diskMember && lockOf(e.upgrade) != e.slot+1 {
		e.fail("S3", "changes its server without the upgrade lock")
	}
}

// oneDown is S3: at most one member is down by a daemon's decision to upgrade it.
func (w *world) oneDown() broken {
	if bits.OnesCount8(w.down) > 1 {
		return broken{"S3", "two members are down for an upgrade"}
	}
	return broken{}
}
