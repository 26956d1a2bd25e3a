package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdv3"
	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// rarely skips a test that is not worth its time in every run: make e2e runs it.
func rarely(t *testing.T) {
	t.Helper()
	if os.Getenv("E2E") != "all" {
		t.Skip("SKIPPED: it takes long, and is for make e2e, which sets E2E=all")
	}
}

// moment is when a fault strikes, as told by etcd's own record and by the process of the holder's server.
type moment int

const (
	lockHeld      moment = iota // a member holds the upgrade lock
	serverStopped               // and its old server has ended
	serverStarted               // and its new one runs
)

// Something goes wrong in the middle of a roll. The cluster gets there all the same, and nobody is told anything that is not so.
func TestUpgradeWithFaults(t *testing.T) {
	servers := realEtcd(t)
	builtDaemon(t)
	killDaemon := func(ctx context.Context, r *rig.Rig, holder string) error {
		_, err := r.KillDaemon(ctx, holder)
		return err
	}
	for _, tt := range []struct {
		name   string
		when   moment
		strike func(ctx context.Context, r *rig.Rig, holder string) error
		rarely bool
	}{
		{"daemon of the holder is killed, its server stopped", serverStopped, killDaemon, false},
		{"daemon of the holder is killed before it stops its server", lockHeld, killDaemon, true},
		{"daemon of the holder is killed, its new server started", serverStarted, killDaemon, true},
		{"etcd of the holder is killed", lockHeld, killEtcdOf, false},
		{"new etcd of the holder is killed", serverStarted, killEtcdOf, true},
		{"instance of the holder is terminated, its server stopped", serverStopped, terminateIt, false},
		{"instance of the holder is terminated before it stops its server", lockHeld, terminateIt, true},
		{"etcd of another member is killed", lockHeld, killAnother, false},
		{"etcd of another member is killed, the holder's stopped", serverStopped, killAnother, true},
		{"daemon of the holder is paused", lockHeld, pauseDaemon, false},
		{"daemon of the holder is paused, its server stopped", serverStopped, pauseDaemon, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.rarely {
				rarely(t)
			}
			t.Parallel()
			ctx, r, w := upgradeRig(t, servers, "3.6")
			began := time.Now()
			if err := r.Want("3.7"); err != nil {
				t.Fatal(err)
			}
			holder := await(ctx, t, r, tt.when)
			if err := tt.strike(ctx, r, holder); err != nil {
				t.Fatal(err)
			}
			holds(ctx, t, r, w, "3.7", began)
		})
	}
}

// await returns at the moment, and tells who holds the lock.
func await(ctx context.Context, t *testing.T, r *rig.Rig, when moment) (holder string) {
	t.Helper()
	old := map[string]int{}
	for _, i := range r.Latest().InService() {
		old[i.ID] = r.EtcdPID(i.ID)
	}
	etcd := etcdv3.New(etcdv3.Config{})
	defer etcd.Close()
	for holder == "" {
		if lock, err := upgradeLock(ctx, etcd, r.Latest()); err == nil {
			holder = lock.Owner
		} else if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	reached := func() bool {
		running := r.EtcdPID(holder)
		return when == lockHeld || running != old[holder] && (when == serverStopped || running != 0)
	}
	for ; !reached(); time.Sleep(time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("%s holds the upgrade lock and does not use it", holder)
		}
	}
	return holder
}

// upgradeLock reads the record.
func upgradeLock(ctx context.Context, etcd *etcdv3.Etcd, v *observer.View) (lock states.UpgradeLock, err error) {
	var endpoints []string
	for _, i := range v.InService() {
		endpoints = append(endpoints, "http://"+i.Address+":2379")
	}
	keys, err := etcd.Keys(ctx, endpoints, effects.UpgradeLockKey)
	for _, key := range keys {
		if key.Key == effects.UpgradeLockKey {
			lock = effects.ParseUpgrade(key)
		}
	}
	return lock, err
}

// killEtcdOf kills the server of an instance, as soon as it has one.
func killEtcdOf(ctx context.Context, r *rig.Rig, instance string) error {
	for {
		_, err := r.KillEtcd(ctx, instance)
		if err == nil || ctx.Err() != nil {
			return err
		}
	}
}

func terminateIt(ctx context.Context, r *rig.Rig, instance string) error {
	return r.Terminate(ctx, instance)
}

func killAnother(ctx context.Context, r *rig.Rig, holder string) error {
	for _, i := range r.Latest().InService() {
		if i.ID != holder {
			return killEtcdOf(ctx, r, i.ID)
		}
	}
	return errors.New("there is no other member")
}

// pausedFor is longer than facts are acted upon anywhere in the rules (15 s, states: expired) but for those of the group, whose age
// does not matter to a lock that is compared when it is used.
const pausedFor = 17 * time.Second

// pauseDaemon stops the holder's daemon for a while. Nobody takes its lock, and nobody else changes its server.
func pauseDaemon(ctx context.Context, r *rig.Rig, holder string) (err error) {
	pid := r.DaemonPID(holder)
	if pid == 0 {
		return fmt.Errorf("%s has no daemon", holder)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)) }()
	etcd := etcdv3.New(etcdv3.Config{})
	defer etcd.Close()
	for begun := time.Now(); time.Since(begun) < pausedFor && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) {
		v := r.Latest()
		if lock, err := upgradeLock(ctx, etcd, v); err == nil && lock.Owner != holder {
			return fmt.Errorf("%s was paused with the upgrade lock, and now it is %q's", holder, lock.Owner)
		}
		for _, i := range v.InService() {
			if i.ID != holder && strings.HasPrefix(i.Etcd.Version, "3.7.") {
				return fmt.Errorf("%s has changed its server, and %s holds the upgrade lock", i.ID, holder)
			}
		}
	}
	return ctx.Err()
}

// oneDownAtATime looks for two members that were without a server by decision at once, in what the daemons decided.
func oneDownAtATime(decisions []rig.Decision) error {
	decisions = slices.Clone(decisions)
	slices.SortStableFunc(decisions, func(a, b rig.Decision) int { return a.At.Compare(b.At) })
	down := ""
	stops := 0
	for _, d := range decisions {
		for _, command := range d.Commands {
			switch {
			case strings.HasPrefix(command, "stop etcd for its upgrade"):
				if down != "" && down != d.Instance {
					return fmt.Errorf("%s decided to stop its server at %s, and %s had not given back the upgrade lock", d.Instance, d.At, down)
				}
				down = d.Instance
				stops++
			case strings.HasPrefix(command, "release the upgrade lock"):
				down = "" // by the owner; or by the leader, when the owner's instance has ended
			}
		}
	}
	if stops == 0 {
		return errors.New("no daemon has decided to stop a server: the log says nothing")
	}
	return nil
}

func TestOneDownAtATime(t *testing.T) {
	at := time.Now()
	said := func(instance, command string) rig.Decision {
		at = at.Add(time.Second)
		return rig.Decision{Instance: instance, At: at, Commands: []string{command}}
	}
	stop := states.StopForUpgrade{}.String()
	give := states.ReleaseUpgradeLock{}.String()
	good := []rig.Decision{said("a", stop), said("a", stop), said("a", give), said("b", stop), said("b", give)}
	if err := oneDownAtATime(good); err != nil {
		t.Error(err)
	}
	good[2], good[3] = good[3], good[2] // in whatever order they are read
	if err := oneDownAtATime(good); err != nil {
		t.Error(err)
	}
	for _, bad := range [][]rig.Decision{nil, {said("a", stop), said("b", stop)}, {said("a", stop), said("a", give), said("b", stop), said("a", stop)}} {
		if err := oneDownAtATime(bad); err == nil {
			t.Errorf("nothing is wrong with %v", bad)
		}
	}
}

// Five members take turns.
func TestUpgradeOfFive(t *testing.T) {
	ctx, r, w := upgradeRigOf(t, 5, realEtcd(t), "3.6")
	began := time.Now()
	if err := r.Want("3.7"); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
}

// Five are replaced one by one, by others that want the next minor.
func TestUpgradeOfFiveByReplacement(t *testing.T) {
	ctx, r, w := upgradeRigOf(t, 5, realEtcd(t), "3.6")
	began := time.Now()
	replaceAll(ctx, t, r, "3.7")
	holds(ctx, t, r, w, "3.7", began)
}

// A cluster that has taken many snapshots of 3.5 goes on to 3.7, as a young one does.
func TestUpgradeOfOldCluster(t *testing.T) {
	const writes, snapshots = 5000, "--snapshot-count=1000"
	ctx, r, w := upgradeRigWith(t, realEtcd(t), "3.5", snapshots)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"http://" + r.Latest().InService()[0].Address + ":2379"}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var left atomic.Int64
	left.Store(writes)
	failed := make(chan error)
	const writers = 50
	for range writers {
		go func() {
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				if _, err := client.Put(ctx, fmt.Sprintf("past/%d", n%100), strings.Repeat("x", 100)); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	for range writers {
		err = errors.Join(err, <-failed)
	}
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := r.Want("3.7"); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
}
