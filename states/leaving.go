package states

import (
	"cmp"
	"fmt"
	"time"
)

// due tells whether the daemon must end, and why.
func (e *Ending) due() (string, bool) {
	switch {
	case e.Terminating == Yes:
		return cmp.Or(e.Reason, "its instance is being terminated"), true
	case e.Shutdown == Yes:
		return cmp.Or(e.Reason, "the daemon was asked to stop"), true
	}
	return "", false
}

// leave ends a daemon. Only proof that the instance is being terminated touches the membership: a stopped daemon comes back
// with its data, and a member that left at every stop would shrink the cluster at every reboot.
func (t *turn) leave() verdict {
	p := &t.Process
	switch {
	case p.Running == Unknown:
		return verdict{why: "has not looked at its process yet"}
	case p.Running == No && t.mustReturn():
		return t.restart()
	case p.Running == No:
		return verdict{why: "etcd has stopped", done: t.Ending.Shutdown == Yes}
	case p.Stopping:
		return verdict{why: "waits for etcd to stop"}
	}
	if t.holdsUpgradeLock() && !t.unproven() && t.Cluster.Known == Yes && t.Ending.waits(t.Now) {
		return verdict{
			why: "hands the upgrade lock back before it ends", needs: Needs{Cluster: fast, Wide: true},
			commands: t.releaseUpgradeLock("its daemon or its instance is being ended"),
		}
	}
	if t.Ending.Terminating == Yes {
		if v, busy := t.handOver(); busy {
			return v
		}
	}
	if t.terminationUnclear() {
		return verdict{why: "asks whether its instance is being terminated, before it stops etcd"}
	}
	why := "stops etcd and keeps its membership"
	if t.Ending.Terminating == Yes {
		why = "its instance is being terminated: stops etcd"
	}
	return verdict{why: why, commands: []Command{StopEtcd{Why: cmp.Or(t.Ending.Reason, "the daemon was asked to stop")}}}
}

// unproven tells whether the new server of an upgrade has been started and has not served yet. Its daemon keeps the lock then, for the
// next one to go on with: without the lock it could not go back to the old server. That of an instance that ends is taken over.
func (t *turn) unproven() bool {
	lock := &t.Cluster.Upgrade.Lock
	return t.Process.Minor == lock.To && lock.From != lock.To && t.Local().Answers != Yes
}

// mustReturn tells whether a server that ended by itself is restarted for the time that is left: only a member that runs can
// leave, and one that never left may take the quorum with it when its instance ends. A daemon that ends and was not asked to
// stop is on such an instance.
func (t *turn) mustReturn() bool {
	reason := t.Process.Reason
	return t.Ending.Shutdown != Yes && t.Disk.State == DiskMember && t.Disk.Joined &&
		reason != ExitRemoved && (reason != ExitStopped || t.holdsUpgradeLock())
}

// terminationUnclear tells whether the stop may be the operating system's, on an instance that is being terminated: it is
// then the last moment to leave the cluster. The metadata service is on the instance, and answers at once or not at all.
func (t *turn) terminationUnclear() bool {
	e := &t.Ending
	return e.Terminating != Yes && (e.Asked.Before(e.Requested) || e.Announced == Yes) && e.waits(t.Now)
}

// waits tells whether there is time yet before etcd is stopped. A daemon that was asked to stop is killed when it takes long.
func (e *Ending) waits(now time.Time) bool {
	return e.Shutdown != Yes || now.Sub(e.Requested) < stopPatience
}

// handOver moves the leadership away and takes this member out of the list, where the others have a quorum without it. Where
// they have not, it goes on serving until the instance ends or the daemon is told to stop: ending early helps nobody.
func (t *turn) handOver() (verdict, bool) {
	v := verdict{needs: Needs{Group: brisk, Cluster: fast, Wide: true}}
	local := t.Local()
	me, listed := t.Cluster.Member(local.MemberID)
	n, healthy := t.Cluster.Voters()
	next := t.successor(local.MemberID)
	leads := local.Leader == local.MemberID && next != nil && t.Process.Minor.MovesLeader()
	switch {
	case local.Answers != Yes || t.Cluster.Known != Yes:
		v.why = "its instance is being terminated, and its cluster does not answer: goes on serving"
	case !listed:
		return v, false // it has left
	case t.Cluster.Asked.Before(t.since):
		v.why = "its instance is being terminated: asks how the others are"
	case leads && (t.stays(next) || SurvivesRemoval(n, healthy, me.Health == Yes)):
		// Before it can leave, too: only who leads removes the members of instances that have ended, and without that the others may
		// never become a quorum. To one that leaves as well it is given only by who leaves at once.
		v.why = fmt.Sprintf("its instance is being terminated: hands the leadership to %s", next.Key())
		v.commands = []Command{MoveLeader{To: next.ID}}
		return v, true
	case !me.Learner && !SurvivesRemoval(n, healthy, me.Health == Yes):
		v.why = "its instance is being terminated, and the others are no quorum without it: goes on serving"
		v.reports = []string{v.why}
		if u := &t.Cluster.Upgrade; local.Leader == me.ID && u.Known == Yes && u.Lock.Owner == "" {
			t.remove(&v) // nobody else leads who could: without that nobody can join who would be a quorum with the others
		}
	default:
		v.why = "its instance is being terminated: takes its member out of the list"
		v.commands = []Command{RemoveMember{ID: me.ID, Name: me.Name, Address: me.Address, Why: "its instance is being terminated"}}
		return v, true
	}
	return v, t.Ending.Shutdown != Yes
}

// successor is the healthy voter that has applied most, of those whose instances stay in the group if there are any.
func (t *turn) successor(besides uint64) *Member {
	var best *Member
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		if m.ID == besides || m.Learner || m.Health != Yes {
			continue
		}
		if best == nil || t.stays(m) && !t.stays(best) || t.stays(m) == t.stays(best) && m.Applied > best.Applied {
			best = m
		}
	}
	return best
}

// stays tells whether a member's instance is known to stay in the group.
func (t *turn) stays(m *Member) bool {
	in, ok := t.Group.Instance(m.Key())
	return ok && in.InGroup
}
