package awsfake_test

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

func zones(w *world) string {
	var list []string
	for _, i := range w.Instances() {
		if i.Lifecycle == "InService" {
			list = append(list, strings.TrimPrefix(i.Zone, "eu-central-1"))
		}
	}
	return strings.Join(list, " ")
}

func TestNoCapacity(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	w.NoCapacity("", 3*time.Hour)
	must(t, setDesired(t, w, 3))
	w.sleep(2 * time.Hour)
	expect(t, "for hours", zones(w), "a")
	w.sleep(63 * time.Minute)
	expect(t, "capacity again", zones(w), "a b c")

	w = newWorld(t, 0+1, nil)
	w.NoCapacity("eu-central-1b", time.Hour)
	must(t, setDesired(t, w, 3))
	w.sleep(time.Hour)
	expect(t, "in the other zones", zones(w), "a c a")
}

func TestBootAndDie(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	w.BootAndDie(90*time.Second, 10*time.Minute)
	must(t, setDesired(t, w, 2))
	w.sleep(8 * time.Minute)
	deaths := 0
	for _, i := range w.Instances() {
		if i.State == awsfake.Terminated {
			deaths++
			expect(t, "reason", i.Reason, "Server.InternalError: Internal error on launch")
		}
	}
	if deaths < 4 {
		t.Errorf("%d deaths: %v", deaths, w.events)
	}
	expect(t, "it ran before", w.events[1], "+10.0.0.12")
	w.sleep(10 * time.Minute)
	expect(t, "in the end", w.lifecycle(), "InService InService")

	w.BootAndDie(30*time.Second, time.Minute)
	booted := len(w.events)
	must(t, setDesired(t, w, 3))
	w.sleep(time.Minute)
	expect(t, "one that dies first never runs", len(w.events), booted)
}

// Calm spares those that would have died.
func TestBootAndDieCalmed(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	w.BootAndDie(time.Hour, time.Hour)
	must(t, setDesired(t, w, 2))
	id := w.Instances()[1].ID
	w.sleep(time.Minute)
	w.Calm()
	w.sleep(3 * time.Hour)
	expect(t, "it", w.Instances()[1].ID+" "+w.lifecycle(), id+" InService InService")
}

func TestAddressesAreReused(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.sleep(time.Minute)
	dead := w.Instances()[0]
	w.ReuseAddresses(time.Hour)
	suspend(t, w, "Launch")
	must(t, terminateMember(w, dead.ID, false))
	w.sleep(time.Minute)
	resume(t, w)
	w.sleep(time.Minute)
	twin := w.Instances()[2]
	expect(t, "address", twin.PrivateIP+" "+twin.PrivateDNSName, dead.PrivateIP+" "+dead.PrivateDNSName)
	expect(t, "another instance", twin.ID != dead.ID, true)
	expect(t, "only the living one is found by it", describe(t, w, "private-ip-address", dead.PrivateIP), dead.PrivateIP)
	must(t, setDesired(t, w, 3))
	expect(t, "once only", w.Instances()[3].PrivateIP, "10.0.0.13")
}

// Two of three are up, and the third is pending for an hour.
func TestLateLaunch(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.LaunchSlowly(time.Hour, time.Minute)
	must(t, setDesired(t, w, 3))
	w.sleep(59 * time.Minute)
	expect(t, "late", w.lifecycle(), "InService InService Pending")
	w.sleep(time.Minute)
	expect(t, "at last", w.lifecycle(), "InService InService InService")
	must(t, setDesired(t, w, 4))
	w.sleep(time.Minute)
	expect(t, "as ever", w.lifecycle(), "InService InService InService InService")
}
