package awsfake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// counts are the smallest and largest numbers of instances in service and in all
// that a group has over a time, looked at every second.
func counts(w *world, d time.Duration) string {
	lowest, highest := 1000, 0
	for range int(d / time.Second) {
		w.sleep(time.Second)
		serving, all := 0, 0
		for _, i := range w.Instances() {
			if i.Lifecycle == "InService" {
				serving++
			}
			if i.Lifecycle != "" && !strings.HasPrefix(i.Lifecycle, "Terminating") {
				all++
			}
		}
		lowest, highest = min(lowest, serving), max(highest, all)
	}
	return fmt.Sprintf("%d-%d", lowest, highest)
}

// A zone comes back, and the group moves an instance there, launched first.
func TestRebalance(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.NoCapacity("eu-central-1c", time.Hour)
	w.sleep(time.Minute)
	must(t, terminateMember(w, w.Instances()[2].ID, false))
	w.sleep(time.Minute)
	expect(t, "uneven", zones(w), "a b a")
	w.sleep(time.Hour)
	expect(t, "begun", w.Rebalance("etcd"), true)
	expect(t, "launched first", w.lifecycle(), "InService InService InService Pending")
	expect(t, "never fewer, one more", counts(w, 10*time.Minute), "3-4")
	expect(t, "even", zones(w), "b a c")
	expect(t, "in the end", w.lifecycle(), "InService InService InService")
}

// Without Terminate the group grows up to a tenth, or one, over its maximum.
func TestRebalanceWithoutTerminate(t *testing.T) {
	w := newWorld(t, 5, nil)
	w.sleep(time.Minute)
	suspend(t, w, "Terminate")
	for range 3 {
		w.Rebalance("etcd")
		w.sleep(10 * time.Minute)
	}
	expect(t, "above the maximum of 5", zones(w), "a b c a b a")
	resume(t, w)
	w.sleep(10 * time.Minute)
	expect(t, "resumed", strings.Count(w.lifecycle(), "InService"), 5)

	for _, process := range []string{"Launch", "AZRebalance"} {
		suspend(t, w, process)
		expect(t, "without "+process, w.Rebalance("etcd"), false)
		resume(t, w)
	}
}

func maintain(t *testing.T, w *world, low, high int32) {
	t.Helper()
	_, err := w.AutoScaling("test").UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("etcd"),
		InstanceMaintenancePolicy: &types.InstanceMaintenancePolicy{MinHealthyPercentage: &low, MaxHealthyPercentage: &high}})
	must(t, err)
}

// With a maintenance policy an unhealthy instance waits for its replacement, but
// not one that does not run.
func TestMaintenancePolicy(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.sleep(time.Minute)
	maintain(t, w, 100, 134)
	w.FailHealthCheck(w.Instances()[1].ID, time.Hour)
	expect(t, "launched first", w.lifecycle(), "InService InService InService Pending")
	w.sleep(time.Minute)
	expect(t, "then terminated", w.lifecycle(), "InService Terminating InService InService")
	w.sleep(time.Minute)
	must(t, terminateMember(w, w.Instances()[0].ID, false))
	expect(t, "at a user's wish at once", w.lifecycle(), "Terminating InService InService Pending")
	w.sleep(time.Minute)
	_, err := w.EC2("test").StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{w.Instances()[4].ID}})
	must(t, err)
	expect(t, "stopped: at once", w.lifecycle(), "InService InService Terminating Pending")
	w.sleep(time.Minute)
	maintain(t, w, -1, -1)
	w.FailHealthCheck(w.Instances()[2].ID, time.Hour)
	expect(t, "policy cleared", w.lifecycle(), "Terminating InService InService Pending")
}

func TestBoundsAreChecked(t *testing.T) {
	w := newWorld(t, 1, nil)
	for _, b := range [][2]int32{{-2, 100}, {101, 110}, {100, 99}, {50, 201}, {0, 150}} {
		_, err := w.AutoScaling("test").UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("etcd"),
			InstanceMaintenancePolicy: &types.InstanceMaintenancePolicy{MinHealthyPercentage: &b[0], MaxHealthyPercentage: &b[1]}})
		expect(t, fmt.Sprint(b), code(err), "ValidationError")
	}
}

// What lives on the host is gone after a stop, not after a reboot.
func TestInstanceStore(t *testing.T) {
	for _, store := range []bool{false, true} {
		var disks []int
		w := newWorld(t, 1, func(o *awsfake.Options) {
			o.InstanceStore, o.HealthCheckDelay = store, time.Hour
			o.OnRunning = func(i awsfake.Instance) { disks = append(disks, i.Disk) }
		})
		w.sleep(time.Minute)
		ids := []string{w.Instances()[0].ID}
		reboot(t, w, ids)
		stopAndStart(t, w, ids)
		want := "[0 0 0]"
		if store {
			want = "[0 0 1]"
		}
		expect(t, "disks", fmt.Sprint(disks), want)
		expect(t, "same machine", w.Instances()[0].ID+w.Instances()[0].PrivateIP, ids[0]+"10.0.0.11")
	}
}
