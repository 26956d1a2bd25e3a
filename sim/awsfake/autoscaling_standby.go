package awsfake

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// Standby is the state of a member that is parked: it runs, does not count, and
// its health is not looked at
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-enter-exit-standby.html).
const Standby = "Standby"

// DetachInstances takes members out of their group and lets them run. They lose
// the group's tag, and are replaced unless the desired capacity is to shrink. No
// hook holds them.
func (a *AutoScalingClient) DetachInstances(ctx context.Context, in *autoscaling.DetachInstancesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DetachInstancesOutput, error) {
	return serve(ctx, a.c, a.call("DetachInstances"), in, func(r *request, in *autoscaling.DetachInstancesInput) (*autoscaling.DetachInstancesOutput, error) {
		activities, err := r.park(in.AutoScalingGroupName, in.InstanceIds, in.ShouldDecrementDesiredCapacity, "Detaching EC2 instance: ", func(i *Instance) {
			i.Lifecycle, i.outgoing = "", false
			i.Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(t Tag) bool { return t.Key == GroupNameTag })
		})
		return &autoscaling.DetachInstancesOutput{Activities: activities}, err
	})
}

// EnterStandby parks members, and replaces them unless the desired capacity is
// to shrink.
func (a *AutoScalingClient) EnterStandby(ctx context.Context, in *autoscaling.EnterStandbyInput, _ ...func(*autoscaling.Options)) (*autoscaling.EnterStandbyOutput, error) {
	return serve(ctx, a.c, a.call("EnterStandby"), in, func(r *request, in *autoscaling.EnterStandbyInput) (*autoscaling.EnterStandbyOutput, error) {
		activities, err := r.park(in.AutoScalingGroupName, in.InstanceIds, in.ShouldDecrementDesiredCapacity, "Moving EC2 instance to Standby: ", func(i *Instance) {
			i.Lifecycle, i.outgoing = Standby, false
		})
		return &autoscaling.EnterStandbyOutput{Activities: activities}, err
	})
}

// park does something to members in service, or to none if one of them is not.
func (r *request) park(group *string, ids []string, shrink *bool, what string, do func(*Instance)) (activities []types.Activity, err error) {
	g := r.group(aws.ToString(group))
	if g == nil {
		return nil, groupNotFound()
	}
	for _, id := range ids {
		i := r.find(id)
		if i == nil || i.Group != g.Name || i.Lifecycle != "InService" {
			return nil, Error("ValidationError", "The instance "+id+" is not part of Auto Scaling group "+g.Name+", or not in service.")
		}
	}
	if aws.ToBool(shrink) {
		if err := g.resize(g.Min, g.Max, g.Desired-len(ids)); err != nil {
			return nil, err
		}
	}
	r.touch()
	for _, id := range ids {
		do(r.find(id))
		activities = append(activities, r.activity(g, what+id))
	}
	r.scheduleGroup(g.Name, r.opt.Now())
	return activities, nil
}

// ExitStandby brings parked members back, and raises the desired capacity by them.
func (a *AutoScalingClient) ExitStandby(ctx context.Context, in *autoscaling.ExitStandbyInput, _ ...func(*autoscaling.Options)) (*autoscaling.ExitStandbyOutput, error) {
	return serve(ctx, a.c, a.call("ExitStandby"), in, func(r *request, in *autoscaling.ExitStandbyInput) (*autoscaling.ExitStandbyOutput, error) {
		g := r.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		for _, id := range in.InstanceIds {
			if i := r.find(id); i == nil || i.Group != g.Name || i.Lifecycle != Standby {
				return nil, Error("ValidationError", "The instance "+id+" is not in Standby.")
			}
		}
		if err := g.resize(g.Min, g.Max, g.Desired+len(in.InstanceIds)); err != nil {
			return nil, err
		}
		r.touch()
		out := &autoscaling.ExitStandbyOutput{}
		for _, id := range in.InstanceIds {
			i := r.find(id)
			i.Lifecycle, i.servesAt = "InService", r.opt.Now()
			out.Activities = append(out.Activities, r.activity(g, "Moving EC2 instance out of Standby: "+id))
		}
		r.scheduleGroup(g.Name, r.opt.Now())
		return out, nil
	})
}

// activity is a scaling activity that has just begun.
func (r *request) activity(g *Group, description string) types.Activity {
	return types.Activity{
		ActivityId: aws.String(r.newID()), AutoScalingGroupName: aws.String(g.Name), Description: aws.String(description),
		Cause:     aws.String("in response to a user request."),
		StartTime: aws.Time(r.opt.Now().UTC().Truncate(time.Second)), StatusCode: types.ScalingActivityStatusCodeInProgress, Progress: aws.Int32(0),
	}
}
