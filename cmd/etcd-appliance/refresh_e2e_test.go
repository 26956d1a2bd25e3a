package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// An instance refresh replaces every instance by one that wants the next minor. Nobody looks after it: the group waits for the hooks of
// its instances, and their daemons complete these.
func TestUpgradeByInstanceRefresh(t *testing.T) {
	servers := realEtcd(t)
	builtDaemon(t)
	for _, tt := range []struct {
		name      string
		size      int
		low, high int32
		rarely    bool
	}{
		{"3, terminated and launched together", 3, 90, 0, false},
		{"3, launched first", 3, 100, 134, false},
		{"5, terminated and launched together", 5, 90, 0, true},
		{"5, launched first", 5, 100, 120, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.rarely {
				rarely(t)
			}
			completed := &completions{}
			ctx, r, w := upgradeRigFrom(t, tt.size, rig.Options{
				EtcdDir: servers, EtcdVersion: "3.6", Hooks: true, Cloud: awsfake.Options{Log: completed.heard},
			})
			old := r.Latest().InService()
			if err := r.Configure("3.7"); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if err := r.Refresh(ctx, tt.low, tt.high); err != nil {
				t.Fatal(err)
			}
			refreshed(ctx, t, r)
			holds(ctx, t, r, w, "3.7", began)
			clusterIs(ctx, t, r, "3.7")
			want := map[string]int{"CONTINUE " + rig.LaunchingHook: 2 * tt.size, "CONTINUE " + rig.TerminatingHook: tt.size}
			if got := completed.count(); !maps.Equal(got, want) {
				t.Errorf("completed by their own daemons: %v, want %v", got, want)
			}
			for _, i := range r.Latest().InService() {
				if slices.ContainsFunc(old, func(o observer.Instance) bool { return o.ID == i.ID }) {
					t.Errorf("%s was not replaced", i.ID)
				}
			}
		})
	}
}

// refreshed waits until the refresh has ended, and the last of the old instances.
func refreshed(ctx context.Context, t *testing.T, r *rig.Rig) {
	t.Helper()
	if _, err := r.Wait(ctx, func(v *observer.View) error {
		for _, i := range v.Instances {
			if i.Lifecycle != "" && i.Lifecycle != "InService" {
				return fmt.Errorf("%s is %s", i.ID, i.Lifecycle)
			}
		}
		return r.Refreshed(ctx)
	}); err != nil {
		t.Fatal(err)
	}
}

// completions are the lifecycle actions that were completed, by the result and the hook. What timed out is not among them.
type completions struct {
	mu sync.Mutex
	of map[string]map[string]bool // by whom
}

func (c *completions) heard(call awsfake.Call, err error) {
	in, ok := call.Input.(*autoscaling.CompleteLifecycleActionInput)
	if !ok || err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]map[string]bool{}
	}
	what := *in.LifecycleActionResult + " " + *in.LifecycleHookName
	if c.of[what] == nil {
		c.of[what] = map[string]bool{}
	}
	if call.Caller == *in.InstanceId {
		c.of[what][call.Caller] = true
	}
}

// count tells how many instances have completed a hook themselves.
func (c *completions) count() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for what, by := range c.of {
		n[what] = len(by)
	}
	return n
}

// clusterIs waits until the cluster is of a minor. Its leader looks at the versions of the members every 4 s (etcdserver monitorVersions).
func clusterIs(ctx context.Context, t *testing.T, r *rig.Rig, minor string) {
	t.Helper()
	url := "http://" + r.Latest().InService()[0].Address + ":2379/version"
	motoUntil(t, 15*time.Second, "the cluster is "+minor, func() error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		var version struct {
			Cluster string `json:"etcdcluster"`
		}
		if err := json.NewDecoder(response.Body).Decode(&version); err != nil {
			return err
		}
		if !strings.HasPrefix(version.Cluster, minor+".") {
			return fmt.Errorf("it is %s", version.Cluster)
		}
		return nil
	})
}
