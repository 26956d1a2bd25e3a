package awsfake

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// StartInstanceRefresh begins to replace all instances of a group. Of the
// preferences it knows the healthy percentages, the warm-up and skip matching.
func (a *AutoScalingClient) StartInstanceRefresh(ctx context.Context, in *autoscaling.StartInstanceRefreshInput, _ ...func(*autoscaling.Options)) (*autoscaling.StartInstanceRefreshOutput, error) {
	return serve(ctx, a.c, a.call("StartInstanceRefresh"), in, func(r *request, in *autoscaling.StartInstanceRefreshInput) (*autoscaling.StartInstanceRefreshOutput, error) {
		g := r.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		if g.refreshing() != nil {
			return nil, &types.InstanceRefreshInProgressFault{Message: aws.String("An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.")}
		}
		refresh := Refresh{ID: r.refreshID(), Status: string(types.InstanceRefreshStatusInProgress), Bounds: Bounds{Min: 90}, TemplateVersion: g.TemplateVersion, StartedAt: r.opt.Now()}
		if g.Maintenance.Max > 0 {
			refresh.Bounds = g.Maintenance
		}
		p := in.Preferences
		if p == nil {
			p = &types.RefreshPreferences{}
		}
		if p.MinHealthyPercentage != nil || p.MaxHealthyPercentage != nil {
			var err error
			if refresh.Bounds, err = bounds(p.MinHealthyPercentage, p.MaxHealthyPercentage, true); err != nil {
				return nil, err
			}
		}
		refresh.Warmup = time.Duration(aws.ToInt32(p.InstanceWarmup)) * time.Second
		if d := in.DesiredConfiguration; d != nil && d.LaunchTemplate != nil {
			refresh.TemplateVersion = orText(aws.ToString(d.LaunchTemplate.Version), refresh.TemplateVersion)
		}
		r.touch()
		r.startRefresh(g, refresh, aws.ToBool(p.SkipMatching))
		return &autoscaling.StartInstanceRefreshOutput{InstanceRefreshId: aws.String(refresh.ID)}, nil
	})
}

// refreshID looks as the service's own: a UUID.
func (r *request) refreshID() string {
	a, b := r.newID(), r.newID()
	return a[:8] + "-" + a[8:12] + "-" + a[12:] + "-" + b[:4] + "-" + b[4:]
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// bounds reads healthy percentages, of which a refresh may go without the maximum.
func bounds(low, high *int32, maxOptional bool) (b Bounds, err error) {
	b = Bounds{int(aws.ToInt32(low)), int(aws.ToInt32(high))}
	switch {
	case low == nil, high == nil && !maxOptional:
		return b, Error("ValidationError", "You must specify both MinHealthyPercentage and MaxHealthyPercentage.")
	case b.Min < 0 || b.Min > 100:
		return b, Error("ValidationError", "MinHealthyPercentage must be between 0 and 100.")
	case high != nil && (b.Max < 100 || b.Max > 200):
		return b, Error("ValidationError", "MaxHealthyPercentage must be between 100 and 200.")
	case high != nil && b.Max-b.Min > 100:
		return b, Error("ValidationError", "The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater than 100.")
	}
	return b, nil
}

// CancelInstanceRefresh ends the refresh of a group. Replacements that have begun
// go on; the refresh is Cancelled at once, where AWS waits for them.
func (a *AutoScalingClient) CancelInstanceRefresh(ctx context.Context, in *autoscaling.CancelInstanceRefreshInput, _ ...func(*autoscaling.Options)) (*autoscaling.CancelInstanceRefreshOutput, error) {
	return serve(ctx, a.c, a.call("CancelInstanceRefresh"), in, func(r *request, in *autoscaling.CancelInstanceRefreshInput) (*autoscaling.CancelInstanceRefreshOutput, error) {
		g := r.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		refresh := g.refreshing()
		if refresh == nil {
			return nil, &types.ActiveInstanceRefreshNotFoundFault{Message: aws.String("No in progress or pending Instance Refresh found for Auto Scaling group " + g.Name)}
		}
		id := refresh.ID
		r.cancelRefresh(g)
		return &autoscaling.CancelInstanceRefreshOutput{InstanceRefreshId: aws.String(id)}, nil
	})
}

// DescribeInstanceRefreshes lists the refreshes of a group, the newest first.
func (a *AutoScalingClient) DescribeInstanceRefreshes(ctx context.Context, in *autoscaling.DescribeInstanceRefreshesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
	return serve(ctx, a.c, a.call("DescribeInstanceRefreshes"), in, func(r *request, in *autoscaling.DescribeInstanceRefreshesInput) (*autoscaling.DescribeInstanceRefreshesOutput, error) {
		g := r.view.group(aws.ToString(in.AutoScalingGroupName))
		if g == nil {
			return nil, groupNotFound()
		}
		list, err := after(g.Refreshes, aws.ToString(in.NextToken), func(r *Refresh) string { return r.ID })
		if err != nil {
			return nil, err
		}
		size := r.pageSize(in.MaxRecords, 50)
		out := &autoscaling.DescribeInstanceRefreshesOutput{InstanceRefreshes: []types.InstanceRefresh{}}
		for n := range list {
			if len(in.InstanceRefreshIds) > 0 && !slices.Contains(in.InstanceRefreshIds, list[n].ID) {
				continue
			}
			if found := len(out.InstanceRefreshes); found == size {
				out.NextToken = out.InstanceRefreshes[found-1].InstanceRefreshId
				break
			}
			out.InstanceRefreshes = append(out.InstanceRefreshes, list[n].describe(g.Name))
		}
		return out, nil
	})
}

func (r *Refresh) describe(group string) types.InstanceRefresh {
	out := types.InstanceRefresh{
		InstanceRefreshId: aws.String(r.ID), AutoScalingGroupName: aws.String(group), Status: types.InstanceRefreshStatus(r.Status),
		StartTime: aws.Time(r.StartedAt.UTC().Truncate(time.Second)), InstancesToUpdate: aws.Int32(int32(r.Left)), PercentageComplete: aws.Int32(100),
	}
	if r.Instances > 0 {
		out.PercentageComplete = aws.Int32(int32(100 * (r.Instances - r.Left) / r.Instances))
	}
	if !r.EndedAt.IsZero() {
		out.EndTime = aws.Time(r.EndedAt.UTC().Truncate(time.Second))
	}
	return out
}
