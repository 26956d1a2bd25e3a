package awsfake_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// An operator takes an instance out of its group, and it goes on running.
func TestDetach(t *testing.T) {
	for _, shrink := range []bool{false, true} {
		w := newWorld(t, 3, nil)
		w.sleep(time.Minute)
		id := w.Instances()[1].ID
		detach := func() error {
			_, err := w.AutoScaling("test").DetachInstances(ctx, &autoscaling.DetachInstancesInput{AutoScalingGroupName: aws.String("etcd"), InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: &shrink})
			return err
		}
		must(t, detach())
		expect(t, "twice", code(detach()), "ValidationError")
		w.sleep(time.Minute)
		want := "InService InService InService"
		if shrink {
			want = "InService InService"
		}
		expect(t, "group", w.lifecycle(), want)
		i, _ := w.Instance(id)
		expect(t, "it runs", i.State, awsfake.Running)
		_, tagged := i.Tag(awsfake.GroupNameTag)
		expect(t, "it has the group's tag", tagged, false)
		_, grouped := w.IMDS(id).TargetLifecycleState()
		expect(t, "it is in a group", grouped, false)
	}
}

func TestStandby(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.sleep(time.Minute)
	ids := []string{w.Instances()[1].ID}
	_, err := w.AutoScaling("test").EnterStandby(ctx, &autoscaling.EnterStandbyInput{AutoScalingGroupName: aws.String("etcd"), InstanceIds: ids, ShouldDecrementDesiredCapacity: aws.Bool(true)})
	must(t, err)
	stopAndStart(t, w, ids) // its health is not looked at
	expect(t, "parked", w.lifecycle(), "InService Standby InService")
	target, _ := w.IMDS(ids[0]).TargetLifecycleState()
	expect(t, "target", target, "Standby")
	exit := func() error {
		_, err := w.AutoScaling("test").ExitStandby(ctx, &autoscaling.ExitStandbyInput{AutoScalingGroupName: aws.String("etcd"), InstanceIds: ids})
		return err
	}
	must(t, exit())
	i, _ := w.Instance(ids[0])
	expect(t, "health", i.Health, "Healthy")
	expect(t, "twice", code(exit()), "ValidationError")
	w.sleep(time.Minute)
	expect(t, "back", w.lifecycle(), "InService InService InService")
}
