package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

func (e checkedEtcd) AddMember(ctx context.Context, endpoints []string, peerURL string, learner bool) (id uint64, err error) {
	add := func() error {
		return e.mayAdd(learner, func() error { id, err = e.Etcd.AddMember(ctx, endpoints, peerURL, learner); return err })
	}
	if e.besideOne(learner) {
		defer e.crashPoint("add member")()
		err = add()
	} else {
		err = e.guarded("etcd", "add member", add)
	}
	e.robbed = e.robbed && err != nil // what it is from now on is a new member
	return id, err
}

// besideOne tells whether a voter is added to a single one, which C1 does not forbid: without learners there is no other way to grow,
// and the two are a quorum only when both run.
func (e checkedEtcd) besideOne(learner bool) bool {
	c := e.served()
	return !learner && c != nil && len(c.Members()) == 1
}

// mayAdd is C7 and C4: a member is added as a learner, one at a time, by whoever holds the join lock, and so by nobody while a
// member changes its server. A daemon that was paused may have lost the lock to the end of its lease.
func (e checkedEtcd) mayAdd(learner bool, do func() error) error {
	c := e.served()
	if c == nil {
		return do()
	}
	before := c.Members()
	err := do()
	after := c.Members()
	if len(after) <= len(before) {
		return err
	}
	if err != nil {
		e.sometimes(AddAnswerLost)
	}
	if c.Version().HasLearners() && !learner {
		e.fail("C7", "%s adds itself as a voter", e.node)
	}
	e.knows("adds itself", 0, theMembers)
	inTime := e.joins > 0 && e.now-e.slept-e.joins < e.joinsFor
	switch {
	case e.joins == 0 || !inTime && e.unheard:
		e.fail("C8", "%s adds itself, and nobody has told it that it holds the join lock", e.node)
	case !inTime:
		e.fail("C7", "%s adds itself, and last held the join lock at %s", e.node, e.joins)
	}
	if i := slices.IndexFunc(before, func(m states.Member) bool { return m.Learner || !m.Started() }); i >= 0 && e.slept == 0 {
		e.fail("C7", "%s adds itself while member %s is no voter yet", e.node, before[i].Key())
	}
	if inTime {
		e.rests("adds itself", e.joinsFor)
	}
	return err
}

func (e checkedEtcd) PromoteMember(ctx context.Context, endpoints []string, id uint64) error {
	return e.guarded("etcd", "promote member", func() error { return e.Etcd.PromoteMember(ctx, endpoints, id) })
}

func (e checkedEtcd) RemoveMember(ctx context.Context, endpoints []string, id uint64) error {
	e.check.noteRemoval(id)
	ghost := e.check.removalGoals(e.node, id)
	err := e.guarded("etcd", "remove member", func() error {
		e.mayRemove(id) // now, and not before a pause
		return e.Etcd.RemoveMember(ctx, endpoints, id)
	})
	if ghost && err == nil {
		e.sometimes(GhostRemoved)
	}
	return err
}

// mayRemove is C3: nobody but the instance itself takes out a member whose instance runs in the group.
func (e checkedEtcd) mayRemove(id uint64) {
	for _, c := range e.etcd().Clusters() {
		for _, m := range c.Members() {
			if m.ID != id || m.Key() == e.id || m.Address == e.address {
				continue
			}
			e.rests("removes member "+m.Key(), 0)
			e.knows("removes member "+m.Key(), theGroup, theMembers|theLocks)
			for _, in := range e.cloud.Instances() {
				if (in.ID == m.Name || m.Name == "" && in.PrivateIP == m.Address) && in.State == awsfake.Running && strings.HasPrefix(in.Lifecycle, "InService") {
					e.fail("C3", "%s removes member %x, whose instance %s runs in the group", e.node, id, in.ID)
				}
			}
		}
	}
}

func (e checkedEtcd) etcd() *etcdfake.World { return e.node.world.etcd }

// joining is what the checks keep of a joiner: when it last held the join lock, for how long it may believe in that, and whether it
// has had no answer since.
type joining struct {
	joins, joinsFor time.Duration
	unheard         bool
}
