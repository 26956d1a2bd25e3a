package states

import "fmt"

// foreign tells whether the disk holds the data of another instance: a volume that was attached to the wrong one, or was made
// from the snapshot or image of another member. A server on it would be that member a second time, and the two would vote
// twice in one term. Who has no record was never started by this daemon (data of another supervisor), and is no evidence.
func (t *turn) foreign() bool {
	return t.Self.ID != "" && IsInstanceID(t.Disk.Name) && t.Disk.Name != t.Self.ID &&
		(t.Disk.State == DiskMember || t.Disk.State == DiskBroken)
}

// leaveForeign gives the way to Discovering, where such data is dealt with.
func (t *turn) leaveForeign() (verdict, bool) {
	if t.State == Discovering || t.State == Leaving || !t.foreign() {
		return verdict{}, false
	}
	why := "its disk holds the data of " + t.Disk.Name
	if t.State == LeadingHousekeeping {
		return move(LostLeader, why), true
	}
	return move(StartOver, why), true
}

// discoverForeign never starts what is another instance's. It may be the last copy of something, so that it is only moved away,
// and only when a cluster has a quorum without a server on it.
func (t *turn) discoverForeign() verdict {
	v := verdict{needs: joinNeeds(), why: fmt.Sprintf("its disk holds the data of %s, which is not run here", t.Disk.Name)}
	owner, _ := t.Group.Instance(t.Disk.Name)
	switch {
	case t.Process.Stopping:
		v.why += ": waits for its server to stop"
	case t.Process.Running == Yes && (t.quorumBesides(t.Disk.Name) || owner.Up()):
		v.why += ": stops its server"
		v.commands = []Command{StopEtcd{Why: "it runs on the data of " + t.Disk.Name}}
	case t.Process.Running == Yes: // by a daemon that did not look; the quorum may hang on it
		v.why = fmt.Sprintf("its server runs on the data of %s, and the others are no quorum without it", t.Disk.Name)
		v.reports = []string{v.why}
	case t.Cluster.Known == Yes && t.Cluster.At.After(later(t.since, t.Process.Exited)): // a list from before may be this server's own
		v.why += ": sets it aside"
		v.commands = []Command{SetAsideData{Why: "data of " + t.Disk.Name}}
	default:
		v.why += ": keeps it, since no cluster with a quorum is seen"
		v.reports = []string{v.why + "; move it back to that instance, or away if it is of no use"}
	}
	return v
}

// quorumBesides tells whether the healthy voters without the named one are a quorum, as asked since this state was entered.
func (t *turn) quorumBesides(name string) bool {
	n, healthy := 0, 0
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		if m.Learner {
			continue
		}
		n++
		if m.Name != name && m.Health == Yes {
			healthy++
		}
	}
	return t.Cluster.Known == Yes && t.Cluster.Asked.After(t.since) && healthy >= Quorum(n)
}
