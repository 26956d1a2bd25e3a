package etcdv2

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/nothing"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// versions is what a server of any version tells at /version.
type versions struct {
	Server  string `json:"etcdserver"`
	Cluster string `json:"etcdcluster"`
}

func (e *Etcd) version(ctx context.Context, endpoint string) (versions, error) {
	var v versions
	_, err := e.get(ctx, endpoint, "/version", &v)
	return v, err
}

// Level asks a server of any version for the version of its cluster; until the cluster has decided it, that of the server stands
// in for it.
func (e *Etcd) Level(ctx context.Context, endpoint string) (states.MinorVersion, error) {
	var level states.MinorVersion
	err := e.attempt(ctx, endpoint, func(ctx context.Context, endpoint string) error {
		told, err := e.version(ctx, endpoint)
		if err != nil {
			return err
		}
		v, err := states.ParseVersion(told.Cluster)
		if err != nil { // "not_decided"
			v, err = states.ParseVersion(told.Server)
		}
		level = v.MinorOf()
		return err
	})
	return level, err
}

// Status asks one server how it is; only a 2.3 leader needs a quorum for its answer.
func (e *Etcd) Status(ctx context.Context, endpoint string) (effects.EtcdStatus, error) {
	var status effects.EtcdStatus
	err := e.attempt(ctx, endpoint, func(ctx context.Context, endpoint string) error {
		s, err := e.status(ctx, endpoint)
		if err == nil {
			status = s
		}
		return err
	})
	return status, err
}

func (e *Etcd) status(ctx context.Context, endpoint string) (s effects.EtcdStatus, err error) {
	told, err := e.version(ctx, endpoint)
	if err != nil {
		return s, err
	}
	if s.Version, err = states.ParseVersion(told.Server); err != nil {
		return s, fmt.Errorf("ask %s: %w", endpoint, err)
	}
	var self member
	if _, err = e.get(ctx, endpoint, "/v2/stats/self", &self); err != nil {
		return s, err
	}
	if s.MemberID, err = strconv.ParseUint(self.ID, 16, 64); err != nil {
		return s, fmt.Errorf("ask %s: its member ID: %w", endpoint, err)
	}
	if s.ClusterID, s.Leader, err = e.leader(ctx, endpoint); err != nil {
		return s, err
	}
	// The answer to a read of a key names the raft index that the server has applied. The root is always there.
	root, err := e.call(ctx, http.MethodHead, endpoint, "/v2/keys/", "", "")
	if err != nil {
		return s, err
	}
	if s.Applied, err = strconv.ParseUint(root.header.Get("X-Raft-Index"), 10, 64); err != nil {
		return s, fmt.Errorf("ask %s: its raft index: %w", endpoint, err)
	}
	if s.Leader == s.MemberID && !s.Version.MinorOf().Less(checksQuorum) || s.Leader != s.MemberID {
		return s, nil
	}
	if e.confirms(ctx, endpoint) != nil {
		s.Leader = 0
	}
	return s, nil
}

// leader asks a server whom it follows; nobody is 0.
func (e *Etcd) leader(ctx context.Context, endpoint string) (cluster, leader uint64, err error) {
	got, err := e.call(ctx, http.MethodGet, endpoint, "/v2/members/leader", "", "")
	if err != nil {
		return 0, 0, err
	}
	if cluster, err = clusterID(endpoint, got); err != nil || got.status == http.StatusServiceUnavailable { // "During election"
		return cluster, 0, err
	}
	var m member
	if err := m.parse(endpoint, got); err != nil {
		return 0, 0, err
	}
	leader, err = strconv.ParseUint(m.ID, 16, 64)
	return cluster, leader, err
}

// checksQuorum is the first minor whose leader steps down when it no longer hears from a quorum (2.3.8 etcdserver/raft.go sets
// CheckQuorum only with the v3 demo). An older one goes on believing in itself for ever.
var checksQuorum = states.MinorVersion{Major: 3, Minor: 0}

// confirmWithin is how long a leader is given to show that it has a quorum: half of an attempt.
const confirmWithin = 500 * time.Millisecond

// confirms reads through quorum.
func (e *Etcd) confirms(ctx context.Context, endpoint string) error {
	ctx, cancel := context.WithTimeout(ctx, confirmWithin)
	defer cancel()
	_, _, err := e.keys(ctx, http.MethodGet, endpoint, nothing.Key, url.Values{"quorum": {"true"}}, nil)
	return err
}

func clusterID(endpoint string, a answer) (uint64, error) {
	id, err := strconv.ParseUint(a.header.Get("X-Etcd-Cluster-ID"), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("ask %s: its cluster ID: %w", endpoint, err)
	}
	return id, nil
}
