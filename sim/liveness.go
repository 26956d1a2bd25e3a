package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// convergeWithin is how long the world may take to be whole after the last fault: the longest restart delay, a pause of an AWS
// source, the proof of an absence, and several joins after one another under the join lock.
const convergeWithin = 30 * time.Minute

// runQuiet makes no more faults and demands convergence (L1), and then that nothing is touched any more.
func (w *world) runQuiet() (took time.Duration, excused string) {
	w.heal()
	begun := w.now
	w.trace.say("", "no more faults: must converge")
	overdue := overdue{world: w, since: map[due]time.Duration{}}
	for pending := w.pending(); pending != ""; pending = w.pending() {
		overdue.look()
		overdue.rolls()
		if w.violation != nil {
			return 0, ""
		}
		if excuse := w.beyondRecovery(); excuse != "" && w.now-begun > 2*time.Minute {
			w.trace.say("", "excused: %s", excuse)
			if c := w.served(); c != nil && !c.HasQuorum() {
				w.runLost(c)
			}
			return 0, excuse
		}
		if w.now-begun > convergeWithin {
			w.fail("L1", "not converged %s after the last fault: %s", convergeWithin, pending)
			return 0, ""
		}
		w.run(w.now + time.Second)
	}
	took = w.now - begun
	w.trace.say("", "converged after %s", took)
	w.run(w.now + time.Minute) // what was under way may end
	before := w.mutations
	w.run(w.now + time.Duration(w.plan.Quiet))
	if pending := w.pending(); pending != "" && w.violation == nil {
		w.fail("L1", "converged, and then did not stay so: %s", pending)
	}
	if n := w.mutations - before; n > 0 {
		w.fail("L1", "converged, and went on to make %d changes in %s", n, w.plan.Quiet)
	}
	return took, ""
}

// beyondRecovery is the one rule by which a run is let off: nature has destroyed so much data that no daemon may go on without
// a human. It looks at data, not at what daemons make of it.
func (w *world) beyondRecovery() string {
	c := w.served()
	if c == nil {
		return w.claimLost()
	}
	voters, left, alive := 0, 0, 0
	for _, m := range c.Members() {
		n := w.byID[m.Key()]
		if n != nil && !n.gone {
			alive++
		}
		if m.Learner {
			continue
		}
		voters++
		if n != nil && n.holdsMember(c, m.ID) {
			left++
		} else if n := w.byAddress(m.Address); n != nil && n.holdsMember(c, m.ID) {
			left++
		}
	}
	switch {
	case left == 0 && alive == 0 && w.plan.Loss == states.NewOnTotalLoss:
		return "" // the operator has said what is to become of that
	case left < states.Quorum(voters):
		return fmt.Sprintf("nature left %d of %d voters' data", left, voters)
	}
	return ""
}

// claimLost tells whether a claim may never form: nature ended an instance that it may name, or took a disk, before the
// cluster served. Whether the rest are a majority of the claim is not looked into: such runs are few, and are counted.
func (w *world) claimLost() string {
	for _, n := range w.nodes {
		if n.gone || n.spoilt || n.robbed || n.etcd.SetAsideCopies() > 0 {
			return "nature ended instances, or took or spoilt their disks, before the cluster had formed"
		}
	}
	return ""
}

func (w *world) byAddress(address string) *node {
	for _, n := range w.nodes {
		if n.address == address && !n.gone {
			return n
		}
	}
	return nil
}

// pending names what is missing to a world in which nothing is left to do; empty when nothing is.
func (w *world) pending() string {
	if missing := w.missing(); missing != "" {
		return missing
	}
	c := w.served()
	if n := w.behind(); n != nil {
		return fmt.Sprintf("%s runs etcd %s and wants %s", n.id, n.etcd.Process().Inspect().Minor, n.wants)
	}
	if owner := upgradeOwner(c); owner != "" {
		return owner + " holds the upgrade lock"
	}
	if owner := c.Lock(joinLock).Owner; owner != "" {
		return owner + " holds the join lock"
	}
	if w.cloud.Late() {
		return "a request to AWS takes effect late"
	}
	return ""
}

// behind is a member that runs another server than its configuration wants, in a cluster that can be upgraded; nil when none does.
// No member goes further than one minor above what all the others are content with, and none while an upgrade is halted: that waits
// for a human, and nature has had a hand in it (see mayHalt).
func (w *world) behind() *node {
	members := w.served().Members()
	if len(members) < 3 || w.served().Key(effects.UpgradeHaltKey).Revision != 0 {
		return nil
	}
	lowest := w.plan.newest()
	for _, m := range members {
		if n := w.byID[m.Name]; n != nil {
			lowest = lesser(lowest, greater(n.wants, n.etcd.Process().Inspect().Minor))
		}
	}
	for _, m := range members {
		if n := w.byID[m.Name]; n != nil && n.etcd.Process().Inspect().Minor.Less(lesser(n.wants, cmp.Or(lowest.Next(), lowest))) {
			return n
		}
	}
	return nil
}

func lesser(a, b states.MinorVersion) states.MinorVersion {
	if a.Less(b) {
		return a
	}
	return b
}

func greater(a, b states.MinorVersion) states.MinorVersion {
	if a.Less(b) {
		return b
	}
	return a
}

// missing names what is missing to a whole cluster, whatever its members run; empty when nothing is.
func (w *world) missing() string {
	desired := w.desired()
	var ids, addresses []string
	for _, in := range w.cloud.Instances() {
		if w.ours(in.Group) && in.Lifecycle != "" {
			if in.Lifecycle != "InService" || in.State != awsfake.Running { // which the group may not have seen yet
				return in.ID + " is " + in.Lifecycle + ", " + in.State
			}
			ids, addresses = append(ids, in.ID), append(addresses, in.PrivateIP)
		}
	}
	c := w.served()
	switch {
	case len(ids) != desired:
		return fmt.Sprintf("%d of %d instances are in service", len(ids), desired)
	case c == nil:
		return "no cluster serves"
	case !c.HasQuorum():
		return "the cluster has no quorum"
	}
	var members []string
	for _, m := range c.Members() {
		if m.Learner || !m.Started() || !c.Healthy(m.ID) {
			return "member " + m.Key() + " is no healthy voter"
		}
		members = append(members, m.Name)
	}
	slices.Sort(ids)
	slices.Sort(members)
	if !slices.Equal(ids, members) {
		return fmt.Sprintf("members %v are not the instances %v", members, ids)
	}
	if waits := w.pendingDaemons(ids); waits != "" {
		return waits
	}
	if waits := w.pendingRules(); waits != "" {
		return waits
	}
	return w.pendingRecords(addresses)
}

func (w *world) pendingDaemons(ids []string) string {
	leading := 0
	for _, id := range ids {
		n := w.byID[id]
		switch {
		case n == nil || n.agent == nil:
			return id + " has no daemon"
		case n.agent.State() == states.LeadingHousekeeping:
			leading++
		case n.agent.State() != states.Running:
			return id + " is " + string(n.agent.State())
		case n.etcd.SetAsideCopies() > 0:
			return id + " keeps data that was set aside"
		}
	}
	if leading != 1 {
		return fmt.Sprintf("%d daemons keep house", leading)
	}
	return ""
}

func (w *world) pendingRecords(addresses []string) string {
	if w.plan.Claim == "nowhere" {
		return ""
	}
	slices.Sort(addresses)
	srv, claimed := 0, w.plan.Claim != "route53"
	var published []string
	for _, r := range w.cloud.Records(w.zoneID) {
		switch {
		case r.Type == "A":
			published = slices.Sorted(slices.Values(r.Values))
		case r.Type == "SRV" && len(r.Values) == len(addresses):
			srv++
		case r.Type == "TXT":
			text, _ := awsfake.Unquote(r.Values[0])
			claimed = strings.Contains(strings.Join(text, ""), "state=formed")
		}
	}
	switch {
	case !slices.Equal(published, addresses):
		return fmt.Sprintf("DNS has %v instead of %v", published, addresses)
	case srv != 3:
		return fmt.Sprintf("%d of 3 SRV records are right", srv)
	case !claimed:
		return "the claim is not closed"
	}
	return ""
}
