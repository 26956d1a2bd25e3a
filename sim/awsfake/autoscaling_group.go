package awsfake

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

// resize sets the bounds and the size together, or refuses.
func (g *Group) resize(low, high, desired int) error {
	switch {
	case low < 0 || high < 0:
		return Error("ValidationError", "Min and max size must not be negative")
	case low > high:
		return Error("ValidationError", "Max bound, "+itoa(high)+", must be greater than or equal to min bound, "+itoa(low))
	case desired > high:
		return Error("ValidationError", "New SetDesiredCapacity value "+itoa(desired)+" is above max value "+itoa(high)+" for the AutoScalingGroup.")
	case desired < low:
		return Error("ValidationError", "New SetDesiredCapacity value "+itoa(desired)+" is below min value "+itoa(low)+" for the AutoScalingGroup.")
	}
	g.Min, g.Max, g.Desired = low, high, desired
	return nil
}

// CreateAutoScalingGroup creates a group and launches its instances. The launch
// template is only a name here.
func (a *AutoScalingClient) CreateAutoScalingGroup(ctx context.Context, in *autoscaling.CreateAutoScalingGroupInput, _ ...func(*autoscaling.Options)) (*autoscaling.CreateAutoScalingGroupOutput, error) {
	return serve(ctx, a.c, a.call("CreateAutoScalingGroup"), in, func(r *request, in *autoscaling.CreateAutoScalingGroupInput) (*autoscaling.CreateAutoScalingGroupOutput, error) {
		name := aws.ToString(in.AutoScalingGroupName)
		if r.state.group(name) != nil {
			return nil, &types.AlreadyExistsFault{Message: aws.String("AutoScalingGroup by this name already exists - A group with the name " + name + " already exists")}
		}
		g := Group{Name: name, Zones: in.AvailabilityZones, Tags: groupTags(in.Tags), CreatedAt: r.opt.Now()}
		if len(g.Zones) == 0 {
			g.Zones = r.opt.Zones // subnets are not modelled
		}
		desired := aws.ToInt32(in.MinSize)
		if in.DesiredCapacity != nil {
			desired = *in.DesiredCapacity
		}
		if err := g.resize(int(aws.ToInt32(in.MinSize)), int(aws.ToInt32(in.MaxSize)), int(desired)); err != nil {
			return nil, err
		}
		for _, h := range in.LifecycleHookSpecificationList {
			if err := g.putHook(h.LifecycleHookName, h.LifecycleTransition, h.DefaultResult, h.HeartbeatTimeout); err != nil {
				return nil, err
			}
		}
		g.useTemplate(in.LaunchTemplate)
		if err := g.usePolicies(in.InstanceMaintenancePolicy, in.InstanceLifecyclePolicy); err != nil {
			return nil, err
		}
		r.touch()
		r.state.groups = append(r.state.groups, g)
		r.scheduleGroup(name, r.opt.Now())
		return &autoscaling.CreateAutoScalingGroupOutput{}, nil
	})
}

func (g *Group) useTemplate(t *types.LaunchTemplateSpecification) {
	if t == nil {
		return
	}
	g.Template, g.TemplateVersion = aws.ToString(t.LaunchTemplateName), aws.ToString(t.Version)
	if g.TemplateVersion == "" {
		g.TemplateVersion = "1"
	}
}

// usePolicies sets how instances are replaced, and which are kept. -1 clears a
// maintenance policy.
func (g *Group) usePolicies(m *types.InstanceMaintenancePolicy, l *types.InstanceLifecyclePolicy) (err error) {
	if m != nil {
		g.Maintenance = Bounds{}
		if aws.ToInt32(m.MinHealthyPercentage) != -1 {
			if g.Maintenance, err = bounds(m.MinHealthyPercentage, m.MaxHealthyPercentage, false); err != nil {
				return err
			}
		}
	}
	if l != nil && l.RetentionTriggers != nil {
		g.Retain = l.RetentionTriggers.TerminateHookAbandon == types.RetentionActionRetain
	}
	return nil
}

func groupTags(in []types.Tag) (tags []GroupTag) {
	for _, t := range in {
		tags = append(tags, GroupTag{Tag{aws.ToString(t.Key), aws.ToString(t.Value)}, aws.ToBool(t.PropagateAtLaunch)})
	}
	slices.SortFunc(tags, func(a, b GroupTag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}

// UpdateAutoScalingGroup changes bounds, size, zones and launch template. A
// desired capacity that is not given is moved inside new bounds, as AWS does.
func (a *AutoScalingClient) UpdateAutoScalingGroup(ctx context.Context, in *autoscaling.UpdateAutoScalingGroupInput, _ ...func(*autoscaling.Options)) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
	return serve(ctx, a.c, a.call("UpdateAutoScalingGroup"), in, func(r *request, in *autoscaling.UpdateAutoScalingGroupInput) (*autoscaling.UpdateAutoScalingGroupOutput, error) {
		g := r.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		low, high := or(in.MinSize, g.Min), or(in.MaxSize, g.Max)
		if err := g.resize(low, high, or(in.DesiredCapacity, max(low, min(high, g.Desired)))); err != nil {
			return nil, err
		}
		if len(in.AvailabilityZones) > 0 {
			g.Zones = in.AvailabilityZones
		}
		g.useTemplate(in.LaunchTemplate)
		if err := g.usePolicies(in.InstanceMaintenancePolicy, in.InstanceLifecyclePolicy); err != nil {
			return nil, err
		}
		r.scheduleGroup(g.Name, r.opt.Now())
		return &autoscaling.UpdateAutoScalingGroupOutput{}, nil
	})
}

func or(p *int32, otherwise int) int {
	if p == nil {
		return otherwise
	}
	return int(*p)
}

// DeleteAutoScalingGroup deletes an empty group, or by force one with instances,
// which then are terminated without hooks.
func (a *AutoScalingClient) DeleteAutoScalingGroup(ctx context.Context, in *autoscaling.DeleteAutoScalingGroupInput, _ ...func(*autoscaling.Options)) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
	return serve(ctx, a.c, a.call("DeleteAutoScalingGroup"), in, func(r *request, in *autoscaling.DeleteAutoScalingGroupInput) (*autoscaling.DeleteAutoScalingGroupOutput, error) {
		g := r.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		members := r.members(g.Name)
		if len(members) > 0 && !aws.ToBool(in.ForceDelete) {
			return nil, &types.ResourceInUseFault{Message: aws.String("You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.")}
		}
		g.Min, g.Desired, g.Hooks, g.deleting = 0, 0, nil, true
		for _, i := range members {
			r.leaveService(i, r.opt.Now(), "User initiated (group deleted)")
		}
		r.touch()
		return &autoscaling.DeleteAutoScalingGroupOutput{}, nil
	})
}
