package sim

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// checkedGroup notes what Auto Scaling tells a daemon.
type checkedGroup struct {
	effects.AutoScaling
	*node
}

func (g checkedGroup) DescribeAutoScalingGroups(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, opts ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	out, err := g.AutoScaling.DescribeAutoScalingGroups(ctx, in, opts...)
	if err == nil && len(out.AutoScalingGroups) > 0 {
		g.told.tell(int(aws.ToInt32(out.AutoScalingGroups[0].DesiredCapacity)), g.now)
	}
	return out, err
}
