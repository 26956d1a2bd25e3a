package etcdfake

import (
	"errors"
	"slices"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// entryKind is a kind of log entry that some versions cannot read. A server that meets one in the log panics, and again at each
// start until a snapshot of its own is newer than the entry.
type entryKind uint8

const (
	// v2Request is how servers up to 3.5 publish themselves. 3.6 still reads it, 3.7 does not, not even where it was applied long
	// ago (seen on 3.5.35, 3.6.16, 3.7.3).
	v2Request entryKind = iota
	// v2Version is the same of a cluster version that was set.
	v2Version
	// memberAttributes is how servers from 3.6 on publish themselves; up to 3.4 nobody knows it (3.4.45 etcdserver/apply.go).
	memberAttributes
	// v2Read is how 3.3 and 3.4 read through quorum when somebody asks for /health; 3.6 dies of it (old-etcd: seen on 3.4.23 ->
	// 3.5.35 -> 3.6.16; etcd issues 20809 and 20870).
	v2Read
	// addLearner is a learner added: up to 3.3 nobody knows it (3.3.27 membership/cluster.go ValidateConfigurationChange).
	addLearner

	entryKinds // how many there are
)

// log commits an entry of a kind.
func (c *Cluster) log(kind entryKind) {
	c.index++
	c.lastEntry = c.index
	c.entries[kind] = append(c.entries[kind], c.index)
}

// logged tells whether an entry of a kind is in the log, after one index and up to another.
func (c *Cluster) logged(kind entryKind, after, to uint64) bool {
	i, _ := slices.BinarySearch(c.entries[kind], after+1)
	return i < len(c.entries[kind]) && c.entries[kind][i] <= to
}

// forget drops what is after the end of the log.
func (c *Cluster) forget(length uint64) {
	for kind := range c.entries {
		i, _ := slices.BinarySearch(c.entries[kind], length+1)
		c.entries[kind] = c.entries[kind][:i]
	}
	for _, p := range c.procs {
		p.read = min(p.read, length)
	}
}

// kills tells whether a server dies of an entry, and how. The texts are those of the panics; of the first, package etcdproc
// knows that it is no damage.
func (p *process) kills(kind entryKind) (states.ExitReason, string) {
	switch {
	case kind <= v2Version && !p.older(3, 7):
		return states.ExitRefused, "exit status 2: panic: unmarshal should never fail (proto: cannot parse invalid wire-format data)"
	case kind == v2Read && !p.older(3, 6):
		return states.ExitRefused, "exit status 2: panic: detected disallowed v2 WAL for stage --v2-deprecation=write-only"
	case kind == memberAttributes && p.older(3, 5):
		return states.ExitCrash, "exit status 2: panic: not implemented"
	case kind == addLearner && p.older(3, 4):
		return states.ExitCrash, "exit status 2: panic: ConfChange type should be either AddNode, RemoveNode or UpdateNode"
	}
	return states.ExitNone, ""
}

// replay reads the log up to an index, beginning where it has not been read or replaced by a snapshot.
func (p *process) replay(to uint64) (states.ExitReason, string) {
	c, after := p.disk.cluster, max(p.read, p.disk.snapshot)
	for kind := range entryKinds {
		reason, detail := p.kills(kind)
		if reason != states.ExitNone && c.logged(kind, after, to) {
			return reason, detail
		}
	}
	if !p.older(3, 6) && c.logged(v2Version, after, to) && !p.clusterVersion().Less(minor36) {
		p.goesBack = true
	}
	p.read = max(p.read, to)
	return states.ExitNone, ""
}

// snapshotBack is the snapshot that 3.6 takes when it reads the cluster version of 3.5 in its own log: it knows 3.6 from its
// database by then, takes this for a downgrade, and does so at every start but the first (etcdserver/apply ClusterVersionSet,
// seen on 3.6.16). After that the data is fit for 3.7.
func (p *process) snapshotBack() {
	if p.goesBack {
		p.disk.snapshot, p.goesBack = p.index(), false
	}
}

// replay lets every server read what has been committed since it last looked.
func (c *Cluster) replay() bool {
	changed := false
	for _, p := range c.procs {
		if !p.synced || !p.exits.IsZero() || p.read >= c.lastEntry {
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
	p.disk.snapshot, p.first, p.read = c.index, c.index, c.index
	return states.ExitNone, ""
}

// v2Snapshot is the damage that a snapshot of a 2.3 leader does.
const v2Snapshot Damage = "get database snapshot file path error: snap: snapshot file doesn't exist"

// GetHealth is somebody else, such as a load balancer, asking the server at an address for /health.
func (w *World) GetHealth(address string) {
	w.Advance()
	if p, err := w.route(address, address, ClientPort); err == nil && p.serves() == nil && !p.older(3, 3) && p.older(3, 5) {
		p.disk.cluster.log(v2Read)
		w.settle()
	}
}

// WriteV2 is a client's write of a v2 key through the server at an address. From 3.4 on nobody listens to v2 by default. 3.6 does
// not start on data with v2 keys, see upgradable.
func (w *World) WriteV2(address string) error {
	w.Advance()
	p, err := w.route(address, address, ClientPort)
	if err == nil {
		err = p.serves()
	}
	if err == nil && !p.older(3, 4) {
		err = errors.New("404 page not found")
	}
	if err != nil {
		return err
	}
	c := p.disk.cluster
	c.index++
	c.acked, c.v2Keys = c.index, true
	return nil
}
