package sim

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// refresh replaces the instances that there are, one after the other, and does not look at etcd.
func (w *world) refresh(_ *node, e FaultEvent) {
	if len(w.nodes) == 0 || !w.begin(&w.until, e, nil) {
		return
	}
	pace := time.Duration(e.Size) * time.Second
	for i, n := range w.running() {
		w.at(time.Duration(i)*pace, func() {
			if w.chaos && n.on && w.keepsQuorum(n) {
				n.endInstance()
			}
		})
	}
}

// rebalance is Auto Scaling evening out its zones: it launches first, which may be more than the group is to have at most, and
// terminates later.
func (w *world) rebalance(n *node, e FaultEvent) {
	if e.Reckless || w.keepsQuorum(n) {
		w.record(e)
		w.cloud.Rebalance(groupName)
	}
}

// groupRefresh is the instance refresh of Auto Scaling, with its own pace.
func (w *world) groupRefresh(_ *node, e FaultEvent) {
	if len(w.running()) < 3 || w.served() == nil {
		return
	}
	w.record(e)
	_, _ = w.cloud.AutoScaling(nature).StartInstanceRefresh(context.Background(), &autoscaling.StartInstanceRefreshInput{
		AutoScalingGroupName: aws.String(groupName), Preferences: &astypes.RefreshPreferences{InstanceWarmup: aws.Int32(int32(e.Size))},
	})
	w.lasts(time.Duration(w.plan.Chaos), func() {
		_, _ = w.cloud.AutoScaling(nature).CancelInstanceRefresh(context.Background(), &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String(groupName)})
	})
}

// detach takes an instance out of the group, which replaces it. It runs on, with its etcd, until its operator ends it.
func (w *world) detach(n *node, e FaultEvent) {
	if !w.keepsQuorum(n) || !w.inService(n) || !w.begin(&n.host.until, e, func() {
		_, _ = w.cloud.EC2(nature).TerminateInstances(context.Background(), &ec2.TerminateInstancesInput{InstanceIds: []string{n.id}})
	}) {
		return
	}
	n.recalled = w.now + time.Duration(e.For)
	_, _ = w.cloud.AutoScaling(nature).DetachInstances(context.Background(), &autoscaling.DetachInstancesInput{
		AutoScalingGroupName: aws.String(groupName), InstanceIds: []string{n.id}, ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
}

// park puts an instance into Standby, with the desired capacity lowered by it, and takes it back later.
func (w *world) park(n *node, e FaultEvent) {
	if !w.inService(n) || !w.begin(&n.host.until, e, func() {
		if g, _ := w.cloud.Group(groupName); g.Desired == g.Max {
			w.setDesired(g.Max - 1) // else there is no room for it
		}
		_, _ = w.cloud.AutoScaling(nature).ExitStandby(context.Background(), &autoscaling.ExitStandbyInput{
			AutoScalingGroupName: aws.String(groupName), InstanceIds: []string{n.id},
		})
	}) {
		return
	}
	_, _ = w.cloud.AutoScaling(nature).EnterStandby(context.Background(), &autoscaling.EnterStandbyInput{
		AutoScalingGroupName: aws.String(groupName), InstanceIds: []string{n.id}, ShouldDecrementDesiredCapacity: aws.Bool(true),
	})
}

func (w *world) inService(n *node) bool {
	in, ok := w.cloud.Instance(n.id)
	return ok && in.Lifecycle == "InService"
}

// launchSlowly keeps new instances pending for long.
func launchSlowly(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.LaunchSlowly(time.Duration(e.Size)*time.Second, lasts)
}

func (w *world) setDesired(size int) {
	_, _ = w.cloud.AutoScaling(nature).SetDesiredCapacity(context.Background(), &autoscaling.SetDesiredCapacityInput{
		AutoScalingGroupName: aws.String(groupName), DesiredCapacity: aws.Int32(int32(size)),
	})
}

func drawPace(_ *world, s *stream, e *FaultEvent) bool {
	e.Size = int(s.rate(1, 600))
	return true
}
