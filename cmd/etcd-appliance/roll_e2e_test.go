package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// rollCommand is the operator's command on the rig's cloud.
func rollCommand(ctx context.Context, t *testing.T, r *rig.Rig, args ...string) *exec.Cmd {
	t.Helper()
	o := r.Options()
	if o.Bucket != "" {
		args = append(args, "--bucket", o.Bucket)
	}
	args = append([]string{"roll", "--group", o.Group, "--hosted-zone", o.Zone, "--nameserver", r.Cloud.DNS(), "--yes"}, args...)
	cmd := exec.CommandContext(ctx, builtDaemon(t), args...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+r.Cloud.URL(), "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=operator", "AWS_SECRET_ACCESS_KEY=loopback-only", "AWS_EC2_METADATA_DISABLED=true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// The operator's command takes a cluster to the next minor by replacement, is interrupted in the middle, and goes on.
func TestRollByReplacement(t *testing.T) {
	ctx, r, w := upgradeRig(t, realEtcd(t), "3.6")
	began := time.Now()
	if err := r.Configure("3.7"); err != nil {
		t.Fatal(err)
	}
	first := rollCommand(ctx, t, r, "--to", "3.7", "--replace")
	var out strings.Builder
	first.Stdout, first.Stderr = &out, &out
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Wait(ctx, func(v *observer.View) error {
		if n := upgraded(v); n != 1 {
			return fmt.Errorf("%d members run 3.7", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := first.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := first.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitFailure || !strings.Contains(out.String(), "interrupted") {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
	again, err := rollCommand(ctx, t, r, "--to", "3.7", "--replace").CombinedOutput()
	t.Log("\n" + string(again))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String()+string(again), "terminates i-"); n != 3 && n != 4 { // the interruption may have come after the second
		t.Errorf("%d instances were terminated", n)
	}
	holds(ctx, t, r, w, "3.7", began)
}

func upgraded(v *observer.View) (n int) {
	for _, in := range v.InService() {
		if strings.HasPrefix(in.Etcd.Version, "3.7.") {
			n++
		}
	}
	return n
}

// It takes the cluster there in place, over two minors. The claim is in a bucket.
func TestRollInPlace(t *testing.T) {
	ctx, r, w := upgradeRigFrom(t, 3, rig.Options{EtcdDir: realEtcd(t), EtcdVersion: "3.5", Bucket: "claims", Args: []string{"--tag-interval=1s"}})
	began := time.Now()
	out, err := rollCommand(ctx, t, r, "--to", "3.7").CombinedOutput()
	t.Log("\n" + string(out))
	if err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
	if out, err := rollCommand(ctx, t, r, "--to", "3.6", "--replace").CombinedOutput(); err == nil || !strings.Contains(string(out), `tag etcd-version of group releaseetcd says "3.7"`) {
		t.Errorf("%v\n%s", err, out)
	}
}

// A roll stops when an instance ends that it has not terminated.
func TestRollStopsAtAnomaly(t *testing.T) {
	ctx, r, _ := upgradeRig(t, realEtcd(t), "3.6") // and the new instances want 3.6 too, so that nothing moves
	cmd := rollCommand(ctx, t, r, "--to", "3.7", "--replace")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first, err := r.Wait(ctx, func(v *observer.View) error {
		if len(v.Instances) < 4 {
			return errors.New("none was terminated")
		}
		return v.Settled(3)
	})
	if err != nil {
		t.Fatal(err)
	}
	victim := first.InService()[0].ID
	if err := r.Terminate(ctx, victim); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(out.String(), victim+" has left the group, and the roll has not terminated it") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
