package etcdfake

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// maxLearners is --max-learners.
const maxLearners = 1

// Refusals of etcd that no rule of the daemon depends on.
var (
	errLearner    = errors.New("etcdserver: rpc not supported for learner")
	errTransferee = errors.New("etcdserver: bad leader transferee")
	// errUnimplemented is a call that this version does not know (old-etcd: MoveLeader from 3.3, MemberPromote from 3.4 on).
	errUnimplemented = errors.New("rpc error: code = Unimplemented")
	errNotStarted    = fmt.Errorf("%w: re-configuration failed due to not enough started members", effects.ErrUnhealthy)
	errUnhealthy     = fmt.Errorf("%w: unhealthy cluster", effects.ErrUnhealthy)
)

// learner tells whether the server takes itself for one.
func (p *process) learner() bool {
	m := find(p.view().members, p.disk.member)
	return m != nil && m.Learner
}

// serves tells whether the server can read and write through quorum.
func (p *process) serves() error {
	switch {
	case p.learner():
		return errLearner
	case !p.synced || !p.disk.cluster.writable:
		return Timeout
	}
	return nil
}

// lists tells whether the server tells its member list. Before 3.5 it is what the server knows, with or without quorum, however old
// (api/v3rpc/member.go); clients ask for a linearizable one from 3.5 on. The daemon's client for v2 reads a key first.
func (p *process) lists(v2 bool) error {
	if p.older(3, 5) && !p.learner() && !v2 {
		return nil
	}
	return p.serves()
}

// add is EtcdServer.AddMember: what the serving member checks by itself comes before what the log decides.
func (p *process) add(url string, learner bool) (uint64, error) {
	c, now := p.disk.cluster, p.node.world.Now()
	learner = learner && !p.older(3, 4) // older servers ignore the flag
	if p.learner() {
		return 0, errLearner
	}
	if err := p.mayAdd(learner); err != nil {
		return 0, err
	}
	id := addedID(url, now)
	err := p.propose(func() error { return c.add(id, host(url), learner) })
	if err != nil {
		id = 0
	}
	return id, err
}

// add is what the log decides: it is the same for every server.
func (c *Cluster) add(id uint64, address string, learner bool) error {
	learners := 0
	for i := range c.members() {
		if c.members()[i].Learner {
			learners++
		}
	}
	switch {
	case slices.Contains(c.removed, id):
		return effects.ErrNotFound // added and removed within this second: the ID is the same
	case find(c.members(), id) != nil || indexOf(c.members(), address) >= 0:
		return effects.ErrExists
	case learner && learners >= maxLearners:
		return effects.ErrTooManyLearners
	}
	if learner {
		c.log(addLearner)
	}
	c.change(func(members []states.Member) []states.Member {
		return append(members, states.Member{ID: id, Address: address, Learner: learner})
	})
	return nil
}

// remove is EtcdServer.RemoveMember.
func (p *process) remove(id uint64) error {
	if p.learner() {
		return errLearner
	}
	if err := p.mayRemove(id); err != nil {
		return err
	}
	return p.propose(func() error { return p.disk.cluster.remove(id) })
}

func (c *Cluster) remove(id uint64) error {
	m := find(c.members(), id)
	if m == nil {
		return effects.ErrNotFound
	}
	gone, was := c.server(m), *m
	c.change(func(members []states.Member) []states.Member {
		return slices.DeleteFunc(members, func(m states.Member) bool { return m.ID == id })
	})
	c.removed, c.gone = append(c.removed, id), append(c.gone, was)
	c.unrecorded = slices.DeleteFunc(c.unrecorded, func(m uint64) bool { return m == id })
	if gone != nil && gone.synced {
		gone.expel() // it applies its own removal
	}
	return nil
}

// promote is EtcdServer.PromoteMember; any voter forwards it to the leader.
func (p *process) promote(id uint64) error {
	if p.older(3, 4) {
		return errUnimplemented
	}
	return p.propose(func() error { return p.disk.cluster.promote(id) })
}

func (c *Cluster) promote(id uint64) error {
	m := find(c.members(), id)
	if m == nil {
		return effects.ErrNotFound
	}
	learner := c.server(m)
	if m.Learner && (learner == nil || !learner.synced) {
		return effects.ErrNotInSync // also when it was never started (3.4.24, 3.5.7)
	}
	if voters, started := count(c.members(), 0); started+1 < states.Quorum(voters+1) {
		return errNotStarted
	}
	if !m.Learner {
		return effects.ErrNotLearner
	}
	if v := c.leader.version; v.MinorOf() == minor35 && v.Patch < 20 {
		c.unrecorded = append(c.unrecorded, id)
	}
	c.change(func(members []states.Member) []states.Member {
		find(members, id).Learner = false
		return members
	})
	return nil
}

// move is EtcdServer.MoveLeader.
func (p *process) move(to uint64) error {
	c := p.disk.cluster
	if p.older(3, 3) {
		return errUnimplemented
	}
	if p.lead != p.disk.member || c.leader != p {
		return effects.ErrNotLeader
	}
	m := find(c.members(), to)
	if m == nil || m.Learner {
		return errTransferee
	}
	q := c.server(m)
	switch {
	case q == p:
		return nil
	case q == nil || !q.synced || !c.reaches(q, true):
		return Timeout
	}
	c.elect(q, c.world.Now())
	c.world.settle()
	return nil
}

// removedAfter is how long a server lives on after it has learnt that its member was removed.
const removedAfter = time.Second

func (p *process) expel() {
	p.exitIn(removedAfter, states.ExitRemoved, "the member has been permanently removed from the cluster")
}

// expel ends servers whose member was removed, once any server that knows answers them (410 Gone on the raft stream).
func (c *Cluster) expel() bool {
	changed := false
	for _, p := range c.procs {
		if !p.exits.IsZero() || !slices.Contains(c.removed, p.disk.member) {
			continue
		}
		for _, q := range c.procs {
			if q != p && c.world.connected(p, q) && find(q.view().members, p.disk.member) == nil {
				p.expel()
				changed = true
				break
			}
		}
	}
	return changed
}
