package etcdfake

import "github.com/etcd-appliance/etcd-appliance/states"

// entryKind is a kind of log entry that some versions cannot read. A server that meets one in the log panics, and again at each
// start until a snapshot of its own is newer than the entry.
type entryKind uint8

const (
	// v2Request is how servers up to 3.5 publish themselves and the cluster version. 3.6 still reads it, 3.7 does not, not even
	// where it was applied long ago (old-etcd: seen on 3.5.35 -> 3.6.16 -> 3.7.3).
	v2Request entryKind = iota
	// memberAttributes is how servers from 3.6 on publish themselves; up to 3.4 nobody knows it (3.4.45 etcdserver/apply.go).
	memberAttributes
	// addLearner is a learner added: up to 3.3 nobody knows it (3.3.27 membership/cluster.go ValidateConfigurationChange).
	addLearner
)

// entry is one of them, and where it is in the log.
type entry struct {
	index uint64
	kind  entryKind
}

// log commits an entry of a kind.
func (c *Cluster) log(kind entryKind) {
	c.index++
	c.entries = append(c.entries, entry{c.index, kind})
}

// kills tells whether a server dies of an entry, and how. The texts are those of the panics; of the first, package etcdproc
// knows that it is no damage.
func (p *process) kills(kind entryKind) (states.ExitReason, string) {
	switch {
	case kind == v2Request && !p.older(3, 7):
		return states.ExitRefused, "exit status 2: panic: unmarshal should never fail (proto: cannot parse invalid wire-format data)"
	case kind == memberAttributes && p.older(3, 5):
		return states.ExitCrash, "exit status 2: panic: not implemented"
	case kind == addLearner && p.older(3, 4):
		return states.ExitCrash, "exit status 2: panic: ConfChange type should be either AddNode, RemoveNode or UpdateNode"
	}
	return states.ExitNone, ""
}

// replay reads the log up to an index, beginning where it has not been read or replaced by a snapshot.
func (p *process) replay(to uint64) (states.ExitReason, string) {
	for entries := p.disk.cluster.entries; p.read < len(entries) && entries[p.read].index <= to; p.read++ {
		if entries[p.read].index <= p.disk.snapshot {
			continue
		}
		if reason, detail := p.kills(entries[p.read].kind); reason != states.ExitNone {
			return reason, detail
		}
	}
	return states.ExitNone, ""
}

// replay lets every server read what has been committed since it last looked.
func (c *Cluster) replay() bool {
	changed := false
	for _, p := range c.procs {
		if !p.synced || !p.exits.IsZero() || p.read == len(c.entries) {
			continue
		}
		if reason, detail := p.replay(c.index); reason != states.ExitNone {
			p.exitIn(0, reason, detail)
			changed = true
		}
	}
	return changed
}

// snapshots moves the last snapshot of a data directory on as its log grows: one every --snapshot-count entries.
func (p *process) snapshots() {
	d, every := p.disk, p.node.world.SnapshotCount
	if grown := p.index() - min(p.index(), d.snapshot); grown > every {
		d.snapshot += grown / every * every
	}
}

// fromLog tells whether the leader still has every entry after the server's log; else it sends a snapshot. It keeps 5000 entries
// before its last snapshot, but only of those that it has read or written since it was started, and from 3.6 on it drops what
// it can every 100 entries (etcdserver/server.go compactRaftLog). Entry 1 goes first, so that a server without any log needs a
// snapshot from then on.
func (c *Cluster) fromLog(d *disk) bool {
	leader := c.leader
	leader.snapshots()
	compacted := leader.disk.snapshot > 0 || !leader.older(3, 6) && c.index > 100
	switch {
	case d.index < c.configs[0].index:
		return !compacted
	case d.index >= c.index:
		return true
	default:
		return c.index-d.index <= longLag && d.index >= leader.first
	}
}

// longLag is the lag, in entries, from which a member needs a snapshot (numberOfCatchUpEntries, --snapshot-catchup-entries).
const longLag = 5000

// restored is a server that has received a snapshot from its leader. A 2.3 leader sends one without a database, and a newer
// server dies of that, then and at every start (3.0.17 etcdserver/server.go applySnapshot; etcd issue 7429).
func (p *process) restored(c *Cluster) (states.ExitReason, string) {
	if c.leader.older(3, 0) && !p.older(3, 0) {
		p.disk.damage = v2Snapshot
		return states.ExitCorrupt, "exit status 2: panic: " + string(v2Snapshot)
	}
	p.disk.snapshot, p.first, p.read = c.index, c.index, len(c.entries)
	return states.ExitNone, ""
}

// v2Snapshot is the damage that a snapshot of a 2.3 leader does.
const v2Snapshot Damage = "get database snapshot file path error: snap: snapshot file doesn't exist"
