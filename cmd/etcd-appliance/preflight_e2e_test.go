package main

import (
	"encoding/json"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/preflight"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// preflightOn runs preflight as on an instance, with the configuration and the data of its daemon.
func preflightOn(t *testing.T, r *rig.Rig, instance, to string, env ...string) (byName map[string]preflight.Check, code int) {
	t.Helper()
	disk := filepath.Join(r.Dir(), instance)
	cmd := exec.Command(builtDaemon(t), "preflight", "--to", to, "--json", "--etcd-dir", r.Options().EtcdDir,
		"--config", filepath.Join(disk, "appliance.yaml"), "--data-dir", filepath.Join(disk, "data"))
	cmd.Env = append(r.Cloud.Env("operator", ""), env...)
	out, err := cmd.Output()
	if code = cmd.ProcessState.ExitCode(); code != 0 && code != exitFailure {
		t.Fatalf("preflight: %v", err)
	}
	var checks []preflight.Check
	if err := json.Unmarshal(out, &checks); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	byName = map[string]preflight.Check{}
	for _, c := range checks {
		byName[c.What] = c
	}
	return byName, code
}

// Of a young cluster on 3.5 nothing is found, until it has something: a key in the v2 store, a flag, a target out of reach. What was
// asked has left nothing in the log: it goes over 3.6 to 3.7 afterwards.
func TestPreflight(t *testing.T) {
	servers := realEtcd(t)
	ctx, r, w := upgradeRig(t, servers, "3.5")
	instance := r.Latest().InService()[0]
	checks, code := preflightOn(t, r, instance.ID, "3.7")
	for name, c := range checks {
		// The first snapshot is only taken after 5000 entries.
		if young := name == "v2 data" && c.Status == preflight.Warn; c.Status != preflight.Pass && !young {
			t.Errorf("a cluster in order: %s", c)
		}
	}
	if code != 0 || len(checks) != 20 {
		t.Errorf("code %d, %d checks", code, len(checks))
	}
	checks, code = preflightOn(t, r, instance.ID, "3.8", "ETCD_APPLIANCE_ETCD_ARG=--experimental-corrupt-check-time=1h")
	if c := checks["way"]; code != exitFailure || c.Status != preflight.Fail {
		t.Errorf("code %d: %s", code, c)
	}
	checks, code = preflightOn(t, r, instance.ID, "3.7", "ETCD_APPLIANCE_ETCD_ARG=--experimental-corrupt-check-time=1h")
	if c := checks["flags of 3.7"]; code != exitFailure || c.Status != preflight.Fail || checks["flags of 3.6"].Status != preflight.Pass {
		t.Errorf("code %d: %s", code, c)
	}
	began := time.Now()
	if err := r.Edit("3.7"); err != nil { // and nobody tells the daemons
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
}

// A key in the v2 store of a 3.5 cluster, on which 3.6 would not start; and users, without which the daemon takes no lock.
func TestPreflightSeesV2Keys(t *testing.T) {
	servers := realEtcd(t)
	_, r, _ := upgradeRigWith(t, servers, "3.5", "--etcd-arg=--enable-v2=true", "--snapshot-count=50")
	instance := r.Latest().InService()[0]
	for status := preflight.Warn; status == preflight.Warn; time.Sleep(50 * time.Millisecond) { // until there is a snapshot
		checks, _ := preflightOn(t, r, instance.ID, "3.6")
		c := checks["v2 data"]
		if status = c.Status; status == preflight.Fail || status == preflight.Pass && !strings.Contains(c.Saw, "newest snapshot") {
			t.Errorf("before there is one: %s", c)
		}
	}
	answer, err := http.DefaultClient.Do(put(t, "http://"+instance.Address+":2379/v2/keys/foo", "value=bar"))
	if err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("%v: %v", answer, err)
	}
	_ = answer.Body.Close()
	checks, code := preflightOn(t, r, instance.ID, "3.6")
	if c := checks["v2 data"]; code != exitFailure || c.Status != preflight.Fail || !strings.Contains(c.Saw, "has keys in the v2 store") {
		t.Errorf("code %d: %s", code, c)
	}
	if c := checks["authentication"]; c.Status != preflight.Pass {
		t.Error(c)
	}
	for _, line := range []string{"user add root:secret", "user grant-role root root", "auth enable"} {
		args := append([]string{"--endpoints", "http://" + instance.Address + ":2379"}, strings.Fields(line)...)
		if out, err := exec.Command(filepath.Join(servers, "bin", "etcdctl"), args...).CombinedOutput(); err != nil {
			t.Fatalf("etcdctl %s: %v: %s", line, err, out)
		}
	}
	checks, _ = preflightOn(t, r, instance.ID, "3.6")
	if c := checks["authentication"]; c.Status != preflight.Fail {
		t.Errorf("with users: %v", checks)
	}
}

// preflightAt23 looks at a cluster that answers v2 alone; and again with users, whom the daemon knows nothing of.
func preflightAt23(t *testing.T, r *rig.Rig) {
	t.Helper()
	instance := r.Latest().InService()[0]
	passes := func() {
		t.Helper()
		checks, code := preflightOn(t, r, instance.ID, "3.0")
		for _, c := range checks {
			if c.Status != preflight.Pass {
				t.Errorf("a cluster in order: %s", c)
			}
		}
		if c := checks["way"]; code != 0 || len(checks) != 14 || c.Saw != "2.3 > 3.0, one minor at a time" {
			t.Errorf("code %d, %d checks, %s", code, len(checks), c)
		}
	}
	passes()
	auth := "http://" + instance.Address + ":2379/v2/auth/"
	users := func(method, path, body string, want int) {
		t.Helper()
		request := put(t, auth+path, body)
		request.Method = method
		if method == http.MethodDelete {
			request.SetBasicAuth("root", "secret")
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil || answer.StatusCode != want {
			t.Fatalf("%s %s: %v: %v", method, path, answer, err)
		}
		_ = answer.Body.Close()
	}
	users(http.MethodPut, "users/root", `{"user":"root","password":"secret"}`, http.StatusCreated)
	users(http.MethodPut, "enable", "", http.StatusOK)
	if checks, code := preflightOn(t, r, instance.ID, "3.0"); code != exitFailure || checks["authentication"].Status != preflight.Fail {
		t.Errorf("with users: code %d, %v", code, checks)
	}
	users(http.MethodDelete, "enable", "", http.StatusOK)
	passes()
}

// preflightAt30 looks at what has become of it, of which the locks are asked over both APIs and all else over v3. The next server is
// the only thing that is missing.
func preflightAt30(t *testing.T, r *rig.Rig) {
	t.Helper()
	checks, code := preflightOn(t, r, r.Latest().InService()[0].ID, "3.1")
	for name, c := range checks {
		if (c.Status == preflight.Pass) != (name != "server 3.1") {
			t.Error(c)
		}
	}
	if c := checks["version"]; code != exitFailure || len(checks) != 14 || c.Saw != "of the cluster and of its data: 3.0" {
		t.Errorf("code %d, %d checks, %s", code, len(checks), c)
	}
}

func put(t *testing.T, to, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}
