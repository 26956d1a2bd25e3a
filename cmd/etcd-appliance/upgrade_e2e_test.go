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

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/preflight"
	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig/history"
)

// applications are clients of the cluster: one that writes all along, and some whose histories are checked.
type applications struct {
	*rig.Writer
	history *history.Clients
}

// upgradeRig is three instances on etcd of a minor, and clients at work.
func upgradeRig(t *testing.T, servers, minor string) (context.Context, *rig.Rig, *applications) {
	t.Helper()
	return upgradeRigOf(t, 3, servers, minor)
}

// upgradeRigWith has further arguments for the daemons.
func upgradeRigWith(t *testing.T, servers, minor string, args ...string) (context.Context, *rig.Rig, *applications) {
	t.Helper()
	return upgradeRigOf(t, 3, servers, minor, args...)
}

// upgradeRigOf has n instances.
func upgradeRigOf(t *testing.T, n int, servers, minor string, args ...string) (context.Context, *rig.Rig, *applications) {
	t.Helper()
	return upgradeRigFrom(t, n, rig.Options{EtcdDir: servers, EtcdVersion: minor, Args: args})
}

// upgradeRigFrom has further options.
func upgradeRigFrom(t *testing.T, n int, o rig.Options) (context.Context, *rig.Rig, *applications) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	minor := o.EtcdVersion
	o.V2 = minor == "2.3"
	r, _ := startRig(ctx, t, o, n)
	if err := r.Latest().Run(minor); err != nil {
		t.Fatal(err)
	}
	w := &applications{Writer: r.Write("upgrade/")}
	if minor != "2.3" {
		w.history = history.Record(r, "history/")
	}
	t.Cleanup(w.Stop)
	for w.Progress().Acked < 100 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return ctx, r, w
}

// Stop ends all of them.
func (a *applications) Stop() {
	a.Writer.Stop()
	if a.history != nil {
		a.history.Stop()
	}
}

// historyHolds fails the test if a client was told what is not so. Nobody is asked where the cluster begins with v2.
func (a *applications) historyHolds(t *testing.T) {
	t.Helper()
	if a.history == nil {
		return
	}
	if err := a.history.Linearizable(); err != nil {
		t.Error(err)
	}
	t.Log(a.history.Summary())
}

// holds checks what must be true after every upgrade to a minor.
func holds(ctx context.Context, t *testing.T, r *rig.Rig, w *applications, minor string, began time.Time) {
	t.Helper()
	n := r.Latest().Desired
	v, err := r.Wait(ctx, func(v *observer.View) error { return errors.Join(v.Settled(n), v.Run(minor)) })
	if err != nil {
		t.Fatal(err)
	}
	took, progress := time.Since(began), w.Progress()
	w.Stop()
	for _, i := range v.InService() {
		if err := w.Verify(ctx, i.Address); err != nil {
			t.Error(err)
		}
	}
	for _, err := range []error{r.OneCluster(), oneDownAtATime(r.Decisions())} {
		if err != nil {
			t.Error(err)
		}
	}
	w.historyHolds(t)
	for out := ""; !strings.Contains(out, "Nobody holds the upgrade lock"); time.Sleep(50 * time.Millisecond) {
		if out = unlock(t, v, "n"); ctx.Err() != nil {
			t.Fatal(out)
		}
	}
	t.Logf("took %s; %d keys acknowledged, %d attempts failed, longest time without an acknowledgement %s", took.Round(time.Millisecond), progress.Acked, progress.Failed, progress.Longest.Round(time.Millisecond))
}

// unlock is the operator, with an answer.
func unlock(t *testing.T, v *observer.View, answer string) string {
	t.Helper()
	cmd := exec.Command(builtDaemon(t), "unlock", "--endpoints", "http://"+v.InService()[0].Address+":2379")
	cmd.Stdin = strings.NewReader(answer + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("unlock: %v\n%s", err, out)
	}
	return string(out)
}

// Every instance is told to want the next minor, at once. They take turns.
func TestUpgradeInPlace(t *testing.T) {
	ctx, r, w := upgradeRig(t, realEtcd(t), "3.6")
	began := time.Now()
	if err := r.Want("3.7"); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
}

// The group is given a tag, and nobody touches the instances.
func TestUpgradeByTag(t *testing.T) {
	ctx, r, w := upgradeRigWith(t, realEtcd(t), "3.6", "--tag-interval=1s")
	began := time.Now()
	if err := r.Tag(ctx, "3.7"); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
}

// A young cluster goes from 3.5 over 3.6 to 3.7 at once, which kills 3.7 when it is done by hand: it reads what 3.5 has written
// to the raft log. It takes a snapshot of every member between the steps.
func TestUpgradeOverTwoMinors(t *testing.T) {
	ctx, r, w := upgradeRig(t, realEtcd(t), "3.5")
	began := time.Now()
	if err := r.Want("3.7"); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
	neverHalted(t, r)
}

// The instances are replaced one by one, by others that want the next minor.
func TestUpgradeByReplacement(t *testing.T) {
	ctx, r, w := upgradeRig(t, realEtcd(t), "3.6")
	began := time.Now()
	replaceAll(ctx, t, r, "3.7")
	holds(ctx, t, r, w, "3.7", began)
}

// replaceAll terminates one instance after the other, and waits until the next has joined and runs the minor.
func replaceAll(ctx context.Context, t *testing.T, r *rig.Rig, minor string) {
	t.Helper()
	if err := r.Configure(minor); err != nil {
		t.Fatal(err)
	}
	for n, i := range r.Latest().InService() {
		if err := r.Terminate(ctx, i.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Wait(ctx, func(v *observer.View) error {
			upgraded := 0
			for _, in := range v.InService() {
				if strings.HasPrefix(in.Etcd.Version, minor+".") {
					upgraded++
				}
			}
			if upgraded != n+1 {
				return fmt.Errorf("%d members run %s", upgraded, minor)
			}
			return v.Settled(v.Desired)
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// From 2.3 to 3.0 all goes over v2, until every member runs 3.0: the lock, the members, and here the client. An empty 3.0 server
// would die of the snapshot of a 2.3 leader, and such a leader forgets its log early here; so a replacement joins as 2.3 and is
// upgraded in place.
func TestUpgradeFrom23(t *testing.T) {
	for _, how := range []string{"by replacement", "in place", "by roll"} {
		t.Run(how, func(t *testing.T) {
			servers := realEtcd(t)
			if how == "by roll" {
				rarely(t) // a leader with nothing to do sees the tag within a minute
			}
			for _, minor := range []string{"2.3", "3.0"} {
				if _, err := os.Stat(filepath.Join(servers, minor, "etcd")); err != nil {
					t.Skipf("SKIPPED, and the way from 2.3 was not tested: %v; make etcd builds it", err)
				}
			}
			ctx, r, w := upgradeRigWith(t, servers, "2.3", "--snapshot-count=200", "--tag-interval=1s")
			if how == "in place" {
				preflightAt23(t, r)
			}
			began := time.Now()
			switch how {
			case "by replacement":
				replaceAll(ctx, t, r, "3.0")
			case "in place":
				if err := r.Want("3.0"); err != nil {
					t.Fatal(err)
				}
			case "by roll":
				out, err := rollCommand(ctx, t, r, "--to", "3.0").CombinedOutput()
				t.Log("\n" + string(out))
				if err != nil {
					t.Fatal(err)
				}
			}
			holds(ctx, t, r, w, "3.0", began)
			if how == "in place" {
				preflightAt30(t, r)
			}
		})
	}
}

// One member has gone on to the next minor, and the configuration is set back: the cluster can still go back, and so it does. Once
// all have gone on it cannot, and says what can.
func TestUpgradeIsTakenBack(t *testing.T) {
	ctx, r, w := upgradeRig(t, realEtcd(t), "3.6")
	one := r.Latest().InService()[0].ID
	runs := func(minor string) {
		t.Helper()
		if _, err := r.Wait(ctx, func(v *observer.View) error {
			for _, i := range v.InService() {
				want := "3.6."
				if i.ID == one {
					want = minor
				}
				if !strings.HasPrefix(i.Etcd.Version, want) {
					return fmt.Errorf("%s runs %s", i.ID, i.Etcd.Version)
				}
			}
			return v.Settled(3)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, minor := range []string{"3.7", "3.6"} {
		if err := r.EditOne(one, minor); err != nil {
			t.Fatal(err)
		}
		runs(minor + ".")
	}
	began := time.Now()
	if err := r.Want("3.7"); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
	// The version of the cluster rises up to 4 s after the last member has; until then there is a way back for all of them.
	for checks, _ := preflightOn(t, r, one, "3.7"); checks["version"].Status != preflight.Pass; checks, _ = preflightOn(t, r, one, "3.7") {
		if ctx.Err() != nil {
			t.Fatal(checks["version"])
		}
	}
	if err := r.Want("3.6"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Wait(ctx, func(v *observer.View) error {
		told := map[string]bool{}
		for _, d := range r.Decisions() {
			if strings.Contains(d.Why, "cannot be taken back") && strings.Contains(d.Why, "downgrade enable 3.6") {
				told[d.Instance] = true
			}
		}
		if len(told) < 3 {
			return fmt.Errorf("%d members say that there is no way back", len(told))
		}
		return errors.Join(v.Settled(3), v.Run("3.7"))
	}); err != nil {
		t.Fatal(err)
	}
}

// The next server does not run. The member that tried it goes back to the old one, nobody else tries, and once an operator has
// mended the server and ended the halt, all go on.
func TestFailedUpgradeIsTakenBack(t *testing.T) {
	servers, ours := realEtcd(t), t.TempDir()
	broken := filepath.Join(ours, "3.7", "etcd")
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(broken), 0o755), os.WriteFile(broken, []byte("#!/bin/sh\necho 'panic: of course' >&2; exit 2\n"), 0o755),
		os.Symlink(filepath.Join(servers, "3.6"), filepath.Join(ours, "3.6")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, r, w := upgradeRig(t, ours, "3.6")
	if err := r.Want("3.7"); err != nil {
		t.Fatal(err)
	}
	halted := func() (n int) {
		told := map[string]bool{}
		for _, d := range r.Decisions() {
			if strings.Contains(d.Why, "is halted") && d.To != "Upgrading" {
				told[d.Instance] = true
			}
		}
		return len(told)
	}
	v, err := r.Wait(ctx, func(v *observer.View) error {
		if n := halted(); n < 3 {
			return fmt.Errorf("%d members know of the halt", n)
		}
		return errors.Join(v.Settled(3), v.Run("3.6"))
	})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := errors.Join(os.Remove(broken), os.Symlink(filepath.Join(servers, "3.7", "etcd"), broken)); err != nil {
		t.Fatal(err)
	}
	if out := unlock(t, v, "y"); !strings.Contains(out, "An upgrade has failed at i-") || !strings.Contains(out, "panic: of course") {
		t.Error(out)
	}
	holds(ctx, t, r, w, "3.7", began)
}

// neverHalted fails a test in which a daemon has said that an upgrade is halted.
func neverHalted(t *testing.T, r *rig.Rig) {
	t.Helper()
	for _, d := range r.Decisions() {
		if strings.Contains(d.Why, "is halted") {
			t.Errorf("%s: %s", d.Instance, d.Why)
		}
	}
}
