package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// upgradeRig is three instances on etcd 3.6, and a client that writes all along.
func upgradeRig(t *testing.T) (context.Context, *rig.Rig, *rig.Writer) {
	t.Helper()
	servers := realEtcd(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	r, err := rig.Start(ctx, rig.Options{
		Daemon: builtDaemon(t), EtcdDir: servers, EtcdVersion: "3.6", Dir: t.TempDir(), Warn: func(err error) { t.Error(err) },
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
	if err := r.Latest().Run("3.6"); err != nil {
		t.Fatal(err)
	}
	w := r.Write("upgrade/")
	for w.Progress().Acked < 100 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return ctx, r, w
}

// holds checks what must be true after every upgrade.
func holds(ctx context.Context, t *testing.T, r *rig.Rig, w *rig.Writer, began time.Time) {
	t.Helper()
	v, err := r.Wait(ctx, func(v *rig.View) error { return errors.Join(v.Settled(3), v.DNSRight(), v.ClaimRight(), v.Run("3.7")) })
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
	unlock := exec.Command(builtDaemon(t), "unlock", "--endpoints", "http://"+v.InService()[0].Address+":2379")
	if out, err := unlock.CombinedOutput(); err != nil || !strings.Contains(string(out), "Nobody holds the upgrade lock") {
		t.Errorf("unlock: %v\n%s", err, out)
	}
	t.Logf("took %s; %d keys acknowledged, %d attempts failed, longest time without an acknowledgement %s", took.Round(time.Millisecond), progress.Acked, progress.Failed, progress.Longest.Round(time.Millisecond))
}

// Every instance is told to want the next minor, at once. They take turns.
func TestUpgradeInPlace(t *testing.T) {
	ctx, r, w := upgradeRig(t)
	began := time.Now()
	if err := r.Want("3.7"); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, began)
}

// The instances are replaced one by one, by others that want the next minor.
func TestUpgradeByReplacement(t *testing.T) {
	ctx, r, w := upgradeRig(t)
	began := time.Now()
	if err := r.Configure("3.7"); err != nil {
		t.Fatal(err)
	}
	for n, i := range r.Latest().InService() {
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
