package states

import (
	"cmp"
	"fmt"
	"time"
)

// Upgrade is what the cluster itself keeps of its upgrades: the lock, under which one member after the other changes its
// server, and the record of an upgrade that failed, which keeps the others from trying it too.
type Upgrade struct {
	Known  Fact      // Yes: both records below were read through quorum; else they are as last read
	Since  time.Time // since when this daemon sees Lock as it is
	Lock   UpgradeLock
	Halted UpgradeLock
}

// UpgradeLock is one record. It has no lease: a lease runs out while its holder is paused between a check and an act, and then
// two hold it (docs/decisions/0008-upgrade-lock.md). It ends when its owner says so, or when its owner has provably ended.
type UpgradeLock struct {
	Owner    string // instance ID; empty when there is no record
	Member   uint64 // the owner's member
	From, To MinorVersion
	Index    uint64 // raft index that the owner had applied when it asked for the lock
	Why      string // of an upgrade that failed: what went wrong
	Revision int64  // etcd's mod revision of the record, by which it is compared before it is changed
}

// hop is the change of version that a member is to make next: one minor up, or back again while the cluster can still go back.
// The second result says why there is none, where one is wanted.
func (t *turn) hop() (to MinorVersion, blocked string) {
	minor, level := t.Process.Minor, t.Cluster.Version
	switch {
	case !t.Wanted.Known() || !minor.Known() || t.Wanted == minor:
		return MinorVersion{}, ""
	case t.Cluster.Known != Yes || !level.Known():
		return MinorVersion{}, "waits to learn the version of the cluster"
	case t.Cluster.standsIn(level):
		return MinorVersion{}, "waits for the cluster version to settle"
	case t.Wanted.Less(minor) && level == minor:
		return MinorVersion{}, fmt.Sprintf("etcd %s cannot be taken back: the whole cluster runs it (see etcdctl downgrade)", minor)
	case t.Wanted.Less(minor) && level.Less(readsPadded):
		return MinorVersion{}, fmt.Sprintf("etcd %s cannot read the log that %s has written: to take it back, replace the instance", level, minor)
	case t.Wanted.Less(minor):
		to = level // other members run the older one still, and so can this one
	case level == minor:
		to = minor.Next()
	default:
		return MinorVersion{}, fmt.Sprintf("waits for the other members to run etcd %s", minor)
	}
	switch {
	case !to.Known():
		return MinorVersion{}, fmt.Sprintf("no way from etcd %s to %s is known to this version of the daemon", minor, t.Wanted)
	case !t.has(to):
		return MinorVersion{}, fmt.Sprintf("the way to etcd %s leads through %s, and no %s server is installed", t.Wanted, to, to)
	}
	return to, ""
}

// readsPadded is the first minor that can read a log that it or a newer one has written: 3.0 pads its entries, of which 2.3 dies
// (seen on 3.0.17 and 2.3.8).
var readsPadded = MinorVersion{3, 0}

// UpgradeBlocked tells why no member of the cluster may be stopped now for an upgrade by the one with this ID; empty when it may.
// It is the gate: without that member the healthy ones are a quorum, and the cluster is as large as it is meant to be, since of
// a cluster that has shrunk the quorum is smaller than anyone wants. Members must have been asked for their health.
func (c *Cluster) UpgradeBlocked(id uint64, desired int) string {
	for i := range c.Members {
		m := &c.Members[i]
		switch {
		case m.Learner || !m.Started():
			return fmt.Sprintf("waits for member %s to be a voter", m.Key())
		case m.Alarm != "":
			return fmt.Sprintf("member %s has raised an alarm: %s", m.Key(), m.Alarm)
		case m.ID == id && m.Health != Yes:
			return "waits for its own member to be healthy"
		}
	}
	switch n, healthy := c.Voters(); {
	case n != desired:
		return fmt.Sprintf("waits for the cluster to have %d members instead of %d", desired, n)
	case n < 3:
		return fmt.Sprintf("a cluster of %d cannot be upgraded without being stopped: resize it to 3", n)
	case healthy-1 < Quorum(n):
		return fmt.Sprintf("waits: %d of %d voters are healthy, and without this one they are no quorum", healthy, n)
	}
	return ""
}

// leaderPatience is how long a leader leaves a free upgrade lock to its followers. Whether they want it, only they know.
const leaderPatience = 20 * time.Second

// reportAfter is how long an upgrade may wait, for anything but its turn, before that is reported.
const reportAfter = time.Minute

// wantUpgrade has a member that serves ask for the upgrade lock when it wants another server than it runs, or say what it waits
// for. It asks the others how they are only while the lock may be had.
func (t *turn) wantUpgrade(v *verdict) {
	to, why := t.hop()
	u := &t.Cluster.Upgrade
	switch {
	case t.mootHalt(to):
		v.commands = append(v.commands, ReleaseUpgradeLock{Lock: u.Halted, Halted: true, Why: "its member or its configuration has changed since"})
		return
	case !to.Known() && why == "":
		return
	case !to.Known():
	case u.Known != Yes:
		why = "waits to learn who holds the upgrade lock"
	case u.Halted.Owner != "":
		why = u.Halted.halted()
	case u.Lock.Owner != "":
		why = "waits for the upgrade lock of " + u.Lock.Owner
	default:
		v.needs.Group = min(cmp.Or(v.needs.Group, restGroup), paceAfter(t.Now.Sub(t.wanting())))
		v.needs.Wide = true
		why = t.askForUpgrade(v, to)
	}
	if t.Now.Sub(t.wanting()) > reportAfter && u.Lock.Owner == "" {
		v.reports = append(v.reports, "wants etcd "+t.Wanted.String()+": "+why)
	}
	v.needs.Cluster = min(v.needs.Cluster, brisk)
	if v.needs.Wide && t.Cluster.Asked.Before(t.Cluster.At) {
		v.needs.Cluster = fast // the lock has just become free
	}
	v.why = fmt.Sprintf("%s; runs etcd %s and wants %s: %s", v.why, t.Process.Minor, t.Wanted, why)
}

// mootHalt tells whether this instance has halted an upgrade that it would not try again: another version is wanted by now, or its
// member, whose data may have been what was wrong, has been replaced.
func (t *turn) mootHalt(to MinorVersion) bool {
	u := &t.Cluster.Upgrade
	if u.Known != Yes || t.Self.ID == "" || u.Halted.Owner != t.Self.ID {
		return false
	}
	return u.Halted.Member != t.Local().MemberID || t.Wanted == t.Process.Minor || to.Known() && to != u.Halted.To
}

// askForUpgrade asks for the lock when nothing is in the way, and says so, or what is.
func (t *turn) askForUpgrade(v *verdict, to MinorVersion) string {
	local := t.Local()
	if why := t.gate(); why != "" {
		return why
	}
	if local.Leader == local.MemberID && t.anyOtherNot(to) && t.Now.Sub(t.wanting()) < leaderPatience {
		return "lets the followers go first"
	}
	lock := UpgradeLock{Owner: t.Self.ID, Member: local.MemberID, From: t.Process.Minor, To: to, Index: local.Applied}
	v.commands = append(v.commands, HoldUpgradeLock{Lock: lock})
	return "asks for the upgrade lock"
}

// wanting is since when this member wants another server, is in the state in which it can ask for it, and sees the lock as it is.
func (t *turn) wanting() time.Time {
	return later(t.Since, later(t.Cluster.Upgrade.Since, t.since))
}

// gate is UpgradeBlocked on what this turn knows.
func (t *turn) gate() string {
	switch {
	case t.Group.Known != Yes || t.Now.Sub(t.Group.At) > staleGroup:
		return "waits for a fresh answer about its auto-scaling group"
	case t.Cluster.Known != Yes || t.Cluster.Asked.Before(t.since) || t.Cluster.Asked.Before(t.Cluster.At):
		return "asks how the other members are"
	}
	for i := range t.Cluster.Members {
		if m := &t.Cluster.Members[i]; m.Health != Yes && t.Group.Gone(m.Key()) == Yes {
			return fmt.Sprintf("waits for the leader to remove %s, whose instance has ended", m.Key())
		}
	}
	return t.Cluster.UpgradeBlocked(t.Local().MemberID, t.Group.Desired)
}

// anyOtherNot tells whether another voter runs something else than this minor.
func (t *turn) anyOtherNot(minor MinorVersion) bool {
	for i := range t.Cluster.Members {
		if m := &t.Cluster.Members[i]; m.ID != t.Local().MemberID && m.Version.MinorOf() != minor {
			return true
		}
	}
	return false
}

func (l *UpgradeLock) halted() string {
	return fmt.Sprintf("the upgrade to etcd %s has failed at %s (%s) and is halted", l.To, l.Owner, cmp.Or(l.Why, "no reason given"))
}

// holdsUpgradeLock tells whether this instance holds the upgrade lock, as far as it knows.
func (t *turn) holdsUpgradeLock() bool {
	return t.Self.ID != "" && t.Cluster.Upgrade.Lock.Owner == t.Self.ID
}

// releaseUpgradeLock gives the lock back where this instance holds it and has no use for it.
func (t *turn) releaseUpgradeLock(why string) []Command {
	if !t.holdsUpgradeLock() {
		return nil
	}
	return []Command{ReleaseUpgradeLock{Lock: t.Cluster.Upgrade.Lock, Why: why}}
}

// readsOldLog is the first minor whose servers die of what older ones have written to the raft log, even where it was applied long
// ago: 3.6 of reads of the v2 store, which 3.4 writes when it is asked for its /health, and 3.7 of the way in which servers up
// to 3.5 announce themselves and the version (seen on 3.5.35 -> 3.6.16 -> 3.7.3; etcd issues 20809 and 20870). What a snapshot
// covers is not read any more, but a small cluster never takes one by itself.
var readsOldLog = MinorVersion{3, 6}

// logTooOld tells whether the next server would read log entries from before the upgrade.
func (t *turn) logTooOld() bool {
	lock := &t.Cluster.Upgrade.Lock
	return lock.From.Less(lock.To) && !lock.To.Less(readsOldLog) && t.Disk.Snapshot <= lock.Index
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
