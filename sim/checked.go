package sim

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// muteAge is how long a server may have done nothing before it no longer counts as one that is up: a daemon asks each to do something
// right before it acts, and waits for the answer.
const muteAge = 10 * time.Second

// quorums tells which clusters have a quorum of voters whose servers are up and stay so: one that was told to stop is as good as down,
// and so is one that hangs or whose disk has stalled, if the daemon has had the time to find out.
// Whether they have elected a leader yet does not matter here: no command may take away what an election needs, and a command may
// well cost one.
func (n *node) quorums() map[uint64]bool {
	q := map[uint64]bool{}
	for _, c := range n.world.etcd.Clusters() {
		voters, up := 0, 0
		for _, m := range c.Members() {
			if m.Learner {
				continue
			}
			voters++
			other := n.byID[m.Key()]
			mute := other != nil && other.mute > 0 && n.now-other.mute > muteAge && n.slept == 0
			if c.Stays(m.ID) && !mute {
				up++
			}
		}
		if voters > 0 && up >= states.Quorum(voters) {
			q[c.ID()] = true
		}
	}
	return q
}

// counts notes a command that changes something outside the instance: none is given in a world that is whole, nor where all is lost.
func (n *node) counts(err error) {
	if n.repeating {
		return
	}
	n.mutations++
	if err == nil {
		n.changes++
	}
}

// stopsEtcd is the one command that a daemon may decide upon, be paused, and give by a signal that looks at nothing any more.
const stopsEtcd = "stop etcd"

// guarded is C1: no command turns a quorum into none.
func (n *node) guarded(lane, what string, do func() error) error {
	if n.repeating {
		return do()
	}
	if lane == "etcd" {
		n.spend(callEdit)
	}
	defer n.crashPoint(what)()
	before := n.quorums()
	err := do()
	n.mutations++
	n.changed = n.changed || err == nil
	if lane == "etcd" && err == nil {
		n.changes++
	}
	n.note(what)
	n.explains()
	after := n.quorums()
	for _, id := range slices.Sorted(maps.Keys(before)) {
		if !after[id] && (what != stopsEtcd || n.slept == 0 && !n.struckLately()) {
			n.fail("C1", "%s: %q costs cluster %x its quorum", n, what, id)
		}
	}
	if n.trace.on() {
		n.trace.effect(n, lane, what, err)
	}
	return err
}

// struckLately tells whether the server of another has stopped to serve since the daemon may have looked for the last time: a signal
// looks at nothing any more.
func (n *node) struckLately() bool {
	return slices.ContainsFunc(n.nodes, func(other *node) bool { return other != n && !other.hears && n.now-other.since < gateAge })
}

// checkedEtcd watches the commands of a daemon to etcd at the moment they take effect.
type checkedEtcd struct {
	effects.Etcd
	*node
}

func (e checkedEtcd) MoveLeader(ctx context.Context, leader string, to uint64) error {
	if c := e.served(); c != nil && upgradeOwner(c) == e.id {
		e.sometimes(UpgradeOfLeader)
	} else if e.warned() {
		e.sometimes(WarnedYields)
	}
	defer e.crashPoint("move leader")()
	e.spend(callEdit)
	err := e.Etcd.MoveLeader(ctx, leader, to)
	e.counts(err)
	return err
}

func (e checkedEtcd) Advance(ctx context.Context, endpoint string, n int) error {
	defer e.crashPoint("advance log")()
	err := e.Etcd.Advance(ctx, endpoint, n)
	e.counts(err)
	return err
}

// checkedProcess watches what a daemon does to its server.
type checkedProcess struct {
	effects.Process
	*node
}

func (p checkedProcess) Start(s states.StartEtcd) error {
	served := p.served()
	err := p.guarded("", "start etcd", func() error {
		p.mayChangeServer(s)
		p.mayBegin(s)
		if p.node.etcd.Process().Inspect().Reason != states.ExitStopped {
			p.spend(callStart)
		}
		return p.Process.Start(s)
	})
	if err == nil {
		p.startGoals(s, served)
	}
	p.changed = p.changed && p.node.etcd.Running() // one that ended at once was not started
	return err
}

// Stop is guarded unless the daemon was told to stop by nature, whose fault it then is.
func (p checkedProcess) Stop() error {
	if p.stopping {
		defer p.crashPoint(stopsEtcd)()
		return p.Process.Stop()
	}
	return p.guarded("", stopsEtcd, func() error {
		p.mayStop() // now, and not before a pause
		return p.Process.Stop()
	})
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
		err := d.Disk.SetAside(why)
		if err == nil { // a disk that fails keeps what is on it
			d.spoilt, d.untold = false, false
		}
		return err
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
		d.untold = d.untold && d.node.etcd.Disk().Inspect().Name == ""
	}
	return err
}
