package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig/history"
)

// A cluster on loopback, and whether those who watch it would notice if something were wrong.
func TestRig(t *testing.T) {
	servers := realEtcd(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r, err := rig.Start(ctx, rig.Options{Daemon: builtDaemon(t), EtcdDir: servers, EtcdVersion: "3.7", Dir: t.TempDir(), Warn: func(err error) { t.Error(err) }})
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
	w := r.Write("rig/")
	v, err := r.WaitDNS(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("etcdctl --discovery-srv", func(t *testing.T) { discoverySRVFinds(t, r, servers, v) })
	t.Run("lost writes", func(t *testing.T) { lostWritesAreNoticed(ctx, t, w, v) })
	t.Run("stale reads", func(t *testing.T) { staleReadsAreNoticed(ctx, t, r, v) })
	t.Run("wrong DNS", func(t *testing.T) { wrongDNSIsNoticed(ctx, t, r) })
	t.Run("a daemon that is killed", func(t *testing.T) { killedDaemonIsReplaced(ctx, t, r, v.InService()[0].ID) })
}

// discoverySRVFinds gives the real etcdctl a resolv.conf that names the cloud's name server, in a mount namespace of its own.
func discoverySRVFinds(t *testing.T, r *rig.Rig, servers string, v *observer.View) {
	host, port, err := net.SplitHostPort(r.Cloud.DNS())
	if err != nil {
		t.Fatal(err)
	}
	if port != "53" {
		t.Skip("SKIPPED: port 53 may not be listened on here, and resolv.conf names no other: run it as root")
	}
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver "+host+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	private := func(script string) *exec.Cmd {
		cmd := exec.Command("sh", "-c", "mount --bind "+file+" /etc/resolv.conf && "+script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		return cmd
	}
	if out, err := private("true").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no mount namespace of our own is permitted here: %v: %s", err, out)
	}
	out, err := private("exec " + filepath.Join(servers, "bin", "etcdctl") + " --discovery-srv " + r.Name() + " member list -w json").Output()
	if err != nil {
		t.Fatalf("etcdctl: %v", err)
	}
	var list struct {
		Members []struct{ Name string }
	}
	if err := json.Unmarshal(out, &list); err != nil || len(list.Members) != 3 {
		t.Fatalf("etcdctl says %s: %v", out, err)
	}
	for _, m := range list.Members {
		if _, ok := v.Instance(m.Name); !ok {
			t.Errorf("etcdctl lists member %s, which is no instance", m.Name)
		}
	}
}

// lostWritesAreNoticed takes away and changes what a writer has written.
func lostWritesAreNoticed(ctx context.Context, t *testing.T, w *rig.Writer, v *observer.View) {
	for w.Progress().Acked < 1200 && ctx.Err() == nil { // more than are read at once
		time.Sleep(10 * time.Millisecond)
	}
	w.Stop()
	address := v.InService()[0].Address
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + address + ":2379"}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	last := fmt.Sprintf("rig/%08d", w.Progress().Acked-1)
	for _, key := range []string{"rig/00000000", "rig/00001000", last} {
		if err := w.Verify(ctx, address); err != nil {
			t.Fatal(err)
		}
		before, err := client.Get(ctx, key)
		if err != nil || len(before.Kvs) != 1 {
			t.Fatalf("%s: %v, %v", key, before, err)
		}
		if _, err := client.Delete(ctx, key); err != nil {
			t.Fatal(err)
		}
		if err := w.Verify(ctx, address); err == nil {
			t.Errorf("the loss of %s is not noticed", key)
		}
		if _, err := client.Put(ctx, key, "another value"); err != nil {
			t.Fatal(err)
		}
		if err := w.Verify(ctx, address); err == nil {
			t.Errorf("a change of %s is not noticed", key)
		}
		if _, err := client.Put(ctx, key, string(before.Kvs[0].Value)); err != nil {
			t.Fatal(err)
		}
	}
}

// staleReadsAreNoticed has clients whose history is in order, and others behind whose backs the first value comes back.
func staleReadsAreNoticed(ctx context.Context, t *testing.T, r *rig.Rig, v *observer.View) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + v.InService()[0].Address + ":2379"}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, tampered := range []bool{false, true} {
		prefix := fmt.Sprintf("history/%t/", tampered)
		clients := history.Record(r, prefix)
		reach := func(n int) {
			for n += clients.Operations(); clients.Operations() < n && ctx.Err() == nil; {
				time.Sleep(10 * time.Millisecond)
			}
		}
		reach(100)
		for n := range 3 {
			if tampered {
				if _, err := client.Put(ctx, fmt.Sprint(prefix, n), "1"); err != nil {
					t.Fatal(err)
				}
			}
		}
		reach(50)
		clients.Stop()
		if err := clients.Linearizable(); (err != nil) != tampered {
			t.Errorf("%s, tampered with: %t: %v", clients.Summary(), tampered, err)
		}
	}
}

// wrongDNSIsNoticed publishes something else by hand, one record set after the other, and puts it right again.
func wrongDNSIsNoticed(ctx context.Context, t *testing.T, r *rig.Rig) {
	client := route53.NewFromConfig(r.AWS("vandal"))
	zones, err := client.ListHostedZones(ctx, &route53.ListHostedZonesInput{})
	if err != nil {
		t.Fatal(err)
	}
	zone := zones.HostedZones[0].Id
	all, err := client.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: zone})
	if err != nil {
		t.Fatal(err)
	}
	upsert := func(set route53types.ResourceRecordSet) {
		t.Helper()
		_, err := client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: zone, ChangeBatch: &route53types.ChangeBatch{
			Changes: []route53types.Change{{Action: route53types.ChangeActionUpsert, ResourceRecordSet: &set}},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	changed := 0
	for _, set := range all.ResourceRecordSets {
		if len(set.ResourceRecords) != 3 {
			continue // of the zone itself, or the claim
		}
		changed++
		fewer := set
		fewer.ResourceRecords = set.ResourceRecords[:2]
		upsert(fewer)
		if v := r.Look(ctx); v.DNSRight() == nil {
			t.Errorf("a value missing from %s %s is not noticed", set.Type, *set.Name)
		}
		upsert(set)
		if v := r.Look(ctx); v.DNSRight() != nil {
			t.Errorf("%s %s is right again, and that is not noticed: %v", set.Type, *set.Name, v.DNSRight())
		}
	}
	if changed != 4 {
		t.Errorf("%d record sets list the members, want 4", changed)
	}
}

// killedDaemonIsReplaced by another, to which etcd is nothing new.
func killedDaemonIsReplaced(ctx context.Context, t *testing.T, r *rig.Rig, instance string) {
	etcd := r.EtcdPID(instance)
	old, err := r.KillDaemon(ctx, instance)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Wait(ctx, func(v *observer.View) error {
		if pid := r.DaemonPID(instance); pid == 0 || pid == old {
			return fmt.Errorf("the daemon is process %d, and was %d", pid, old)
		}
		return v.Settled(3)
	}); err != nil {
		t.Error(err)
	}
	if now := r.EtcdPID(instance); now != etcd || etcd == 0 {
		t.Errorf("etcd was process %d, and is %d", etcd, now)
	}
}

// startRig starts a cloud with n daemons that were built for the tests, and waits until DNS has them all. It ends with the test.
func startRig(ctx context.Context, t *testing.T, o rig.Options, n int) (*rig.Rig, *observer.View) {
	t.Helper()
	r := openRig(ctx, t, o)
	if err := r.Launch(ctx, n); err != nil {
		t.Fatal(err)
	}
	view, err := r.WaitDNS(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return r, view
}

// openRig has no group yet.
func openRig(ctx context.Context, t *testing.T, o rig.Options) *rig.Rig {
	t.Helper()
	o.Daemon, o.Dir, o.Warn = builtDaemon(t), t.TempDir(), func(err error) { t.Error(err) }
	r, err := rig.Start(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}
