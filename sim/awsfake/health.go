package awsfake

import "time"

// FailHealthCheck makes EC2's status check of a running machine fail for a
// while, whatever runs on it. Its group notices after Options.HealthCheckDelay if
// the check still fails then, and an instance that was once found unhealthy
// is replaced, even if its check passes again
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html).
func (c *Cloud) FailHealthCheck(id string, lasts time.Duration) {
	i := c.find(id)
	if i == nil || i.State != Running || !i.downAt.IsZero() {
		return
	}
	c.touch()
	i.downAt, i.passAt = c.opt.Now(), c.from(lasts)
	c.scheduleGroup(i.Group, c.opt.Now())
	c.advanceGroups(c.opt.Now())
	c.remember()
}

// impaired tells whether the status check fails although the machine runs.
func (i *Instance) impaired() bool { return !i.passAt.IsZero() }

func (c *Cloud) passHealthCheck(i *Instance) { i.downAt, i.passAt = time.Time{}, time.Time{} }
