package etcdfake

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Trouble is a kind of incident.
type Trouble string

// The kinds of incident. None of them is etcd's to prevent; all of them are the supervisor's.
const (
	// WipedMember: a member came back under its ID with an empty data directory, its log and its vote forgotten.
	WipedMember Trouble = "member restarted under its old ID with an empty data directory"
	// LostWrites: a leader was elected without writes that clients had been told were safe.
	LostWrites Trouble = "acknowledged writes are lost"
	// ZombieMembers: 3.6 was started on data of 3.5 before 3.5.26, and believes in members that were removed.
	ZombieMembers Trouble = "removed members have come back: 3.6 was started on data of 3.5 before 3.5.26"
	// EarlyUpgrade: 3.7 was started on data of 3.6 before 3.6.11, against etcd's guide (docs/v3.7/upgrades/upgrade_3_7.md).
	EarlyUpgrade Trouble = "3.7 was started on data of 3.6 before 3.6.11"
	// TwinMember: a server was started on a copy of the data of another that runs.
	TwinMember Trouble = "two servers run as one member"
)

// Invariant is the one that an incident breaks, by the names of the simulator's invariants: S2 is about data, S4 about servers on it, S6
// about versions.
func (t Trouble) Invariant() string {
	switch t {
	case TwinMember:
		return "S4"
	case ZombieMembers, EarlyUpgrade:
		return "S6"
	default:
		return "S2"
	}
}

// Incident is harm done.
type Incident struct {
	At       time.Time
	Trouble  Trouble
	Cluster  uint64
	Member   uint64
	Instance string
}

func (w *World) report(t Trouble, c *Cluster, member uint64, instance string) {
	w.incidents = append(w.incidents, Incident{At: w.Now(), Trouble: t, Cluster: c.id, Member: member, Instance: instance})
}

// Incidents lists the harm done, oldest first. The slice belongs to the world.
func (w *World) Incidents() []Incident { return w.incidents }

// Clusters lists every cluster that a server was ever started for, in order of appearance; those that never served have a zero
// [Cluster.Served]. The slice belongs to the world.
func (w *World) Clusters() []*Cluster { return w.clusters }

// ID is the cluster ID.
func (c *Cluster) ID() uint64 { return c.id }

// Token is the --initial-cluster-token it was formed with.
func (c *Cluster) Token() string { return c.token }

// Served is when it could first be written to; zero if it never could.
func (c *Cluster) Served() time.Time { return c.served }

// HasQuorum tells whether it can be written to now.
func (c *Cluster) HasQuorum() bool { return c.writable }

// Leader is the member that leads and reaches a quorum; 0 when there is none.
func (c *Cluster) Leader() uint64 {
	if c.leader == nil {
		return 0
	}
	return c.leader.disk.member
}

// Version is the cluster version; zero until it is decided.
func (c *Cluster) Version() states.MinorVersion { return c.version }

// Members is the committed member list, by ID. The slice is never changed.
func (c *Cluster) Members() []states.Member { return c.members() }

// Healthy tells whether a member's server runs and follows the leader, so that it counts towards the quorum.
func (c *Cluster) Healthy(id uint64) bool {
	p := c.serverOf(id)
	return p != nil && c.leader != nil && p.synced
}

// Server is the version that a member runs; zero when it is not up.
func (c *Cluster) Server(id uint64) states.Version {
	if p := c.serverOf(id); p != nil {
		return p.version
	}
	return states.Version{}
}

// Stays tells whether a member's server is up and has not been told to stop.
func (c *Cluster) Stays(id uint64) bool {
	p := c.serverOf(id)
	return p != nil && !p.stopping
}

// Works tells whether a member's server is up and does its part: it neither hangs nor falls behind, and its disk has not stalled.
func (c *Cluster) Works(id uint64) bool {
	p := c.serverOf(id)
	return p != nil && !p.hung && !p.node.stalled && (!p.lags || p == c.leader)
}

// Voters counts the voters, those of them that are healthy, and those whose data directory, running or not, holds every
// acknowledged write. Fewer holders than a quorum means that acknowledged writes can be lost.
func (c *Cluster) Voters() (n, healthy, holders int) {
	for i := range c.members() {
		m := &c.members()[i]
		if m.Learner {
			continue
		}
		n++
		if c.Healthy(m.ID) {
			healthy++
		}
		if c.holds(m.ID) {
			holders++
		}
	}
	return n, healthy, holders
}

// Acked is the index of the last acknowledged write.
func (c *Cluster) Acked() uint64 { return c.acked }

func (c *Cluster) holds(id uint64) bool {
	for _, n := range c.world.nodes {
		d := n.disk
		if d.state != states.DiskMember || d.damage != intact || d.cluster != c || d.member != id {
			continue
		}
		if n.proc != nil && n.proc.synced || d.index >= c.acked {
			return true
		}
	}
	return false
}

// Holds tells whether the data directory of the node, running or not, holds every acknowledged write of its cluster.
func (n *Node) Holds() bool {
	return n.disk.state == states.DiskMember && n.disk.cluster.holds(n.disk.member)
}

// Runs is the server that runs on the node; zero when none does.
func (n *Node) Runs() states.Version {
	if n.proc == nil {
		return states.Version{}
	}
	return n.proc.version
}

// Ran is the server that last ran on the data directory of the node, whatever the record beside it says; zero when none has.
func (n *Node) Ran() states.Version { return n.disk.ran }

// Minors are the oldest and the newest minor among the servers of the cluster that are up; zero when none is.
func (c *Cluster) Minors() (oldest, newest states.MinorVersion) {
	for _, p := range c.procs {
		m := p.version.MinorOf()
		if find(c.members(), p.disk.member) == nil {
			continue // a server that has been removed is told so when it asks
		}
		if !oldest.Known() || m.Less(oldest) {
			oldest = m
		}
		if newest.Less(m) {
			newest = m
		}
	}
	return oldest, newest
}

// Downgrading tells whether a downgrade of the cluster is enabled.
func (c *Cluster) Downgrading() bool { return c.downgrade.Known() }

// Alarmed tells whether any alarm is raised.
func (c *Cluster) Alarmed() bool { return len(c.alarms) > 0 }

// Hears tells whether a member's server is up and knows a leader, which is what it tells of itself: for an election timeout after
// the leader has gone it does so still.
func (c *Cluster) Hears(id uint64) bool {
	p := c.serverOf(id)
	return p != nil && p.lead != 0
}

// serverOf is the server of a member that is up; nil when there is none.
func (c *Cluster) serverOf(id uint64) *process {
	if m := find(c.members(), id); m != nil {
		return c.server(m)
	}
	return nil
}
