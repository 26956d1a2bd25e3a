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

// DescribeAutoScalingGroups lists groups with their instances; an unknown name
// is left out, not an error.
func (a *AutoScalingClient) DescribeAutoScalingGroups(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return serve(ctx, a.c, a.call("DescribeAutoScalingGroups"), in, describeGroups)
}

func describeGroups(r *request, in *autoscaling.DescribeAutoScalingGroupsInput) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	groups, err := after(r.view.groups, aws.ToString(in.NextToken), func(g *Group) string { return g.Name })
	if err != nil {
		return nil, err
	}
	for _, f := range in.Filters {
		if name := aws.ToString(f.Name); !strings.HasPrefix(name, "tag:") {
			return nil, Error("ValidationError", "Filter type "+name+" is not correct. Allowed Filter types are: tag-key, tag-value, tag:<key>")
		}
	}
	size := r.pageSize(in.MaxRecords, 100)
	out := &autoscaling.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{}}
	for n := range groups {
		g := &groups[n]
		if !r.reaches(g.Zones[0]) {
			continue
		}
		if len(in.AutoScalingGroupNames) > 0 && !slices.Contains(in.AutoScalingGroupNames, g.Name) || !g.match(in.Filters) {
			continue
		}
		if found := len(out.AutoScalingGroups); found == size {
			out.NextToken = out.AutoScalingGroups[found-1].AutoScalingGroupName
			break
		}
		out.AutoScalingGroups = append(out.AutoScalingGroups, r.describeGroup(g, in.IncludeInstances == nil || *in.IncludeInstances))
	}
	return out, nil
}

func (g *Group) match(filters []types.Filter) bool {
	for _, f := range filters {
		key := strings.TrimPrefix(aws.ToString(f.Name), "tag:")
		if !slices.ContainsFunc(g.Tags, func(t GroupTag) bool { return t.Key == key && slices.Contains(f.Values, t.Value) }) {
			return false
		}
	}
	return true
}

func (r *request) describeGroup(g *Group, instances bool) types.AutoScalingGroup {
	out := types.AutoScalingGroup{
		AutoScalingGroupName: aws.String(g.Name),
		AutoScalingGroupARN:  aws.String("arn:aws:autoscaling:" + regionOf(g.Zones[0]) + ":" + AccountID + ":autoScalingGroup::autoScalingGroupName/" + g.Name),
		AvailabilityZones:    g.Zones,
		CreatedTime:          aws.Time(g.CreatedAt.UTC().Truncate(time.Second)),
		DefaultCooldown:      aws.Int32(300),
		MinSize:              aws.Int32(int32(g.Min)), MaxSize: aws.Int32(int32(g.Max)), DesiredCapacity: aws.Int32(int32(g.Desired)),
		HealthCheckType: aws.String("EC2"), HealthCheckGracePeriod: aws.Int32(0),
		LaunchTemplate: template(g.Template, g.TemplateVersion),
	}
	if g.deleting {
		out.Status = aws.String("Delete in progress")
	}
	for _, p := range g.Suspended {
		out.SuspendedProcesses = append(out.SuspendedProcesses, types.SuspendedProcess{ProcessName: aws.String(p), SuspensionReason: aws.String("User suspended")})
	}
	for _, t := range g.Tags {
		out.Tags = append(out.Tags, types.TagDescription{Key: aws.String(t.Key), Value: aws.String(t.Value), PropagateAtLaunch: aws.Bool(t.PropagateAtLaunch),
			ResourceId: aws.String(g.Name), ResourceType: aws.String("auto-scaling-group")})
	}
	var list []Instance
	if instances {
		list = r.shown(Ungrouped)
	}
	for n := range list {
		i := &list[n]
		if i.Group != g.Name || i.Lifecycle == "" {
			continue
		}
		out.Instances = append(out.Instances, types.Instance{
			InstanceId: aws.String(i.ID), AvailabilityZone: aws.String(i.Zone), InstanceType: aws.String("m5.large"),
			LifecycleState: types.LifecycleState(i.Lifecycle), HealthStatus: aws.String(i.Health),
			LaunchTemplate: template(g.Template, i.TemplateVersion), ProtectedFromScaleIn: aws.Bool(false),
		})
	}
	return out
}

func template(name, version string) *types.LaunchTemplateSpecification {
	if name == "" {
		return nil
	}
	return &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String(name), Version: aws.String(version)}
}

// DescribeAutoScalingInstances tells of instances in any group; one that is in
// none is left out, not an error.
func (a *AutoScalingClient) DescribeAutoScalingInstances(ctx context.Context, in *autoscaling.DescribeAutoScalingInstancesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
	return serve(ctx, a.c, a.call("DescribeAutoScalingInstances"), in, describeMembers)
}

func describeMembers(r *request, in *autoscaling.DescribeAutoScalingInstancesInput) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
	list, err := after(r.shown(Ungrouped), aws.ToString(in.NextToken), func(i *Instance) string { return i.ID })
	if err != nil {
		return nil, err
	}
	size := r.pageSize(in.MaxRecords, 50)
	out := &autoscaling.DescribeAutoScalingInstancesOutput{AutoScalingInstances: []types.AutoScalingInstanceDetails{}}
	for n := range list {
		i := &list[n]
		if i.Lifecycle == "" || len(in.InstanceIds) > 0 && !slices.Contains(in.InstanceIds, i.ID) {
			continue
		}
		if found := len(out.AutoScalingInstances); found == size {
			out.NextToken = out.AutoScalingInstances[found-1].InstanceId
			break
		}
		details := types.AutoScalingInstanceDetails{
			InstanceId: aws.String(i.ID), AutoScalingGroupName: aws.String(i.Group), AvailabilityZone: aws.String(i.Zone), InstanceType: aws.String("m5.large"),
			LifecycleState: aws.String(i.Lifecycle), HealthStatus: aws.String(strings.ToUpper(i.Health)), ProtectedFromScaleIn: aws.Bool(false),
		}
		if g := r.view.group(i.Group); g != nil {
			details.LaunchTemplate = template(g.Template, i.TemplateVersion)
		}
		out.AutoScalingInstances = append(out.AutoScalingInstances, details)
	}
	return out, nil
}
