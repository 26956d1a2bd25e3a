package states

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// discover finds out what this instance is to become. It is the first state after every start of the daemon.
func (t *turn) discover() verdict {
	pace := paceAfter(t.Now.Sub(t.since))
	needs := Needs{Group: pace, Zone: pace, Peers: fast}
	wait := func(why string) verdict { return verdict{why: why, needs: needs} }

	// Restart is local: whoever has data runs it, whatever AWS and the peers say or fail to say.
	switch {
	case t.Process.Running == Unknown || t.Disk.State == DiskUnknown:
		return wait(cmp.Or(t.Disk.Error, "has not looked at its process and disk yet"))
	case t.foreign():
		return t.discoverForeign()
	case t.Process.Running == Yes:
		return move(FoundData, "etcd is running: adopts it")
	case t.Disk.State == DiskMember:
		return move(FoundData, "has the data of a member: restarts it")
	case t.Disk.State == DiskBroken && t.Disk.Joined:
		return move(FoundData, "has the data of a voter, and it cannot be read")
	case t.Disk.State == DiskBroken:
		return verdict{needs: needs, why: "the data directory holds files but no member", commands: []Command{SetAsideData{Why: "no usable member: " + t.Disk.Error}}}
	case t.Self.ID == "":
		return wait("does not know its own instance ID yet")
	}

	if t.Group.Known == Yes && t.Polled.Before(t.since) {
		return wait("asks its peers")
	}
	living := t.living()
	switch {
	case len(living) > 1:
		return verdict{needs: needs, why: "sees two clusters: joins neither", reports: []string{splitBrain(living)}}
	case len(living) == 1 && t.Claim.Store != ClaimNowhere && t.Claim.Known != Yes && t.unstartedIn(living[0]) && t.Now.Sub(t.since) < claimPatience:
		return wait("is a member of a living cluster that it never started in: asks first whether that is still forming")
	case len(living) == 1 && t.straggler(living[0]):
		return move(BootstrapDue, "is named by the claim of a cluster that is forming")
	case len(living) == 1:
		return move(FoundCluster, fmt.Sprintf("finds cluster %x living", living[0].ClusterID))
	}

	why, due := t.bootstrapDue()
	switch {
	case due:
		return move(BootstrapDue, why)
	case t.totalLoss() || t.Claim.Exists == Yes && t.Now.Sub(t.since) > reportAfter: // a cluster there should be
		return verdict{why: why, needs: needs, reports: []string{why}}
	default:
		return wait(why)
	}
}

// bootstrapDue tells whether this instance, with an empty disk and no living cluster in sight, may form one. Silence never
// suffices: it takes a claim that names this instance, or the right to make one.
func (t *turn) bootstrapDue() (string, bool) {
	switch {
	case t.Group.Known != Yes: // which brings the name of the cluster too
		return "waits for the first answer about its auto-scaling group", false
	case t.Claim.Store == ClaimNowhere:
		return t.withoutClaim()
	case t.Claim.Known != Yes:
		return "waits for the first answer about the bootstrap claim", false
	case t.Claim.Foreign != "":
		return "cannot use the bootstrap claim: " + t.Claim.Foreign, false
	case t.Claim.Exists == No:
		if name := t.publishedBefore(); name != "" {
			return name + " is published but no claim exists: an older cluster may be silent; delete the record to allow a new one", false
		}
		return t.groupComplete()
	case t.claimed():
		if t.Disk.SetAside {
			return "has set aside the data of its first start: joins when the others have formed the cluster", false
		}
		if why := t.peersUnclear(); why != "" {
			return why, false
		}
		return "is named by the bootstrap claim", true
	case t.totalLoss():
		return t.afterTotalLoss()
	case t.Claim.Record.State == ClaimPending:
		return "waits for the instances of the bootstrap claim to form the cluster", false
	default:
		return "the cluster of the claim is silent: waits, since silence is no proof of its end", false
	}
}

// withoutClaim has nothing that tells whether there was a cluster: one whose quorum is lost, and whose last server starts again just now,
// looks like none. Such a server is waited for.
func (t *turn) withoutClaim() (string, bool) {
	why, whole := t.groupComplete()
	if whole && t.stillWatches() {
		return "the group is whole, and no claim says that no cluster exists: waits whether a server starts", false
	}
	return why, whole
}

// groupComplete tells whether the group is seen whole, with no etcd serving anywhere in it.
func (t *turn) groupComplete() (string, bool) {
	up := 0
	for i := range t.Group.Instances {
		if in := &t.Group.Instances[i]; in.InGroup && in.Up() {
			up++
		}
	}
	self, _ := t.Group.Instance(t.Self.ID)
	switch {
	case t.Now.Sub(t.Group.At) > staleGroup:
		return "waits for a fresh answer about its auto-scaling group", false
	case !self.InGroup || self.Address == "":
		return "waits to be listed in its auto-scaling group", false
	case t.Group.Desired == 0 || up != t.Group.Desired:
		return fmt.Sprintf("sees %d of %d instances: waits for the group to be whole", up, t.Group.Desired), false
	}
	if why := t.peersUnclear(); why != "" {
		return why, false
	}
	return "the group is whole and no cluster exists", true
}

// peersUnclear names a running instance of the group that has neither answered nor refused to within the last moments. An
// instance that is only silent may be a member of a cluster that this one has left, and must not start anew in.
func (t *turn) peersUnclear() string {
	if t.Now.Sub(t.Polled) > stalePeers {
		return "asks its peers"
	}
	for i := range t.Group.Instances {
		in := &t.Group.Instances[i]
		if !in.InGroup || in.State != InstanceRunning || in.ID == t.Self.ID {
			continue
		}
		if !slices.ContainsFunc(t.Peers, func(p Peer) bool { return p.InstanceID == in.ID && p.Answers != Unknown }) {
			return fmt.Sprintf("waits for an answer, or a refusal, from %s", in.ID)
		}
	}
	return ""
}

// totalLoss tells whether every instance of the claim has provably ended and the group, seen whole, serves nothing. Where no
// claim can be read, nothing is proved.
func (t *turn) totalLoss() bool {
	if len(t.Claim.Record.Members) == 0 {
		return false
	}
	for _, m := range t.Claim.Record.Members {
		if t.Group.Gone(m.ID) != Yes {
			return false
		}
	}
	_, whole := t.groupComplete()
	return whole
}

const lost = "TOTAL LOSS: every instance of the claim has ended with its data: "

// afterTotalLoss applies the operator's choice. The list of the claim can be out of date: while AWS does not answer, members
// come and go without it. So even a claim that is still pending may have a living cluster, of other instances than it names,
// whose servers are only down for a moment; where a new cluster is permitted at all, it waits for such servers to come back.
func (t *turn) afterTotalLoss() (string, bool) {
	switch {
	case t.OnTotalLoss != NewOnTotalLoss:
		return lost + "halts (--on-total-loss=halt); restore a backup, or delete the claim or set --on-total-loss=new for an empty cluster", false
	case t.stillWatches():
		return lost + "waits whether a member comes back", false
	default:
		return lost + "forms a new, empty cluster", true
	}
}

// stillWatches tells whether a group with nothing serving in it is watched on, since a server of before may be down for a moment only.
func (t *turn) stillWatches() bool {
	return t.State == Discovering && t.Now.Sub(t.since) < lossPatience
}

// publishedBefore names an A record that an earlier cluster of this name has published.
func (t *turn) publishedBefore() string {
	for i := range t.DNS.Records {
		if r := &t.DNS.Records[i]; r.Type == "A" {
			return r.Name
		}
	}
	return ""
}

// living gives one answering peer of each cluster that has started members, by cluster ID. A server that still waits for the
// majority of a new cluster lists members too, but none of them has published a client URL.
func (t *turn) living() []*Peer {
	var found []*Peer
	for i := range t.Peers {
		p := &t.Peers[i]
		if !slices.ContainsFunc(p.Members, func(m Member) bool { return m.Started() }) {
			continue
		}
		if !slices.ContainsFunc(found, func(f *Peer) bool { return f.ClusterID == p.ClusterID }) {
			found = append(found, p)
		}
	}
	return found
}

// straggler tells whether the living cluster is the claimed one, still open to this instance, which never started in it.
func (t *turn) straggler(p *Peer) bool {
	return t.claimed() && !t.Disk.SetAside && t.unstartedIn(p)
}

// unstartedIn tells whether this instance is a voter of the peer's cluster that has never started.
func (t *turn) unstartedIn(p *Peer) bool {
	for i := range p.Members {
		if m := &p.Members[i]; m.Address == t.Self.Address {
			return !m.Started() && !m.Learner
		}
	}
	return false
}

func splitBrain(living []*Peer) string {
	parts := make([]string, len(living))
	for i, p := range living {
		parts[i] = fmt.Sprintf("%x (at %s)", p.ClusterID, p.InstanceID)
	}
	return "more than one cluster is living in this group: " + strings.Join(parts, ", ") + "; decide which one to keep and stop etcd on the others"
}
