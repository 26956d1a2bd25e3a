package awsfake

import (
	"encoding/json"
	"time"
)

// warnings are what the metadata of an instance tells of what is to come.
type warnings struct {
	rebalance time.Time // when EC2 recommended to rebalance
	event     string    // scheduled: system-reboot, instance-retirement, ...
	notBefore time.Time
}

// RecommendRebalance tells an instance that its spot capacity is at risk
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html).
func (c *Cloud) RecommendRebalance(id string) {
	c.warn(id, func(w *warnings) { w.rebalance = c.opt.Now() })
}

// ScheduleEvent tells an instance of maintenance to come; an empty code takes it
// back. Nothing else happens: whoever calls it also does what is scheduled
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_scheduled_events.html).
func (c *Cloud) ScheduleEvent(id, code string, in time.Duration) {
	c.warn(id, func(w *warnings) { w.event, w.notBefore = code, c.opt.Now().Add(in) })
}

func (c *Cloud) warn(id string, change func(*warnings)) {
	if i := c.find(id); i != nil && !i.gone() {
		c.touch()
		change(&i.warned)
		c.remember()
	}
}

// Rebalance is the recommendation, JSON; false unless there is one.
func (m *IMDS) Rebalance() (string, bool) {
	at := m.instance().warned.rebalance
	if at.IsZero() {
		return "", false
	}
	return `{"noticeTime":"` + at.UTC().Format(time.RFC3339) + `"}`, true
}

// Scheduled lists the maintenance to come, JSON.
func (m *IMDS) Scheduled() string {
	w := m.instance().warned
	if w.event == "" {
		return "[]"
	}
	const layout = "2 Jan 2006 15:04:05 GMT"
	body, _ := json.Marshal([]map[string]string{{
		"NotBefore": w.notBefore.UTC().Format(layout), "Code": w.event, "Description": "scheduled " + w.event,
		"EventId": "instance-event-0" + m.id[max(0, len(m.id)-16):], "NotAfter": w.notBefore.Add(2 * time.Hour).UTC().Format(layout), "State": "active",
	}})
	return string(body)
}
