package states

import (
	"cmp"
	"fmt"
	"time"
)

// join makes this instance a voter of a living cluster: under the join lock it is added as a learner (which leaves the quorum
// as it was), starts, catches up, and is promoted. Where it moves on, its commands are not carried out.
func (t *turn) join() verdict {
	v := t.joinAnyhow()
	v.commands = append(v.commands, t.releaseUpgradeLock("its owner is no voter any more")...)
	return v
}

func (t *turn) joinAnyhow() verdict {
	switch {
	case t.Process.Running == Yes:
		return t.joinRunning()
	case t.Disk.State == DiskMember:
		return t.joinStopped()
	case t.Disk.State == DiskBroken:
		return verdict{
			why: "the data directory holds files but no member", needs: Needs{Cluster: fast},
			commands: []Command{SetAsideData{Why: "no usable member: " + t.Disk.Error}},
		}
	case t.Disk.State != DiskEmpty:
		return verdict{why: cmp.Or(t.Disk.Error, "has not looked at its disk yet")}
	}
	living := t.living()
	switch {
	case len(living) > 1:
		return move(StartOver, "sees two clusters")
	case len(living) == 0:
		return move(StartOver, "the cluster no longer answers")
	}
	return t.joinEmpty(living[0])
}

// joinNeeds are the facts a joiner lives by: all from the cluster itself, and from AWS only whether a member that does not
// answer has ended.
func joinNeeds() Needs { return Needs{Group: slow, Peers: fast, Cluster: fast, Wide: true} }

// joinEmpty has an empty disk: it needs a fresh entry in the member list, and a start right after.
func (t *turn) joinEmpty(p *Peer) verdict {
	v := verdict{needs: joinNeeds()}
	mine := t.mine()
	added := mine != nil && mine.ID == t.Join.Added && !mine.Started() && !t.tookPart()
	minor, unfit := t.joinMinor(p, added)
	switch {
	case t.Cluster.Known != Yes:
		v.why = "waits for the cluster to have a quorum"
	case t.Cluster.ID != p.ClusterID:
		v.why = fmt.Sprintf("its peers are in cluster %x, and the member list is of cluster %x: waits", p.ClusterID, t.Cluster.ID)
	case t.Cluster.At.Before(t.Join.Since):
		v.why, v.commands = "reads the member list again after its addition", t.renewJoinLock()
	case mine != nil && !added:
		t.removeOwnEntry(&v, mine)
	case unfit != "":
		// Asked only now: an entry of our own that never started keeps the cluster version from settling, and must go first.
		v.why, v.reports, v.commands = unfit, []string{unfit}, t.releaseJoinLock()
	case added:
		v.why, v.commands = fmt.Sprintf("is added as %x: starts", mine.ID), t.renewJoinLock()
		if etcd := &t.Process; etcd.Exits > 1 { // once may be chance, as when the list had changed meanwhile
			v.reports = []string{fmt.Sprintf("etcd ended %d times in a row: %s", etcd.Exits, etcd.Detail)}
		}
		if t.startDue() {
			v.commands = append(v.commands, StartEtcd{
				Minor: minor, Name: t.Self.ID, Address: t.Self.Address, State: ClusterExisting, Token: t.Name, Cluster: t.initialCluster(),
			})
		}
	default:
		t.addSelf(&v, minor)
	}
	return v
}

// tookPart tells whether a server has run for the entry that was added. Its disk is empty, so that what it promised as a
// member is lost.
func (t *turn) tookPart() bool { return t.Process.Started.After(t.Join.Since) && t.ranOnData() }

// ranOnData tells whether the last start got so far that it may have promised something to the others.
func (t *turn) ranOnData() bool {
	r := t.Process.Reason
	return r != ExitStale && r != ExitUnstarted && r != ExitRefused && r != ExitNewer && r != ExitBootstrapped
}

// removeOwnEntry takes out an entry of ours from before, with no data to go with it. Starting under the old ID with an empty
// log would let this member vote twice in one term (etcd issue 3504), so the entry goes first. It needs no lock: nobody else
// may touch it, and whoever waits for it to become a voter waits in vain.
func (t *turn) removeOwnEntry(v *verdict, mine *Member) {
	if v.why = t.ownRemovalBlocked(mine); v.why != "" {
		return
	}
	v.why = fmt.Sprintf("removes its own earlier entry %x, whose data is gone", mine.ID)
	v.commands = []Command{RemoveMember{ID: mine.ID, Name: mine.Name, Address: mine.Address, Why: "its own entry, without data"}}
}

// addSelf adds this instance, under the join lock and from a list read under it. While something is in the way the lock is
// left to others: what is in the way may be waiting for it.
func (t *turn) addSelf(v *verdict, minor MinorVersion) {
	if v.why = t.addBlocked(); v.why != "" {
		v.commands = t.releaseJoinLock()
		return
	}
	if owner := t.Cluster.Upgrade.Lock.Owner; owner != "" {
		v.why, v.commands = owner+" holds the upgrade lock: waits for it", t.releaseJoinLock()
		return
	}
	v.commands = t.renewJoinLock()
	switch {
	case t.Join.Owner != "" && t.Join.Owner != t.Self.ID:
		v.why = t.Join.Owner + " is joining: waits for the join lock"
	case t.Now.Sub(t.Join.Held) >= joinLockTTL: // never held, or lost by a daemon that was stopped for a while
		v.why = "takes the join lock"
	case t.Cluster.At.Before(t.Join.Held):
		v.why = "reads the member list again under the join lock"
	default:
		v.why = "asks to be added"
		v.commands = append(v.commands, AddMember{Address: t.Self.Address, Learner: minor.HasLearners()})
	}
}

// joinMinor chooses the server to join with: the cluster's own minor, since etcd's members may differ by one minor at most,
// and a newer server must not bring a first snapshot over from an older leader.
// A version that only stands in for another is waited out, but not by a member that was added: it is what is waited for.
func (t *turn) joinMinor(p *Peer, added bool) (MinorVersion, string) {
	minor := p.ClusterVersion
	switch {
	case !minor.Known():
		return minor, "waits for the cluster to decide its version"
	case t.Cluster.standsIn(minor) && !added:
		return minor, "waits for the cluster version to settle"
	case !t.has(minor):
		return minor, fmt.Sprintf("the cluster is at etcd %s, and no %s server is installed here", minor, minor)
	}
	return minor, ""
}

// addBlocked tells why a member must not be added now. etcd itself would refuse some of these, but not all in every version:
// since 3.5.30 and 3.6.11 it accepts a second member that has not started, which leaves no slack at all.
func (t *turn) addBlocked() string {
	if self, _ := t.Group.Instance(t.Self.ID); t.Group.Known == Yes && !self.InGroup {
		return "waits to be listed in its auto-scaling group: it is not yet, or is in the warm pool, parked or on its way out"
	}
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		switch {
		case m.Learner:
			return fmt.Sprintf("waits for learner %s to become a voter", m.Key())
		case !m.Started():
			return fmt.Sprintf("waits for member %s to start", m.Key())
		case m.Health == Yes:
			continue
		}
		if in, ok := t.Group.Instance(m.Key()); t.Group.Known == Yes && (!ok || in.State == InstanceGone) {
			return fmt.Sprintf("waits for the leader to remove %s, whose instance has gone", m.Key())
		}
		if m.Health == No {
			return fmt.Sprintf("waits for %s to be healthy", m.Key())
		}
		return fmt.Sprintf("waits to learn whether %s is healthy", m.Key())
	}
	return ""
}

// ownRemovalBlocked guards the removal of our own entry: it must not cost the others their quorum.
func (t *turn) ownRemovalBlocked(mine *Member) string {
	if mine.Learner {
		return ""
	}
	n, healthy := t.Cluster.Voters()
	if mine.Health == Yes {
		return fmt.Sprintf("another server answers as member %x, which has this instance's address", mine.ID)
	}
	if !SurvivesRemoval(n, healthy, false) {
		return fmt.Sprintf("waits: removing its own entry would leave %d healthy of %d voters", healthy, n-1)
	}
	return ""
}

// mine finds the member that stands for this instance: by name, or by address while it has never started.
func (t *turn) mine() *Member {
	for i := range t.Cluster.Members {
		if m := &t.Cluster.Members[i]; m.Name == t.Self.ID || m.Address == t.Self.Address && m.Name == "" {
			return m
		}
	}
	for i := range t.Cluster.Members { // a name of another supervisor's, at our address
		if m := &t.Cluster.Members[i]; m.Address == t.Self.Address {
			return m
		}
	}
	return nil
}

// initialCluster is the member list as etcd wants it at a join: every member, one to one, under any names that are unique.
func (t *turn) initialCluster() []ClaimMember {
	list := make([]ClaimMember, 0, len(t.Cluster.Members))
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		name := m.Name
		if m.Address == t.Self.Address {
			name = t.Self.ID
		} else if name == "" {
			name = fmt.Sprintf("unstarted-%x", m.ID)
		}
		list = append(list, ClaimMember{ID: name, Address: m.Address})
	}
	return list
}

// joinRunning has a server that runs: once its member is known to the others as a learner in sync, it is promoted.
func (t *turn) joinRunning() verdict {
	v := verdict{needs: joinNeeds(), commands: t.renewJoinLock()}
	local := t.Local()
	me, listed := t.Cluster.Member(local.MemberID)
	switch {
	case t.Process.Stopping:
		v.why = "waits for its server to stop"
	case t.deaf():
		v.why = "has the cluster's data and does not serve: restarts its server"
		v.commands = append(v.commands, StopEtcd{Why: "it waits for an answer that came inside the snapshot"})
	case local.Answers != Yes:
		v.why = "waits for its server to answer"
		if since := t.Now.Sub(t.Process.Started); since > upgradePatience {
			v.reports = []string{fmt.Sprintf("etcd has not answered for %s since its start as a learner: nobody else can join meanwhile", since.Round(time.Minute))}
		}
	case t.Cluster.Known != Yes || !listed:
		v.why = "waits to see itself in the member list"
	case !me.Started():
		v.why = "waits for its server to publish itself"
	case me.Learner:
		v.why = "is a learner: asks to be promoted"
		v.commands = append(v.commands, PromoteMember{ID: me.ID})
	case !local.Serves():
		// Its own server may be told of the promotion a moment after the member list shows it.
		v.why = "is a voter: waits for its server to follow the leader"
	default:
		return move(Serving, "is a voter")
	}
	return v
}

// deaf tells whether a learner's server waits for an answer that it will not hear. A server serves clients once the raft
// request that announces its client URL has come back to it; when it takes a snapshot in the same moment, the request comes
// back inside the snapshot, nobody is told, and etcd asks again only after its request timeout of 7 s (seen in 3.7.3:
// server/etcdserver publishV3 and applySnapshot). A restart needs no snapshot, and serves at once. Only a learner is
// restarted: nobody counts on it yet.
func (t *turn) deaf() bool {
	me := t.mine()
	since := t.Local().Restored
	return me != nil && me.Learner && !since.IsZero() && t.Now.Sub(since) >= announceWithin
}

// joinStopped has data, and a server that ended before its member became a voter.
func (t *turn) joinStopped() verdict {
	v := verdict{needs: joinNeeds(), commands: t.renewJoinLock()}
	switch t.Process.Reason {
	case ExitRemoved, ExitCorrupt, ExitStale:
		// A learner's data is a copy, and the cluster has more of them: it starts over with an empty disk.
		v.why = "its learner cannot go on: " + t.Process.Detail
		v.commands = append(v.commands, SetAsideData{Why: "learner could not go on"})
	default:
		v.why = "its server ended before it became a voter"
		if t.Process.Exits > 1 {
			v.reports = []string{fmt.Sprintf("etcd ended %d times in a row before it became a voter: %s", t.Process.Exits, t.Process.Detail)}
		}
		if t.startDue() {
			v.commands = append(v.commands, t.restartCommand())
		}
	}
	return v
}

// renewJoinLock takes the join lock or keeps it alive, at its own slow pace.
func (t *turn) renewJoinLock() []Command {
	if t.Now.Sub(t.Join.Held) < joinLockRenew {
		return nil
	}
	return []Command{HoldJoinLock{TTL: joinLockTTL}}
}

func (t *turn) releaseJoinLock() []Command {
	if t.Join.Owner != t.Self.ID {
		return nil
	}
	return []Command{ReleaseJoinLock{}}
}
