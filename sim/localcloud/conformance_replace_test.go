package localcloud_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// replaceCases take instances out of a group. Plain moto lacks some of the
// actions (see MOTO_ASG).
var replaceCases = []conformance{
	{name: "detach", want: "1 InService, running, 0 tagged", run: func(t *testing.T, b *backend) string {
		group := b.group(t, 2)
		id := b.members(t, group, "InService")[0]
		_, err := b.autoscaling.DetachInstances(ctx, &autoscaling.DetachInstancesInput{AutoScalingGroupName: &group, InstanceIds: []string{id}, ShouldDecrementDesiredCapacity: aws.Bool(true)})
		must(t, err)
		out, err := b.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{
			{Name: aws.String("instance-id"), Values: []string{id}}, {Name: aws.String("tag:aws:autoscaling:groupName"), Values: []string{group}}}})
		must(t, err)
		return fmt.Sprintf("%d InService, %s, %d tagged", len(b.members(t, group, "InService")), b.state(t, id), len(out.Reservations))
	}},
	{name: "standby", want: "1 InService, 1 Standby, 2 InService", run: func(t *testing.T, b *backend) string {
		group := b.group(t, 2)
		ids := b.members(t, group, "InService")[:1]
		_, err := b.autoscaling.EnterStandby(ctx, &autoscaling.EnterStandbyInput{AutoScalingGroupName: &group, InstanceIds: ids, ShouldDecrementDesiredCapacity: aws.Bool(true)})
		must(t, err)
		in, parked := len(b.members(t, group, "InService")), len(b.members(t, group, "Standby"))
		_, err = b.autoscaling.ExitStandby(ctx, &autoscaling.ExitStandbyInput{AutoScalingGroupName: &group, InstanceIds: ids})
		must(t, err)
		return fmt.Sprintf("%d InService, %d Standby, %d InService", in, parked, len(b.members(t, group, "InService")))
	}},
	{name: "instance refresh", want: "ok, InstanceRefreshInProgress, InProgress of 2, same ID, ActiveInstanceRefreshNotFound, Cancelled", run: instanceRefresh},
	{name: "instance refresh of an unknown group", want: "ValidationError", run: func(t *testing.T, b *backend) string {
		if !b.hooks {
			return skipped(t, "ValidationError")
		}
		_, err := b.autoscaling.StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("none")})
		return outcome(err)
	}},
	{name: "launch hook, continued", want: "held, ok, InService, ValidationError", run: launchHook("CONTINUE")},
	{name: "launch hook, abandoned", want: "held, ok, replaced, ValidationError", run: launchHook("ABANDON"),
		StricterThanMoto: "it takes every result as CONTINUE", wantMoto: "held, ok, InService, ValidationError"},
}

func skipped(t *testing.T, want string) string {
	t.Helper()
	t.Log("SKIPPED: plain moto has no such action (see MOTO_ASG)")
	return want
}

// instanceRefresh starts and cancels one while nothing is terminated, so that
// the time it takes does not matter.
func instanceRefresh(t *testing.T, b *backend) string {
	if !b.hooks {
		return skipped(t, "ok, InstanceRefreshInProgress, InProgress of 2, same ID, ActiveInstanceRefreshNotFound, Cancelled")
	}
	group := b.group(t, 2)
	_, err := b.autoscaling.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{AutoScalingGroupName: &group, ScalingProcesses: []string{"Terminate"}})
	must(t, err)
	start := &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: &group, Preferences: &autoscalingtypes.RefreshPreferences{
		MinHealthyPercentage: aws.Int32(90), InstanceWarmup: aws.Int32(0), SkipMatching: aws.Bool(false)}}
	describe := func() autoscalingtypes.InstanceRefresh {
		out, err := b.autoscaling.DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: &group})
		must(t, err)
		return out.InstanceRefreshes[0]
	}
	started, first := b.autoscaling.StartInstanceRefresh(ctx, start)
	must(t, first)
	_, second := b.autoscaling.StartInstanceRefresh(ctx, start)
	running := describe()
	same := "another ID"
	cancelled, err := b.autoscaling.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: &group})
	must(t, err)
	if id := *started.InstanceRefreshId; id == *running.InstanceRefreshId && id == *cancelled.InstanceRefreshId {
		same = "same ID"
	}
	_, none := b.autoscaling.CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: &group})
	return fmt.Sprintf("%s, %s, %s of %d, %s, %s, %s", outcome(first), outcome(second), running.Status, *running.InstancesToUpdate, same, outcome(none), describe().Status)
}

// launchHook creates a group whose hook holds its one instance, and completes it.
func launchHook(result string) func(*testing.T, *backend) string {
	return func(t *testing.T, b *backend) string {
		if !b.hooks {
			return skipped(t, "held, ok, InService, ValidationError")
		}
		group, hook := unique("group"), "join"
		_, err := b.autoscaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: &group, MinSize: aws.Int32(0), MaxSize: aws.Int32(5), DesiredCapacity: aws.Int32(1), AvailabilityZones: []string{"eu-central-1a"},
			LaunchTemplate: &autoscalingtypes.LaunchTemplateSpecification{LaunchTemplateName: &b.template, Version: aws.String("1")},
			LifecycleHookSpecificationList: []autoscalingtypes.LifecycleHookSpecification{{LifecycleHookName: &hook, HeartbeatTimeout: aws.Int32(300),
				LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_LAUNCHING"), DefaultResult: aws.String("ABANDON")}},
		})
		must(t, err)
		eventually(t, "held", func() bool { return len(b.members(t, group, "Pending:Wait")) == 1 })
		id := b.members(t, group, "Pending:Wait")[0]
		complete := func() string {
			_, err := b.autoscaling.CompleteLifecycleAction(ctx, &autoscaling.CompleteLifecycleActionInput{AutoScalingGroupName: &group,
				LifecycleHookName: &hook, InstanceId: &id, LifecycleActionResult: &result})
			return outcome(err)
		}
		done, end := complete(), ""
		eventually(t, "decided", func() bool {
			switch next := b.members(t, group, "Pending:Wait"); {
			case slices.Contains(b.members(t, group, "InService"), id):
				end = "InService"
			case len(next) == 1 && next[0] != id:
				end = "replaced"
			}
			return end != ""
		})
		return fmt.Sprintf("held, %s, %s, %s", done, end, complete())
	}
}
