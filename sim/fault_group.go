package sim

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// drawFar scales the group to one or to nothing, or far out. What it takes is mostly asked about first.
func drawFar(w *world, s *stream, e *FaultEvent) bool {
	g, _ := w.cloud.Group(groupName)
	e.Size = []int{1, 1, 2, 7}[s.below(4)]
	n := w.someNode(s)
	if n == nil || e.Size == g.Desired {
		return false
	}
	e.Node = n.ordinal
	if e.Size < g.Desired && !w.plan.Hook {
		return spares(w, s, e) && g.Desired-e.Size == 1 || e.Reckless
	}
	return true
}

// spotNotice takes a spot instance back, two minutes from now.
func (w *world) spotNotice(n *node, e FaultEvent) {
	if !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	n.recalled = w.now + 2*time.Minute
	w.cloud.InterruptSpot(n.id, 2*time.Minute)
}

// warn lets the metadata of an instance tell of what is to come. A recommendation stands for as long as the instance does.
func (w *world) warn(n *node, e FaultEvent) {
	if !w.begin(&n.host.until, e, func() { w.cloud.ScheduleEvent(n.id, "", 0) }) {
		return
	}
	if e.What == "rebalance" {
		w.cloud.RecommendRebalance(n.id)
	} else {
		w.cloud.ScheduleEvent(n.id, e.What, time.Duration(e.For))
	}
}

// warned tells whether AWS has warned an instance that it does not end yet.
func (n *node) warned() bool {
	m := n.cloud.IMDS(n.id)
	_, rebalance := m.Rebalance()
	return (rebalance || m.Scheduled() != "[]") && !n.ending()
}

// failHealth lets the status check of an instance that is well fail, so that the group replaces it.
func (w *world) failHealth(n *node, e FaultEvent) {
	if !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	n.recalled = w.now + time.Minute
	w.cloud.FailHealthCheck(n.id, time.Duration(e.For))
}

// stopInstance stops an instance and starts it later, with its disk, or with an empty one as an instance store is. The group would
// replace it, so that somebody suspends that first.
func (w *world) stopInstance(n *node, e FaultEvent) {
	if !e.Reckless && !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	ctx, ids := context.Background(), []string{n.id}
	w.suspend("HealthCheck", "ReplaceUnhealthy")
	_, _ = w.cloud.EC2(nature).StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
	if e.What == diskLost {
		n.harmed, n.spoilt, n.robbed = LoseDisk, false, true
		w.at(time.Second, func() { w.etcd.LoseDisk(n.id) })
	}
	w.lasts(max(shutdownDelay+time.Second, time.Duration(e.For)), func() { w.startInstance(n.id) })
}

// startInstance starts a stopped instance; one that is still stopping a moment later.
func (w *world) startInstance(id string) {
	if in, ok := w.cloud.Instance(id); ok && in.State == awsfake.Stopping {
		w.at(time.Second, func() { w.startInstance(id) })
		return
	}
	_, _ = w.cloud.EC2(nature).StartInstances(context.Background(), &ec2.StartInstancesInput{InstanceIds: []string{id}})
	w.resume("HealthCheck", "ReplaceUnhealthy")
}

const diskLost = "disk lost"

func drawStop(w *world, s *stream, e *FaultEvent) bool {
	if s.chance(0.3) {
		e.What = diskLost
	}
	return spares(w, s, e)
}

// shutdownDelay is how long an instance takes to stop.
const shutdownDelay = 10 * time.Second

// suspendProcess keeps the group from launching, or from ending, instances.
func (w *world) suspendProcess(_ *node, e FaultEvent) {
	if w.begin(&w.until, e, func() { w.resume(e.What) }) {
		w.suspend(e.What)
	}
}

func (w *world) suspend(processes ...string) {
	_, _ = w.cloud.AutoScaling(nature).SuspendProcesses(context.Background(), &autoscaling.SuspendProcessesInput{
		AutoScalingGroupName: aws.String(groupName), ScalingProcesses: processes,
	})
}

func (w *world) resume(processes ...string) {
	_, _ = w.cloud.AutoScaling(nature).ResumeProcesses(context.Background(), &autoscaling.ResumeProcessesInput{
		AutoScalingGroupName: aws.String(groupName), ScalingProcesses: processes,
	})
}

// running lists the instances that run.
func (w *world) running() (list []*node) {
	for _, n := range w.nodes {
		if n.on && !n.gone {
			list = append(list, n)
		}
	}
	return list
}

// rebootAll is a power cut, or a patch day: every instance goes down at once and comes back with its disk.
func (w *world) rebootAll(_ *node, e FaultEvent) {
	w.record(e)
	for _, n := range w.running() {
		_, _ = w.cloud.EC2(nature).RebootInstances(context.Background(), &ec2.RebootInstancesInput{InstanceIds: []string{n.id}})
	}
}

// loseAZ ends all instances of an availability zone, which has none to give for a while.
func (w *world) loseAZ(n *node, e FaultEvent) {
	in, _ := w.cloud.Instance(n.id)
	if !w.keepsQuorum(n) {
		return
	}
	w.record(e)
	w.cloud.NoCapacity(in.Zone, time.Duration(e.For))
	for _, other := range w.running() {
		if o, _ := w.cloud.Instance(other.id); o.Zone == in.Zone && w.keepsQuorum(other) {
			_, _ = w.cloud.EC2(nature).TerminateInstances(context.Background(), &ec2.TerminateInstancesInput{InstanceIds: []string{other.id}})
		}
	}
}

// endAll ends all instances, one after the other, whatever becomes of their data. EC2 takes them, so that no hook is waited for.
func (w *world) endAll(_ *node, e FaultEvent) {
	w.record(e)
	for i, n := range w.running() {
		w.lasts(time.Duration(e.For)*time.Duration(i)/time.Duration(len(w.running())), func() {
			_, _ = w.cloud.EC2(nature).TerminateInstances(context.Background(), &ec2.TerminateInstancesInput{InstanceIds: []string{n.id}})
		})
	}
}

// completeHook ends the wait of an instance that is leaving, before its daemon is done.
func (n *node) completeHook() {
	_, _ = n.cloud.AutoScaling(nature).CompleteLifecycleAction(context.Background(), &autoscaling.CompleteLifecycleActionInput{
		AutoScalingGroupName: aws.String(groupName), LifecycleHookName: aws.String(terminatingHook), InstanceId: aws.String(n.id),
		LifecycleActionResult: aws.String("ABANDON"),
	})
}

// leaving tells whether the instance waits to leave.
func leaving(w *world, _ *stream, e *FaultEvent) bool {
	n := w.byOrdinal(e.Node)
	if n == nil {
		return false
	}
	in, _ := w.cloud.Instance(n.id)
	return in.Lifecycle == "Terminating:Wait"
}

// launchHook gives the group a hook that holds new instances for a minute: their daemons run, and they are not in service.
func (w *world) launchHook(_ *node, e FaultEvent) {
	g, _ := w.cloud.Group(groupName)
	if slices.ContainsFunc(g.Hooks, func(h awsfake.Hook) bool { return h.Transition == awsfake.Launching }) {
		return
	}
	w.record(e)
	_, _ = w.cloud.AutoScaling(nature).PutLifecycleHook(context.Background(), &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: aws.String(groupName), LifecycleHookName: aws.String(launchingHook),
		LifecycleTransition: aws.String(awsfake.Launching), HeartbeatTimeout: aws.Int32(60), DefaultResult: aws.String(e.What),
	})
}

func noCapacity(w *world, _ *node, _ *FaultEvent, lasts time.Duration) { w.cloud.NoCapacity("", lasts) }
func reuseAddresses(w *world, _ *node, _ *FaultEvent, lasts time.Duration) {
	w.cloud.ReuseAddresses(lasts)
}
func bootAndDie(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.BootAndDie(time.Duration(e.Size)*time.Second, lasts)
}

// foreignGroup is another group whose name begins like that of the cluster's, with instances that have nothing to do with it.
func (w *world) foreignGroup(_ *node, e FaultEvent) {
	if _, made := w.cloud.Group(foreign); made {
		return
	}
	w.record(e)
	_, _ = w.cloud.AutoScaling(nature).CreateAutoScalingGroup(context.Background(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(foreign), MinSize: aws.Int32(0), MaxSize: aws.Int32(3), DesiredCapacity: aws.Int32(2),
		AvailabilityZones: []string{"eu-central-1a", "eu-central-1b"},
	})
}

const foreign = groupName + "-2"
