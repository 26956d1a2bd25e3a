package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// realEtcd is where the servers and etcdctl are. It skips the test, loudly, where they are not.
func realEtcd(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED with -short: real clusters take a minute")
	}
	dir := os.Getenv("ETCD_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", ".cache", "etcd")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"3.7/etcd", "bin/etcdctl"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Skipf("SKIPPED, and nothing real was tested: %v; make etcd builds it", err)
		}
	}
	return dir
}

// builtDaemon builds the binary, once for all tests of a run; EA_BIN names another.
func builtDaemon(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("EA_BIN"); named != "" {
		return named
	}
	binary, err := buildDaemon()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

var buildDaemon = sync.OnceValues(func() (string, error) {
	binary, err := filepath.Abs(filepath.Join("..", "..", ".cache", "test", "etcd-appliance"))
	if err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", binary, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

// command is the built binary, with a temporary directory that it is to leave empty.
type command struct {
	*exec.Cmd
	out output
	tmp string
}

func startCommand(t *testing.T, args ...string) *command {
	t.Helper()
	c := &command{Cmd: exec.Command(builtDaemon(t), args...), tmp: t.TempDir()}
	c.Stdout, c.Stderr = &c.out, &c.out
	c.Env = append(os.Environ(), "TMPDIR="+c.tmp)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	return c
}

// ends waits for the command, and then for nothing to be left of it.
func (c *command) ends(t *testing.T, code int) {
	t.Helper()
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	if left := processesOf(c.Process.Pid); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	if left, err := os.ReadDir(c.tmp); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
	if t.Failed() {
		t.Logf("%s", c.out.String())
	}
}

// says waits until the command has written something.
func (c *command) says(t *testing.T, what string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !strings.Contains(c.out.String(), what); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("did not say %q:\n%s", what, c.out.String())
		}
	}
}

// processesOf lists the processes that carry the mark of a cloud, which is its process ID.
func processesOf(cloud int) (list []string) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range environs {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(append(environ, 0), []byte("@"+strconv.Itoa(cloud)+"\x00")) {
			continue
		}
		cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		list = append(list, strings.ReplaceAll(string(cmdline), "\x00", " "))
	}
	return list
}

// output is written by one goroutine and read by another.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// The demo holds from the beginning to the end, and leaves nothing.
func TestDemo(t *testing.T) {
	c := startCommand(t, "demo", "--plain", "--etcd-dir", realEtcd(t), "--etcd-version", "3.7")
	c.ends(t, exitOK)
	for _, want := range []string{"act 6 of 6 is over", "ok      every acknowledged key reads back", "Everything held."} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("does not say %q", want)
		}
	}
	_, summary, _ := strings.Cut(c.out.String(), "\n\n")
	t.Logf("\n%s", summary)
}

// Ctrl-C, and again by someone who cannot wait, leaves nothing either.
func TestDemoInterrupted(t *testing.T) {
	servers := realEtcd(t)
	for _, when := range []string{"act 1 of 6", "act 3 of 6"} {
		for _, signals := range [][]os.Signal{{os.Interrupt, os.Interrupt}, {syscall.SIGTERM}} {
			t.Run(fmt.Sprint(when, signals), func(t *testing.T) {
				c := startCommand(t, "demo", "--plain", "--etcd-dir", servers, "--etcd-version", "3.7")
				c.says(t, when)
				if len(processesOf(c.Process.Pid)) == 0 && when != "act 1 of 6" {
					t.Error("no process is marked, so that none can be found to be left")
				}
				for _, s := range signals {
					_ = c.Process.Signal(s)
				}
				c.ends(t, exitFailure)
			})
		}
	}
}

func TestCloud(t *testing.T) {
	c := startCommand(t, "cloud", "--no-instances")
	c.says(t, "aws route53 list-resource-record-sets")
	_ = c.Process.Signal(os.Interrupt)
	c.ends(t, exitOK)
}

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
	t.Run("wrong DNS", func(t *testing.T) { wrongDNSIsNoticed(ctx, t, r) })
	t.Run("a daemon that is killed", func(t *testing.T) { killedDaemonIsReplaced(ctx, t, r, v.InService()[0].ID) })
}

// discoverySRVFinds gives the real etcdctl a resolv.conf that names the cloud's name server, in a mount namespace of its own.
func discoverySRVFinds(t *testing.T, r *rig.Rig, servers string, v *rig.View) {
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
func lostWritesAreNoticed(ctx context.Context, t *testing.T, w *rig.Writer, v *rig.View) {
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
	if _, err := r.Wait(ctx, func(v *rig.View) error {
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
