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
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// nature is the caller that is no daemon: the operator, Auto Scaling, bad luck. Its calls never fail.
const nature = "nature"

// maxStale is the oldest state that a describe call answers from. AWS names no bound; its advice is to wait out minutes.
const maxStale = 50 * time.Second

var (
	errInternal  = awsfake.Error("InternalError", "An internal error has occurred")
	errThrottled = awsfake.Error("RequestLimitExceeded", "Request limit exceeded.")
	errOutage    = awsfake.Error("ServiceUnavailable", "Service is unavailable")
)

// awsFault spoils AWS calls of daemons.
func (w *world) awsFault(c awsfake.Call) awsfake.Fault {
	n := w.byID[c.Caller]
	if n == nil || !w.chaos {
		return awsfake.Fault{}
	}
	n.crashPoint()
	if c.Service == "imds" {
		if w.calls.chance(w.plan.AWSError / 4) {
			return awsfake.Fault{Err: errInternal}
		}
		return awsfake.Fault{}
	}
	p := &w.plan
	switch {
	case w.outage:
		return awsfake.Fault{Err: errOutage}
	case w.calls.chance(p.AWSError):
		w.note("aws error")
		return awsfake.Fault{Err: errInternal}
	case w.calls.chance(p.AWSThrottle):
		w.note("aws throttle")
		return awsfake.Fault{Err: errThrottled}
	case w.calls.chance(p.AWSLost):
		w.note("aws answer lost")
		return awsfake.Fault{Err: context.DeadlineExceeded, Apply: true}
	case w.calls.chance(p.AWSStale):
		w.note("aws stale read")
		return awsfake.Fault{Stale: w.calls.between(0, maxStale), OmitNewest: w.calls.chance(0.2)}
	}
	return awsfake.Fault{}
}

// etcdFault spoils calls of daemons to etcd.
func (w *world) etcdFault(c etcdfake.Call) etcdfake.Fault {
	n := w.byID[c.Caller]
	if n == nil || !w.chaos {
		return etcdfake.Fault{}
	}
	n.crashPoint()
	switch {
	case w.calls.chance(w.plan.EtcdError / 4):
		w.note("etcd call fails")
		return etcdfake.Fault{Err: etcdfake.Timeout}
	case w.calls.chance(w.plan.EtcdLost / 4):
		w.note("etcd answer lost")
		return etcdfake.Fault{Err: etcdfake.Timeout, Apply: true}
	}
	return etcdfake.Fault{}
}

// launch makes the account, the zone and the group.
func (w *world) launch() {
	ctx := context.Background()
	r53 := w.cloud.Route53(nature)
	zone, err := r53.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{
		Name: aws.String(zoneName), CallerReference: aws.String("sim"), VPC: &r53types.VPC{VPCId: aws.String("vpc-1"), VPCRegion: "eu-central-1"},
	})
	must(err)
	w.zoneID = aws.ToString(zone.HostedZone.Id)[len("/hostedzone/"):]
	_, err = w.cloud.S3(nature).CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: aws.String(bucket), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"},
	})
	must(err)
	_, err = w.cloud.AutoScaling(nature).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(groupName), MinSize: aws.Int32(0), MaxSize: aws.Int32(7), DesiredCapacity: aws.Int32(int32(w.plan.Nodes)),
		AvailabilityZones: []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
	})
	must(err)
	if w.plan.Hook {
		_, err = w.cloud.AutoScaling(nature).PutLifecycleHook(ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: aws.String(groupName), LifecycleHookName: aws.String("leave"),
			LifecycleTransition: aws.String(awsfake.Terminating), HeartbeatTimeout: aws.Int32(60), DefaultResult: aws.String("CONTINUE"),
		})
		must(err)
	}
}

func must(err error) {
	if err != nil {
		panic(err) // the simulator's own set-up
	}
}

// runChaos makes faults for as long as the plan says.
func (w *world) runChaos() {
	p := &w.plan
	for _, f := range []struct {
		mean time.Duration
		do   func()
	}{
		{p.EtcdCrash, w.crashEtcd}, {p.Terminate, w.terminate}, {p.DaemonRestart, w.restartDaemon}, {p.Reboot, w.reboot},
		{p.Corrupt, w.corrupt}, {p.LoseDisk, w.loseDisk}, {p.Resize, w.resize}, {p.DNSTamper, w.tamperDNS}, {p.Outage, w.beginOutage},
	} {
		if f.mean > 0 {
			w.repeat(f.mean, f.do)
		}
	}
	w.writeForever()
	w.run(p.Chaos)
}

func (w *world) repeat(mean time.Duration, do func()) {
	w.at(w.life.pause(mean), func() {
		if w.chaos {
			do()
			w.repeat(mean, do)
		}
	})
}

// writeForever is a client. What etcd acknowledges to it must never be lost, which the fake itself keeps an eye on.
func (w *world) writeForever() {
	w.at(2*time.Second, func() {
		if len(w.nodes) > 0 {
			_ = w.etcd.Write(w.nodes[w.life.below(len(w.nodes))].address)
		}
		w.writeForever()
	})
}

// someNode picks a running instance.
func (w *world) someNode() *node {
	var up []*node
	for _, n := range w.nodes {
		if n.on && !n.gone {
			up = append(up, n)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return up[w.life.below(len(up))]
}

// spares tells whether the cluster, if there is one, can lose this node for good. Faults that destroy data mostly keep to
// that: without a quorum of data there is nothing left that a daemon could do.
func (w *world) spares(n *node) bool {
	c := w.served()
	if c == nil {
		return w.life.chance(0.5)
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
	return keep >= states.Quorum(voters) || w.life.chance(0.02)
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

func (w *world) crashEtcd() {
	if n := w.someNode(); n != nil {
		w.trace.fault(n, "etcd crashes")
		w.etcd.Crash(n.id)
	}
}

func (w *world) terminate() {
	n := w.someNode()
	if n == nil || !w.spares(n) {
		return
	}
	w.trace.fault(n, "the group terminates the instance")
	_, _ = w.cloud.AutoScaling(nature).TerminateInstanceInAutoScalingGroup(context.Background(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(n.id), ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
}

func (w *world) restartDaemon() {
	n := w.someNode()
	if n == nil || n.effects == nil {
		return
	}
	w.trace.fault(n, "daemon gets SIGTERM")
	n.stopping = true
	n.effects.RequestShutdown("SIGTERM")
	n.turn()
}

func (w *world) reboot() {
	if n := w.someNode(); n != nil {
		w.trace.fault(n, "instance reboots")
		_, _ = w.cloud.EC2(nature).RebootInstances(context.Background(), &ec2.RebootInstancesInput{InstanceIds: []string{n.id}})
	}
}

func (w *world) corrupt() {
	if n := w.someNode(); n != nil && w.spares(n) {
		w.trace.fault(n, "data directory is spoilt")
		w.etcd.Corrupt(n.id)
		n.spoilt = true
	}
}

func (w *world) loseDisk() {
	if n := w.someNode(); n != nil && w.spares(n) {
		w.trace.fault(n, "disk is lost")
		w.etcd.LoseDisk(n.id)
		n.spoilt, n.robbed = false, true
	}
}

func (w *world) resize() {
	size := []int32{3, 4, 5}[w.life.below(3)]
	g, _ := w.cloud.Group(groupName)
	if int(size) < g.Desired && w.life.chance(0.5) {
		size = int32(g.Desired - 1) // scaling in chooses its victims without a look at etcd
	}
	if n := w.someNode(); n == nil || int(size) < g.Desired && !w.spares(n) {
		return
	}
	w.trace.say("group is resized from %d to %d", g.Desired, size)
	_, _ = w.cloud.AutoScaling(nature).SetDesiredCapacity(context.Background(), &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String(groupName), DesiredCapacity: aws.Int32(size),
	})
}

// tamperDNS is someone else changing or deleting a record of the cluster.
func (w *world) tamperDNS() {
	records := slices.DeleteFunc(slices.Clone(w.cloud.Records(w.zoneID)), func(r awsfake.RecordSet) bool { return r.Type != "A" && r.Type != "SRV" })
	if len(records) == 0 {
		return
	}
	r := records[w.life.below(len(records))]
	change := r53types.Change{Action: r53types.ChangeActionDelete, ResourceRecordSet: &r53types.ResourceRecordSet{
		Name: aws.String(r.Name), Type: r53types.RRType(r.Type), TTL: aws.Int64(r.TTL),
	}}
	for _, v := range r.Values {
		change.ResourceRecordSet.ResourceRecords = append(change.ResourceRecordSet.ResourceRecords, r53types.ResourceRecord{Value: aws.String(v)})
	}
	w.trace.say("someone deletes %s %s", r.Type, r.Name)
	w.note("dns tampered")
	_, _ = w.cloud.Route53(nature).ChangeResourceRecordSets(context.Background(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(w.zoneID), ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{change}},
	})
}

func (w *world) beginOutage() {
	if w.outage {
		return
	}
	w.outage = true
	w.trace.say("AWS stops answering")
	w.note("aws outage")
	w.at(w.life.between(time.Minute, 15*time.Minute), func() {
		w.outage = false
		w.trace.say("AWS answers again")
	})
}
