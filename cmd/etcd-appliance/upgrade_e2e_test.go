package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// upgradeRig is three instances on etcd 3.6, configured by a file, and a client that writes all along.
func upgradeRig(t *testing.T) (ctx context.Context, r *rig.Rig, w *rig.Writer, want func(minor string)) {
	t.Helper()
	servers := realEtcd(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	dir := t.TempDir()
	file := filepath.Join(dir, "appliance.yaml")
	want = func(minor string) {
		if err := os.WriteFile(file, []byte("etcd-version: \""+minor+"\"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want("3.6")
	r, err := rig.Start(ctx, rig.Options{
		Daemon: builtDaemon(t), EtcdDir: servers, Args: []string{"--config", file}, Dir: dir, Warn: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := r.Launch(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := r.WaitDNS(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if err := allRun(r.Latest(), "3.6"); err != nil {
		t.Fatal(err)
	}
	w = r.Write("upgrade/")
	for w.Progress().Acked < 100 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return ctx, r, w, want
}

// allRun tells which member does not run a minor.
func allRun(v *rig.View, minor string) error {
	for _, i := range v.InService() {
		if !strings.HasPrefix(i.Etcd.Version, minor+".") {
			return fmt.Errorf("%s runs etcd %q, not %s", i.ID, i.Etcd.Version, minor)
		}
	}
	return nil
}

// holds checks what must be true after every upgrade.
func holds(ctx context.Context, t *testing.T, r *rig.Rig, w *rig.Writer, began time.Time) {
	t.Helper()
	v, err := r.Wait(ctx, func(v *rig.View) error { return errors.Join(v.Settled(3), v.DNSRight(), v.ClaimRight(), allRun(v, "3.7")) })
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
	if err := r.OneCluster(); err != nil {
		t.Error(err)
	}
	t.Logf("took %s; %d keys acknowledged, %d attempts failed, longest time without an acknowledgement %s", took.Round(time.Millisecond), progress.Acked, progress.Failed, progress.Longest.Round(time.Millisecond))
}

// Every instance is told to want the next minor, at once. They take turns.
func TestUpgradeInPlace(t *testing.T) {
	ctx, r, w, want := upgradeRig(t)
	began := time.Now()
	want("3.7")
	for _, i := range r.Latest().InService() {
		if err := syscall.Kill(r.DaemonPID(i.ID), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	holds(ctx, t, r, w, began)
}

// The instances are replaced one by one, by others that want the next minor.
func TestUpgradeByReplacement(t *testing.T) {
	ctx, r, w, want := upgradeRig(t)
	began := time.Now()
	want("3.7")
	old := r.Latest().InService()
	for n, i := range old {
		if err := r.Terminate(ctx, i.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Wait(ctx, func(v *rig.View) error {
			upgraded := 0
			for _, in := range v.InService() {
				if strings.HasPrefix(in.Etcd.Version, "3.7.") {
					upgraded++
				}
			}
			if upgraded != n+1 {
				return fmt.Errorf("%d members run 3.7", upgraded)
			}
			return v.Settled(3)
		}); err != nil {
			t.Fatal(err)
		}
	}
	holds(ctx, t, r, w, began)
}
