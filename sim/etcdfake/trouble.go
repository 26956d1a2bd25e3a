package etcdfake

import (
	"errors"
	"fmt"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Damage is what is wrong with a data directory, in the words that a server ends with when it reads it. It shows only then. All
// of them are damage to package etcdproc too, and none passes by itself.
type Damage string

// The kinds of damage.
const (
	// BadLog is a write-ahead log with bytes changed (storage/wal).
	BadLog Damage = "failed to read WAL, cannot be repaired: wal: crc mismatch"
	// BadDatabase is a db file whose pages make no sense (storage/backend, bbolt Open).
	BadDatabase Damage = "panic: failed to open database: invalid database"
	// NoDatabase is a log that points at a snapshot whose database is not there: a power loss while it was received, before
	// 3.5.35, 3.6.16 and 3.7.3 (api/snap/db.go SaveDBFrom), or a copy of the log alone.
	NoDatabase Damage = "failed to recover v3 backend from snapshot: failed to find database snapshot file"

	intact Damage = ""
)

// Corrupt spoils the data so that no server can read it; a process on it crashes. It still looks like a member's.
func (w *World) Corrupt(instanceID string) { w.Spoil(instanceID, BadLog) }

// Spoil is Corrupt with damage of one's choice.
func (w *World) Spoil(instanceID string, damage Damage) {
	w.Crash(instanceID)
	if n := w.find(instanceID); n != nil && n.disk.state == states.DiskMember {
		n.disk.damage = damage
		w.settle()
	}
}

// Tear takes the write-ahead log out of the data directory and leaves the rest; a process on it crashes.
func (w *World) Tear(instanceID string) {
	w.Crash(instanceID)
	if n := w.find(instanceID); n != nil && n.disk.state == states.DiskMember {
		n.disk.state, n.disk.damage = states.DiskBroken, BadLog
		w.settle()
	}
}

// Forget has a cluster lose a write that it has acknowledged, without a reason, as no etcd must.
func (w *World) Forget(c *Cluster) {
	w.report(LostWrites, c, 0, "")
	w.settle()
}

// LoseDisk replaces the disk by an empty one, set-aside copies and record included; a process on it crashes.
func (w *World) LoseDisk(instanceID string) {
	w.Crash(instanceID)
	if n := w.find(instanceID); n != nil {
		n.disk, n.aside = &disk{state: states.DiskEmpty}, nil
		w.settle()
	}
}

// CopyDisk puts a copy of one instance's data directory, as it is now, into the place of another's: a volume made from a
// snapshot of the wrong machine, or an image with data baked in. A process on it crashes. A server on a copy tells its cluster on
// the peer port and never leads; the only voter of a cluster would lead in etcd, whatever its address.
func (w *World) CopyDisk(from, to string) {
	w.Crash(to)
	source, target := w.find(from), w.find(to)
	if source == nil || target == nil {
		return
	}
	d := *source.disk
	if source.proc != nil {
		d.index = source.proc.index()
	}
	d.late = nil
	target.disk = &d
	w.settle()
}

// What a disk that takes no writes says.
var (
	DiskFull     = errors.New("no space left on device") //lint:ignore ST1012 faults read better as etcdfake.DiskFull
	DiskReadOnly = errors.New("read-only file system")   //lint:ignore ST1012 as above
)

// FailDisk lets every write to the disk of the instance fail, until it is called with nil. A server ends at its first write,
// which a raft log sees within moments, and so does every start (etcdserver/raft.go, Fatal).
func (w *World) FailDisk(instanceID string, err error) {
	w.Advance()
	n := w.find(instanceID)
	if n == nil {
		return
	}
	n.DiskError = err
	if err != nil && n.proc != nil {
		n.proc.exit(states.ExitCrash, n.writeFails())
	}
	w.settle()
}

func (n *Node) writeFails() string {
	return fmt.Sprintf("exit status 1: failed to save Raft hard state and entries: %v", n.DiskError)
}

// Stall lets the client port of the process accept connections and answer nothing, as defragmentation and a long compaction do,
// or ends that. The server keeps its place among its peers.
func (w *World) Stall(instanceID string, stall bool) {
	w.change(instanceID, func(p *process) { p.stalled = stall })
}

// Lag lets the process fall behind: it hears its leader and applies nothing of what it hears, as with a disk that is too slow.
// Up to 3.4 it then tells a member list of old. A leader does not lag behind itself.
func (w *World) Lag(instanceID string, lag bool) {
	w.change(instanceID, func(p *process) { p.lags = lag })
}

// StallDisk lets nothing that is written to the disk of the instance come to an end, or ends that. A server goes on to tell what it
// told before, its peers stay connected to it, and it does nothing else.
func (w *World) StallDisk(instanceID string, stall bool) {
	w.Advance()
	if n := w.find(instanceID); n != nil {
		n.stalled = stall
		w.settle()
	}
}

// Distrust lets TLS to and from the instance fail, as after its certificate has expired, or ends that. Connections that are open
// are cut too, which is worse than what happens.
func (w *World) Distrust(instanceID string, distrust bool) {
	w.Advance()
	if n := w.find(instanceID); n != nil {
		n.distrusted = distrust
		n.reconnect()
		w.settle()
	}
}

// change edits the process of an instance, if there is one.
func (w *World) change(instanceID string, edit func(*process)) {
	w.Advance()
	if n := w.find(instanceID); n != nil && n.proc != nil {
		edit(n.proc)
		w.settle()
	}
}

// reconnect notes that the peers of the process connect to it anew, from now on.
func (n *Node) reconnect() {
	if n.proc != nil && !n.proc.up.IsZero() {
		n.proc.up = n.world.Now()
	}
}

// Depose makes the leader step down, as heartbeats that come too late do; another is elected, if another can be.
func (c *Cluster) Depose() {
	c.world.Advance()
	if c.leader == nil {
		return
	}
	c.deposed = c.leader.disk.member
	c.stepDown(c.world.Now())
	c.world.settle()
}
