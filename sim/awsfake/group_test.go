package awsfake_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

func setDesired(t *testing.T, w *world, n int32) error {
	t.Helper()
	_, err := w.AutoScaling("test").SetDesiredCapacity(ctx, &autoscaling.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("etcd"), DesiredCapacity: &n})
	return err
}

func terminateMember(w *world, id string, shrink bool) error {
	_, err := w.AutoScaling("test").TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{InstanceId: &id, ShouldDecrementDesiredCapacity: &shrink})
	return err
}

func suspend(t *testing.T, w *world, processes ...string) {
	t.Helper()
	_, err := w.AutoScaling("test").SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: aws.String("etcd"), ScalingProcesses: processes})
	must(t, err)
}

func TestGroupLaunchesBalanced(t *testing.T) {
	w := newWorld(t, 3, nil)
	expect(t, "at once", w.lifecycle(), "Pending Pending Pending")
	w.sleep(59 * time.Second)
	expect(t, "booting", len(w.events), 0)
	w.sleep(time.Second)
	expect(t, "booted", w.lifecycle(), "InService InService InService")
	expect(t, "hooks", strings.Join(w.events, " "), "+10.0.0.11 +10.0.0.12 +10.0.0.13")
	var zones []string
	for _, i := range w.Instances() {
		zones = append(zones, i.Zone)
		name, _ := i.Tag("Name")
		_, inherited := i.Tag("Own")
		expect(t, "propagated tag", name, "etcd-node")
		expect(t, "other tag", inherited, false)
	}
	expect(t, "zones", strings.Join(zones, " "), "eu-central-1a eu-central-1b eu-central-1c")
}

func TestGroupReplaces(t *testing.T) {
	tests := map[string]func(*testing.T, *world, string) error{
		"terminated through the group": func(t *testing.T, w *world, id string) error { return terminateMember(w, id, false) },
		"terminated through EC2": func(t *testing.T, w *world, id string) error {
			_, err := w.EC2("test").TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
			return err
		},
		"stopped": func(t *testing.T, w *world, id string) error {
			_, err := w.EC2("test").StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
			return err
		},
		"reported unhealthy": func(t *testing.T, w *world, id string) error {
			_, err := w.AutoScaling("test").SetInstanceHealth(ctx, &autoscaling.SetInstanceHealthInput{InstanceId: &id, HealthStatus: aws.String("Unhealthy")})
			return err
		},
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 3, nil)
			w.sleep(time.Minute)
			gone := w.Instances()[1]
			must(t, end(t, w, gone.ID))
			expect(t, "at once", w.lifecycle(), "InService Terminating InService Pending")
			w.sleep(time.Minute)
			expect(t, "later", w.lifecycle(), "InService InService InService")
			last := w.Instances()[3]
			expect(t, "zone of the replacement", last.Zone, gone.Zone)
			expect(t, "hooks", strings.Join(w.events[3:], " "), "-10.0.0.12 +10.0.0.14")
			old, ok := w.Instance(gone.ID)
			expect(t, "still described", ok && old.State == awsfake.Terminated, true)
			w.sleep(time.Hour)
			_, ok = w.Instance(gone.ID)
			expect(t, "described after an hour", ok, false)
		})
	}
}

func TestGroupScales(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.sleep(time.Minute)
	must(t, setDesired(t, w, 5))
	w.sleep(time.Minute)
	must(t, setDesired(t, w, 3))
	expect(t, "the oldest of the fullest zones", w.lifecycle(), "Terminating Terminating InService InService InService")
	expect(t, "above max", code(setDesired(t, w, 6)), "ValidationError")
	expect(t, "below min", code(setDesired(t, w, 0)), "ValidationError")
	id := w.Instances()[2].ID
	must(t, terminateMember(w, id, true))
	g, _ := w.Group("etcd")
	expect(t, "decremented", g.Desired, 2)
	expect(t, "unknown instance", message(terminateMember(w, "i-0123456789abcdef0", false)), "Instance Id not found - No managed instance found for instance ID: i-0123456789abcdef0")
}

func TestGroupSuspended(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.sleep(time.Minute)
	suspend(t, w, "Launch")
	must(t, terminateMember(w, w.Instances()[0].ID, false))
	w.sleep(time.Hour)
	expect(t, "no launch", w.lifecycle(), "InService InService")
	suspend(t, w, "Terminate")
	must(t, setDesired(t, w, 1))
	expect(t, "no scale-in", w.lifecycle(), "InService InService")
	_, err := w.AutoScaling("test").ResumeProcesses(ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String("etcd")})
	must(t, err)
	expect(t, "resumed", w.lifecycle(), "Terminating InService")
}

func TestGroupLaunchFailure(t *testing.T) {
	broken := true
	w := newWorld(t, 1, func(o *awsfake.Options) {
		o.Fault = func(c awsfake.Call) (f awsfake.Fault) {
			if broken && c.Action == "RunInstances" {
				f.Err = awsfake.Error("InsufficientInstanceCapacity", "none left")
			}
			return f
		}
	})
	w.sleep(10 * time.Minute)
	expect(t, "no capacity", len(w.Instances()), 0)
	broken = false
	w.sleep(2 * time.Minute)
	expect(t, "capacity again", w.lifecycle(), "InService")
}

func TestStopStartReboot(t *testing.T) {
	w := newWorld(t, 1, func(o *awsfake.Options) { o.HealthCheckDelay = 10 * time.Minute })
	w.sleep(time.Minute)
	before := w.Instances()[0]
	ids := []string{before.ID}
	_, err := w.EC2("test").StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
	must(t, err)
	w.sleep(time.Minute)
	_, err = w.EC2("test").StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
	must(t, err)
	w.sleep(time.Minute)
	_, err = w.EC2("test").RebootInstances(ctx, &ec2.RebootInstancesInput{InstanceIds: ids})
	must(t, err)
	w.sleep(time.Hour)
	after := w.Instances()[0]
	expect(t, "same machine", after.ID+after.PrivateIP+after.State, before.ID+before.PrivateIP+awsfake.Running)
	expect(t, "hooks", strings.Join(w.events, " "), "+10.0.0.11 -10.0.0.11 +10.0.0.11 -10.0.0.11 +10.0.0.11")
	expect(t, "one instance", len(w.Instances()), 1)
}

func TestLifecycleHook(t *testing.T) {
	for _, end := range []string{"complete", "timeout"} {
		w := newWorld(t, 1, nil)
		w.sleep(time.Minute)
		_, err := w.AutoScaling("test").PutLifecycleHook(ctx, &autoscaling.PutLifecycleHookInput{AutoScalingGroupName: aws.String("etcd"),
			LifecycleHookName: aws.String("leave"), LifecycleTransition: aws.String(awsfake.Terminating), HeartbeatTimeout: aws.Int32(300)})
		must(t, err)
		id := w.Instances()[0].ID
		complete := func() error {
			_, err := w.AutoScaling(id).CompleteLifecycleAction(ctx, &autoscaling.CompleteLifecycleActionInput{AutoScalingGroupName: aws.String("etcd"),
				LifecycleHookName: aws.String("leave"), InstanceId: &id, LifecycleActionResult: aws.String("CONTINUE")})
			return err
		}
		expect(t, "nothing to complete", message(complete()), "No active Lifecycle Action found with instance ID "+id)
		must(t, terminateMember(w, id, false))
		target, _ := w.IMDS(id).TargetLifecycleState()
		expect(t, "target", target, "Terminated")
		w.sleep(2 * time.Minute)
		expect(t, "held", w.lifecycle(), "Terminating:Wait InService")
		if end == "complete" {
			must(t, complete())
		} else {
			w.sleep(181 * time.Second)
		}
		expect(t, end, w.lifecycle(), "Terminating InService")
	}
}

func TestDeleteGroup(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.sleep(time.Minute)
	remove := func(force bool) error {
		_, err := w.AutoScaling("test").DeleteAutoScalingGroup(ctx, &autoscaling.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("etcd"), ForceDelete: &force})
		return err
	}
	expect(t, "with instances", code(remove(false)), "ResourceInUse")
	must(t, remove(true))
	w.sleep(time.Minute)
	_, exists := w.Group("etcd")
	expect(t, "exists", exists, false)
}

func TestSpotInterruption(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	id := w.Instances()[0].ID
	w.InterruptSpot(id, 2*time.Minute)
	notice, ok := w.IMDS(id).SpotAction()
	expect(t, "notice", ok && strings.Contains(notice, `"action":"terminate"`), true)
	w.sleep(3 * time.Minute)
	i, _ := w.Instance(id)
	expect(t, "state", i.State, awsfake.Terminated)
}

func TestTimeoutAfterSuccess(t *testing.T) {
	lost := errors.New("i/o timeout")
	w := newWorld(t, 1, func(o *awsfake.Options) {
		o.Fault = func(c awsfake.Call) (f awsfake.Fault) {
			if c.Action == "SetDesiredCapacity" {
				f = awsfake.Fault{Err: lost, Apply: c.Ordinal == 2}
			}
			return f
		}
	})
	expect(t, "error", setDesired(t, w, 2), lost)
	expect(t, "not applied", len(w.Instances()), 1)
	expect(t, "error", setDesired(t, w, 2), lost)
	expect(t, "applied", len(w.Instances()), 2)
	expect(t, "calls", w.CallCount("test", "SetDesiredCapacity"), 2)
}

func resume(t *testing.T, w *world) {
	t.Helper()
	_, err := w.AutoScaling("test").ResumeProcesses(ctx, &autoscaling.ResumeProcessesInput{AutoScalingGroupName: aws.String("etcd")})
	must(t, err)
}
