package sim

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// keepsQuorum tells whether the cluster, if there is one, can lose the data of this node for good. Without a quorum of data
// there is nothing left that a daemon could do.
func (w *world) keepsQuorum(n *node) bool {
	return w.quorumWithout(n, func(*node) bool { return true })
}

// keepsQuorumFor tells whether it can do so even when everyone has left who is about to.
func (w *world) keepsQuorumFor(n *node) bool {
	return w.quorumWithout(n, func(other *node) bool {
		in, ok := w.cloud.Instance(other.id)
		return ok && in.State == awsfake.Running && in.Lifecycle == "InService" && w.now >= other.recalled
	})
}

// quorumWithout tells whether there is a quorum of voters with data, of those that stay.
func (w *world) quorumWithout(n *node, stays func(*node) bool) bool {
	c := w.served()
	if c == nil || n == nil {
		return false
	}
	keep, voters := 0, 0
	for _, m := range c.Members() {
		if m.Learner {
			continue
		}
		voters++
		if other := w.byID[m.Name]; other != nil && other != n && other.holdsMember(c, m.ID) && stays(other) {
			keep++
		}
	}
	return keep >= states.Quorum(voters)
}

func (n *node) holdsMember(c *etcdfake.Cluster, member uint64) bool {
	id, own := n.etcd.MemberID()
	return !n.gone && !n.spoilt && id == c.ID() && own == member
}

// served is the newest cluster that has ever served.
func (w *world) served() *etcdfake.Cluster {
	var last *etcdfake.Cluster
	for _, c := range w.etcd.Clusters() {
		if !c.Served().IsZero() {
			last = c
		}
	}
	return last
}

// terminate is Auto Scaling ending an instance and starting another.
func (w *world) terminate(n *node, e FaultEvent) {
	if !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	n.endInstance()
}

func (n *node) endInstance() {
	_, _ = n.cloud.AutoScaling(nature).TerminateInstanceInAutoScalingGroup(context.Background(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(n.id), ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
}

func (w *world) reboot(n *node, e FaultEvent) {
	w.record(e)
	_, _ = w.cloud.EC2(nature).RebootInstances(context.Background(), &ec2.RebootInstancesInput{InstanceIds: []string{n.id}})
}

// resize changes the desired capacity. Scaling in chooses its victims without a look at etcd; that of the event is the one that
// was asked about the quorum.
func (w *world) resize(n *node, e FaultEvent) {
	g, _ := w.cloud.Group(groupName)
	if n == nil || e.Size < g.Desired && !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	if e.Size < g.Desired {
		w.sometimes(ScaledIn)
	}
	w.record(e)
	w.setDesired(e.Size)
}

// drawSize draws the new size, and which node is asked about the quorum where the group shrinks.
func drawSize(w *world, s *stream, e *FaultEvent) bool {
	g, _ := w.cloud.Group(groupName)
	e.Size = 3 + s.below(3)
	if e.Size < g.Desired && s.chance(0.5) {
		e.Size = g.Desired - 1
	}
	n := w.someNode(s)
	if n == nil {
		return false
	}
	e.Node = n.ordinal
	return e.Size >= g.Desired || spares(w, s, e)
}

// tamperable lists the records that someone may delete.
func (w *world) tamperable() []awsfake.RecordSet {
	return slices.DeleteFunc(slices.Clone(w.cloud.Records(w.zoneID)), func(r awsfake.RecordSet) bool { return r.Type != "A" && r.Type != "SRV" })
}

func drawRecord(w *world, s *stream, e *FaultEvent) bool {
	records := w.tamperable()
	if len(records) == 0 {
		return false
	}
	r := records[s.below(len(records))]
	e.What = r.Type + " " + r.Name
	return true
}

// tamperDNS is someone else deleting a record of the cluster.
func (w *world) tamperDNS(_ *node, e FaultEvent) {
	for _, r := range w.tamperable() {
		if r.Type+" "+r.Name != e.What {
			continue
		}
		change := r53types.Change{Action: r53types.ChangeActionDelete, ResourceRecordSet: &r53types.ResourceRecordSet{
			Name: aws.String(r.Name), Type: r53types.RRType(r.Type), TTL: aws.Int64(r.TTL),
		}}
		for _, v := range r.Values {
			change.ResourceRecordSet.ResourceRecords = append(change.ResourceRecordSet.ResourceRecords, r53types.ResourceRecord{Value: aws.String(v)})
		}
		w.record(e)
		w.tampered = e.What
		_, _ = w.cloud.Route53(nature).ChangeResourceRecordSets(context.Background(), &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: aws.String(w.zoneID), ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{change}},
		})
		return
	}
}

func (w *world) beginOutage(_ *node, e FaultEvent) {
	w.outage = w.begin(&w.until, e, func() {
		w.outage = false
		w.trace.say("group", "AWS answers again")
	}) || w.outage
}
