package main

import (
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
	v3 := etcdv3.New(etcdv3.Config{TLS: tls})
	if !slices.ContainsFunc(installed, speaksV2) {
		return v3, v3.Close
	}
	v2 := etcdv2.New(etcdv2.Config{TLS: tls})
	return &effects.Choice{V2: v2, V3: v3, Level: v2.Level, Now: time.Now}, func() { v2.Close(); v3.Close() }
}

func speaksV2(m states.MinorVersion) bool { return m.Less(states.MinorVersion{Major: 3}) }
