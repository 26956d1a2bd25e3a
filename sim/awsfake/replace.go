package awsfake

import (
	"math"
	"slices"
	"time"
)

// Bounds limit a replacement, in percent of the desired capacity: how many
// instances are in service and healthy at least, and how many there are at most.
// Max is 0 when none is given.
type Bounds struct{ Min, Max int }

// room is what the bounds come to for a size. Min is rounded up
// (RefreshPreferences of an older API: "rounded up to the nearest integer"). One
// instance at a time is replaced in any case: without Max, terminated before its
// replacement is there; with Max, launched before an old one goes
// (MaxHealthyPercentage in
// https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html).
func (b Bounds) room(desired int) (low, high int) {
	low, high = (desired*b.Min+99)/100, desired
	switch {
	case b.Max == 0:
		low = min(low, desired-1)
	case low < desired:
		high = desired * b.Max / 100
	default:
		high = max(desired*b.Max/100, desired+1)
	}
	return low, high
}

// launchFirst tells whether the replacement comes before its instance goes.
func (b Bounds) launchFirst() bool { return b.Max > 100 }

// room is what bounds the replacements that go on in a group now: those of an
// instance refresh or of the maintenance policy, and for rebalancing a tenth over
// the maximum size, at least one
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/auto-scaling-benefits.html#AutoScalingBehavior.InstanceUsage).
func (g *Group) room() (low, high int) {
	switch r := g.refreshing(); {
	case r != nil && g.suspended("InstanceRefresh"):
		return math.MaxInt, g.Desired
	case r != nil:
		return r.Bounds.room(g.Desired)
	}
	if g.Maintenance.Max > 0 {
		return g.Maintenance.room(g.Desired)
	}
	return g.Desired, g.Max + max(1, g.Max/10)
}

// stay are the members that count and are not being replaced.
func (c *Cloud) stay(g *Group) []*Instance {
	return slices.DeleteFunc(c.active(g), func(i *Instance) bool { return i.outgoing })
}

// replaceOutgoing terminates instances that are to be replaced, as far as enough
// others are in service. Nothing is replaced while Launch is suspended.
func (c *Cloud) replaceOutgoing(g *Group, at time.Time) {
	low, _ := g.room()
	var warmup time.Duration
	if r := g.refreshing(); r != nil {
		warmup = r.Warmup
	}
	for _, i := range c.active(g) {
		if !i.outgoing || g.suspended("Terminate") || g.suspended("Launch") {
			continue
		}
		ready := 0
		for _, other := range c.active(g) {
			if other == i || other.Lifecycle != "InService" || other.Health != "Healthy" {
				continue
			}
			if warm := other.servesAt.Add(warmup); !other.outgoing && warm.After(at) {
				g.reconcileAt = sooner(g.reconcileAt, warm)
				continue
			}
			ready++
		}
		if ready < low {
			return
		}
		c.leaveService(i, at, "User initiated (replaced)")
		c.scheduleGroup(g.Name, at)
	}
}

// Rebalance moves an instance of a group to its emptiest availability zone: the
// replacement is launched first, and the group may exceed its maximum size for
// that. AWS does so when the zones are uneven, as after a zone without capacity;
// here the caller decides when that is. It takes the oldest instance of the
// fullest zone. Nothing happens, and the answer is false, while Launch or
// AZRebalance is suspended. With Terminate suspended the old one stays
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html).
func (c *Cloud) Rebalance(group string) bool {
	g := c.state.group(group)
	if g == nil || g.suspended("Launch") || g.suspended("AZRebalance") || len(c.stay(g)) == 0 {
		return false
	}
	c.touch()
	c.victim(g).outgoing = true
	c.scheduleGroup(group, c.opt.Now())
	c.advanceGroups(c.opt.Now())
	c.remember()
	return true
}
