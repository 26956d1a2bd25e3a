package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud"
)

// StartBare brings up a Rig whose instances run etcd alone. What else a cluster needs the rig does itself, with the bare
// operations of etcd and at the moment when they are needed: it is the cloud, so that it need not find anything out. That makes
// it the floor: what a daemon cannot be faster than.
//
// The first instances form the cluster. A server that ends is started again. An instance launched later takes the place of the
// members whose instances have left the group. Which minor an instance runs is told by its configuration, as it is to a daemon.
// There is no DNS. When ctx ends no more operations are done.
func StartBare(ctx context.Context, o Options) (*Rig, error) {
	r, err := Start(ctx, o)
	if err != nil {
		return nil, err
	}
	b := &bare{Rig: r, ctx: ctx}
	r.launcher.Restart = time.Millisecond
	r.launcher.Command = b.command
	return r, nil
}

// bare operates the servers of a Rig.
type bare struct {
	*Rig
	ctx    context.Context
	formed bool // touched by the cloud's worker alone, which launches instances one after the other
}

const (
	bareTry   = 250 * time.Millisecond // for one call: a proposal sent to a leader that has just died is never answered
	barePause = 10 * time.Millisecond  // after a call that failed
)

// command runs the etcd of an instance. It is called for every start; only the first one of an instance needs anything done.
func (b *bare) command(i localcloud.Instance) *exec.Cmd {
	exe := filepath.Join(b.options.EtcdDir, b.minor(i.ID), "etcd")
	data := filepath.Join(b.dataDir(i.ID), "etcd")
	args := []string{
		"--name=" + i.ID, "--data-dir=" + data, "--listen-peer-urls=" + peerURL(i.PrivateIP), "--initial-advertise-peer-urls=" + peerURL(i.PrivateIP),
		"--listen-client-urls=" + clientURL(i.PrivateIP), "--advertise-client-urls=" + clientURL(i.PrivateIP),
		"--snapshot-count=10000", "--logger=zap", "--initial-cluster-token=bare",
	}
	if _, err := os.Stat(filepath.Join(data, "member")); err == nil {
		args = append(args, "--initial-cluster-state=existing")
	} else {
		args = append(args, b.admit(i)...)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = plainEnvironment()
	return cmd
}

// minor is what an instance is configured to run.
func (b *bare) minor(instance string) (minor string) {
	file, err := b.configFile(instance)
	var text []byte
	if err == nil {
		text, err = os.ReadFile(file)
	}
	if err == nil {
		_, err = fmt.Sscanf(string(text), configFormat, &minor)
	}
	if err != nil {
		b.warn(fmt.Errorf("what %s is to run: %w", instance, err))
	}
	return minor
}

// admit gives an instance its place in the cluster, and the flags that follow from it.
func (b *bare) admit(i localcloud.Instance) []string {
	others := b.group()
	if !b.formed {
		b.formed = len(others) > 0 && others[len(others)-1].ID == i.ID
		var list []string
		for _, o := range others {
			list = append(list, o.ID+"="+peerURL(o.PrivateIP))
		}
		return []string{"--initial-cluster=" + strings.Join(list, ","), "--initial-cluster-state=new"}
	}
	others = slices.DeleteFunc(others, func(o awsfake.Instance) bool { return o.ID == i.ID })
	list, err := b.replace(i, others)
	if err != nil {
		b.warn(fmt.Errorf("admit %s: %w", i.ID, err))
	}
	return []string{"--initial-cluster=" + strings.Join(list, ","), "--initial-cluster-state=existing"}
}

func (b *bare) warn(err error) {
	if b.options.Warn != nil && b.ctx.Err() == nil {
		b.options.Warn(err)
	}
}

// group lists the instances of the group.
func (r *Rig) group() (list []awsfake.Instance) {
	r.Cloud.Do(func(c *awsfake.Cloud) { list = c.Instances() })
	return slices.DeleteFunc(list, func(i awsfake.Instance) bool {
		return i.Group != r.options.Group || i.Lifecycle != "InService"
	})
}

// replace adds the instance as a learner, in the place of the members that are none of the others, and promotes it later, as
// soon as it has caught up. It gives the initial cluster that the instance is to start with.
func (b *bare) replace(i localcloud.Instance, others []awsfake.Instance) ([]string, error) {
	var endpoints []string
	for _, o := range others {
		endpoints = append(endpoints, clientURL(o.PrivateIP))
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, Logger: zap.NewNop(), MaxUnaryRetries: 1})
	if err != nil {
		return nil, err
	}
	member := func(name string) bool {
		return slices.ContainsFunc(others, func(o awsfake.Instance) bool { return o.ID == name })
	}
	var id uint64
	var cluster []string
	err = b.insist(func(ctx context.Context) (done bool, err error) {
		id, cluster, done, err = approach(ctx, client, i, member)
		return done, err
	})
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	go func() {
		defer client.Close()
		if err := b.insist(func(ctx context.Context) (bool, error) { return promote(ctx, client, id) }); err != nil {
			b.warn(fmt.Errorf("promote %s: %w", i.ID, err))
		}
	}()
	return cluster, nil
}

// approach does the next operation that is still missing before the instance can start.
func approach(ctx context.Context, client *clientv3.Client, i localcloud.Instance, member func(name string) bool) (id uint64, cluster []string, done bool, err error) {
	res, err := client.MemberList(ctx, clientv3.WithSerializable())
	if err != nil {
		return 0, nil, false, err
	}
	for _, m := range res.Members {
		switch {
		case slices.Contains(m.PeerURLs, peerURL(i.PrivateIP)):
			id = m.ID
			cluster = append(cluster, i.ID+"="+peerURL(i.PrivateIP))
		case member(m.Name):
			cluster = append(cluster, m.Name+"="+m.PeerURLs[0])
		default:
			_, err := client.MemberRemove(ctx, m.ID)
			return 0, nil, false, err
		}
	}
	if id != 0 {
		return id, cluster, true, nil
	}
	_, err = client.MemberAddAsLearner(ctx, []string{peerURL(i.PrivateIP)})
	return 0, nil, false, err
}

// promote tells whether the member is a voter, and promotes it if it is not.
func promote(ctx context.Context, client *clientv3.Client, id uint64) (done bool, err error) {
	if _, err = client.MemberPromote(ctx, id); err == nil {
		return true, nil
	}
	res, listErr := client.MemberList(ctx, clientv3.WithSerializable())
	if listErr != nil {
		return false, errors.Join(err, listErr)
	}
	for _, m := range res.Members {
		if m.ID == id && !m.IsLearner {
			return true, nil
		}
	}
	return false, err
}

// insist repeats an operation until it is done, at once as long as it succeeds.
func (b *bare) insist(do func(context.Context) (done bool, err error)) error {
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	for {
		try, cancel := context.WithTimeout(ctx, bareTry)
		done, err := do(try)
		cancel()
		switch {
		case done:
			return nil
		case err == nil:
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		case <-time.After(barePause):
		}
	}
}

func peerURL(address string) string   { return "http://" + net.JoinHostPort(address, "2380") }
func clientURL(address string) string { return "http://" + net.JoinHostPort(address, "2379") }
