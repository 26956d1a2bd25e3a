package awsfake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

func hook(t *testing.T, w *world, name, transition string, heartbeat int32, result string) {
	t.Helper()
	_, err := w.AutoScaling("test").PutLifecycleHook(ctx, &autoscaling.PutLifecycleHookInput{AutoScalingGroupName: aws.String("etcd"),
		LifecycleHookName: &name, LifecycleTransition: &transition, HeartbeatTimeout: &heartbeat, DefaultResult: &result})
	must(t, err)
}

func complete(w *world, name, id, result string) error {
	_, err := w.AutoScaling(id).CompleteLifecycleAction(ctx, &autoscaling.CompleteLifecycleActionInput{AutoScalingGroupName: aws.String("etcd"),
		LifecycleHookName: &name, InstanceId: &id, LifecycleActionResult: &result})
	return err
}

func heartbeat(w *world, name, id string) error {
	_, err := w.AutoScaling(id).RecordLifecycleActionHeartbeat(ctx, &autoscaling.RecordLifecycleActionHeartbeatInput{AutoScalingGroupName: aws.String("etcd"),
		LifecycleHookName: &name, InstanceId: &id})
	return err
}

func TestLaunchHook(t *testing.T) {
	tests := []struct{ name, result, standard, after string }{
		{"continued", "CONTINUE", "ABANDON", "InService"},
		{"abandoned", "ABANDON", "CONTINUE", "Terminating Pending"},
		{"timed out, by default continued", "", "CONTINUE", "InService"},
		{"timed out, by default abandoned", "", "ABANDON", "Terminating Pending"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, 1, nil)
			hook(t, w, "join", awsfake.Launching, 300, test.standard)
			w.sleep(6*time.Minute - time.Second)
			expect(t, "held", w.lifecycle(), "Pending:Wait")
			id := w.Instances()[0].ID
			if test.result != "" {
				must(t, complete(w, "join", id, test.result))
			} else {
				w.sleep(time.Second)
			}
			expect(t, "after", w.lifecycle(), test.after)
			expect(t, "twice", code(complete(w, "join", id, "CONTINUE")), "ValidationError")
		})
	}
}

// A launch that is abandoned by timeout is a loop that never joins.
func TestLaunchHookLoop(t *testing.T) {
	w := newWorld(t, 1, nil)
	hook(t, w, "join", awsfake.Launching, 60, "ABANDON")
	w.sleep(20 * time.Minute)
	if n := len(w.events); n < 15 {
		t.Error("boots and ends", w.events)
	}
}

// Heartbeats hold the action, at most 100 times its timeout; a lost one lets it
// time out.
func TestHeartbeats(t *testing.T) {
	begin := func() (*world, string) {
		w := newWorld(t, 1, nil)
		w.sleep(time.Minute)
		hook(t, w, "leave", awsfake.Terminating, 30, "CONTINUE")
		id := w.Instances()[0].ID
		must(t, terminateMember(w, id, false))
		return w, id
	}
	state := func(w *world, id string) string { i, _ := w.Instance(id); return i.Lifecycle }
	w, id := begin()
	held := 0 * time.Second
	for ; held < 2*time.Hour; held += 20 * time.Second {
		w.sleep(20 * time.Second)
		if heartbeat(w, "leave", id) != nil {
			break
		}
	}
	expect(t, "held for", held.Round(time.Minute), 50*time.Minute)

	w, id = begin()
	w.sleep(20 * time.Second)
	w.Refuse(awsfake.Silence, awsfake.Who{Action: "RecordLifecycleActionHeartbeat"}, 20*time.Second)
	expect(t, "lost", errors.Is(heartbeat(w, "leave", id), context.DeadlineExceeded), true)
	w.sleep(9 * time.Second)
	expect(t, "before the timeout", state(w, id), "Terminating:Wait")
	w.sleep(time.Second)
	expect(t, "after it", state(w, id), "Terminating")
}

// Hooks hold an instance that EC2 has terminated too, even longer than EC2 knows it.
func TestHookOfTheDead(t *testing.T) {
	w := newWorld(t, 1, func(o *awsfake.Options) { o.HealthCheckDelay = 10 * time.Second })
	w.sleep(time.Minute)
	hook(t, w, "leave", awsfake.Terminating, 7200, "CONTINUE")
	id := w.Instances()[0].ID
	_, err := w.EC2("test").TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	must(t, err)
	expect(t, "at once", member(t, w, id), "InService")
	w.sleep(time.Minute)
	expect(t, "noticed", member(t, w, id), "Terminating:Wait")
	got, err := described(w, id)
	must(t, err)
	expect(t, "ended", string(got.State.Name), awsfake.Terminated)
	w.sleep(90 * time.Minute)
	_, err = described(w, id)
	expect(t, "forgotten by EC2", code(err), "InvalidInstanceID.NotFound")
	expect(t, "not in its lists", describe(t, w, "tag:"+awsfake.GroupNameTag, "etcd"), "10.0.0.12")
	expect(t, "not by its group", grouped(t, w), "Terminating:Wait InService")
	w.sleep(30 * time.Minute)
	expect(t, "in the end", grouped(t, w), "InService")
	expect(t, "nothing is left", len(w.Instances()), 1)
}

// Several hooks hold together: the last CONTINUE lets go, the first ABANDON skips
// the others.
func TestTwoHooks(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	hook(t, w, "backup", awsfake.Terminating, 600, "CONTINUE")
	hook(t, w, "leave", awsfake.Terminating, 300, "CONTINUE")
	id := w.Instances()[0].ID
	must(t, terminateMember(w, id, false))
	must(t, complete(w, "leave", id, "CONTINUE"))
	expect(t, "once only", code(complete(w, "leave", id, "CONTINUE")), "ValidationError")
	w.sleep(10*time.Minute - time.Second)
	expect(t, "held by the other", member(t, w, id), "Terminating:Wait")
	w.sleep(time.Second)
	expect(t, "timed out", member(t, w, id), "Terminating")

	id = w.Instances()[1].ID
	must(t, terminateMember(w, id, false))
	must(t, complete(w, "backup", id, "ABANDON"))
	expect(t, "abandoned", member(t, w, id), "Terminating")
}

// In a group that retains them, instances whose leaving was abandoned keep
// running beside their replacements until someone ends them.
func TestRetained(t *testing.T) {
	for _, how := range []string{"abandoned", "timed out", "continued", "ended in between"} {
		w := newWorld(t, 1, nil)
		w.sleep(time.Minute)
		hook(t, w, "leave", awsfake.Terminating, 60, "ABANDON")
		_, err := w.AutoScaling("test").UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("etcd"),
			InstanceLifecyclePolicy: &types.InstanceLifecyclePolicy{RetentionTriggers: &types.RetentionTriggers{TerminateHookAbandon: types.RetentionActionRetain}}})
		must(t, err)
		id := w.Instances()[0].ID
		must(t, terminateMember(w, id, false))
		switch how {
		case "abandoned":
			must(t, complete(w, "leave", id, "ABANDON"))
		case "continued":
			must(t, complete(w, "leave", id, "CONTINUE"))
		case "ended in between":
			_, err := w.EC2("test").TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
			must(t, err)
			w.sleep(50 * time.Second)
			expect(t, "still held", member(t, w, id), "Terminating:Wait")
		}
		w.sleep(time.Hour)
		if how != "abandoned" && how != "timed out" {
			expect(t, how, w.lifecycle(), "InService")
			continue
		}
		expect(t, how, w.lifecycle(), "Terminating:Retained InService")
		i, _ := w.Instance(id)
		expect(t, "it runs", i.State, awsfake.Running)
		must(t, terminateMember(w, id, false))
		w.sleep(time.Minute)
		expect(t, "ended", w.lifecycle(), "InService")
	}
}

func reboot(t *testing.T, w *world, ids []string) {
	t.Helper()
	_, err := w.EC2("test").RebootInstances(ctx, &ec2.RebootInstancesInput{InstanceIds: ids})
	must(t, err)
	w.sleep(time.Minute)
}

func stopAndStart(t *testing.T, w *world, ids []string) {
	t.Helper()
	_, err := w.EC2("test").StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
	must(t, err)
	w.sleep(time.Minute)
	_, err = w.EC2("test").StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
	must(t, err)
	w.sleep(time.Minute)
}
