package sim

import (
	"cmp"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// crashed is what a crash point panics with.
type crashed struct{}

// crashPoint is before every command: the daemon may die there, or right after the command, or be paused, or its instance may
// end. What it returns is to be called when the command has taken effect.
func (n *node) crashPoint(command string) (after func()) {
	if e, ok := n.strikes(n.host, atCommand, command); ok {
		n.interrupted(&e)
	}
	return n.crashAfter
}

// interrupted is what may happen to a daemon at any call and command; false: something else does.
func (n *node) interrupted(e *FaultEvent) bool {
	switch e.Kind {
	case DaemonCrash:
		panic(crashed{})
	case CrashAfter:
		n.diesAfter(time.Duration(e.For))
	case PauseAtCall:
		n.pauseHere(time.Duration(e.For))
	case LockDeleted:
		n.deleteLock()
	case HookCut:
		n.completeHook()
	case EndAtCall:
		n.world.at(0, func() { n.endInstance() })
		panic(crashed{})
	default:
		return false
	}
	return true
}

// diesAfter lets the daemon die after the command that it is about to carry out: before it learns of the effect, or when it has
// learnt of it and acted on it.
func (n *node) diesAfter(d time.Duration) {
	if n.doomed = d == 0; n.doomed {
		return
	}
	life := n.life
	n.world.at(d, func() {
		if n.life == life {
			n.kill()
		}
	})
}

// crashAfter is after every command: the effect is there, and the daemon dies before it learns of it.
func (n *node) crashAfter() {
	if n.doomed && n.chaos {
		n.doomed = false
		panic(crashed{})
	}
}

// restartDaemon is SIGTERM to a daemon.
func (w *world) restartDaemon(n *node, e FaultEvent) {
	if n.effects == nil || n.paused { // a stopped process does not take SIGTERM
		return
	}
	w.record(e)
	n.terminateDaemon()
}

func (n *node) terminateDaemon() {
	n.stopping = true
	n.effects.RequestShutdown("SIGTERM")
	n.turn()
}

// cutShutdown is SIGTERM, and SIGKILL before the daemon is done.
func (w *world) cutShutdown(n *node, e FaultEvent) {
	if n.effects == nil || n.paused {
		return
	}
	w.record(e)
	life := n.life
	w.at(time.Duration(e.For), func() {
		if n.life == life {
			n.kill()
		}
	})
	n.terminateDaemon()
}

// kill is SIGKILL to the daemon, which systemd starts again.
func (n *node) kill() {
	n.ends()
	n.endDaemon()
	n.respawnDaemon()
}

// pause is SIGSTOP, or a hypervisor that does something else, at any moment.
func (w *world) pause(n *node, e FaultEvent) {
	if n.agent == nil || n.paused {
		return
	}
	w.record(e)
	n.stop(time.Duration(e.For), func() {})
}

// twins tells whether two daemons run on the instance.
func (n *node) twins() bool { return n.twin != nil || n.byID[n.id] != n }

// addTwin starts a second daemon on the instance, as two units of systemd would, with nothing to exclude it: one that is older than
// the lock on the data directory, or a filesystem without locks. Whoever finds out ends the second one.
func (w *world) addTwin(n *node, e FaultEvent) {
	if n.twin != nil {
		return
	}
	w.record(e)
	twin := &node{world: w, host: n.host, machine: n.machine, etcd: n.etcd}
	n.twin = twin
	w.lasts(time.Duration(e.For), func() {
		if n.twin == twin {
			n.twin = nil
			twin.endDaemon()
			w.trace.node(n, "the second daemon is killed")
		}
	})
	twin.startDaemon()
}

// wantOlder restarts a daemon with the configuration of before an upgrade, among others that have the new one.
func (w *world) wantOlder(n *node, e FaultEvent) {
	if n.effects == nil || n.paused || !w.begin(&n.host.until, e, func() {
		n.older = false
		if n.effects != nil && !n.paused {
			n.terminateDaemon()
		}
	}) {
		return
	}
	n.older = true
	n.terminateDaemon()
}

func drawRecordLoss(_ *world, s *stream, e *FaultEvent) bool {
	e.What = string([]etcdfake.Loss{etcdfake.Absent, etcdfake.NotJoined, etcdfake.Stale}[s.below(3)])
	e.Size = s.below(2)
	return true
}

// loseRecord kills the daemon, and maybe its etcd, and starts it again beside a record that lacks something, or is not there. That
// of another instance's data is spared: without it nobody could tell whose they are.
func (w *world) loseRecord(n *node, e FaultEvent) {
	if whose := n.etcd.Disk().Inspect().Name; whose != "" && whose != n.id {
		return
	}
	w.record(e)
	if e.Size > 0 {
		w.etcd.Crash(n.id)
	}
	w.etcd.LoseRecord(n.id, etcdfake.Loss(e.What))
	n.misled, n.untold = cmp.Or(n.etcd.Ran().MinorOf(), n.etcd.Process().Inspect().Minor), true // one that joins has no data yet
	n.kill()
}

// wall is the clock of an instance, which is not the world's.
type wall struct {
	offset time.Duration // that a daemon sees which starts now: one that runs has a monotonic clock too (time.Time)
	rate   float64       // how much it goes wrong in a second
	since  time.Duration // when that began
	gained time.Duration // before
}

// clock is what a daemon that starts now takes for the time.
func (c *wall) clock(w *world) func() time.Time {
	offset := c.offset
	return func() time.Time {
		if c.rate == 0 && offset == 0 && c.gained == 0 {
			return w.clock
		}
		return w.clock.Add(offset + c.gain(w.now))
	}
}

func (c *wall) gain(now time.Duration) time.Duration {
	return c.gained + time.Duration(c.rate*float64(now-c.since))
}

// clocked tells a daemon of its server by the daemon's own clock, which is how the supervisor notes it too.
type clocked struct {
	effects.Process
	now  func() time.Time
	real func() time.Time
}

func (c clocked) Inspect() states.Process {
	p := c.Process.Inspect()
	if off := c.now().Sub(c.real()); off != 0 {
		for _, t := range []*time.Time{&p.Started, &p.Exited} {
			if !t.IsZero() {
				*t = t.Add(off)
			}
		}
	}
	return p
}

// jumpClock sets the clock of an instance by up to an hour, and restarts its daemon, which else goes by its monotonic clock.
func (w *world) jumpClock(n *node, e FaultEvent) {
	w.record(e)
	n.wall.offset = time.Duration(e.For)
	if e.What == backward {
		n.wall.offset = -n.wall.offset
	}
	n.kill()
}

const (
	forward  = "forward"
	backward = "backward"
)

func drawDirection(_ *world, s *stream, e *FaultEvent) bool {
	e.What = []string{forward, backward}[s.below(2)]
	return true
}

// driftClock lets the clock of an instance go up to a tenth too fast or too slow for a while.
func (w *world) driftClock(n *node, e FaultEvent) {
	if n.wall.rate != 0 {
		return
	}
	w.record(e)
	c := &n.wall
	c.rate, c.since = float64(e.Size)/1000, w.now
	if e.What == backward {
		c.rate = -c.rate
	}
	w.lasts(time.Duration(e.For), func() { c.gained, c.rate = c.gain(w.now), 0 })
}

func drawDrift(w *world, s *stream, e *FaultEvent) bool {
	e.Size = 1 + s.below(100)
	return drawDirection(w, s, e)
}
