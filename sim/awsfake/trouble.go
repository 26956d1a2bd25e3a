package awsfake

import (
	"slices"
	"time"
)

// troubles are what is wrong with the account for a while, beside what
// Options.Fault does to single calls. Each is switched on by a method that says
// for how long, and all are off at first.
type troubles struct {
	refusals  []refusal
	limits    []bucket
	neighbour neighbour
	replicas  []replicas
	paging    paging
	disguises []disguise
	newcomers []newcomers
	shuffled  time.Time // until when lists are in no order
	metadata  []metadataTrouble
	slowBoot  slowBoot
	scarce    []scarcity
	deadBoots deadBoots
	slow      slowLaunches
	reuse     time.Time // until when launches get addresses that were in use
	zones     []zoneTrouble
	syncDelay syncDelay
	slowZones slowZones
}

// Calm ends all troubles, limits too. What they did to instances, groups and
// records stays as it is, suspended processes stay suspended, and requests that
// are under way still arrive.
func (c *Cloud) Calm() {
	c.touch()
	for n := range c.state.instances {
		i := &c.state.instances[n]
		i.diesAt = time.Time{}
		if i.impaired() {
			c.passHealthCheck(i)
		}
	}
	c.troubles = troubles{}
	c.remember()
}

// still tells whether something that lasts until then is still so.
func (c *Cloud) still(until time.Time) bool { return c.opt.Now().Before(until) }

// from is the end of something that begins now.
func (c *Cloud) from(lasts time.Duration) time.Time { return c.opt.Now().Add(lasts) }

// lateCall is a request that takes effect after its caller gave up.
type lateCall struct {
	at    time.Time
	apply func()
}

// arriveLater keeps a request for later. No answer to it reaches anyone.
func (c *Cloud) arriveLater(r *request, apply func() error) {
	c.nextKnown = false
	c.late = append(c.late, lateCall{c.from(r.fault.ApplyAfter), func() {
		err := apply()
		if c.opt.Log != nil {
			r.call.Late = true
			c.opt.Log(r.call, err)
		}
	}})
}

// advanceLate lets the requests take effect that are due.
func (c *Cloud) advanceLate(at time.Time) {
	var due []lateCall
	c.late = slices.DeleteFunc(c.late, func(l lateCall) bool {
		if l.at.After(at) {
			return false
		}
		due = append(due, l)
		return true
	})
	for _, l := range due {
		l.apply()
	}
}
