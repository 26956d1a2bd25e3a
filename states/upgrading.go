package states

import (
	"cmp"
	"fmt"
	"time"
)

// upgrade is the state of the holder of the upgrade lock: it stops its server, starts the other one on the same data, and gives
// the lock back once its member is healthy again. Whatever happens it decides from what it sees, so that a daemon that was
// restarted in the middle goes on where the one before it ended.
func (t *turn) upgrade() verdict {
	switch {
	case !t.holdsUpgradeLock():
		return move(UpgradeEnded, "no longer holds the upgrade lock")
	case t.Process.Running == Unknown:
		return verdict{why: "has not looked at its process yet"}
	case t.Process.Stopping:
		return verdict{why: "waits for its server to stop", needs: upgradeNeeds()}
	case t.Process.Running != Yes:
		return t.upgradeStopped()
	case t.Process.Minor == t.Cluster.Upgrade.Lock.To && !t.runsOldPatch():
		return t.upgradeSettles()
	default:
		return t.upgradeBegins()
	}
}

// runsOldPatch tells whether a member that is to change its patch runs the old one still. Which of both a server is that does not
// answer is not known; it is waited for, as the new one is.
func (t *turn) runsOldPatch() bool {
	lock, local := &t.Cluster.Upgrade.Lock, t.Local()
	return lock.Patch.Known() && local.Answers == Yes && !lock.runs(local.Version)
}

func upgradeNeeds() Needs { return Needs{Group: slow, Cluster: fast, Wide: true} }

// upgradeBegins has the lock and the old server. All that permitted the upgrade is looked at again, under the lock; if it no
// longer holds, the lock is handed back: what is in the way may be waiting for it (housekeeping does).
func (t *turn) upgradeBegins() verdict {
	v := verdict{needs: upgradeNeeds()}
	u := &t.Cluster.Upgrade
	local := t.Local()
	next, why := t.change()
	switch {
	case t.Cluster.Known != Yes || u.Known != Yes || local.Answers != Yes:
		v.why = "holds the upgrade lock, and waits for its cluster to answer"
		return v
	case t.Cluster.Asked.Before(u.Since) || t.Cluster.Asked.Before(t.since):
		v.why = "holds the upgrade lock; asks again how the members are"
		return v
	case u.Halted.Owner != "":
		why = u.Halted.halted()
	case t.Process.Minor == u.Lock.To && t.Process.Started.After(u.Since):
		return t.upgradeMistaken(v)
	case next.To != u.Lock.To || next.Patch != u.Lock.Patch || t.Process.Minor != u.Lock.From:
		why = cmp.Or(why, "another version is wanted by now")
	default:
		why = t.gate(&u.Lock)
	}
	switch {
	case why != "":
		v.why = "hands the upgrade lock back: " + why
		v.commands = t.releaseUpgradeLock(why)
	case t.logTooOld():
		v.why = fmt.Sprintf("holds the upgrade lock; writes until its server has taken a snapshot after entry %d, since etcd %s cannot read older logs", u.Lock.Index, u.Lock.To)
		v.commands = []Command{AdvanceLog{}}
	case local.Leader == local.MemberID && u.Lock.From.MovesLeader():
		next := t.successor(local.MemberID)
		v.why = fmt.Sprintf("holds the upgrade lock; hands the leadership to %s", next.Key())
		v.commands = []Command{MoveLeader{To: next.ID}}
	default:
		v.why = fmt.Sprintf("holds the upgrade lock; stops its etcd %s to start %s", u.Lock.From, u.Lock.Goal())
		v.commands = []Command{StopForUpgrade{Lock: u.Lock, Desired: t.Group.Desired}}
	}
	return v
}

// upgradeMistaken has started what is installed, and it is not the patch that it said it was: another start would not change that.
func (t *turn) upgradeMistaken(v verdict) verdict {
	halted := t.Cluster.Upgrade.Lock
	halted.Why = fmt.Sprintf("the server that was started is etcd %s", t.Local().Version)
	v.why = fmt.Sprintf("wants etcd %s: %s", halted.Goal(), halted.Why)
	v.reports = []string{v.why}
	v.commands = []Command{HaltUpgrade{Lock: halted}}
	return v
}

// failedStarts is after how many failed starts in a row of the new server the old one is started again.
const failedStarts = 3

// upgradeStopped has no server that runs. A server stopped for the upgrade is followed by the new one; one that ended by itself
// is restarted as it was: its exit was nobody's decision, and the gate must be passed first.
func (t *turn) upgradeStopped() verdict {
	lock, p := &t.Cluster.Upgrade.Lock, &t.Process
	if t.Disk.State != DiskMember || p.Reason == ExitRemoved || p.Reason == ExitCorrupt && p.Minor != lock.To {
		return t.runStopped() // what it has to mend comes first, and giving the lock back after it
	}
	start := t.restartCommand() // names the new one by itself where the old is refused: the cluster version rose in a moment when the new one ran
	switch {
	case p.Reason == ExitStopped:
		start.Minor = lock.To
	case p.Minor == lock.To && p.Exits >= failedStarts:
		return t.upgradeFails(start)
	}
	v := verdict{needs: upgradeNeeds(), why: fmt.Sprintf("holds the upgrade lock; starts etcd %s on its data", start.Minor)}
	if t.startDue() {
		v.commands = []Command{start}
	}
	return v
}

// upgradeFails goes back to the old server: the cluster version cannot have risen while this member did not run the new one. The
// failure is written down first, for which the others are a quorum, and meanwhile the new server is tried again; where it has failed
// as often once more, the others may be none, and the old server is what they wait for.
// Of a patch the old server is no longer installed: the new one is tried on, until someone puts another in its place.
func (t *turn) upgradeFails(start StartEtcd) verdict {
	u := &t.Cluster.Upgrade
	v := verdict{needs: upgradeNeeds(), why: fmt.Sprintf("etcd %s does not run on its data: goes back to %s", u.Lock.Goal(), u.Lock.From)}
	if u.Lock.Patch.Known() {
		v.why = fmt.Sprintf("etcd %s does not run on its data: starts what is installed as %s again", u.Lock.Patch, u.Lock.From)
	}
	v.reports = []string{fmt.Sprintf("the upgrade to etcd %s has failed: %s", u.Lock.Goal(), t.Process.Detail)}
	if u.Halted.Owner != t.Self.ID && t.Process.Exits < 2*failedStarts {
		halted := u.Lock
		halted.Why = t.Process.Detail
		v.why = fmt.Sprintf("etcd %s does not run on its data: writes that down, and tries it again meanwhile", u.Lock.Goal())
		v.commands = []Command{HaltUpgrade{Lock: halted}}
		start.Minor = u.Lock.To
	} else {
		start.Minor = u.Lock.From
	}
	if t.startDue() {
		v.commands = append(v.commands, start)
	}
	return v
}

// settleLag is how many entries of the raft log a member may lag behind the leader and still count as caught up. Health is asked
// of one member after the other while clients write.
const settleLag = 1000

// upgradeSettles waits until the member runs the new version, healthy and caught up. It looks at no other member: one that fails
// now has nothing to do with the upgrade, and is mended when the lock is free.
func (t *turn) upgradeSettles() verdict {
	v := verdict{needs: upgradeNeeds()}
	u, local := &t.Cluster.Upgrade, t.Local()
	me, listed := t.Cluster.Member(local.MemberID)
	switch {
	case local.Answers != Yes || t.Cluster.Known != Yes || t.Cluster.At.Before(t.Process.Started):
		v.why = fmt.Sprintf("waits for its etcd %s to serve", u.Lock.Goal())
		if since := t.Now.Sub(t.Process.Started); since > upgradePatience {
			v.reports = []string{fmt.Sprintf("etcd %s has not served for %s since its start: the upgrade lock is held until it does", u.Lock.Goal(), since.Round(time.Minute))}
		}
	case !listed || local.Leader == 0 || me.Health != Yes:
		v.why = "waits for its member to be healthy"
	case t.lag(me) > settleLag:
		v.why = fmt.Sprintf("waits for its member to catch up: %d entries are missing", t.lag(me))
	default:
		v.why = fmt.Sprintf("runs etcd %s and is healthy: releases the upgrade lock", u.Lock.Goal())
		v.commands = t.releaseUpgradeLock("the member runs etcd " + u.Lock.Goal())
	}
	return v
}

// upgradePatience is how long a new server may take to serve before that is reported. It may have a snapshot to read.
const upgradePatience = 5 * time.Minute

// lag is how many entries of the leader's log the member has not applied.
func (t *turn) lag(m *Member) uint64 {
	leader, ok := t.Cluster.Member(t.Local().Leader)
	if !ok {
		return 0
	}
	return leader.Applied - min(leader.Applied, m.Applied) // the one may have been asked a moment before the other
}
