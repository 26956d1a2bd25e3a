package awsfake

import (
	"slices"
	"time"
)

// state is everything that a describe call reads. Slices inside its elements
// are never changed in place, so a copy of the slices is a snapshot.
type state struct {
	instances []Instance      // in order of launch
	groups    []Group         // in order of creation
	zones     []Zone          // in order of creation
	security  []SecurityGroup // in order of creation
}

type snapshot struct {
	at    time.Time
	state state
}

// remember keeps the state for stale reads, if anyone may ask for one. Two
// changes at one instant are one snapshot.
func (c *Cloud) remember() {
	if c.opt.MaxStale == 0 || !c.changed && len(c.past) > 0 {
		return
	}
	c.changed = false
	now := c.opt.Now()
	shot := snapshot{now, state{slices.Clone(c.state.instances), slices.Clone(c.state.groups), slices.Clone(c.state.zones), slices.Clone(c.state.security)}}
	if last := len(c.past) - 1; last >= 0 && c.past[last].at.Equal(now) {
		c.past[last] = shot
		return
	}
	c.past = append(c.past, shot)
	c.forget(now.Add(-c.opt.MaxStale))
}

// forget drops the snapshots that no read can reach: all before the newest one
// that is not younger than limit.
func (c *Cloud) forget(limit time.Time) {
	keep := 0
	for keep+1 < len(c.past) && !c.past[keep+1].at.After(limit) {
		keep++
	}
	c.past = slices.Delete(c.past, 0, keep)
}

// asOf returns the state as a replica that lags by age shows it.
func (c *Cloud) asOf(age time.Duration) *state {
	if age <= 0 || len(c.past) == 0 {
		return &c.state
	}
	limit := c.opt.Now().Add(-age)
	for i := len(c.past) - 1; i > 0; i-- {
		if !c.past[i].at.After(limit) {
			return &c.past[i].state
		}
	}
	return &c.past[0].state
}
