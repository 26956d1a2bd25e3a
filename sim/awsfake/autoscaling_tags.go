package awsfake

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// CreateOrUpdateTags puts tags on groups, in the place of those of the same key. Instances that run keep theirs.
func (a *AutoScalingClient) CreateOrUpdateTags(ctx context.Context, in *autoscaling.CreateOrUpdateTagsInput, _ ...func(*autoscaling.Options)) (*autoscaling.CreateOrUpdateTagsOutput, error) {
	return serve(ctx, a.c, a.call("CreateOrUpdateTags"), in, func(r *request, in *autoscaling.CreateOrUpdateTagsInput) (*autoscaling.CreateOrUpdateTagsOutput, error) {
		err := r.retag(in.Tags, func(g *Group, t types.Tag) {
			g.Tags = groupTags(append([]types.Tag{t}, untagged(g.Tags, aws.ToString(t.Key))...))
		})
		return &autoscaling.CreateOrUpdateTagsOutput{}, err
	})
}

// DeleteTags takes tags off groups, whatever their values.
func (a *AutoScalingClient) DeleteTags(ctx context.Context, in *autoscaling.DeleteTagsInput, _ ...func(*autoscaling.Options)) (*autoscaling.DeleteTagsOutput, error) {
	return serve(ctx, a.c, a.call("DeleteTags"), in, func(r *request, in *autoscaling.DeleteTagsInput) (*autoscaling.DeleteTagsOutput, error) {
		err := r.retag(in.Tags, func(g *Group, t types.Tag) { g.Tags = groupTags(untagged(g.Tags, aws.ToString(t.Key))) })
		return &autoscaling.DeleteTagsOutput{}, err
	})
}

// retag does the same to the group of each tag, or nothing when a group is not there.
func (r *request) retag(tags []types.Tag, do func(*Group, types.Tag)) error {
	for _, t := range tags {
		if r.group(aws.ToString(t.ResourceId)) == nil {
			return groupNotFound()
		}
	}
	r.touch()
	for _, t := range tags {
		do(r.group(aws.ToString(t.ResourceId)), t)
	}
	return nil
}

func untagged(tags []GroupTag, key string) (rest []types.Tag) {
	for _, t := range slices.Clone(tags) {
		if t.Key != key {
			rest = append(rest, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value), PropagateAtLaunch: aws.Bool(t.PropagateAtLaunch)})
		}
	}
	return rest
}
