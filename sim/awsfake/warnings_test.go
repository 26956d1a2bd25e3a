package awsfake_test

import (
	"encoding/json"
	"testing"
	"time"
)

func TestWarningsOfTheMetadata(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	id := w.Instances()[0].ID
	get := func(path string) string {
		body, ok := w.IMDS(id).Get("meta-data/events/" + path)
		if !ok {
			return "absent"
		}
		return body
	}
	expect(t, "no recommendation", get("recommendations/rebalance"), "absent")
	expect(t, "nothing scheduled", get("maintenance/scheduled"), "[]")
	w.RecommendRebalance(id)
	w.ScheduleEvent(id, "instance-retirement", time.Hour)
	w.ScheduleEvent("i-00000000000000000", "instance-retirement", time.Hour)
	var notice struct{ NoticeTime time.Time }
	must(t, json.Unmarshal([]byte(get("recommendations/rebalance")), &notice))
	var events []struct{ Code, State, NotBefore string }
	must(t, json.Unmarshal([]byte(get("maintenance/scheduled")), &events))
	expect(t, "events", len(events), 1)
	at, err := time.Parse("2 Jan 2006 15:04:05 MST", events[0].NotBefore)
	must(t, err)
	expect(t, "code", events[0].Code+" "+events[0].State, "instance-retirement active")
	expect(t, "an hour between", at.Sub(notice.NoticeTime), time.Hour)
	w.ScheduleEvent(id, "", 0)
	expect(t, "taken back", get("maintenance/scheduled"), "[]")
}
