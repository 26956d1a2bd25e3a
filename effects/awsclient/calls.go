package awsclient

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// call makes the clients if need be, and one call on them.
func call[In, Out any, Opt any](ctx context.Context, c *Clients, of func(*clients) func(context.Context, In, ...Opt) (Out, error), in In, opts []Opt) (Out, error) {
	ready, err := c.get(ctx)
	if err != nil {
		var none Out
		return none, err
	}
	return of(ready)(ctx, in, opts...)
}

type (
	ec2Option         = func(*ec2.Options)
	autoscalingOption = func(*autoscaling.Options)
	route53Option     = func(*route53.Options)
	s3Option          = func(*s3.Options)
)

// DescribeInstances is the call of that name.
func (c *Clients) DescribeInstances(ctx context.Context, in *ec2.DescribeInstancesInput, opts ...ec2Option) (*ec2.DescribeInstancesOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *ec2.DescribeInstancesInput, ...ec2Option) (*ec2.DescribeInstancesOutput, error) {
		return r.ec2.DescribeInstances
	}, in, opts)
}

// DescribeSecurityGroups is the call of that name.
func (c *Clients) DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput, opts ...ec2Option) (*ec2.DescribeSecurityGroupsOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *ec2.DescribeSecurityGroupsInput, ...ec2Option) (*ec2.DescribeSecurityGroupsOutput, error) {
		return r.ec2.DescribeSecurityGroups
	}, in, opts)
}

// AuthorizeSecurityGroupIngress is the call of that name.
func (c *Clients) AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, opts ...ec2Option) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *ec2.AuthorizeSecurityGroupIngressInput, ...ec2Option) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
		return r.ec2.AuthorizeSecurityGroupIngress
	}, in, opts)
}

// RevokeSecurityGroupIngress is the call of that name.
func (c *Clients) RevokeSecurityGroupIngress(ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput, opts ...ec2Option) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *ec2.RevokeSecurityGroupIngressInput, ...ec2Option) (*ec2.RevokeSecurityGroupIngressOutput, error) {
		return r.ec2.RevokeSecurityGroupIngress
	}, in, opts)
}

// DescribeAutoScalingGroups is the call of that name.
func (c *Clients) DescribeAutoScalingGroups(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, opts ...autoscalingOption) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *autoscaling.DescribeAutoScalingGroupsInput, ...autoscalingOption) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
		return r.autoscaling.DescribeAutoScalingGroups
	}, in, opts)
}

// DescribeAutoScalingInstances is the call of that name.
func (c *Clients) DescribeAutoScalingInstances(ctx context.Context, in *autoscaling.DescribeAutoScalingInstancesInput, opts ...autoscalingOption) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *autoscaling.DescribeAutoScalingInstancesInput, ...autoscalingOption) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
		return r.autoscaling.DescribeAutoScalingInstances
	}, in, opts)
}

// DescribeLifecycleHooks is the call of that name.
func (c *Clients) DescribeLifecycleHooks(ctx context.Context, in *autoscaling.DescribeLifecycleHooksInput, opts ...autoscalingOption) (*autoscaling.DescribeLifecycleHooksOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *autoscaling.DescribeLifecycleHooksInput, ...autoscalingOption) (*autoscaling.DescribeLifecycleHooksOutput, error) {
		return r.autoscaling.DescribeLifecycleHooks
	}, in, opts)
}

// CompleteLifecycleAction is the call of that name.
func (c *Clients) CompleteLifecycleAction(ctx context.Context, in *autoscaling.CompleteLifecycleActionInput, opts ...autoscalingOption) (*autoscaling.CompleteLifecycleActionOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *autoscaling.CompleteLifecycleActionInput, ...autoscalingOption) (*autoscaling.CompleteLifecycleActionOutput, error) {
		return r.autoscaling.CompleteLifecycleAction
	}, in, opts)
}

// RecordLifecycleActionHeartbeat is the call of that name.
func (c *Clients) RecordLifecycleActionHeartbeat(ctx context.Context, in *autoscaling.RecordLifecycleActionHeartbeatInput, opts ...autoscalingOption) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *autoscaling.RecordLifecycleActionHeartbeatInput, ...autoscalingOption) (*autoscaling.RecordLifecycleActionHeartbeatOutput, error) {
		return r.autoscaling.RecordLifecycleActionHeartbeat
	}, in, opts)
}

// SetInstanceHealth is the call of that name.
func (c *Clients) SetInstanceHealth(ctx context.Context, in *autoscaling.SetInstanceHealthInput, opts ...autoscalingOption) (*autoscaling.SetInstanceHealthOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *autoscaling.SetInstanceHealthInput, ...autoscalingOption) (*autoscaling.SetInstanceHealthOutput, error) {
		return r.autoscaling.SetInstanceHealth
	}, in, opts)
}

// GetHostedZone is the call of that name.
func (c *Clients) GetHostedZone(ctx context.Context, in *route53.GetHostedZoneInput, opts ...route53Option) (*route53.GetHostedZoneOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *route53.GetHostedZoneInput, ...route53Option) (*route53.GetHostedZoneOutput, error) {
		return r.route53.GetHostedZone
	}, in, opts)
}

// ListHostedZonesByName is the call of that name.
func (c *Clients) ListHostedZonesByName(ctx context.Context, in *route53.ListHostedZonesByNameInput, opts ...route53Option) (*route53.ListHostedZonesByNameOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *route53.ListHostedZonesByNameInput, ...route53Option) (*route53.ListHostedZonesByNameOutput, error) {
		return r.route53.ListHostedZonesByName
	}, in, opts)
}

// ListResourceRecordSets is the call of that name.
func (c *Clients) ListResourceRecordSets(ctx context.Context, in *route53.ListResourceRecordSetsInput, opts ...route53Option) (*route53.ListResourceRecordSetsOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *route53.ListResourceRecordSetsInput, ...route53Option) (*route53.ListResourceRecordSetsOutput, error) {
		return r.route53.ListResourceRecordSets
	}, in, opts)
}

// ChangeResourceRecordSets is the call of that name.
func (c *Clients) ChangeResourceRecordSets(ctx context.Context, in *route53.ChangeResourceRecordSetsInput, opts ...route53Option) (*route53.ChangeResourceRecordSetsOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *route53.ChangeResourceRecordSetsInput, ...route53Option) (*route53.ChangeResourceRecordSetsOutput, error) {
		return r.route53.ChangeResourceRecordSets
	}, in, opts)
}

// GetObject is the call of that name.
func (c *Clients) GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...s3Option) (*s3.GetObjectOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *s3.GetObjectInput, ...s3Option) (*s3.GetObjectOutput, error) {
		return r.s3.GetObject
	}, in, opts)
}

// PutObject is the call of that name.
func (c *Clients) PutObject(ctx context.Context, in *s3.PutObjectInput, opts ...s3Option) (*s3.PutObjectOutput, error) {
	return call(ctx, c, func(r *clients) func(context.Context, *s3.PutObjectInput, ...s3Option) (*s3.PutObjectOutput, error) {
		return r.s3.PutObject
	}, in, opts)
}
