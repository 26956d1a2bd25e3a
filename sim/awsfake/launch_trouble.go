package awsfake

import (
	"slices"
	"time"
)

// scarcity is a zone without capacity, all zones if it has no name.
type scarcity struct {
	zone  string
	until time.Time
}

// deadBoots is until when instances are launched that end by themselves.
type deadBoots struct {
	after time.Duration
	until time.Time
}

// slowLaunches replace Options.LaunchDelay until then.
type slowLaunches struct {
	delay time.Duration
	until time.Time
}

// LaunchSlowly makes each instance that is launched in a while pending for so
// long, instead of Options.LaunchDelay: one of three may come an hour late.
func (c *Cloud) LaunchSlowly(delay, lasts time.Duration) {
	c.troubles.slow = slowLaunches{delay, c.from(lasts)}
}

func (c *Cloud) launchDelay() time.Duration {
	if s := c.troubles.slow; c.still(s.until) {
		return s.delay
	}
	return c.opt.LaunchDelay
}

// NoCapacity makes launches in an availability zone fail for a while, in all
// zones if none is named: EC2 answers InsufficientInstanceCapacity. The group
// turns to another of its zones, and tries again after Options.LaunchRetry
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ts-as-capacity.html).
func (c *Cloud) NoCapacity(zone string, lasts time.Duration) {
	c.troubles.scarce = append(c.troubles.scarce, scarcity{zone, c.from(lasts)})
}

func (c *Cloud) scarce(zone string) bool {
	return slices.ContainsFunc(c.troubles.scarce, func(s scarcity) bool {
		return (s.zone == "" || s.zone == zone) && c.still(s.until)
	})
}

// BootAndDie makes each instance that is launched in a while end by itself so
// long after its launch; before Options.LaunchDelay it never runs. The group
// replaces it, which is a loop until the while is over.
func (c *Cloud) BootAndDie(after, lasts time.Duration) {
	c.troubles.deadBoots = deadBoots{after, c.from(lasts)}
}

// ReuseAddresses makes launches in a while take the address that was given back
// last. EC2 hands out any free address of the subnet, one that was in use a
// moment ago as well as one from last year.
func (c *Cloud) ReuseAddresses(lasts time.Duration) { c.troubles.reuse = c.from(lasts) }

// address is the private address of a new instance.
func (c *Cloud) address(id string) string {
	if last := len(c.freed) - 1; last >= 0 && c.still(c.troubles.reuse) {
		ip := c.freed[last]
		c.freed = c.freed[:last]
		return ip
	}
	return c.opt.NewAddress(id)
}
