package effects

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// The states of an instance that a hook holds.
var held = map[asgtypes.LifecycleState]states.Transition{
	asgtypes.LifecycleStatePendingWait:     states.Launching,
	asgtypes.LifecycleStateTerminatingWait: states.Terminating,
}

// hookName is the hook of a transition that is this daemon's.
func (e *Effects) hookName(t states.Transition) string {
	return map[states.Transition]string{states.Launching: e.LaunchingHook, states.Terminating: e.TerminatingHook}[t]
}

// firstLook has the group asked once where the rules need nothing of it: a hook may hold the instance of a daemon that has just started.
func (e *Effects) firstLook() time.Duration {
	if e.facts.Group.Known == states.Yes || e.LaunchingHook == "" {
		return 0
	}
	return time.Second
}

// askHook tells whether one of our hooks holds this instance. Whatever goes wrong, the group itself is known, and that counts for more.
func (e *Effects) askHook(ctx context.Context, asg *asgtypes.AutoScalingGroup, self string) (states.Hook, error) {
	transition := states.NotHeld
	for _, in := range asg.Instances {
		if aws.ToString(in.InstanceId) == self {
			transition = held[in.LifecycleState]
		}
	}
	name := e.hookName(transition)
	if name == "" {
		return states.Hook{}, nil
	}
	out, err := e.AutoScaling.DescribeLifecycleHooks(ctx, &autoscaling.DescribeLifecycleHooksInput{AutoScalingGroupName: asg.AutoScalingGroupName, LifecycleHookNames: []string{name}})
	if err != nil {
		return states.Hook{}, fmt.Errorf("describe the lifecycle hook %s: %w", name, err)
	}
	for _, h := range out.LifecycleHooks {
		if aws.ToString(h.LifecycleHookName) == name {
			return states.Hook{Holds: transition, Timeout: time.Duration(aws.ToInt32(h.HeartbeatTimeout)) * time.Second}, nil
		}
	}
	return states.Hook{}, nil // it is held by somebody else's
}

// setHook goes on with what is known of a hook that holds the instance still. One that could not be asked for stays as it was.
func (e *Effects) setHook(before, now states.Hook, at time.Time, err error) {
	switch {
	case err != nil:
		now = before
	case now.Holds == before.Holds:
		now.Since, now.Beat = before.Since, before.Beat
	case now.Holds != states.NotHeld:
		now.Since = at
	}
	e.facts.Group.Hook = now
	e.complaint.note(e.Log, "lifecycle hook", err)
}

func (e *Effects) heartbeat(c states.HookHeartbeat, self string) action {
	group, name, at := e.groupName, e.hookName(c.Hook), e.Now()
	return func(ctx context.Context) (func(), error) {
		_, err := e.AutoScaling.RecordLifecycleActionHeartbeat(ctx, &autoscaling.RecordLifecycleActionHeartbeatInput{
			AutoScalingGroupName: aws.String(group), LifecycleHookName: aws.String(name), InstanceId: aws.String(self),
		})
		if err = heldNoMore(err); err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		return func() { e.facts.Group.Hook.Beat = at }, nil
	}
}

func (e *Effects) completeHook(ctx context.Context, c states.CompleteHook, group, name, self string) error {
	result := "CONTINUE"
	if c.Abandon {
		result = "ABANDON"
	}
	_, err := e.AutoScaling.CompleteLifecycleAction(ctx, &autoscaling.CompleteLifecycleActionInput{
		AutoScalingGroupName: aws.String(group), LifecycleHookName: aws.String(name), InstanceId: aws.String(self), LifecycleActionResult: aws.String(result),
	})
	if err = heldNoMore(err); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

// heldNoMore takes the answer that no hook holds the instance ("No active Lifecycle Action found") for success: an earlier answer was
// lost, or AWS has gone on by itself. What else fails validation is the name of the group, by which it was just described.
func heldNoMore(err error) error {
	if hasCode(err, "ValidationError") {
		return nil
	}
	return err
}

// replaceInstance marks an instance unhealthy. A group that gives new instances a grace period is heard: one in it is left alone.
func (e *Effects) replaceInstance(ctx context.Context, c states.ReplaceInstance, group AutoScaling) error {
	_, err := group.SetInstanceHealth(ctx, &autoscaling.SetInstanceHealthInput{
		InstanceId: aws.String(c.ID), HealthStatus: aws.String("Unhealthy"), ShouldRespectGracePeriod: aws.Bool(true),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}
