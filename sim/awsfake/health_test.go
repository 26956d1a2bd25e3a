package awsfake_test

import (
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

func TestFlappingHealthCheck(t *testing.T) {
	w := newWorld(t, 3, func(o *awsfake.Options) { o.HealthCheckDelay = time.Minute })
	w.sleep(time.Minute)
	id := w.Instances()[1].ID
	w.FailHealthCheck(id, 59*time.Second)
	w.sleep(10 * time.Minute)
	expect(t, "too short to be noticed", w.lifecycle(), "InService InService InService")

	w.FailHealthCheck(id, 61*time.Second)
	w.sleep(time.Minute)
	expect(t, "replaced, although it runs", w.lifecycle(), "InService Terminating InService Pending")
	w.sleep(time.Minute)
	expect(t, "later", w.lifecycle(), "InService InService InService")

	first := w.Instances()[0].ID
	w.FailHealthCheck(first, time.Hour)
	w.Calm()
	w.sleep(time.Hour)
	i, _ := w.Instance(first)
	expect(t, "calmed in time", i.Lifecycle, "InService")
}

// What was found unhealthy is replaced even if it has recovered in between.
func TestUnhealthyForGood(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	suspend(t, w, "ReplaceUnhealthy")
	w.FailHealthCheck(w.Instances()[0].ID, time.Minute)
	w.sleep(10 * time.Minute)
	expect(t, "health", w.Instances()[0].Health, "Unhealthy")
	resume(t, w)
	expect(t, "replaced", w.lifecycle(), "Terminating Pending")
}
