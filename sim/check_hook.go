package sim

import (
	"context"
	"time"

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
	g.mutations++
	switch {
	case err != nil:
	case hook == terminatingHook:
		g.sometimes(EndCompleted)
	case result == "CONTINUE": // a launch is given up too seldom to be waited for
		g.sometimes(LaunchCompleted)
	}
	return out, err
}

// healthAge is how long ago a member may have become what a daemon takes it for: what is known of members is acted upon for 15 s, and
// the question and the command have their deadlines.
const healthAge = 30 * time.Second

// mayReplace is C1, C3, C4 and C8 for an instance that the group is told to replace, which takes its data: its member is not healthy,
// all the others are, and nobody changes a server.
func (g checkedGroup) mayReplace(id string) {
	c, target := g.served(), g.byID[id]
	if c == nil || target == nil || g.slept > 0 {
		return
	}
	g.rests("has "+id+" replaced", 0)
	g.knows("has "+id+" replaced", theGroup|theMembers, 0)
	n, healthy := 0, 0
	for _, m := range c.Members() {
		if m.Learner {
			continue
		}
		n++
		other := g.byID[m.Key()]
		switch {
		case other == target && other.hears && g.now-other.since > healthAge:
			g.fail("C3", "%s has %s replaced, whose member has been healthy for %s", g.node, id, g.now-other.since)
		case other != target && other != nil && (other.hears || g.now-other.since < healthAge):
			healthy++
		}
	}
	if healthy < n-1 {
		g.fail("C1", "%s has %s replaced, and %d of %d other voters are healthy", g.node, id, healthy, n-1)
	}
}

// SetInstanceHealth is the one command that ends an instance with its data: see mayReplace.
func (g checkedGroup) SetInstanceHealth(ctx context.Context, in *autoscaling.SetInstanceHealthInput, opts ...func(*autoscaling.Options)) (*autoscaling.SetInstanceHealthOutput, error) {
	g.mayReplace(aws.ToString(in.InstanceId))
	out, err := g.AutoScaling.SetInstanceHealth(ctx, in, opts...)
	g.counts(err)
	if err == nil {
		g.sometimes(ReplacedUnhealthy)
	}
	return out, err
}
