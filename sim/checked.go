package sim

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// quorums tells which clusters have a quorum of voters whose servers are up. Whether they have elected a leader yet does not
// matter here: no command may take away what an election needs, and a command may well cost one.
func (w *world) quorums() map[uint64]bool {
	q := map[uint64]bool{}
	for _, c := range w.etcd.Clusters() {
		n, up := 0, 0
		for _, m := range c.Members() {
			if m.Learner {
				continue
			}
			n++
			if c.Server(m.ID).Known() {
				up++
			}
		}
		if n > 0 && up >= states.Quorum(n) {
			q[c.ID()] = true
		}
	}
	return q
}

// guarded is C1: no command turns a quorum into none.
func (n *node) guarded(lane, what string, do func() error) error {
	defer n.crashPoint(what)()
	before := n.quorums()
	err := do()
	n.mutations++
	n.note(what)
	after := n.quorums()
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if !after[id] {
			n.fail("C1", "%s: %q costs cluster %x its quorum", n, what, id)
		}
	}
	if n.trace.on() {
		n.trace.effect(n, lane, what, err)
	}
	return err
}

// checkedEtcd watches the commands of a daemon to etcd at the moment they take effect.
type checkedEtcd struct {
	effects.Etcd
	*node
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
			for _, in := range e.cloud.Instances() {
				if (in.ID == m.Name || m.Name == "" && in.PrivateIP == m.Address) && in.State == awsfake.Running && strings.HasPrefix(in.Lifecycle, "InService") {
					e.fail("C3", "%s removes member %x, whose instance %s runs in the group", e.node, id, in.ID)
				}
			}
		}
	}
}

func (e checkedEtcd) etcd() *etcdfake.World { return e.node.world.etcd }

func (e checkedEtcd) AddMember(ctx context.Context, endpoints []string, peerURL string, learner bool) (id uint64, err error) {
	if e.beside1(learner) {
		defer e.crashPoint("add member")()
		id, err = e.Etcd.AddMember(ctx, endpoints, peerURL, learner)
	} else {
		err = e.guarded("etcd", "add member", func() error { id, err = e.Etcd.AddMember(ctx, endpoints, peerURL, learner); return err })
	}
	if errors.Is(err, etcdfake.Timeout) {
		e.sometimes(AddAnswerLost)
	}
	e.robbed = e.robbed && err != nil // what it is from now on is a new member
	return id, err
}

// beside1 tells whether a voter is added to a single one: without learners there is no other way to grow, and the two are a quorum
// only when both run.
func (e checkedEtcd) beside1(learner bool) bool {
	c := e.served()
	return !learner && c != nil && len(c.Members()) == 1
}

func (e checkedEtcd) PromoteMember(ctx context.Context, endpoints []string, id uint64) error {
	return e.guarded("etcd", "promote member", func() error { return e.Etcd.PromoteMember(ctx, endpoints, id) })
}

func (e checkedEtcd) Swap(ctx context.Context, endpoints []string, key effects.EtcdKey, absent ...string) (revision int64, err error) {
	what := "release " + key.Key
	if key.Value != "" {
		what = "take " + key.Key
	}
	e.swapGoals(key)
	err = e.guarded("etcd", what, func() error { revision, err = e.Etcd.Swap(ctx, endpoints, key, absent...); return err })
	return revision, err
}

func (e checkedEtcd) MoveLeader(ctx context.Context, leader string, to uint64) error {
	if c := e.served(); c != nil && upgradeOwner(c) == e.id {
		e.sometimes(UpgradeOfLeader)
	}
	defer e.crashPoint("move leader")()
	return e.Etcd.MoveLeader(ctx, leader, to)
}

func (e checkedEtcd) HoldLock(ctx context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (effects.EtcdLock, error) {
	defer e.crashPoint("hold lock")()
	return e.Etcd.HoldLock(ctx, endpoints, key, owner, ttl, absent...)
}

func (e checkedEtcd) ReleaseLock(ctx context.Context, endpoints []string, key, owner string) error {
	defer e.crashPoint("release lock")()
	return e.Etcd.ReleaseLock(ctx, endpoints, key, owner)
}

// checkedProcess watches what a daemon does to its server.
type checkedProcess struct {
	effects.Process
	*node
}

func (p checkedProcess) Start(s states.StartEtcd) error {
	served := p.served()
	err := p.guarded("", "start etcd", func() error { return p.Process.Start(s) })
	if err == nil {
		p.startGoals(s, served)
	}
	return err
}

// Stop is guarded unless the daemon was told to stop by nature, whose fault it then is.
func (p checkedProcess) Stop() error {
	if p.stopping {
		defer p.crashPoint("stop etcd")()
		return p.Process.Stop()
	}
	return p.guarded("", "stop etcd", p.Process.Stop)
}

// checkedDisk watches what a daemon does to its data.
type checkedDisk struct {
	effects.Disk
	*node
}

// SetAside must not take the copy that makes a majority: that is S2, for data that could still be read.
func (d checkedDisk) SetAside(why string) error {
	disk := d.Disk.Inspect()
	own := disk.Name == "" || disk.Name == d.id // else it is a copy of what another instance holds
	readable := own && disk.State == states.DiskMember && d.node.etcd.Holds()
	id, member := d.node.etcd.MemberID()
	for _, c := range d.node.world.etcd.Clusters() {
		if n, _, holders := c.Voters(); readable && c.ID() == id && isVoter(c, member) && holders == states.Quorum(n) {
			d.fail("S2", "%s sets aside data (%s) that makes the majority of cluster %x", d.node, why, id)
		}
	}
	return d.guarded("", "set data aside", func() error {
		d.spoilt = false
		return d.Disk.SetAside(why)
	})
}

func isVoter(c *etcdfake.Cluster, id uint64) bool {
	for _, m := range c.Members() {
		if m.ID == id {
			return !m.Learner
		}
	}
	return false
}

func (d checkedDisk) ForgetSetAside() error {
	return d.guarded("", "delete what was set aside", d.Disk.ForgetSetAside)
}

func (d checkedDisk) RecordStart(s states.StartEtcd) error {
	defer d.crashPoint("record start")()
	return d.Disk.RecordStart(s)
}

func (d checkedDisk) RecordJoined() error {
	err := d.guarded("", "record joined", d.Disk.RecordJoined)
	if err == nil {
		d.joinGoals()
	}
	return err
}
