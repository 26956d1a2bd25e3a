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
		shell := exec.CommandContext(ctx, "sh", "-c", order)
		shell.Env = append(os.Environ(), "PATH="+filepath.Join(servers, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", order, err, out)
		}
		if _, err := r.Wait(ctx, func(v *observer.View) error { return errors.Join(v.Settled(3), v.Run(minor)) }); err != nil {
			t.Fatal(err)
		}
	}
	holds(ctx, t, r, w, "3.5", began)
	for _, d := range r.Decisions() {
		if strings.Contains(d.Why, "is halted") {
			t.Errorf("%s: %s", d.Instance, d.Why)
		}
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
