package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/status"
	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// Three daemons with real servers tell the truth: while all is well, while the server of one is dead, and when it is back.
func TestStatusOfRealCluster(t *testing.T) {
	servers := ownServers(t, realEtcd(t))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	r, view := startRig(ctx, t, rig.Options{EtcdDir: servers, EtcdVersion: "3.7"}, 3)
	leader, _ := view.Leader()
	follower, _ := view.Follower()
	for _, i := range view.InService() {
		eventually(ctx, t, func() error { return tellsItIsReady(ctx, &i) })
		eventually(ctx, t, func() error { return surveyIs(ctx, &i, exitOK, view, &leader) })
	}

	dead := filepath.Join(servers, "3.7", "etcd")
	if err := os.Rename(dead, dead+".away"); err != nil { // else it is back before anybody can look
		t.Fatal(err)
	}
	if _, err := r.KillEtcd(ctx, follower.ID); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, func() error { return tellsWhyNot(ctx, &follower, "etcd does not run") })
	eventually(ctx, t, func() error { return tellsItIsReady(ctx, &leader) })
	for _, i := range []*observer.Instance{&leader, &follower} {
		eventually(ctx, t, func() error {
			return surveySays(ctx, i, "member "+follower.ID+" is not healthy", follower.ID+" is not ready")
		})
	}

	if err := os.Rename(dead+".away", dead); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, func() error { return tellsItIsReady(ctx, &follower) })
	eventually(ctx, t, func() error { return surveyIs(ctx, &follower, exitOK, view, &leader) })
}

// ownServers is a directory of servers that a test may take away.
func ownServers(t *testing.T, dir string) string {
	t.Helper()
	own := t.TempDir()
	if err := os.Mkdir(filepath.Join(own, "3.7"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "3.7", "etcd"), filepath.Join(own, "3.7", "etcd")); err != nil {
		t.Fatal(err)
	}
	return own
}

// eventually waits until a check passes.
func eventually(ctx context.Context, t *testing.T, check func() error) {
	t.Helper()
	limit := time.Now().Add(30 * time.Second)
	for {
		err := check()
		if err == nil {
			return
		}
		if ctx.Err() != nil || time.Now().After(limit) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// fetch reads a path of the daemon of an instance.
func fetch(ctx context.Context, i *observer.Instance, path string) (code int, text string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+statusOf(i)+path, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// tells checks the answers of a daemon to its probes, and what it says to Prometheus.
func tells(ctx context.Context, i *observer.Instance, ready int, why, metric string) error {
	for path, want := range map[string]struct {
		code int
		says string
	}{"/healthz": {http.StatusOK, "ok"}, "/readyz": {ready, why}, "/metrics": {http.StatusOK, metric}, "/": {http.StatusOK, "<svg"}} {
		code, text, err := fetch(ctx, i, path)
		if err != nil {
			return err
		}
		if code != want.code || !strings.Contains(text, want.says) {
			return fmt.Errorf("%s: %s answers %d, want %d and %q:\n%s", i.ID, path, code, want.code, want.says, text)
		}
	}
	return nil
}

func tellsItIsReady(ctx context.Context, i *observer.Instance) error {
	return tells(ctx, i, http.StatusOK, "ok", "\netcd_appliance_ready 1\n")
}

func tellsWhyNot(ctx context.Context, i *observer.Instance, why string) error {
	return tells(ctx, i, http.StatusServiceUnavailable, why, "\netcd_appliance_ready 0\n")
}

// survey is the command status on an instance.
func survey(ctx context.Context, i *observer.Instance) (code int, v *status.Survey, err error) {
	var out, complaints bytes.Buffer
	code = run(ctx, []string{"status", "--json", "--status-address", statusOf(i)}, &out, &complaints)
	v = &status.Survey{}
	if err := json.Unmarshal(out.Bytes(), v); err != nil {
		return code, nil, fmt.Errorf("%w: %s%s", err, &out, &complaints)
	}
	return code, v, nil
}

// surveyIs checks a survey against what the public faces of the cluster have shown.
func surveyIs(ctx context.Context, i *observer.Instance, code int, view *observer.View, leader *observer.Instance) error {
	got, v, err := survey(ctx, i)
	if err != nil {
		return err
	}
	if got != code || v.Here.Instance != i.ID || v.Here.Zone != i.Zone || len(v.Members) != 3 || v.Here.Upgrade.Known != "yes" || v.Here.Upgrade.Lock != nil {
		return fmt.Errorf("%s: code %d, %d members, problems %q", i.ID, got, len(v.Members), v.Problems)
	}
	for _, m := range v.Members {
		seen, ok := view.Instance(m.Instance)
		role := status.Follower
		if seen.ID == leader.ID {
			role = status.Leader
		}
		want := status.Row{Here: seen.ID == i.ID}
		want.ID, want.Instance, want.Address, want.ClientURL = fmt.Sprintf("%x", seen.Etcd.MemberID), seen.ID, seen.Address, "http://"+seen.Address+":2379"
		want.Zone, want.Role, want.Health, want.Version = seen.Zone, role, "yes", seen.Etcd.Version
		m.Applied, m.Lag = 0, nil // they go on
		if !ok || m != want {
			return fmt.Errorf("%s says %+v, want %+v", i.ID, m, want)
		}
	}
	for _, a := range v.Others {
		if a.Status == nil {
			return errors.New(a.Instance + " does not answer: " + a.Error)
		}
	}
	return nil
}

// surveySays checks that the command fails, and names one of these problems.
func surveySays(ctx context.Context, i *observer.Instance, problems ...string) error {
	code, v, err := survey(ctx, i)
	if err != nil {
		return err
	}
	for _, p := range v.Problems {
		for _, want := range problems {
			if code == exitFailure && strings.HasPrefix(p, want) {
				return nil
			}
		}
	}
	return fmt.Errorf("%s: code %d, problems %q, want one of %q", i.ID, code, v.Problems, problems)
}
