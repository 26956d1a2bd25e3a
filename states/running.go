package states

import (
	"cmp"
	"fmt"
	"slices"
)

// run keeps a member's server running. Restart is local: it asks neither AWS nor the peers.
func (t *turn) run() verdict {
	switch {
	case t.holdsUpgradeLock():
		return move(UpgradeDue, "holds the upgrade lock")
	case t.Process.Running != Yes:
		return t.runStopped()
	}
	local := t.Local()
	v := verdict{needs: Needs{Cluster: restCluster}, commands: t.chores()}
	switch {
	case local.Answers != Yes:
		v.why, v.needs.Cluster = "its server runs and does not answer yet", fast
	case local.Learner:
		return move(StillLearner, "its member is a learner still")
	case local.Leader == 0:
		v.why, v.needs.Cluster = "its server knows no leader", fast
	case local.Leader == local.MemberID:
		return move(WonLeadership, "its etcd leads the cluster")
	default:
		v.why = "follows a leader"
		t.wantUpgrade(&v)
	}
	return v
}

// chores are what a voter does once after it has become one.
func (t *turn) chores() []Command {
	local := t.Local()
	if !local.Serves() {
		return nil
	}
	me, ok := t.Cluster.Member(local.MemberID)
	voter := t.Cluster.Known == Yes && ok && !me.Learner && me.Started()
	switch {
	case voter && !t.Disk.Joined:
		// The lock too, known or not: a daemon that died right after the promotion has left it behind.
		return []Command{RecordJoined{}, ReleaseJoinLock{}}
	case voter && t.Disk.SetAside:
		return append([]Command{ForgetSetAside{}}, t.releaseJoinLock()...)
	default:
		return t.releaseJoinLock()
	}
}

// runStopped has a member whose server does not run.
func (t *turn) runStopped() verdict {
	p := &t.Process
	v := verdict{needs: Needs{Cluster: restCluster}}
	switch {
	case p.Running == Unknown:
		v.why = "has not looked at its process yet"
	case t.Disk.State == DiskEmpty:
		return move(StartOver, "its data directory is empty")
	case t.Disk.State == DiskUnknown:
		v.why = cmp.Or(t.Disk.Error, "has not looked at its disk yet")
		v.reports = []string{v.why}
	case p.Reason == ExitRemoved:
		v.why = "its member was removed from the cluster: joins anew with an empty disk"
		v.commands = []Command{SetAsideData{Why: "member was removed"}}
	case p.Reason == ExitCorrupt || t.Disk.State == DiskBroken:
		return t.runBroken()
	default:
		return t.restart()
	}
	return v
}

// runBroken has data that no server can read. It is set aside only while the others have a quorum without it: until then it
// may be the copy that someone needs.
func (t *turn) runBroken() verdict {
	v := verdict{needs: joinNeeds()}
	if t.Disk.State == DiskBroken && !t.Disk.Joined {
		v.why, v.commands = "its data never was a voter's: starts over", []Command{SetAsideData{Why: "no usable member"}}
		return v
	}
	_, healthy := t.Cluster.Voters()
	voters := t.Cluster.votersBesides(t.Self.ID)
	if mine := t.mine(); mine == nil || !mine.Learner { // a copy, which nobody counts on, where the daemon has restarted in the middle of a join
		voters++
	}
	if t.Cluster.Known == Yes && t.Cluster.Asked.After(t.Process.Exited) && healthy >= Quorum(voters) {
		v.why = "its data cannot be read and the others have a quorum: sets it aside and joins anew"
		v.commands = []Command{SetAsideData{Why: "data cannot be read"}}
		return v
	}
	if t.Disk.State == DiskMember && t.startDue() {
		v.commands = []Command{t.restartCommand()}
	}
	v.why = "its data cannot be read, and the others have no quorum without it: keeps it and tries again"
	v.reports = []string{"the data directory cannot be read: " + cmp.Or(t.Process.Detail, t.Disk.Error)}
	return v
}

// votersBesides counts the voters other than the named one.
func (c *Cluster) votersBesides(name string) int {
	n := 0
	for i := range c.Members {
		if m := &c.Members[i]; !m.Learner && m.Name != name {
			n++
		}
	}
	return n
}

// outgrown is the version that the data has risen to where the record beside it names an older server, which has refused it: the
// record may have been brought back from a backup, or written by a daemon that was rolled back. The members tell which version that
// is; where none is heard, the next one is tried. Else it is unknown. 2.3 takes the log of 3.0 for damaged where the database, by which
// it refuses such data, was set aside.
func (t *turn) outgrown() MinorVersion {
	if t.Process.Minor != t.Disk.Minor {
		return MinorVersion{}
	}
	if t.Process.Reason == ExitCorrupt && t.Disk.Minor.Less(readsPadded) && t.has(readsPadded) {
		return readsPadded
	}
	if t.Process.Reason != ExitNewer {
		return MinorVersion{}
	}
	level := t.Cluster.Version
	if living := t.living(); !level.Known() && len(living) == 1 {
		level = living[0].ClusterVersion
	}
	if !t.Disk.Minor.Less(level) {
		return t.nextServer()
	}
	return level
}

// nextServer follows the one that the record names. Of data that 2.3 refuses no more is known than that 3.0 or a later server has run
// on it: there it is the next that is installed.
func (t *turn) nextServer() MinorVersion {
	next := t.Disk.Minor.Next()
	installed := slices.IndexFunc(t.Servers, func(m MinorVersion) bool { return !m.Less(next) })
	if t.Disk.Minor.Less(readsPadded) && installed >= 0 {
		return t.Servers[installed]
	}
	return next
}

// restart starts the server on its own data when its delay is over.
func (t *turn) restart() verdict {
	v := verdict{needs: Needs{Cluster: restCluster}}
	if t.Process.Reason == ExitNewer {
		v.needs.Group, v.needs.Peers = slow, brisk // the others may know why
	}
	start := t.restartCommand()
	switch {
	case !start.Minor.Known():
		v.why = "does not know which etcd last ran on its data: set --etcd-version to it"
	case !t.has(start.Minor) && t.outgrown().Known():
		v.why = fmt.Sprintf("its data is of an etcd that is newer than %s, and no %s server is installed", t.Disk.Minor, start.Minor)
	case !t.has(start.Minor):
		v.why = fmt.Sprintf("its data was last run by etcd %s, and no %s server is installed", start.Minor, start.Minor)
	case start.Name == "": // and with it the address
		v.why = "waits to learn its instance ID and address"
	case t.foreign():
		v.why = "its disk holds the data of " + t.Disk.Name + ", which is not run here"
	case !t.startDue():
		v.why = "its server keeps ending: waits before the next start"
		v.reports = []string{fmt.Sprintf("etcd ended %d times in a row: %s", t.Process.Exits, t.Process.Detail)}
		return v
	default:
		v.why = "its server does not run: restarts it"
		v.commands = []Command{start}
		return v
	}
	v.reports = []string{v.why}
	return v
}

// restartCommand names the server that last ran on the data: the version an instance runs is decided from its data, never
// from memory or configuration alone. Data of another supervisor has no record; the oldest server that is wanted or older is tried
// first, since that data refuses one that is too old, and is changed by one that is too new.
func (t *turn) restartCommand() StartEtcd {
	return StartEtcd{
		Minor: cmp.Or(t.outgrown(), t.Disk.Minor, t.oldestServer()), Name: t.Self.ID,
		Address: t.Self.Address, State: ClusterRestart,
	}
}
