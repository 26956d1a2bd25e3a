package awsfake

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// putHook adds a hook or replaces the one of that name.
func (g *Group) putHook(name, transition, result *string, heartbeat *int32) error {
	h := Hook{Name: aws.ToString(name), Transition: aws.ToString(transition), Default: "ABANDON", Heartbeat: time.Hour}
	if result != nil {
		h.Default = *result
	}
	if heartbeat != nil {
		h.Heartbeat = time.Duration(*heartbeat) * time.Second
	}
	switch {
	case h.Transition != Launching && h.Transition != Terminating:
		return Error("ValidationError", "Lifecycle Transition is invalid: "+h.Transition)
	case h.Default != "CONTINUE" && h.Default != "ABANDON":
		return Error("ValidationError", "Default Result must be one of [CONTINUE, ABANDON]")
	case h.Heartbeat < 30*time.Second || h.Heartbeat > 2*time.Hour:
		return Error("ValidationError", "Heartbeat Timeout must be between 30 and 7200 seconds")
	}
	hooks := slices.DeleteFunc(slices.Clone(g.Hooks), func(old Hook) bool { return old.Name == h.Name })
	hooks = append(hooks, h)
	slices.SortFunc(hooks, func(a, b Hook) int { return strings.Compare(a.Name, b.Name) })
	g.Hooks = hooks
	return nil
}

// PutLifecycleHook adds a hook to a group or changes it.
func (a *AutoScalingClient) PutLifecycleHook(ctx context.Context, in *autoscaling.PutLifecycleHookInput, _ ...func(*autoscaling.Options)) (*autoscaling.PutLifecycleHookOutput, error) {
	return serve(ctx, a.c, a.call("PutLifecycleHook"), in, func(r *request, in *autoscaling.PutLifecycleHookInput) (*autoscaling.PutLifecycleHookOutput, error) {
		g := r.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		r.touch()
		return &autoscaling.PutLifecycleHookOutput{}, g.putHook(in.LifecycleHookName, in.LifecycleTransition, in.DefaultResult, in.HeartbeatTimeout)
	})
}

// DescribeLifecycleHooks lists the hooks of a group; it has no pages.
func (a *AutoScalingClient) DescribeLifecycleHooks(ctx context.Context, in *autoscaling.DescribeLifecycleHooksInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeLifecycleHooksOutput, error) {
	return serve(ctx, a.c, a.call("DescribeLifecycleHooks"), in, func(r *request, in *autoscaling.DescribeLifecycleHooksInput) (*autoscaling.DescribeLifecycleHooksOutput, error) {
		g := r.view.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		out := &autoscaling.DescribeLifecycleHooksOutput{LifecycleHooks: []types.LifecycleHook{}}
		for _, h := range g.Hooks {
			if len(in.LifecycleHookNames) > 0 && !slices.Contains(in.LifecycleHookNames, h.Name) {
				continue
			}
			out.LifecycleHooks = append(out.LifecycleHooks, types.LifecycleHook{
				AutoScalingGroupName: aws.String(g.Name), LifecycleHookName: aws.String(h.Name), LifecycleTransition: aws.String(h.Transition),
				DefaultResult: aws.String(h.Default), HeartbeatTimeout: aws.Int32(int32(h.Heartbeat / time.Second)),
				GlobalTimeout: aws.Int32(int32(min(maxHold, 100*h.Heartbeat) / time.Second)),
			})
		}
		return out, nil
	})
}

// waiting returns the member that a hook holds, and where in its waits.
func (r *request) waiting(group, hook, id *string) (*Instance, int, error) {
	i, g, err := r.member(aws.ToString(id))
	if err != nil {
		return nil, 0, err
	}
	n := slices.IndexFunc(i.holds, func(h hold) bool { return h.hook == aws.ToString(hook) })
	if n < 0 || g.Name != aws.ToString(group) {
		return nil, 0, Error("ValidationError", "No active Lifecycle Action found with instance ID "+i.ID)
	}
	return i, n, nil
}

// CompleteLifecycleAction ends the wait of a member.
func (a *AutoScalingClient) CompleteLifecycleAction(ctx context.Context, in *autoscaling.CompleteLifecycleActionInput, _ ...func(*autoscaling.Options)) (*autoscaling.CompleteLifecycleActionOutput, error) {
	return serve(ctx, a.c, a.call("CompleteLifecycleAction"), in, func(r *request, in *autoscaling.CompleteLifecycleActionInput) (*autoscaling.CompleteLifecycleActionOutput, error) {
		result := aws.ToString(in.LifecycleActionResult)
		if result != "CONTINUE" && result != "ABANDON" {
			return nil, Error("ValidationError", "Lifecycle Action Result must be one of [CONTINUE, ABANDON]")
		}
		i, _, err := r.waiting(in.AutoScalingGroupName, in.LifecycleHookName, in.InstanceId)
		if err != nil {
			return nil, err
		}
		r.completeHook(i, aws.ToString(in.LifecycleHookName), result, r.opt.Now())
		return &autoscaling.CompleteLifecycleActionOutput{}, nil
	})
}

// RecordLifecycleActionHeartbeat makes the wait of a member start again.
func (a *AutoScalingClient) RecordLifecycleActionHeartbeat(ctx context.Context, in *autoscaling.RecordLifecycleActionHeartbeatInput, _ ...func(*autoscaling.Options)) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
	return serve(ctx, a.c, a.call("RecordLifecycleActionHeartbeat"), in, func(r *request, in *autoscaling.RecordLifecycleActionHeartbeatInput) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
		i, n, err := r.waiting(in.AutoScalingGroupName, in.LifecycleHookName, in.InstanceId)
		if err != nil {
			return nil, err
		}
		r.touch()
		if h := r.group(i.Group).hook(i.holds[n].hook); h != nil {
			i.holds = slices.Clone(i.holds)
			i.holds[n].at = sooner(r.opt.Now().Add(h.Heartbeat), i.holds[n].end)
		}
		return &autoscaling.RecordLifecycleActionHeartbeatOutput{}, nil
	})
}
