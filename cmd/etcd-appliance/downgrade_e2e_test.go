package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// The whole cluster runs 3.7, and is to run 3.5 again. The daemons say what an operator has to run for each step back, that is run as
// it stands, and they do the rest.
func TestUpgradeIsTakenBackByOrder(t *testing.T) {
	servers := realEtcd(t)
	ctx, r, w := upgradeRig(t, servers, "3.7")
	began := time.Now()
	if err := r.Want("3.5"); err != nil {
		t.Fatal(err)
	}
	for _, minor := range []string{"3.6", "3.5"} {
		order := orderOf(ctx, t, r, minor)
		shell(ctx, t, servers, order)
		if _, err := r.Wait(ctx, func(v *observer.View) error { return errors.Join(v.Settled(3), v.Run(minor)) }); err != nil {
			t.Fatal(err)
		}
	}
	holds(ctx, t, r, w, "3.5", began)
	neverHalted(t, r)
}

// An instance ends on the way back, when one member runs 3.6 already. etcd lets no other join while the order stands; it is cancelled,
// and the cluster goes on to 3.6 with the new instance.
func TestInstanceEndsOnTheWayBack(t *testing.T) {
	servers := realEtcd(t)
	rarely(t)
	ctx, r, w := upgradeRig(t, servers, "3.7")
	began := time.Now()
	if err := r.Want("3.6"); err != nil {
		t.Fatal(err)
	}
	order := orderOf(ctx, t, r, "3.6")
	shell(ctx, t, servers, order)
	victim := ""
	if _, err := r.Wait(ctx, func(v *observer.View) error {
		back := 0
		for _, i := range v.InService() {
			if strings.HasPrefix(i.Etcd.Version, "3.6.") {
				back++
			} else {
				victim = i.ID
			}
		}
		if back == 0 || victim == "" {
			return fmt.Errorf("%d members run 3.6", back)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := r.Terminate(ctx, victim); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Wait(ctx, func(*observer.View) error {
		starts := map[string]int{}
		for _, d := range r.Decisions() {
			if strings.Contains(strings.Join(d.Commands, " "), "start etcd") && strings.HasPrefix(d.Why, "is added as ") {
				starts[d.Instance]++
			}
			if starts[d.Instance] == 2 {
				return nil
			}
		}
		return errors.New("no server of a new instance was started again")
	}); err != nil {
		t.Fatal(err)
	}
	endpoint := ""
	for _, i := range r.Latest().InService() {
		if i.Etcd.Serves {
			endpoint = "http://" + i.Address + ":2379"
		}
	}
	shell(ctx, t, servers, "etcdctl --endpoints="+endpoint+" downgrade cancel")
	holds(ctx, t, r, w, "3.6", began)
}

// shell runs a line as an operator does.
func shell(ctx context.Context, t *testing.T, servers, line string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(servers, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// orderOf waits until every daemon says the same about the way back to a minor, and gives what is to be run for it.
func orderOf(ctx context.Context, t *testing.T, r *rig.Rig, minor string) (order string) {
	t.Helper()
	if _, err := r.Wait(ctx, func(*observer.View) error {
		told := map[string]string{}
		for _, d := range r.Decisions() {
			_, rest, found := strings.Cut(d.Why, "; to go back, run: ")
			if run, _, _ := strings.Cut(rest, "; "); found && strings.HasSuffix(run, " downgrade enable "+minor) {
				told[d.Instance], order = run, run
			}
		}
		for _, run := range told {
			if run != order {
				return fmt.Errorf("one is to run %s, and %s", run, order)
			}
		}
		if len(told) < 3 {
			return fmt.Errorf("%d members say how to go back to %s", len(told), minor)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return order
}
