package sim

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// checker holds the invariants of safety. It looks at the world from outside, never at what a daemon believes.
type checker struct {
	*world
	upgrades
	revision  uint64
	served    map[uint64]bool
	incidents int
	removed   map[string]time.Duration // address of a voter -> when its removal was asked for

	removing time.Duration       // when a removal was last asked for
	ledBy    uint64              // the leader then; 0 when another has led since
	stalled  bool                // the cluster has no quorum
	reached  states.MinorVersion // cluster version, last seen
	closed   uint64              // the cluster whose claim was last seen to be closed
}

// underWay is how long a change of DNS may be under way.
const underWay = 30 * time.Second

func (c *checker) noteRemoval(id uint64) {
	for _, cluster := range c.etcd.Clusters() {
		for _, m := range cluster.Members() {
			if m.ID == id && !m.Learner {
				c.removed[m.Address] = c.now
			}
		}
	}
}

// afterEvent checks what must hold at every moment. The etcd world has a revision, so that most events cost nothing.
func (c *checker) afterEvent() {
	if r := c.etcd.Revision(); r == c.revision {
		return
	} else {
		c.revision = r
	}
	c.oneCluster()
	c.healthGoesOn()
	c.upgradesGoOn()
	c.clusterGoals(c.world.served())
	for ; c.incidents < len(c.etcd.Incidents()); c.incidents++ {
		i := c.etcd.Incidents()[c.incidents]
		if i.Trouble.Invariant() == "S2" && c.natures(i) {
			c.note("excused: " + string(i.Trouble))
			continue
		}
		c.fail(i.Trouble.Invariant(), "%s (cluster %x, member %x on %s)", i.Trouble, i.Cluster, i.Member, i.Instance)
	}
}

// healthGoesOn notes since when members are healthy, or are not.
func (c *checker) healthGoesOn() {
	cluster := c.world.served()
	if cluster == nil {
		return
	}
	members := cluster.Members()
	for i := range members {
		id := members[i].ID
		n := c.byID[members[i].Key()]
		if n == nil {
			continue
		}
		works := cluster.Works(id)
		switch {
		case works || !n.etcd.Running():
			n.mute = 0
		case n.mute == 0:
			n.mute = c.now
		}
		if n.hears != (works && cluster.Hears(id)) {
			n.hears, n.since = !n.hears, c.now
		}
	}
}

// natures tells whether the harm is nature's: it took the disk of a member of a cluster that never served, where there is no
// write to lose, or it left less than a quorum of the data before any daemon had a say. Until the claim is closed, which an AWS
// outage can put off, a lone member cannot tell such a loss from a first start (docs/decisions).
func (c *checker) natures(i etcdfake.Incident) bool {
	if !c.served[i.Cluster] {
		return true
	}
	for _, cluster := range c.etcd.Clusters() {
		if cluster.ID() != i.Cluster {
			continue
		}
		n, kept := 0, 0
		for _, m := range cluster.Members() {
			if m.Learner {
				continue
			}
			n++
			if node := c.byID[m.Key()]; node != nil && !node.gone && !node.robbed && !node.spoilt {
				kept++
			}
		}
		return kept < states.Quorum(n)
	}
	return false
}

// oneCluster is S1: a second cluster never serves while data of the first is left anywhere.
func (c *checker) oneCluster() {
	for _, cluster := range c.etcd.Clusters() {
		if cluster.Served().IsZero() || c.served[cluster.ID()] {
			continue
		}
		c.note("a cluster serves")
		if len(c.served) > 0 {
			c.sometimes(FormedAnew)
			c.upgrades = upgrades{} // the locks of the old one have ended with it
		}
		for _, n := range c.nodes {
			if id, _ := n.etcd.MemberID(); !n.gone && c.served[id] {
				c.fail("S1", "cluster %x serves while %s still holds data of cluster %x", cluster.ID(), n, id)
			}
		}
		c.served[cluster.ID()] = true
	}
}

// awsCalled is told every AWS call and its outcome: S7 is checked when a change of DNS takes effect.
func (w *world) awsCalled(call awsfake.Call, err error) {
	if w.repeating || call.Service == "imds" {
		return
	}
	if n := w.daemon(call.Caller); n != nil && !call.Late {
		n.called(call.Action, err)
	}
	if call.Action != "ChangeResourceRecordSets" && call.Action != "PutObject" || call.Caller == nature {
		return
	}
	w.mutations++
	if w.acting != nil && err == nil {
		w.acting.changed = true
		w.changes++
	}
	if w.trace.on() {
		w.trace.call(call, err)
	}
	in, ok := call.Input.(*route53.ChangeResourceRecordSetsInput)
	if !ok {
		return
	}
	if errors.Is(err, context.DeadlineExceeded) && w.tookPlace(in) {
		w.sometimes(ClaimAnswerLost)
	}
	for i := range in.ChangeBatch.Changes {
		change := &in.ChangeBatch.Changes[i]
		w.check.changeGoals(change, err)
		if change.Action != r53types.ChangeActionDelete && change.ResourceRecordSet.Type == r53types.RRTypeA {
			w.check.publishes(call.Caller, change.ResourceRecordSet)
		}
	}
}

// tookPlace tells whether the zone holds what a change was to create.
func (w *world) tookPlace(in *route53.ChangeResourceRecordSetsInput) bool {
	records := w.cloud.Records(w.zoneID)
	for _, change := range in.ChangeBatch.Changes {
		set := change.ResourceRecordSet
		if change.Action == r53types.ChangeActionDelete {
			continue
		}
		if !slices.ContainsFunc(records, func(r awsfake.RecordSet) bool {
			return r.Type == string(set.Type) && r.Name == aws.ToString(set.Name) && len(r.Values) == len(set.ResourceRecords) && r.Values[0] == aws.ToString(set.ResourceRecords[0].Value)
		}) {
			return false
		}
	}
	return true
}

// slept is how long the daemon has been paused since it decided on what it does.
func (c *checker) slept(by string) time.Duration {
	if n := c.acting; n != nil && n.id == by {
		return n.slept
	}
	return 0
}

// publishes is S7: the address record is never published empty, nor with an address that is not a voter's. Route53 and etcd
// have no transaction in common, so a voter that was removed while the change was under way still counts.
func (c *checker) publishes(by string, set *r53types.ResourceRecordSet) {
	cluster := c.world.served()
	if len(set.ResourceRecords) == 0 {
		c.fail("S7", "%s publishes no address", by)
	}
	for _, v := range set.ResourceRecords {
		known := false
		for _, m := range cluster.Members() {
			known = known || !m.Learner && m.Address == aws.ToString(v.Value)
		}
		if at, ok := c.removed[aws.ToString(v.Value)]; ok {
			known = known || c.now-c.slept(by)-at < underWay
		}
		if !known {
			c.fail("S7", "%s publishes %s, which is no voter's address", by, aws.ToString(v.Value))
		}
	}
}
