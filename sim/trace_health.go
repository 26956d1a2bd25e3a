package sim

import (
	"fmt"
	"slices"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Health is how something outside the daemons is doing, for the eye.
type Health struct {
	Level string `json:"level"` // ok, warn, bad, or empty when there is nothing yet
	Text  string `json:"text"`
}

func (t *tracer) lockOwner() string {
	c := t.served()
	if c == nil {
		return ""
	}
	if n := t.byID[effects.ParseUpgrade(c.Key(effects.UpgradeLockKey)).Owner]; n != nil {
		return n.short() + " upgrades"
	}
	if n := t.byID[c.Lock(joinLock).Owner]; n != nil {
		return n.short() + " joins"
	}
	return ""
}

func (t *tracer) groupHealth() Health {
	if t.outage {
		return Health{"bad", "AWS does not answer"}
	}
	g, _ := t.cloud.Group(groupName)
	serve := 0
	for _, in := range t.cloud.Instances() {
		if in.Group == groupName && in.Lifecycle == "InService" {
			serve++
		}
	}
	level := "ok"
	if serve != g.Desired {
		level = "warn"
	}
	return Health{level, fmt.Sprintf("%d of %d instances in service", serve, g.Desired)}
}

func (t *tracer) etcdHealth() Health {
	c := t.served()
	if c == nil {
		return Health{Text: "no cluster has served"}
	}
	voters, healthy, _ := c.Voters()
	h := Health{"ok", fmt.Sprintf("%d of %d voters healthy", healthy, voters)}
	if n := len(c.Members()) - voters; n > 0 {
		h.Text += fmt.Sprintf(", %d learner", n)
	}
	for _, m := range c.Members() {
		if n := t.byID[m.Key()]; m.ID == c.Leader() && n != nil {
			h.Text += ", " + n.short() + " leads"
		}
	}
	switch {
	case !c.HasQuorum():
		h.Level = "bad"
		h.Text += ", no quorum"
	case healthy < voters:
		h.Level = "warn"
	}
	return h
}

func (t *tracer) dnsHealth() Health {
	var want []string
	if c := t.served(); c != nil {
		for _, m := range c.Members() {
			if !m.Learner {
				want = append(want, m.Address)
			}
		}
	}
	slices.Sort(want)
	for _, r := range t.cloud.Records(t.zoneID) {
		if r.Type != "A" {
			continue
		}
		if slices.Equal(want, slices.Sorted(slices.Values(r.Values))) {
			return Health{"ok", fmt.Sprintf("the %d voters", len(want))}
		}
		return Health{"warn", fmt.Sprintf("%d addresses, which are not the voters", len(r.Values))}
	}
	return Health{Text: "no address record"}
}
