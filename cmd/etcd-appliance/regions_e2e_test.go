package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// TestClusterOfTwoRegions forms one cluster from the groups of two regions, replaces an instance of the second, and looks at whom the
// security group of each lets in. (What it lets in, loopback does not ask.)
func TestClusterOfTwoRegions(t *testing.T) {
	servers := realEtcd(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	r := openRig(ctx, t, rig.Options{EtcdDir: servers, EtcdVersion: "3.6", Abroad: "eu-west-1", Args: []string{"--tag-interval=1s"}})
	if err := errors.Join(r.Launch(ctx, 2), r.LaunchAbroad(ctx, 1)); err != nil {
		t.Fatal(err)
	}
	v, err := r.Wait(ctx, func(v *observer.View) error { return errors.Join(v.Settled(3), letsIn(r, v, true)) })
	if err != nil {
		t.Fatal(err)
	}
	victim := v.Instances[slices.IndexFunc(v.Instances, abroad)]
	if err := r.Terminate(ctx, victim.ID); err != nil {
		t.Fatal(err)
	}
	replaced := func(only bool) func(*observer.View) error {
		return func(v *observer.View) error {
			if i, ok := v.Instance(victim.ID); ok && i.Lifecycle != "" {
				return fmt.Errorf("%s is in its group still", victim.ID)
			}
			return errors.Join(v.Settled(3), letsIn(r, v, only))
		}
	}
	if v, err = r.Wait(ctx, replaced(false)); err != nil {
		t.Fatal(err)
	}
	if n := len(slices.DeleteFunc(v.InService(), func(i observer.Instance) bool { return !abroad(i) })); n != 1 {
		t.Errorf("%d instances are in service in the other region", n)
	}
	if err := r.OneCluster(); err != nil {
		t.Error(err)
	}
	out, err := rollCommand(ctx, t, r, "--to", "3.7", "--also", "eu-west-1=releaseetcd-abroad").CombinedOutput()
	if err != nil {
		t.Errorf("roll: %v\n%s", err, out)
	}
	if _, err := r.Wait(ctx, func(v *observer.View) error { return errors.Join(v.Settled(3), v.Run("3.7")) }); err != nil {
		t.Error(err)
	}
	t.Run("who has gone is let in no longer", func(t *testing.T) {
		rarely(t) // that nobody has the address takes more than a minute to prove
		if _, err := r.Wait(ctx, replaced(true)); err != nil {
			t.Error(err)
		}
	})
}

func abroad(i observer.Instance) bool { return strings.HasPrefix(i.Zone, "eu-west-1") }

// letsIn tells which region does not let in who is in the other, or, where only those are to be, lets in somebody else.
func letsIn(r *rig.Rig, v *observer.View, only bool) error {
	let := r.LetsIn()
	for region, there := range map[string]bool{"eu-central-1": true, "eu-west-1": false} {
		var want []string
		for _, i := range v.InService() {
			if abroad(i) == there {
				want = append(want, i.Address+"/32")
			}
		}
		missing := slices.ContainsFunc(want, func(a string) bool { return !slices.Contains(let[region], a) })
		if missing || only && len(let[region]) != len(want) {
			return fmt.Errorf("%s lets in %v, and is to let in %v", region, let[region], want)
		}
	}
	return nil
}
