package etcdfake

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Node is one instance: an address, a data directory that outlives processes, and a process that outlives agents.
type Node struct {
	ID, Address                    string
	StartDelay, StopDelay, CatchUp time.Duration // may be changed at any time
	// DiskError, when set, is what every change to the data directory answers, and what a server ends with that starts on it.
	DiskError error
	// Release, when set, is the patch of each minor that is installed here, instead of the world's.
	Release func(states.MinorVersion) states.Version
	// Unfit, when known, is the minor whose servers end as soon as they are started here.
	Unfit states.MinorVersion

	world *World
	disk  *disk
	aside []*disk
	proc  *process       // nil when none runs
	last  states.Process // what Inspect answers
	off   bool
	boots int // how often it was powered off
	// stalled says that nothing that is written to the disk comes to an end.
	stalled bool
	// distrusted says that nobody shakes hands with it: its certificate has expired.
	distrusted bool
	fails      []states.ExitReason // how the next starts end
}

func (n *Node) settle(now time.Time) bool {
	p := n.proc
	switch {
	case p == nil, n.stalled: // a server does not end while it waits for its disk, nor get as far as to listen
		return false
	case !p.exits.IsZero() && n.world.due(p.exits, now):
		p.exit(p.reason, p.detail)
		return true
	case p.up.IsZero() && n.world.due(p.listens, now):
		p.boot()
		return true
	}
	return false
}

// Crash ends the process at once, as SIGKILL or a panic does. The data stays.
func (w *World) Crash(instanceID string) {
	w.Advance()
	if n := w.find(instanceID); n != nil && n.proc != nil {
		n.proc.exit(states.ExitCrash, "signal: killed")
		w.settle()
	}
}

// Hang makes the process accept connections and do nothing else, or ends that.
func (w *World) Hang(instanceID string, hang bool) {
	w.Advance()
	if n := w.find(instanceID); n != nil && n.proc != nil {
		n.proc.hung = hang
		if !hang {
			n.reconnect()
		}
		w.settle()
	}
}

// PowerOff stops the instance: its process ends and its address goes silent. The data stays.
func (w *World) PowerOff(instanceID string) {
	w.Crash(instanceID)
	if n := w.find(instanceID); n != nil {
		n.off = true
		n.boots++
		w.settle()
	}
}

// PowerOn ends PowerOff. The process is not started.
func (w *World) PowerOn(instanceID string) {
	if n := w.find(instanceID); n != nil {
		n.off = false
		w.settle()
	}
}

// Kill terminates the instance: process, disk and address are gone for good.
func (w *World) Kill(instanceID string) {
	w.PowerOff(instanceID)
	for i, n := range w.nodes {
		if n.ID == instanceID {
			w.vacate(n)
			n.disk, n.aside = &disk{state: states.DiskEmpty}, nil
			w.nodes = append(w.nodes[:i:i], w.nodes[i+1:]...)
			break
		}
	}
	w.settle()
}

// FailStarts makes the next starts end at once, one for each reason given.
func (n *Node) FailStarts(reasons ...states.ExitReason) { n.fails = append(n.fails, reasons...) }

// Running tells whether a process exists, listening or not.
func (n *Node) Running() bool { return n.proc != nil }

// MemberID is the member that the data directory belongs to, and the cluster; zero when it is empty or broken.
func (n *Node) MemberID() (cluster, member uint64) {
	if n.disk.state != states.DiskMember {
		return 0, 0
	}
	return n.disk.cluster.id, n.disk.member
}

// DiskState is what the data directory holds.
func (n *Node) DiskState() states.DiskState { return n.disk.state }

// SetAsideCopies counts the data directories that were set aside and not deleted.
func (n *Node) SetAsideCopies() int { return len(n.aside) }
