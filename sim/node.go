package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/agent"
	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// machine is what an instance is apart from its daemon.
type machine struct {
	id, address string
	column      int
	region      int // as its number in regions

	on, gone bool          // running; terminated for good
	spoilt   bool          // nature has made the data unreadable
	robbed   bool          // nature has taken the disk
	harmed   Kind          // what nature did to the data of the member that has not rejoined since: Corrupt, LoseDisk or Kinds
	recalled time.Duration // until then it may end at any time
	older    bool          // its configuration wants the older minor
	wall     wall
	watched
}

// watched is what the checks keep of an instance.
type watched struct {
	down   bool                // its daemon has stopped its server for an upgrade, and it has not served since
	misled states.MinorVersion // what ran on its data when nature spoilt the record beside it, which may name another; zero once that is started again
	untold bool                // nature has spoilt the record, and not all of it has been written down again
	hears  bool                // its member was healthy when it was looked at last
	since  time.Duration       // that it is, or is not
	mute   time.Duration       // since when its server runs and does nothing for its cluster; zero when it does
	told   told
}

// node is one instance: its etcd, and the real daemon over the fakes. The daemon may die and start again many times.
type node struct {
	*world
	*host
	*machine
	pausing
	etcd *etcdfake.Node

	adopts   bool                // etcd ran when the daemon started, and it has started none
	doomed   bool                // the daemon dies after the command that it is about to carry out
	hangs    bool                // a call of the question or command that is being carried out hangs
	twin     *node               // a second daemon on the instance, by mistake
	wants    states.MinorVersion // of its daemon's configuration
	agent    *agent.Agent
	effects  *effects.Effects
	life     int    // of the daemon: what was scheduled in an earlier life is void
	tick     int    // the turn that is due next; earlier ones are void
	take     func() // takeTurn, made once
	stopping bool
	joining
	answers answers
	spent   spent
	reports bool // what was decided last has something to report
	changed bool // a command of what was carried out last has changed something
}

// instanceRuns is AWS booting an instance. It must not call back, so the boot is an event of its own.
func (w *world) instanceRuns(in awsfake.Instance) {
	if !w.ours(in.Group) {
		return // another cluster's
	}
	h := w.host(in.ID)
	w.at(w.bootDelay(h), func() {
		if now, ok := w.cloud.Instance(in.ID); !ok || now.State != awsfake.Running {
			return
		}
		n := w.byID[in.ID]
		if n == nil {
			n = &node{world: w, host: h, etcd: w.etcd.Node(in.ID, in.PrivateIP), machine: &machine{
				harmed: Kinds, id: in.ID, address: in.PrivateIP, column: len(w.nodes), region: regionOf(in),
			}}
			w.nodes = append(w.nodes, n)
			w.byID[in.ID] = n
			w.raiseWalls()
		}
		if n.gone || n.on {
			return
		}
		w.trace.node(n, "instance boots"+w.plan.abroad(in))
		w.etcd.PowerOn(in.ID)
		n.on = true
		n.startDaemon()
	})
}

// instanceEnds is AWS stopping, rebooting or terminating an instance: everything on it ends at once.
func (w *world) instanceEnds(in awsfake.Instance) {
	w.at(0, func() {
		n := w.byID[in.ID]
		if n == nil {
			return
		}
		n.on = false
		n.ends()
		n.endDaemon()
		if !n.reaped() {
			w.etcd.PowerOff(in.ID)
			w.trace.node(n, "instance goes down")
		}
	})
}

// reaped notes that an instance has ended for good. One that is terminated while it is down gives no further sign of it, so
// every instance that is down is looked at again and again.
func (n *node) reaped() bool {
	if in, ok := n.cloud.Instance(n.id); ok && in.State != awsfake.ShuttingDown && in.State != awsfake.Terminated {
		n.world.at(time.Second, func() {
			if !n.on && !n.gone {
				n.reaped()
			}
		})
		return false
	}
	n.gone = true
	n.world.raiseWalls() // its address may be another's by now
	if n.outage {
		n.sometimes(EndedInOutage)
	}
	n.world.etcd.Kill(n.id)
	n.trace.node(n, "instance is terminated")
	return true
}

// startDaemon begins a new life of the daemon: nothing survives from the one before but the disk, etcd and AWS.
func (n *node) startDaemon() {
	n.life++
	n.unpause() // a pause is a process's, and strikes nobody where none runs
	n.stopping, n.doomed = false, false
	n.joining, n.answers, n.spent = joining{}, answers{}, spent{}
	caller, now := n.id, n.wall.clock(n.world)
	o := effects.Options{
		IMDS: n.cloud.IMDS(caller), EC2: n.cloud.EC2(caller), AutoScaling: checkedGroup{n.cloud.AutoScaling(caller), n, 0}, Route53: n.cloud.Route53(caller),
		Etcd: n.client(), Peers: n.etcd.Peers(), Process: checkedProcess{clocked{n.etcd.Process(), now, func() time.Time { return n.world.clock }}, n}, Disk: checkedDisk{n.etcd.Disk(), n},
		Now: now, Spawn: n.spawn(n.life), Within: unbounded, Parallel: oneByOne, Log: zerolog.Nop(),
		Named: func(group string) (string, error) { return group, nil }, HostedZone: zoneName,
		ClientPort: 2379, PeerPort: 2380, Wanted: n.configured(), Servers: n.plan.servers(), Patches: n.patches(),
		LaunchingHook: launchingHook, TerminatingHook: terminatingHook,
	}
	switch n.plan.Claim {
	case "s3":
		o.S3, o.Bucket = n.cloud.S3(caller), bucket
	case "nowhere":
		o.Route53, o.HostedZone = nil, ""
	}
	n.span(&o)
	n.effects, n.wants = effects.New(o), o.Wanted
	a, err := agent.New(states.Config{ClientPort: 2379, PeerPort: 2380, OnTotalLoss: n.plan.Loss, ReplaceUnhealthyAfter: time.Duration(n.plan.Replace)},
		n.effects, executor{n.effects, n}, agent.NewJournal(zerolog.Nop(), false, n.decided))
	if err != nil {
		n.fail("S9", "%v", err)
		return
	}
	n.agent, n.adopts, n.take = a, n.etcd.Running(), n.takeTurn
	n.trace.node(n, "daemon starts")
	n.turn()
}

// client is what a daemon asks etcd with. As the real one does it asks over v2 only where a 2.3 server is installed.
func (n *node) client() effects.Etcd {
	v3 := checkedEtcd{n.etcd.Etcd(), n}
	if !n.plan.Old {
		return v3
	}
	return &effects.Choice{V2: checkedEtcd{n.etcd.EtcdV2(), n}, V3: v3, Level: n.etcd.Level, Now: n.wall.clock(n.world)}
}

// wanted is the minor in the configuration of daemons that start now.
func (w *world) wanted() states.MinorVersion {
	if w.plan.Newer > 0 && w.now < time.Duration(w.plan.Newer) {
		return w.plan.oldest()
	}
	return w.plan.newest()
}

// configured is what the configuration of this instance says, which may have been rolled back.
func (n *node) configured() states.MinorVersion {
	if n.older {
		return n.plan.oldest()
	}
	return n.wanted()
}

// endDaemon ends the daemon's life, as SIGKILL does; etcd goes on.
func (n *node) endDaemon() {
	n.life++
	n.agent, n.effects = nil, nil
	n.unpause()
	if twin := n.twin; twin != nil && !n.on {
		n.twin = nil
		twin.endDaemon()
	}
}

// respawnDaemon is what systemd does with a daemon that has ended.
func (n *node) respawnDaemon() {
	life := n.life
	n.world.at(n.delays.between(time.Second, 10*time.Second), func() {
		if n.life == life && n.on && !n.gone {
			n.startDaemon()
		}
	})
}

// turn takes one turn, and schedules the next. A daemon that crashes in it dies between two of its calls.
func (n *node) turn() {
	if n.agent == nil || n.violation != nil || n.paused {
		return
	}
	n.carryOut(n.take)
}

func (n *node) takeTurn() {
	d, err := n.agent.Turn()
	if err != nil {
		n.fail("S9", "%s: %v", n.id, err)
		n.endDaemon() // as the daemon does, and systemd
		n.respawnDaemon()
		return
	}
	if d.Done {
		n.trace.node(n, "daemon ends")
		n.endDaemon()
		n.respawnDaemon()
		return
	}
	n.tick++
	life, tick := n.life, n.tick
	n.world.at(d.Needs.Soonest(), func() {
		if n.life == life && n.tick == tick {
			n.turn()
		}
	})
}

// decided is told of each decision that says something new.
func (n *node) decided(_ time.Time, d *states.Decision) {
	n.reports = len(d.Reports) > 0
	_, leads := diagram()
	at := d.From
	for _, on := range d.Path {
		e := Edge{at, on}
		n.cover.took(n.world, n.host, e)
		n.note(string(on))
		at = leads[e]
	}
	if n.adopts && len(d.Path) > 0 && d.To == states.Running {
		n.adopts = false
		n.sometimes(Adopted)
	}
	n.note(d.Why)
	if n.said != nil {
		n.said[d.Why] = true
	}
	if n.trace.on() {
		n.trace.decision(n, d)
	}
}

// spawn runs the question or the commands now and delivers what came of them later, unless the daemon has died in between.
func (n *node) spawn(life int) effects.Spawn {
	return func(timeout time.Duration, work func(context.Context) func()) {
		n.hangs, n.limit = false, n.now+timeout
		deliver := n.workTwice(work)
		n.limit = 0
		delay := n.answerDelay(timeout)
		if n.hangs {
			delay = timeout
		}
		n.world.at(delay, func() {
			if n.life == life {
				n.arrives(deliver)
			}
		})
	}
}

// mayCrash ends the daemon where it was told to crash.
func (n *node) mayCrash() {
	if r := recover(); r != nil {
		if _, ok := r.(crashed); !ok {
			panic(r)
		}
		n.ends()
		n.endDaemon()
		n.respawnDaemon()
	}
}

func unbounded(ctx context.Context, _ time.Duration) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

func oneByOne(k int, f func(int)) {
	for i := range k {
		f(i)
	}
}

// short is the instance ID as traces print it.
func (n *node) short() string {
	id := strings.TrimLeft(strings.TrimPrefix(n.id, "i-"), "0")
	return id[:min(8, len(id))]
}

func (n *node) String() string { return fmt.Sprintf("%s (%s)", n.id, n.address) }
