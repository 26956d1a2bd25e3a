package sim

import (
	"context"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

func (w *world) crashEtcd(n *node, e FaultEvent) {
	w.record(e)
	w.etcd.Crash(n.id)
}

// crashLoop lets etcd crash, and again as it starts, several times.
func (w *world) crashLoop(n *node, e FaultEvent) {
	w.record(e)
	reasons := make([]states.ExitReason, e.Size)
	for i := range reasons {
		reasons[i] = states.ExitCrash
	}
	n.etcd.FailStarts(reasons...)
	w.etcd.Crash(n.id)
}

func drawTimes(_ *world, s *stream, e *FaultEvent) bool {
	e.Size = 1 + s.below(6)
	return true
}

// lastingAt is a fault of the etcd of one node, from on to off.
func lastingAt(set func(w *world, n *node, on bool)) func(*world, *node, FaultEvent) {
	return func(w *world, n *node, e FaultEvent) {
		if w.begin(&n.host.until, e, func() { set(w, n, false) }) {
			set(w, n, true)
		}
	}
}

func hang(w *world, n *node, on bool)      { w.etcd.Hang(n.id, on) }
func stall(w *world, n *node, on bool)     { w.etcd.Stall(n.id, on) }
func lag(w *world, n *node, on bool)       { w.etcd.Lag(n.id, on) }
func stallDisk(w *world, n *node, on bool) { w.etcd.StallDisk(n.id, on) }
func distrust(w *world, n *node, on bool)  { w.etcd.Distrust(n.id, on) }

// unfit has the servers of the newest minor end at once: an upgrade to it fails, and a member that runs it already must wait.
func unfit(w *world, n *node, on bool) {
	n.etcd.Unfit = states.MinorVersion{}
	if on {
		n.etcd.Unfit = w.plan.newest()
	}
}

// distrustAll is one authority whose certificate expires: no server trusts another, nor a daemon any of them.
func (w *world) distrustAll(_ *node, e FaultEvent) {
	set := func(on bool) {
		for _, n := range w.nodes {
			w.etcd.Distrust(n.id, on)
		}
	}
	if w.begin(&w.until, e, func() { set(false) }) {
		set(true)
	}
}

// hangMost is a loss of quorum that passes: a majority of the servers accept connections and do nothing else.
func (w *world) hangMost(_ *node, e FaultEvent) {
	up := w.running()
	most := up[:min(len(up), len(up)/2+1)]
	if len(most) == 0 || !w.begin(&w.until, e, func() {
		for _, n := range most {
			w.etcd.Hang(n.id, false)
		}
	}) {
		return
	}
	for _, n := range most {
		w.etcd.Hang(n.id, true)
	}
}

// slowStart makes the next start of etcd take long, as a large snapshot does, and lets it crash.
func (w *world) slowStart(n *node, e FaultEvent) {
	usual := n.etcd.StartDelay
	if w.begin(&n.host.until, e, func() { n.etcd.StartDelay = usual }) {
		n.etcd.StartDelay = time.Duration(e.For)
		w.etcd.Crash(n.id)
	}
}

// slowStop makes etcd take long to end, so that it outlives its daemon's patience.
func (w *world) slowStop(n *node, e FaultEvent) {
	usual := n.etcd.StopDelay
	if w.begin(&n.host.until, e, func() { n.etcd.StopDelay = usual }) {
		n.etcd.StopDelay = time.Duration(e.Size) * time.Second
	}
}

// slowCatchUp makes a new member take long to fetch the data, so that it is not ready to be promoted.
func (w *world) slowCatchUp(n *node, e FaultEvent) {
	usual := n.etcd.CatchUp
	if w.begin(&n.host.until, e, func() { n.etcd.CatchUp = usual }) {
		n.etcd.CatchUp = time.Duration(e.Size) * time.Second
	}
}

// harm spoils the data of a node, or takes it.
func (w *world) harm(n *node, e FaultEvent) {
	if !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	n.harmed = e.Kind
	switch {
	case e.Kind == LoseDisk:
		w.etcd.LoseDisk(n.id)
		n.spoilt, n.robbed = false, true
		return
	case e.What == torn:
		w.etcd.Tear(n.id)
	case e.What != "":
		w.etcd.Spoil(n.id, damages[e.What])
	default:
		w.etcd.Corrupt(n.id)
	}
	n.spoilt = true
}

const torn = "no log"

var damages = map[string]etcdfake.Damage{"bad database": etcdfake.BadDatabase, "no database": etcdfake.NoDatabase}

func drawDamage(w *world, s *stream, e *FaultEvent) bool {
	return oneOf(torn, "bad database", "no database")(w, s, e) && spares(w, s, e)
}

var diskErrors = map[string]error{"full": etcdfake.DiskFull, "read-only": etcdfake.DiskReadOnly}

// failDisk makes the disk refuse what is written to it, by etcd and by the daemon.
func (w *world) failDisk(n *node, e FaultEvent) {
	if w.begin(&n.host.until, e, func() { w.etcd.FailDisk(n.id, nil) }) {
		w.etcd.FailDisk(n.id, diskErrors[e.What])
	}
}

// raise lets the cluster refuse to write, as a full database does, so that no lock can be had.
func (w *world) raise(n *node, e FaultEvent) {
	c := w.served()
	if c == nil || c.Version().Less(states.MinorVersion{Major: 3}) { // 2.3 has no alarms, nor somebody to raise one
		return
	}
	_, member := n.etcd.MemberID()
	if w.begin(&w.until, e, func() { c.Disarm(etcdfake.Alarm(e.What)) }) {
		c.Raise(etcdfake.Alarm(e.What), member)
	}
}

// enableDowngrade is etcdctl downgrade enable by an operator who thinks better of it: from 3.6 on it lowers the cluster version.
func (w *world) enableDowngrade(_ *node, e FaultEvent) {
	c := w.served()
	if c == nil || w.until[e.Kind] > w.now {
		return
	}
	i := slices.Index(w.plan.servers(), c.Version())
	if i < 1 || !c.Downgrade(w.plan.servers()[i-1]) {
		return
	}
	w.begin(&w.until, e, func() { w.cancelDowngrade(c) })
}

// cancelDowngrade is tried until there is a quorum to take it: until then nobody can join.
func (w *world) cancelDowngrade(c *etcdfake.Cluster) {
	if !c.Downgrade(states.MinorVersion{}) {
		w.at(10*time.Second, func() { w.cancelDowngrade(c) })
	}
}

// wrongVolume puts a copy of another instance's data in the place of this one's, as a volume made from the wrong snapshot does.
// Its record is all that tells whose it is.
func (w *world) wrongVolume(n *node, e FaultEvent) {
	other := w.byOrdinal(e.Other)
	if other == nil || other == n || other.etcd.Disk().Inspect().Name != other.id || !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	n.harmed, n.spoilt = e.Kind, true
	w.etcd.CopyDisk(other.id, n.id)
}

func drawVolume(w *world, s *stream, e *FaultEvent) bool {
	return drawOther(w, s, e) && spares(w, s, e)
}

// protect turns authentication on: the daemon has no user.
func (w *world) protect(_ *node, e FaultEvent) {
	if c := w.served(); c != nil && w.begin(&w.until, e, func() { c.Protect(false) }) {
		c.Protect(true)
	}
}

// flap takes the leadership away every few seconds.
func (w *world) flap(_ *node, e FaultEvent) {
	if !w.begin(&w.until, e, nil) {
		return
	}
	var next func()
	next = func() {
		if c := w.served(); c != nil && w.until[e.Kind] > w.now {
			c.Depose()
			w.at(time.Duration(e.Size)*time.Second, next)
		}
	}
	next()
}

func drawFlap(_ *world, s *stream, e *FaultEvent) bool {
	e.Size = 1 + s.below(10)
	return true
}

// byHand does what a human does with etcdctl: nothing of it fails.
func (w *world) byHand(do func()) {
	w.natural = true
	do()
	w.natural = false
}

// removeByHand is etcdctl member remove: the member of an instance that is well, if there is a quorum without it.
func (w *world) removeByHand(n *node, e FaultEvent) {
	c := w.served()
	other := w.byOrdinal(e.Other)
	if c == nil || other == nil || !w.keepsQuorum(other) {
		return
	}
	_, member := other.etcd.MemberID()
	w.record(e)
	w.check.noteRemoval(member)
	w.byHand(func() {
		_ = n.operator().RemoveMember(context.Background(), []string{"http://" + n.address + ":2379"}, member)
	})
}

// operator is the client of a human, who knows which API the cluster speaks.
func (n *node) operator() effects.Etcd {
	return &effects.Choice{V2: n.etcd.EtcdV2(), V3: n.etcd.Etcd(), Level: n.etcd.Level}
}

func drawOther(w *world, s *stream, e *FaultEvent) bool {
	n := w.someNode(s)
	e.Other = n.ordinal
	return e.Other != e.Node
}

// deleteLock is etcdctl del of the key of the join lock, whoever holds it.
func (n *node) deleteLock() {
	if c := n.served(); c != nil {
		c.Delete(joinLock)
		n.deleted++
	}
}

// killCanary has the cluster lose a write, as no etcd must. It proves that the alarm still goes off.
func (w *world) killCanary(_ *node, e FaultEvent) {
	if c := w.served(); c != nil {
		w.record(e)
		w.etcd.Forget(c)
	}
}
