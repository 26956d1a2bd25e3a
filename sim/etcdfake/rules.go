package etcdfake

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// healthInterval is how long a peer must have been connected to count (etcd's HealthInterval).
const healthInterval = 5 * time.Second

// mayAdd is EtcdServer.mayAddMember. It needs every voter connected; from 3.5.30, 3.6.11 and in 3.7 a quorum of the new size is
// enough.
func (p *process) mayAdd(learner bool) error {
	members := p.view().members
	voters, started := count(members, 0)
	if !learner && started < states.Quorum(voters+1) && !(voters == 1 && started == 1) {
		return errNotStarted
	}
	v := p.version
	switch connected := p.connected(members); {
	case voters == 1, p.older(3, 1):
		return nil
	case !since(v, 30, 11) && connected < voters, connected < states.Quorum(voters+1):
		return errUnhealthy
	}
	return nil
}

// mayRemove is EtcdServer.mayRemoveMember.
func (p *process) mayRemove(id uint64) error {
	members := p.view().members
	m := find(members, id)
	if m != nil && m.Learner {
		return nil
	}
	voters, started := count(members, id)
	if started < states.Quorum(voters) {
		return errNotStarted
	}
	if id != p.disk.member && (m == nil || p.activeSince(m).IsZero()) {
		return nil // it is not part of the active quorum
	}
	if p.older(3, 1) {
		return nil
	}
	if all, _ := count(members, 0); p.connected(members)-1 < 1+(all-1)/2 {
		return errUnhealthy
	}
	return nil
}

// count counts voters, and those of them that have a name, leaving one member out.
func count(members []states.Member, without uint64) (voters, started int) {
	for i := range members {
		if m := &members[i]; !m.Learner && m.ID != without {
			voters++
			if m.Name != "" {
				started++
			}
		}
	}
	return voters, started
}

// connected is numConnectedSince: the voters connected for 5 s, the server itself included.
func (p *process) connected(members []states.Member) int {
	n, limit := 0, p.node.world.Now().Add(-healthInterval)
	for i := range members {
		m := &members[i]
		if m.Learner {
			continue
		}
		if since := p.activeSince(m); m.ID == p.disk.member || !since.IsZero() && since.Before(limit) {
			n++
		}
	}
	return n
}

func (p *process) activeSince(m *states.Member) time.Time {
	w := p.node.world
	if q := p.disk.cluster.server(m); q != nil && w.connected(p, q) {
		return w.linkedSince(p, q)
	}
	return time.Time{}
}
