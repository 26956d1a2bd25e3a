package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// A cluster of the predecessor's becomes one of the daemon's while a client writes, as docs/adopt.md says, and goes on to 3.0: the
// instances are replaced one after the other, or get the daemon in place with the data that they have.
func TestAdoptPredecessor(t *testing.T) {
	for _, how := range []string{"by replacement", "in place"} {
		t.Run(how, func(t *testing.T) {
			servers := realEtcd(t)
			for _, minor := range []string{"2.3", "3.0"} {
				if _, err := os.Stat(filepath.Join(servers, minor, "etcd")); err != nil {
					t.Skipf("SKIPPED, and no cluster of the predecessor's was adopted: %v; make etcd builds it", err)
				}
			}
			ctx, p, w := predecessorRig(t, servers)
			before := p.Latest()
			for n, i := range before.InService() {
				act := p.Terminate
				if how == "in place" {
					act = p.Adopt
				}
				if err := act(ctx, i.ID); err != nil {
					t.Fatal(err)
				}
				if _, err := p.Wait(ctx, func(v *observer.View) error { return errors.Join(v.Healthy(3), daemons(p, v, n+1)) }); err != nil {
					t.Fatal(err)
				}
			}
			v, err := p.WaitDNS(ctx, 3)
			if err != nil {
				t.Fatal(err)
			}
			if was, is := before.ClusterIDs(), v.ClusterIDs(); len(is) != 1 || is[0] != was[0] {
				t.Errorf("the cluster was %x, and is %x", was, is)
			}
			began := time.Now()
			if err := p.Want("3.0"); err != nil {
				t.Fatal(err)
			}
			holds(ctx, t, p.Rig, w, "3.0", began)
		})
	}
}

// predecessorRig is three instances of the predecessor's, published, and a client at work.
func predecessorRig(t *testing.T, servers string) (context.Context, *rig.Predecessor, *applications) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	p, err := rig.StartPredecessor(ctx, rig.Options{
		Daemon: builtDaemon(t), EtcdDir: servers, EtcdVersion: "2.3", V2: true, Dir: t.TempDir(), Warn: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := p.Launch(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := p.WaitHealthy(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	w := &applications{Writer: p.WriteTo(p.FinderInGroup(), "adopt/")}
	t.Cleanup(w.Stop)
	for w.Progress().Acked < 100 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	return ctx, p, w
}

// daemons tells unless so many instances in service run the daemon.
func daemons(p *rig.Predecessor, v *observer.View, want int) error {
	n := 0
	for _, i := range v.InService() {
		if p.DaemonPID(i.ID) != 0 {
			n++
		}
	}
	if n != want {
		return fmt.Errorf("%d instances run the daemon, not %d", n, want)
	}
	return nil
}
