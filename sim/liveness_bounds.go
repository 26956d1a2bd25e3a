package sim

import (
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// How long something may take in the quiet phase, in which AWS and the network answer.
const (
	// freedWithin is L2 for a lock whose holder has done what it was taken for, or failed: a look at etcd each second, and the
	// command; the lease of the join lock is 20 s.
	freedWithin = time.Minute
	// takenWithin is L2 for an upgrade lock whose owner's instance has ended: two looks at AWS 60 s apart prove it.
	takenWithin = 3 * time.Minute
	// leavesWithin is L3: the proof of the end, the removal of one member after the other, and DNS.
	leavesWithin = 5 * time.Minute
	// startsWithin is L4, after the longest delay between two starts: a daemon that systemd has to start first takes 10 s.
	startsWithin = 30 * time.Second
	// upgradesWithin is L5, for each member: 20 s in which a leader lets its followers go first, ten seconds of entries until a
	// snapshot is taken, the stop of a slow server, its start, and the catching up.
	upgradesWithin = 3 * time.Minute
)

// overdue is what must become true in the quiet phase, and since when it is waited for.
type overdue struct {
	*world
	since map[due]time.Duration
	roll  time.Duration // when the cluster was whole but for its upgrade; 0: not yet
}

type due struct{ invariant, what string }

// waits notes that something has not become true yet, and fails when that has lasted too long.
func (o *overdue) waits(invariant, what string, waits bool, most time.Duration) {
	key := due{invariant, what}
	since, waited := o.since[key]
	switch {
	case !waits:
		delete(o.since, key)
	case !waited:
		o.since[key] = o.now
	case o.now-since > most:
		o.fail(invariant, "%s, and that for %s", what, o.now-since)
	}
}

// look is asked each second of the quiet phase.
func (o *overdue) look() {
	c := o.served()
	if c == nil {
		return
	}
	for _, n := range o.nodes {
		o.waits("L4", n.id+" is a member, and its server is not started", o.idle(c, n), startsWithin)
	}
	o.locks(c)
	for _, n := range o.nodes {
		if n.gone {
			o.waits("L3", n.id+" has ended, and is a member", c.HasQuorum() && !o.check.locked && isListed(c, n), leavesWithin)
			o.waits("L3", n.id+" has ended, and is in DNS", c.HasQuorum() && !o.check.locked && o.published(n), leavesWithin)
		}
	}
}

// idle tells whether a member has data, no server, and has not tried to start one for longer than it may rest. Data of another
// instance is not run; it is kept while no quorum is there to tell that it is not needed.
func (o *overdue) idle(c *etcdfake.Cluster, n *node) bool {
	if !n.on || n.gone || n.etcd.Running() || n.ending() {
		return false
	}
	if whose := n.etcd.Disk().Inspect().Name; whose != "" && whose != n.id && !c.HasQuorum() {
		return false
	}
	id, member := n.etcd.MemberID()
	return id == c.ID() && listing(c, member) != unlisted && o.clock.Sub(n.etcd.Process().Inspect().Exited) > maxRest
}

// maxRest is the longest delay between two starts.
const maxRest = 30 * time.Second

func (o *overdue) locks(c *etcdfake.Cluster) {
	lock, halt := effects.ParseUpgrade(c.Key(effects.UpgradeLockKey)), effects.ParseUpgrade(c.Key(effects.UpgradeHaltKey))
	owner := o.byID[lock.Owner]
	done, ended := false, false
	if owner != nil && c.HasQuorum() {
		m := owner.voterOf(c)
		healthy := m != nil && c.Healthy(m.ID)
		runs := owner.etcd.Runs().MinorOf()
		done = !owner.gone && healthy && (runs == lock.To || runs == lock.From && halt.Owner == owner.id)
		ended = owner.gone
	}
	o.waits("L2", "the upgrade lock is held by an instance that has done with it", done, freedWithin)
	o.waits("L2", "the upgrade lock is held by an instance that has ended", ended, takenWithin)
	joiner := o.byID[c.Lock(joinLock).Owner]
	o.waits("L2", "the join lock is held by an instance that is a voter, or has ended",
		joiner != nil && c.HasQuorum() && (joiner.gone || joiner.voterOf(c) != nil && joiner.etcd.Disk().Inspect().Joined), freedWithin)
}

func isListed(c *etcdfake.Cluster, n *node) bool {
	return slices.ContainsFunc(c.Members(), func(m states.Member) bool { return m.Name == n.id })
}

// published tells whether the address record names an instance whose address nobody else has by now.
func (o *overdue) published(n *node) bool {
	if o.plan.Claim == "nowhere" || o.byAddress(n.address) != nil {
		return false
	}
	for _, r := range o.cloud.Records(o.zoneID) {
		if r.Type == "A" && slices.Contains(r.Values, n.address) {
			return true
		}
	}
	return false
}

// rolls is L5: once nothing but the upgrade is missing, it is over in time. A halt ends the roll, and the run is let off.
func (o *overdue) rolls() {
	c := o.served()
	switch {
	case c == nil || o.behind() == nil:
		o.roll = 0
	case o.roll == 0 && o.missing() == "":
		o.roll = o.now
	case o.roll > 0 && o.now-o.roll > time.Duration(len(c.Members()))*upgradesWithin:
		o.fail("L5", "%s is not upgraded %s after all else was in order", o.behind(), o.now-o.roll)
	}
}
