package sim

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
)

// CompleteLifecycleAction is C11: whoever replaces one instance after the other goes on at this moment. A launch is complete with a
// started voter, and an end when the server has ended, or when the group wants no instance at all.
func (g checkedGroup) CompleteLifecycleAction(ctx context.Context, in *autoscaling.CompleteLifecycleActionInput, opts ...func(*autoscaling.Options)) (*autoscaling.CompleteLifecycleActionOutput, error) {
	hook, result := aws.ToString(in.LifecycleHookName), aws.ToString(in.LifecycleActionResult)
	voter := g.voterOf(g.served()) != nil
	switch {
	case hook == launchingHook && (result == "CONTINUE") != voter:
		g.fail("C11", "%s completes the launch with %s, and is a voter: %v", g.node, result, voter)
	case hook == terminatingHook && g.etcd.Running() && g.desired() > 0:
		g.fail("C11", "%s completes the termination, and its server runs", g.node)
	}
	out, err := g.AutoScaling.CompleteLifecycleAction(ctx, in, opts...)
	switch {
	case err != nil:
	case hook == terminatingHook:
		g.sometimes(EndCompleted)
	case result == "CONTINUE": // a launch is given up too seldom to be waited for
		g.sometimes(LaunchCompleted)
	}
	return out, err
}

// SetInstanceHealth counts the instances that a leader has replaced.
func (g checkedGroup) SetInstanceHealth(ctx context.Context, in *autoscaling.SetInstanceHealthInput, opts ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error) {
	out, err := g.AutoScaling.SetInstanceHealth(ctx, in, opts...)
	if err == nil {
		g.sometimes(ReplacedUnhealthy)
	}
	return out, err
}
