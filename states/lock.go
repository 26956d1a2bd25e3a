package states

import (
	"cmp"
	"fmt"
	"strings"
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
	Patch    Version // of a change of patch, within one minor: the version that is to run; else unknown
	Index    uint64  // raft index: what older servers have written to the log ends there
	Why      string  // of an upgrade that failed: what went wrong
	Revision int64   // etcd's mod revision of the record, by which it is compared before it is changed
}

// Goal is what its member is to run.
func (l *UpgradeLock) Goal() string {
	if l.Patch.Known() {
		return l.Patch.String()
	}
	return l.To.String()
}

// runs tells whether a server that says it has this version is the one that the lock is for.
func (l *UpgradeLock) runs(v Version) bool {
	return v.MinorOf() == l.To && (!l.Patch.Known() || v == l.Patch)
}

// change is the change of server that this member is to make next, as its lock would name it. Without a To there is none, and the
// second result says why, where one is wanted. A patch that is too old for the step to the next minor is changed first.
func (t *turn) change() (UpgradeLock, string) {
	lock := UpgradeLock{Owner: t.Self.ID, Member: t.Local().MemberID, From: t.Process.Minor, Index: t.oldEntries()}
	to, why := t.hop()
	step := demands(lock.From, to)
	if why == "" && (!to.Known() || !step.Takes(t.Local().Version)) {
		patch, whyNot := t.otherPatch()
		if patch.Known() {
			to, lock.Patch = lock.From, patch
		} else if !to.Known() {
			why = whyNot
		}
	}
	lock.To = to
	return lock, why
}

// oldEntries is the raft index up to which an older server may have written the log. All had ended before the version of the cluster
// rose, and that is an entry itself.
func (t *turn) oldEntries() uint64 {
	if t.Cluster.Version == t.Process.Minor && t.Cluster.Settled != 0 {
		return t.Cluster.Settled
	}
	return t.Local().Applied
}

// otherPatch is the patch of its own minor that this member is to change to: the one that is installed by now. To an older one
// only where the configuration names that very version: the files of a server may have been put back by mistake.
func (t *turn) otherPatch() (patch Version, blocked string) {
	minor, runs := t.Process.Minor, t.Local().Version
	installed := t.patchOf(minor)
	switch {
	case runs.MinorOf() != minor || !installed.Known():
		return Version{}, ""
	case t.notExact(minor) != "":
		return Version{}, t.notExact(minor)
	case runs.Less(installed) || installed.Less(runs) && t.Exact == installed:
		return installed, ""
	case installed.Less(runs):
		return Version{}, fmt.Sprintf("runs etcd %s, and the installed %s is older: its next restart goes back; configure %[2]s if that is meant", runs, installed)
	}
	return Version{}, ""
}

// notExact tells that the installed server of a minor is another than the configuration names; empty where it is not.
func (t *turn) notExact(minor MinorVersion) string {
	installed := t.patchOf(minor)
	if t.Exact.MinorOf() != minor || !installed.Known() || installed == t.Exact {
		return ""
	}
	return fmt.Sprintf("etcd %s is configured, and the %s server that is installed is %s", t.Exact, minor, installed)
}

// patchOf is the version of the installed server of a minor, as far as known.
func (o *Observation) patchOf(minor MinorVersion) Version {
	for _, v := range o.Patches {
		if v.MinorOf() == minor {
			return v
		}
	}
	return Version{}
}

// Changing tells whether this instance is to run another server than it does.
func (o *Observation) Changing() bool {
	minor, runs := o.Process.Minor, o.Cluster.Local.Version
	installed := o.patchOf(minor)
	return minor.Known() && (o.Wanted != minor || installed.Known() && runs.MinorOf() == minor && runs != installed)
}

// hop is the change of minor that a member is to make next: one up, or back again while the cluster can still go back.
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
		return MinorVersion{}, t.noWayBack()
	case t.Wanted.Less(minor) && level.Less(readsPadded):
		return MinorVersion{}, fmt.Sprintf("etcd %s cannot read the log that %s has written: to take it back, replace the instance", level, minor)
	case t.Wanted.Less(minor) && level.Less(t.Local().Storage):
		// 3.6 does not start on data of 3.7 (storage/schema newPlan). The server lowers its version after that of the cluster.
		return MinorVersion{}, fmt.Sprintf("waits for its etcd %s to take its data from version %s to %s", minor, t.Local().Storage, level)
	case t.Wanted.Less(minor):
		to = level // other members run the older one still, or the cluster was told to go back to it, and so can this one
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
	if blocked = t.notExact(to); blocked != "" {
		return MinorVersion{}, blocked
	}
	if step, patch := demands(minor, to), t.patchOf(to); patch.Known() && patch.Less(step.Fit) {
		return MinorVersion{}, fmt.Sprintf("the %s server that is installed is %s, and none older than %s is fit for use", to, patch, step.Fit)
	}
	return to, ""
}

// lowers is the first minor whose cluster goes back to the one before it when it is told to.
var lowers = MinorVersion{3, 6}

// noWayBack says that the whole cluster runs what this member runs, and what an operator can do about it. The version of a cluster
// is lowered only by an order to etcd, as long as which no instance can join: that is a human's to give.
func (t *turn) noWayBack() string {
	minor := t.Process.Minor
	to, why := minor.before(), fmt.Sprintf("etcd %s cannot be taken back: the whole cluster runs it", minor)
	switch {
	case minor.Less(lowers):
		return fmt.Sprintf("%s, and no cluster before %s can be told to go back", why, lowers)
	case t.Local().Downgrade == to:
		return fmt.Sprintf("is told to go back to etcd %s: waits for all members to answer, so that etcd lowers the version of the cluster", to)
	case t.Local().Downgrade.Known():
		return fmt.Sprintf("waits for etcd to see that the whole cluster has gone back to %s", t.Local().Downgrade)
	case !t.has(to):
		return fmt.Sprintf("%s, and to go back to %s by etcdctl downgrade that must be installed", why, to)
	case t.patchOf(to).Known() && t.patchOf(to).Less(demands(to, minor).Least): // on the way back both run beside each other too
		return fmt.Sprintf("%s, and to go back to %s by etcdctl downgrade, %s or later must be installed instead of %s", why, to, demands(to, minor).Least, t.patchOf(to))
	}
	var urls []string
	for i := range t.Cluster.Members {
		if m := &t.Cluster.Members[i]; m.Started() {
			urls = append(urls, m.ClientURL)
		}
	}
	etcdctl := "etcdctl --endpoints=" + strings.Join(urls, ",") + " downgrade"
	return fmt.Sprintf("%s; to go back, run: %s validate %s && %[2]s enable %[3]s; the members then take their turns", why, etcdctl, to)
}

// readsPadded is the first minor that can read a log that it or a newer one has written: 3.0 pads its entries, of which 2.3 dies
// (seen on 3.0.17 and 2.3.8).
var readsPadded = MinorVersion{3, 0}

// UpgradeBlocked tells why the member that a lock names may not be stopped now for its upgrade; empty when it may. It is the gate:
// without that member the healthy ones are a quorum, and the cluster is as large as it is meant to be, since of a cluster that
// has shrunk the quorum is smaller than anyone wants; and no member is too old for the step. Members must have been asked for
// their health.
func (c *Cluster) UpgradeBlocked(lock *UpgradeLock, desired int) string {
	for i := range c.Members {
		m := &c.Members[i]
		switch {
		case m.Learner || !m.Started():
			return fmt.Sprintf("waits for member %s to be a voter", m.Key())
		case m.Alarm != "":
			return fmt.Sprintf("member %s has raised an alarm: %s", m.Key(), m.Alarm)
		case m.ID == lock.Member && m.Health != Yes:
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
	step := demands(lock.From, lock.To)
	return step.tooOld(c.Members)
}

// leaderPatience is how long a leader leaves a free upgrade lock to its followers. Whether they want it, only they know.
const leaderPatience = 20 * time.Second

// reportAfter is how long an upgrade may wait, for anything but its turn, before that is reported.
const reportAfter = time.Minute

// wantUpgrade has a member that serves ask for the upgrade lock when it wants another server than it runs, or say what it waits
// for. It asks the others how they are only while the lock may be had.
func (t *turn) wantUpgrade(v *verdict) {
	lock, why := t.change()
	u := &t.Cluster.Upgrade
	switch {
	case t.mootHalt(&lock):
		v.commands = append(v.commands, ReleaseUpgradeLock{Lock: u.Halted, Halted: true, Why: "its member or its configuration has changed since"})
		return
	case !lock.To.Known() && why == "":
		return
	case !lock.To.Known():
	case u.Known != Yes:
		why = "waits to learn who holds the upgrade lock"
	case u.Halted.Owner != "":
		why = u.Halted.halted()
	case u.Lock.Owner != "":
		why = "waits for the upgrade lock of " + u.Lock.Owner
	default:
		pace := paceAfter(t.Now.Sub(t.wanting()))
		v.needs.Group, v.needs.Wide = min(cmp.Or(v.needs.Group, pace), pace), true
		why = t.askForUpgrade(v, lock)
	}
	says := t.wish(&lock) + why
	if t.Now.Sub(t.allWanting()) > reportAfter && u.Lock.Owner == "" {
		v.reports = append(v.reports, says)
	}
	if t.Now.Sub(t.wanting()) < reportAfter {
		v.needs.Cluster = fast // the wish is new, or the lock has just passed from one to the next
	}
	v.why += "; " + says
}

// wish is what this member wants in the end, if that is another server.
func (t *turn) wish(next *UpgradeLock) string {
	switch {
	case t.Wanted != t.Process.Minor:
		return fmt.Sprintf("runs etcd %s and wants %s: ", t.Process.Minor, t.Wanted)
	case next.Patch.Known():
		return fmt.Sprintf("runs etcd %s and wants %s: ", t.Local().Version, next.Patch)
	}
	return ""
}

// mootHalt tells whether this instance has halted an upgrade that it would not try again: another version is wanted by now, or its
// member, whose data may have been what was wrong, has been replaced.
func (t *turn) mootHalt(next *UpgradeLock) bool {
	u := &t.Cluster.Upgrade
	switch halted := &u.Halted; {
	case u.Known != Yes || t.Self.ID == "" || halted.Owner != t.Self.ID:
		return false
	case halted.Member != t.Local().MemberID:
		return true
	case halted.Patch.Known():
		installed := t.patchOf(halted.To)
		return halted.runs(t.Local().Version) || installed.Known() && installed != halted.Patch
	default:
		return t.Wanted == t.Process.Minor || next.To.Known() && next.To != halted.To
	}
}

// askForUpgrade asks for the lock when nothing is in the way, and says so, or what is.
func (t *turn) askForUpgrade(v *verdict, lock UpgradeLock) string {
	local := t.Local()
	if why := t.gate(&lock); why != "" {
		return why
	}
	if local.Leader == local.MemberID && t.anyOtherNot(&lock) && t.Now.Sub(t.allWanting()) < leaderPatience {
		return "lets the followers go first"
	}
	v.commands = append(v.commands, HoldUpgradeLock{Lock: lock})
	return "asks for the upgrade lock"
}

// wanting is since when this member wants another server, is in the state in which it can ask for it, and sees the lock as it is.
func (t *turn) wanting() time.Time {
	return later(t.Since, later(t.Cluster.Upgrade.Since, t.since))
}

// allWanting is since when every other member knows as well that it wants another server, if it does.
func (t *turn) allWanting() time.Time { return later(t.wanting(), t.Since.Add(t.Spread)) }

// gate is UpgradeBlocked on what this turn knows.
func (t *turn) gate(lock *UpgradeLock) string {
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
	return t.Cluster.UpgradeBlocked(lock, t.Group.Desired)
}

// anyOtherNot tells whether another voter runs something else than the lock is for.
func (t *turn) anyOtherNot(lock *UpgradeLock) bool {
	for i := range t.Cluster.Members {
		if m := &t.Cluster.Members[i]; m.ID != lock.Member && !lock.runs(m.Version) {
			return true
		}
	}
	return false
}

func (l *UpgradeLock) halted() string {
	return fmt.Sprintf("the upgrade to etcd %s has failed at %s (%s) and is halted", l.Goal(), l.Owner, cmp.Or(l.Why, "no reason given"))
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

// logTooOld tells whether the next server would read log entries from before the upgrade that it dies of.
func (t *turn) logTooOld() bool {
	lock := &t.Cluster.Upgrade.Lock
	return demands(lock.From, lock.To).NewLog && t.Disk.Snapshot <= lock.Index
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
