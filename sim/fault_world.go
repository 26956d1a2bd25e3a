package sim

import (
	"context"
	"slices"
	"time"

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
	c := w.served()
	if c == nil {
		return false
	}
	keep, voters := 0, 0
	for _, m := range c.Members() {
		if m.Learner {
			continue
		}
		voters++
		if other := w.byID[m.Name]; other != nil && other != n && other.holdsMember(c) {
			keep++
		}
	}
	return keep >= states.Quorum(voters)
}

func (n *node) holdsMember(c *etcdfake.Cluster) bool {
	id, _ := n.etcd.MemberID()
	return !n.gone && !n.spoilt && id == c.ID()
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
	w.endInstance(n)
}

func (w *world) endInstance(n *node) {
	_, _ = w.cloud.AutoScaling(nature).TerminateInstanceInAutoScalingGroup(context.Background(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(n.id), ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
}

func (w *world) restartDaemon(n *node, e FaultEvent) {
	if n.effects == nil {
		return
	}
	w.record(e)
	n.stopping = true
	n.effects.RequestShutdown("SIGTERM")
	n.turn()
}

func (w *world) reboot(n *node, e FaultEvent) {
	w.record(e)
	_, _ = w.cloud.EC2(nature).RebootInstances(context.Background(), &ec2.RebootInstancesInput{InstanceIds: []string{n.id}})
}

// harm spoils the data of a node, or takes it.
func (w *world) harm(n *node, e FaultEvent) {
	if !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	n.harmed = e.Kind
	if e.Kind == Corrupt {
		w.etcd.Corrupt(n.id)
		n.spoilt = true
		return
	}
	w.etcd.LoseDisk(n.id)
	n.spoilt, n.robbed = false, true
}

// resize changes the desired capacity. Scaling in chooses its victims without a look at etcd; that of the event is the one that
// was asked about the quorum.
func (w *world) resize(e FaultEvent) {
	g, _ := w.cloud.Group(groupName)
	if n := w.byOrdinal(e.Node); n == nil || e.Size < g.Desired && !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	if e.Size < g.Desired {
		w.sometimes(ScaledIn)
	}
	w.record(e)
	_, _ = w.cloud.AutoScaling(nature).SetDesiredCapacity(context.Background(), &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String(groupName), DesiredCapacity: aws.Int32(int32(e.Size)),
	})
}

// tamperable lists the records that someone may delete.
func (w *world) tamperable() []awsfake.RecordSet {
	return slices.DeleteFunc(slices.Clone(w.cloud.Records(w.zoneID)), func(r awsfake.RecordSet) bool { return r.Type != "A" && r.Type != "SRV" })
}

// tamperDNS is someone else deleting a record of the cluster.
func (w *world) tamperDNS(e FaultEvent) {
	for _, r := range w.tamperable() {
		if r.Type+" "+r.Name != e.Record {
			continue
		}
		change := r53types.Change{Action: r53types.ChangeActionDelete, ResourceRecordSet: &r53types.ResourceRecordSet{
			Name: aws.String(r.Name), Type: r53types.RRType(r.Type), TTL: aws.Int64(r.TTL),
		}}
		for _, v := range r.Values {
			change.ResourceRecordSet.ResourceRecords = append(change.ResourceRecordSet.ResourceRecords, r53types.ResourceRecord{Value: aws.String(v)})
		}
		w.record(e)
		w.tampered = e.Record
		_, _ = w.cloud.Route53(nature).ChangeResourceRecordSets(context.Background(), &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: aws.String(w.zoneID), ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{change}},
		})
		return
	}
}

func (w *world) beginOutage(e FaultEvent) {
	if w.outage {
		return
	}
	w.outage = true
	w.record(e)
	w.at(time.Duration(e.For), func() {
		if w.outage {
			w.outage = false
			w.trace.say("group", "AWS answers again")
		}
	})
}
