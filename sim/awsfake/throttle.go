package awsfake

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Limit is a token bucket, full at first: so many calls at once, and one more
// after each while.
type Limit struct {
	Burst int
	Every time.Duration
}

// LimitLikeAWS sets the limits that AWS documents, for all callers together:
//
//   - EC2: a bucket for each action; 100 and 20 a second for one that changes
//     nothing, of which a request without filter and paging takes two
//     (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html);
//   - Route53: one for the account and one for each action, all of 50 and 10 a
//     second (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html,
//     as of 2026-07-30);
//   - Auto Scaling: one for everything, of a size that is not published. 20 and
//     5 a second is our guess.
func (c *Cloud) LimitLikeAWS() {
	c.Limit("ec2", "DescribeInstances", Limit{100, 50 * time.Millisecond})
	c.Limit("autoscaling", "", Limit{20, 200 * time.Millisecond})
	route53 := Limit{50, 100 * time.Millisecond}
	c.Limit("route53", "", route53)
	for _, action := range []string{"GetHostedZone", "ListHostedZonesByName", "ListResourceRecordSets", "ChangeResourceRecordSets", "GetChange"} {
		c.Limit("route53", action, route53)
	}
	c.Limit("route53", "CreateHostedZone", Limit{40, 500 * time.Millisecond})
}

// Limit bounds the calls of an action, or of a whole service if none is named.
// The zero Limit ends it.
func (c *Cloud) Limit(service, action string, l Limit) {
	c.troubles.limits = slices.DeleteFunc(c.troubles.limits, func(b bucket) bool { return b.service == service && b.action == action })
	if l.Burst > 0 {
		c.troubles.limits = append(c.troubles.limits, bucket{service, action, l, l.size(), c.opt.Now()})
	}
}

// Drain empties all buckets, as a burst of other callers in the account does.
func (c *Cloud) Drain() {
	for n := range c.troubles.limits {
		b := &c.troubles.limits[n]
		b.level, b.at = 0, c.opt.Now()
	}
}

// neighbour is another user of the account.
type neighbour struct {
	percent      int
	since, until time.Time
}

// Neighbour lets other users of the account make calls for a while, percent of
// what is refilled: 50 leaves the half, from 100 on nothing is left once the
// bursts are used up.
func (c *Cloud) Neighbour(percent int, lasts time.Duration) {
	for n := range c.troubles.limits {
		c.troubles.limits[n].refill(c.opt.Now(), c.troubles.neighbour)
	}
	c.troubles.neighbour = neighbour{percent, c.opt.Now(), c.from(lasts)}
}

// bucket counts time: a token is the time in which one is refilled, so that
// there is no fraction to round.
type bucket struct {
	service, action string // no action: for all of them
	limit           Limit
	level           time.Duration
	at              time.Time // of the level
}

func (l Limit) size() time.Duration { return time.Duration(l.Burst) * l.Every }

// refill brings the level up to date: before, while and after the neighbour calls.
func (b *bucket) refill(now time.Time, n neighbour) {
	since := clamp(n.since, b.at, now)
	until := clamp(n.until, since, now)
	for _, gain := range [...]time.Duration{since.Sub(b.at), until.Sub(since) * time.Duration(100-n.percent) / 100, now.Sub(until)} {
		b.level = max(0, min(b.level+gain, b.limit.size()))
	}
	b.at = now
}

// throttle takes the tokens for a call, or refuses it; it is refused by any of
// its buckets, and then takes from none.
func (c *Cloud) throttle(call Call) error {
	tokens := time.Duration(1)
	if in, ok := call.Input.(*ec2.DescribeInstancesInput); ok && in.MaxResults == nil && len(in.InstanceIds) == 0 && len(in.Filters) == 0 {
		tokens = 2
	}
	for _, take := range [...]bool{false, true} {
		for n := range c.troubles.limits {
			b := &c.troubles.limits[n]
			if b.service != call.Service || b.action != "" && b.action != call.Action {
				continue
			}
			b.refill(c.opt.Now(), c.troubles.neighbour)
			switch cost := tokens * b.limit.Every; {
			case b.level < cost:
				return throttled(call.Service)
			case take:
				b.level -= cost
			}
		}
	}
	return nil
}

// throttled is what each service says; the SDK retries all of these
// (DefaultThrottleErrorCodes of aws/retry).
func throttled(service string) error {
	switch service {
	case "ec2":
		return Error("RequestLimitExceeded", "Request limit exceeded.")
	case "s3":
		return Error("SlowDown", "Please reduce your request rate.")
	}
	return Error("Throttling", "Rate exceeded")
}

// clamp moves a time into an interval.
func clamp(t, from, to time.Time) time.Time {
	switch {
	case t.Before(from):
		return from
	case t.After(to):
		return to
	}
	return t
}
