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

// locks names who holds the join lock and who the upgrade lock, and tells whether upgrades are halted.
func (t *tracer) locks() (join, upgrade string, halted bool) {
	c := t.served()
	if c == nil {
		return "", "", false
	}
	upgrade = t.named(effects.ParseUpgrade(c.Key(effects.UpgradeLockKey)).Owner)
	return t.named(c.Lock(joinLock).Owner), upgrade, c.Key(effects.UpgradeHaltKey).Revision != 0
}

// named is the short name of an instance; the whole ID of one that has not booted.
func (t *tracer) named(id string) string {
	if n := t.byID[id]; n != nil {
		return n.short()
	}
	return id
}

func (t *tracer) groupHealth() Health {
	if t.outage {
		return Health{"bad", "AWS does not answer"}
	}
	desired, serve := t.desired(), 0
	for _, in := range t.cloud.Instances() {
		if t.ours(in.Group) && in.Lifecycle == "InService" {
			serve++
		}
	}
	level := "ok"
	if serve != desired {
		level = "warn"
	}
	return Health{level, fmt.Sprintf("%d of %d instances in service", serve, desired)}
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
		return Health{"warn", fmt.Sprintf("%d listed, which are not the voters", len(r.Values))}
	}
	return Health{Text: "no address record"}
}
