package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// AWS announces that it is going to reboot the instance of the leader: another one leads by then, and no write has waited for an election.
func TestWarnedLeaderHandsOver(t *testing.T) {
	rarely(t)
	ctx, r, w := upgradeRig(t, realEtcd(t), "3.7")
	leader, ok := r.Latest().Leader()
	if !ok {
		t.Fatal("nobody leads")
	}
	r.Cloud.Do(func(c *awsfake.Cloud) { c.ScheduleEvent(leader.ID, "system-reboot", 24*time.Hour) })
	if _, err := r.Wait(ctx, func(v *observer.View) error {
		if now, ok := v.Leader(); !ok || now.ID == leader.ID {
			return fmt.Errorf("%s leads still", leader.ID)
		}
		return v.Settled(3)
	}); err != nil {
		t.Fatal(err)
	}
	if longest := w.Progress().Longest; longest >= time.Second { // an election timeout, after which a leader that is lost is replaced
		t.Errorf("no write was acknowledged for %s", longest)
	}
	w.Stop()
	w.historyHolds(t)
}
