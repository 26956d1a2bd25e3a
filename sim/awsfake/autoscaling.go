package awsfake

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

// AutoScalingClient is EC2 Auto Scaling as one caller sees it.
type AutoScalingClient struct {
	c      *Cloud
	caller string
	region string
}

// AutoScaling returns the Auto Scaling API for a caller, whose name
// Options.Fault sees.
func (c *Cloud) AutoScaling(caller string) *AutoScalingClient {
	return &AutoScalingClient{c: c, caller: caller}
}

// In is Auto Scaling in one region.
func (a *AutoScalingClient) In(region string) *AutoScalingClient {
	return &AutoScalingClient{a.c, a.caller, region}
}

func (a *AutoScalingClient) call(action string) Call {
	return Call{Caller: a.caller, Service: "autoscaling", Action: action, Region: a.region}
}

// groupNotFound is what AWS says of an unknown group, odd wording included.
func groupNotFound() error {
	return Error("ValidationError", "AutoScalingGroup name not found - null")
}

func instanceNotFound(id string) error {
	return Error("ValidationError", "Instance Id not found - No managed instance found for instance ID: "+id)
}

// member returns an instance that is in a group, and its group.
func (r *request) member(id string) (*Instance, *Group, error) {
	if i := r.find(id); i != nil && i.Lifecycle != "" {
		if g := r.group(i.Group); g != nil {
			return i, g, nil
		}
	}
	return nil, nil, instanceNotFound(id)
}

// SetDesiredCapacity resizes a group within its bounds.
func (a *AutoScalingClient) SetDesiredCapacity(ctx context.Context, in *autoscaling.SetDesiredCapacityInput, _ ...func(*autoscaling.Options)) (*autoscaling.SetDesiredCapacityOutput, error) {
	return serve(ctx, a.c, a.call("SetDesiredCapacity"), in, func(r *request, in *autoscaling.SetDesiredCapacityInput) (*autoscaling.SetDesiredCapacityOutput, error) {
		g := r.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		if err := g.resize(g.Min, g.Max, int(aws.ToInt32(in.DesiredCapacity))); err != nil {
			return nil, err
		}
		r.scheduleGroup(g.Name, r.opt.Now())
		return &autoscaling.SetDesiredCapacityOutput{}, nil
	})
}

// TerminateInstanceInAutoScalingGroup ends one member, through the group's
// hooks, and replaces it unless the desired capacity is to shrink.
func (a *AutoScalingClient) TerminateInstanceInAutoScalingGroup(ctx context.Context, in *autoscaling.TerminateInstanceInAutoScalingGroupInput, _ ...func(*autoscaling.Options)) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
	return serve(ctx, a.c, a.call("TerminateInstanceInAutoScalingGroup"), in, terminateMember)
}

func terminateMember(r *request, in *autoscaling.TerminateInstanceInAutoScalingGroupInput) (*autoscaling.TerminateInstanceInAutoScalingGroupOutput, error) {
	i, g, err := r.member(aws.ToString(in.InstanceId))
	if err != nil {
		return nil, err
	}
	if aws.ToBool(in.ShouldDecrementDesiredCapacity) && inService(i) {
		if g.Desired == g.Min {
			return nil, Error("ValidationError", "Currently, desiredSize equals minSize ("+itoa(g.Min)+"). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.")
		}
		g.Desired--
	}
	now := r.opt.Now()
	if inService(i) || i.Lifecycle == Retained {
		r.leaveService(i, now, "User initiated (TerminateInstanceInAutoScalingGroup)")
	}
	r.scheduleGroup(g.Name, now)
	activity := r.activity(g, "Terminating EC2 instance: "+i.ID)
	return &autoscaling.TerminateInstanceInAutoScalingGroupOutput{Activity: &activity}, nil
}

// SetInstanceHealth tells the group what EC2 cannot see. An unhealthy member is
// replaced at once: groups here have no grace period.
func (a *AutoScalingClient) SetInstanceHealth(ctx context.Context, in *autoscaling.SetInstanceHealthInput, _ ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error) {
	return serve(ctx, a.c, a.call("SetInstanceHealth"), in, func(r *request, in *autoscaling.SetInstanceHealthInput) (*autoscaling.SetInstanceHealthOutput, error) {
		i, g, err := r.member(aws.ToString(in.InstanceId))
		if err != nil {
			return nil, err
		}
		health := aws.ToString(in.HealthStatus)
		if health != "Healthy" && health != "Unhealthy" {
			return nil, Error("ValidationError", "Valid instance health states are: [Healthy, Unhealthy].")
		}
		i.Health = health
		r.scheduleGroup(g.Name, r.opt.Now())
		return &autoscaling.SetInstanceHealthOutput{}, nil
	})
}

// processes are what a group does by itself. The fake runs the first four, and
// AZRebalance and InstanceRefresh on request.
var processes = []string{"Launch", "Terminate", "HealthCheck", "ReplaceUnhealthy", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "InstanceRefresh", "ScheduledActions"}

// SuspendProcesses stops some of what the group does by itself, or all.
func (a *AutoScalingClient) SuspendProcesses(ctx context.Context, in *autoscaling.SuspendProcessesInput, _ ...func(*autoscaling.Options)) (*autoscaling.SuspendProcessesOutput, error) {
	return serve(ctx, a.c, a.call("SuspendProcesses"), in, func(r *request, in *autoscaling.SuspendProcessesInput) (*autoscaling.SuspendProcessesOutput, error) {
		return &autoscaling.SuspendProcessesOutput{}, r.setProcesses(in.AutoScalingGroupName, in.ScalingProcesses, true)
	})
}

// ResumeProcesses lets the group do it again.
func (a *AutoScalingClient) ResumeProcesses(ctx context.Context, in *autoscaling.ResumeProcessesInput, _ ...func(*autoscaling.Options)) (*autoscaling.ResumeProcessesOutput, error) {
	return serve(ctx, a.c, a.call("ResumeProcesses"), in, func(r *request, in *autoscaling.ResumeProcessesInput) (*autoscaling.ResumeProcessesOutput, error) {
		return &autoscaling.ResumeProcessesOutput{}, r.setProcesses(in.AutoScalingGroupName, in.ScalingProcesses, false)
	})
}

func (r *request) setProcesses(group *string, names []string, suspend bool) error {
	g := r.group(aws.ToString(group))
	if g == nil {
		return groupNotFound()
	}
	if len(names) == 0 {
		names = processes
	}
	var list []string
	for _, p := range processes {
		named := slices.Contains(names, p)
		if named && suspend || !named && g.suspended(p) {
			list = append(list, p)
		}
	}
	for _, name := range names {
		if !slices.Contains(processes, name) {
			return Error("ValidationError", name+" is not a valid scaling process")
		}
	}
	slices.Sort(list)
	g.Suspended = list
	r.scheduleGroup(g.Name, r.opt.Now())
	return nil
}
