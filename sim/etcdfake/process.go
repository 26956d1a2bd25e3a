package etcdfake

import (
	"errors"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// process is one run of a server.
type process struct {
	node     *Node
	disk     *disk
	start    states.StartEtcd
	version  states.Version
	began    time.Time
	listens  time.Time // when it will
	up       time.Time // since when it does; zero before
	exits    time.Time // when it will, if it has begun to
	reason   states.ExitReason
	detail   string
	stopping bool
	hung     bool
	stalled  bool // its client port answers nothing
	lags     bool // it applies nothing

	// As part of its cluster, see raft.go.
	lead      uint64    // the leader it believes in
	leadless  time.Time // when it gives up that belief; zero while it hears its leader
	first     uint64    // the last snapshot when it was started: of the log before it knows nothing
	read      uint64    // how much of the log it has read
	goesBack  bool      // it has read a cluster version older than the one it knew, see snapshotBack
	synced    bool      // it follows the leader: its log is the cluster's
	syncs     time.Time // when it will, if it is catching up
	published bool      // it has told the cluster its name and client URL
	ready     bool      // it serves clients: from then on, quorum or not
}

// answers tells whether the server does anything at all.
func (p *process) answers() bool { return !p.up.IsZero() && !p.hung && p.node.proc == p }

// index is the length of its log.
func (p *process) index() uint64 {
	if p.synced {
		return p.disk.cluster.index
	}
	return p.disk.index
}

// detach ends following the leader, and keeps on disk what was followed.
func (p *process) detach() {
	p.snapshots()
	p.disk.index = p.index()
	p.synced, p.syncs = false, time.Time{}
}

// exit ends the process now.
func (p *process) exit(reason states.ExitReason, detail string) {
	n, now := p.node, p.node.world.Now()
	if c := p.disk.cluster; c != nil {
		p.detach()
		c.left(p)
		if reason == states.ExitCrash {
			p.disk.applied = c.flushed(now)
		}
	}
	n.proc = nil
	n.last.Running, n.last.Stopping, n.last.Exited = states.No, false, now
	n.last.Reason, n.last.Detail = reason, detail
	switch {
	case reason == states.ExitStopped:
		n.last.Exits = 0
	case now.Sub(p.began) >= longRun:
		n.last.Exits = 1
	default:
		n.last.Exits++
	}
}

// longRun is how long a server must have run for its exit to begin a new row.
const longRun = time.Minute

// exitIn ends the process later, for the first reason that it is given.
func (p *process) exitIn(d time.Duration, reason states.ExitReason, detail string) {
	if p.exits.IsZero() {
		p.exits, p.reason, p.detail = p.node.world.Now().Add(d), reason, detail
	}
}

type processView struct{ *Node }

// Process is the etcd process as the daemon of this instance sees it. It does not belong to the daemon: the next one finds it.
func (n *Node) Process() effects.Process { return processView{n} }

func (v processView) Inspect() states.Process {
	v.world.Advance()
	p := v.last
	switch {
	case p.Running == states.Unknown:
		p.Running = states.No
	case p.Running == states.Yes && v.world.Now().Sub(p.Started) >= longRun:
		p.Exits = 0
	}
	return p
}

func (v processView) Start(start states.StartEtcd) error {
	n, w := v.Node, v.world
	w.Advance()
	switch empty := n.disk.state == states.DiskEmpty; {
	case n.proc != nil:
		return errors.New("a server runs already")
	case n.off:
		return errors.New("the instance is off")
	case (start.State == states.ClusterRestart) == empty:
		return errors.New("the data directory does not fit the start")
	}
	now, exits := w.Now(), processView{n}.Inspect().Exits
	if len(n.fails) > 0 && n.fails[0] == states.ExitUnstarted {
		n.fails = n.fails[1:]
		n.last = states.Process{Running: states.No, Minor: start.Minor, Exited: now, Reason: states.ExitUnstarted, Exits: exits + 1}
		return errors.New("no such server")
	}
	w.lastPID++
	n.proc = &process{
		node: n, disk: n.disk, start: start, version: n.release(start.Minor), began: now, listens: now.Add(n.StartDelay),
	}
	n.last = states.Process{Running: states.Yes, PID: w.lastPID, Minor: start.Minor, Started: now, Exits: exits}
	switch {
	case len(n.fails) > 0:
		n.proc.exitIn(0, n.fails[0], "made to fail")
		n.fails = n.fails[1:]
	case start.Minor.Known() && start.Minor == n.Unfit:
		n.proc.exitIn(0, states.ExitCrash, "this server does not run here")
	}
	w.settle()
	return nil
}

// killAfter is when a supervisor loses patience with a server that does not react to SIGTERM.
const killAfter = 30 * time.Second

func (v processView) Stop() error {
	w := v.world
	w.Advance()
	p := v.proc
	if p == nil || p.stopping {
		return nil
	}
	p.stopping, v.last.Stopping = true, true
	p.exits = time.Time{}
	switch {
	case !p.ready: // etcd installs its signal handler only when the member is ready (pkg/osutil), so SIGTERM kills at once
		p.exitIn(0, states.ExitStopped, "signal: terminated")
	case p.hung:
		p.exitIn(max(v.StopDelay, killAfter), states.ExitStopped, "signal: killed")
	default:
		p.disk.cluster.handOver(p)
		p.exitIn(v.StopDelay, states.ExitStopped, "signal: terminated")
	}
	w.settle()
	return nil
}
