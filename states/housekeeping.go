package states

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// expired is the age from which what is known of the members is not acted upon. The question has a deadline of 4 s and is asked
// each second, so only a daemon that was stopped for a while (SIGSTOP, a hypervisor) has nothing newer: it asks first.
const expired = 15 * time.Second

// housekeep is the state of the member that leads: it removes members whose instances have ended, keeps the claim and DNS
// true, and tells what it cannot mend.
func (t *turn) housekeep() verdict {
	local := t.Local()
	switch {
	case t.Process.Running != Yes:
		return move(LostLeader, "its server has ended")
	case local.Leader != local.MemberID: // both are 0 while it does not answer
		return move(LostLeader, "its etcd leads no longer")
	case t.holdsUpgradeLock():
		return move(UpgradeDue, "holds the upgrade lock")
	}
	v := verdict{needs: Needs{Group: restGroup, Zone: restZone, Cluster: restCluster, Wide: true}, commands: t.chores()}
	if local.Answers != Yes || t.Cluster.Known != Yes {
		v.why, v.needs.Cluster = "leads, and has no quorum", fast
		return v
	}
	if t.Cluster.Asked.Before(t.since) || t.Now.Sub(t.Cluster.Asked) > expired {
		v.why, v.needs.Cluster = "leads; asks how its members are", fast
		return v
	}
	v.why = "leads a cluster in order"
	t.watch(&v)
	if t.paused(&v) || t.yields(&v) {
		slices.Sort(v.reports)
		return v
	}
	t.wantUpgrade(&v)
	t.remove(&v)
	t.replaceUnhealthy(&v)
	if t.Claim.Store != ClaimNowhere && t.Claim.At.Before(t.since) || t.DNS.Configured && t.DNS.At.Before(t.since) {
		v.needs.Zone = fast // what it read before it led may be another leader's work by now
	} else {
		t.keepClaim(&v)
		t.keepDNS(&v)
	}
	slices.Sort(v.reports)
	return v
}

// paused tells whether housekeeping rests, as it does while a member changes its server: one change at a time. A lock whose owner
// has provably ended is taken away; nothing else ends it but its owner, or an operator.
func (t *turn) paused(v *verdict) bool {
	u := &t.Cluster.Upgrade
	owner := u.Lock.Owner
	switch {
	case u.Known != Yes:
		v.why = "leads; waits to learn who holds the upgrade lock"
	case owner == "" && u.Halted.Owner != t.Self.ID && t.Group.Gone(u.Halted.Owner) == Yes:
		v.commands = append(v.commands, ReleaseUpgradeLock{Lock: u.Halted, Halted: true, Why: "its instance has ended"})
		return false
	case owner == "":
		return false
	case t.Group.Gone(owner) == Yes:
		v.why = fmt.Sprintf("leads; takes the upgrade lock from %s, whose instance has ended", owner)
		v.commands = append(v.commands, ReleaseUpgradeLock{Lock: u.Lock, Why: "its instance has ended"})
	default:
		v.why = fmt.Sprintf("leads; rests while %s takes its etcd from %s to %s", owner, u.Lock.From, u.Lock.Goal())
		if since := t.Now.Sub(u.Since); since > upgradePatience {
			v.reports = append(v.reports, fmt.Sprintf("%s has held the upgrade lock for %s: nobody is removed or published meanwhile", owner, since.Round(time.Minute)))
		}
	}
	v.needs.Cluster, v.needs.Group = fast, min(v.needs.Group, slow)
	return true
}

// watch sets the pace by what is out of order, and reports it.
func (t *turn) watch(v *verdict) {
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		if m.Health == Yes && !m.Learner {
			continue
		}
		v.needs.Cluster = fast
		since := t.Now.Sub(m.Unhealthy)
		if m.Unhealthy.IsZero() {
			since = 0 // not asked, or a healthy learner
		}
		v.needs.Group = min(v.needs.Group, paceAfter(since))
		if m.Health != No || m.Ours() && t.Group.Gone(m.Key()) == Yes {
			continue
		}
		v.why = fmt.Sprintf("leads; %s is unhealthy", m.Key())
		switch in, _ := t.Group.Instance(m.Key()); {
		case since < drainGrace:
		case in.State == InstanceRunning:
			v.reports = append(v.reports, fmt.Sprintf("member %x (%s) is unhealthy while its instance runs", m.ID, m.Key()))
		case !m.Ours():
			v.reports = append(v.reports, fmt.Sprintf("member %x (%s at %s) is unhealthy, and AWS does not know that name: remove it if it has ended for good", m.ID, m.Name, m.Address))
		}
	}
	if t.Group.Known != Yes {
		v.needs.Group = brisk
	}
	if len(t.Group.Silent) > 0 && t.Now.Sub(t.Group.At) > 2*restGroup {
		v.reports = append(v.reports, fmt.Sprintf("AWS does not answer in %s: nobody is upgraded, and who AWS does not show is not removed", strings.Join(t.Group.Silent, ", ")))
	}
	if n, _ := t.Cluster.Voters(); t.Group.Known == Yes && n != t.Group.Desired {
		v.needs.Cluster = fast
	}
}

// paceAfter asks AWS often while a change is young, and rarely once it has lasted.
func paceAfter(since time.Duration) time.Duration {
	switch {
	case since < drainGrace:
		return brisk
	case since < 5*time.Minute:
		return slow
	default:
		return restGroup / 2
	}
}

// remove takes at most one member out of the list in a turn: one whose instance has provably ended, that etcd cannot reach,
// and without which the healthy voters are a quorum of the rest.
func (t *turn) remove(v *verdict) {
	n, healthy := t.Cluster.Voters()
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		if m.Health != No || m.ID == t.Local().MemberID || !m.Ours() || t.Group.Gone(m.Key()) != Yes {
			continue
		}
		if !m.Learner && !SurvivesRemoval(n, healthy, false) {
			v.reports = append(v.reports, fmt.Sprintf("member %x (%s) has gone for good, and cannot be removed: %d healthy of %d voters are no quorum of %d", m.ID, m.Key(), healthy, n, n-1))
			continue
		}
		v.why = fmt.Sprintf("leads; removes %s, whose instance has ended", m.Key())
		v.commands = append(v.commands, RemoveMember{ID: m.ID, Name: m.Name, Address: m.Address, Why: "its instance has ended"})
		return
	}
}

// keepClaim closes the claim of a cluster that has formed, and keeps the list of its voters in it, by which a later total loss
// is told from a silence. It was read since this member leads.
func (t *turn) keepClaim(v *verdict) {
	c := &t.Claim
	if c.Store == ClaimNowhere {
		return
	}
	want := ClaimRecord{State: ClaimFormed, Token: c.Record.Token, ClusterID: t.Cluster.ID, Members: t.voterList()}
	switch {
	case len(want.Members) == 0: // a list without its own leader in it is an odd answer, and no claim
	case c.Foreign != "":
		v.reports = append(v.reports, "cannot keep the bootstrap claim: "+c.Foreign)
	case c.Exists == No:
		want.Token = t.Name
		v.commands = append(v.commands, CreateClaim{Record: want})
		v.needs.Zone = brisk
	case c.Record.State == ClaimFormed && c.Record.ClusterID != t.Cluster.ID:
		v.reports = append(v.reports, fmt.Sprintf("the bootstrap claim belongs to cluster %x: another cluster has this name; publishes nothing", c.Record.ClusterID))
	case c.Record.State == ClaimPending && !t.formedBy(&c.Record):
		v.reports = append(v.reports, "the bootstrap claim was made by other instances: another cluster may have this name; publishes nothing")
	case c.Record.State == ClaimPending && !t.allStarted() && t.Now.Sub(t.since) < formGrace:
		v.needs.Zone = slow
	case !c.Record.Equal(&want):
		v.commands = append(v.commands, UpdateClaim{Old: c.Record, New: want})
		v.needs.Zone = brisk
	}
}

// claimIsOurs tells whether what is published under the cluster's name is this cluster's to change. A pending claim has no cluster
// ID yet, but one can tell which it will have; and the record of one that is not there or not ours is pending and names nobody.
func (t *turn) claimIsOurs() bool {
	r := &t.Claim.Record
	return t.Claim.Store == ClaimNowhere || r.ClusterID == t.Cluster.ID || r.State == ClaimPending && t.formedBy(r)
}

// formedBy tells whether a pending claim is this cluster's: it forms a cluster of this ID, or names a member of it. All members may
// have been exchanged before the claim could be closed.
func (t *turn) formedBy(r *ClaimRecord) bool {
	return r.forms(t.Cluster.ID, t.PeerPort) || slices.ContainsFunc(t.Cluster.Members, func(m Member) bool { return r.Has(m.Name) })
}

func (t *turn) allStarted() bool {
	return !slices.ContainsFunc(t.Cluster.Members, func(m Member) bool { return !m.Started() })
}

func (t *turn) voterList() []ClaimMember {
	list := make([]ClaimMember, 0, len(t.Cluster.Members))
	for i := range t.Cluster.Members {
		if m := &t.Cluster.Members[i]; !m.Learner && m.Started() {
			list = append(list, ClaimMember{ID: m.Key(), Address: m.Address})
		}
	}
	sortByID(list)
	return list
}
