package main

import (
	"context"
	"crypto/tls"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdv2"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdv3"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// newEtcd makes the client of etcd's client port. Where no 2.3 server is installed there can be no 2.3 cluster, and nobody asks
// the servers over v2. It speaks TLS to https URLs.
func newEtcd(installed []states.MinorVersion, tls *tls.Config) (client effects.Etcd, closeAll func()) {
	if !slices.ContainsFunc(installed, speaksV2) {
		v3 := etcdv3.New(etcdv3.Config{TLS: tls})
		return v3, v3.Close
	}
	return newAnyEtcd(tls)
}

func speaksV2(m states.MinorVersion) bool { return m.Less(states.MinorVersion{Major: 3}) }

// newAnyEtcd makes one for an operator, whose cluster may be of any version.
func newAnyEtcd(tls *tls.Config) (client *effects.Choice, closeAll func()) {
	v2, v3 := etcdv2.New(etcdv2.Config{TLS: tls}), etcdv3.New(etcdv3.Config{TLS: tls})
	return &effects.Choice{V2: v2, V3: v3, Level: v2.Level, Now: time.Now}, func() { v2.Close(); v3.Close() }
}

// auth is what both clients know beyond what the daemon asks.
type auth interface {
	Auth(ctx context.Context, endpoints []string) (states.Fact, error)
}

var (
	_ auth = (*etcdv2.Etcd)(nil)
	_ auth = (*etcdv3.Etcd)(nil)
)

// lookedAt is a cluster of any version for preflight.
type lookedAt struct{ *effects.Choice }

// Auth tells whether users and roles are switched on, in the API that the cluster answers.
func (l lookedAt) Auth(ctx context.Context, endpoints []string) (states.Fact, error) {
	return l.Speaks(ctx, endpoints...).(auth).Auth(ctx, endpoints)
}
