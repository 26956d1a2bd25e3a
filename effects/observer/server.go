package observer

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// patience is how long one server is waited for.
const patience = time.Second

// servers asks etcd servers one by one, over connections that it keeps.
type servers struct {
	v2      bool        // they may be of 2.3
	tls     *tls.Config // nil: they serve without TLS
	http    http.Client
	mu      sync.Mutex
	clients map[string]*clientv3.Client // by address
}

func newServers(v2 bool, tls *tls.Config) *servers {
	return &servers{
		v2: v2, tls: tls,
		http:    http.Client{Transport: &http.Transport{TLSClientConfig: tls, MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second}},
		clients: map[string]*clientv3.Client{},
	}
}

// url is where a server serves clients.
func (s *servers) url(address string) string { return s.scheme() + net.JoinHostPort(address, "2379") }

func (s *servers) scheme() string {
	if s.tls != nil {
		return "https://"
	}
	return "http://"
}

// client has one server for its endpoint, and reaches it soon after it comes back.
func (s *servers) client(address string) (*clientv3.Client, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.clients[address]; ok {
		return c, nil
	}
	c, err := clientv3.New(clientv3.Config{
		Endpoints: []string{s.url(address)}, TLS: s.tls, Logger: zap.NewNop(), MaxUnaryRetries: 1,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.2, MaxDelay: 100 * time.Millisecond},
			MinConnectTimeout: patience,
		})},
	})
	if err == nil {
		s.clients[address] = c
	}
	return c, err
}

// forget closes the connections to servers that are no more.
func (s *servers) forget(keep func(address string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for address, c := range s.clients { // in any order: each is closed by itself
		if !keep(address) {
			c.Close()
			delete(s.clients, address)
		}
	}
}

// ask gives what a server answers. The peer port comes first: where it is closed no etcd runs, and that is known at once.
func (s *servers) ask(ctx context.Context, address string) (e Etcd) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	e.URL = s.url(address)
	if s.tls == nil { // else it is for peers only, and the client port has to tell
		if e.ClusterID, e.Members, e.Err = s.askPeerPort(ctx, address); e.Err != nil {
			return e
		}
	}
	var version versionsOf
	if s.v2 { // somebody has to ask each time: the version rises
		if e.Err = s.get(ctx, address, "/version", &version); e.Err != nil {
			return e
		}
		if version.isV2() {
			e.Err = s.askV2(ctx, address, version.Server, &e)
			return e
		}
	}
	c, err := s.client(address)
	if err != nil {
		e.Err = err
		return e
	}
	status, err := c.Status(ctx, c.Endpoints()[0])
	if err != nil {
		e.Err = fmt.Errorf("client port: %w", err)
		return e
	}
	e.ClusterID, e.MemberID, e.Leader, e.Learner = status.Header.ClusterId, status.Header.MemberId, status.Leader, status.IsLearner
	e.Version, e.Revision = status.Version, status.Header.Revision
	if e.Learner {
		return e // it serves no reads
	}
	if e.Members == nil {
		if e.Members, e.Err = askMembers(ctx, c); e.Err != nil {
			return e
		}
	}
	if _, err := c.Get(ctx, "health"); err != nil {
		e.Err = fmt.Errorf("read through quorum: %w", err)
		return e
	}
	e.Serves = true
	return e
}

func askMembers(ctx context.Context, c *clientv3.Client) (members []Member, err error) {
	list, err := c.MemberList(ctx, clientv3.WithSerializable())
	if err != nil {
		return nil, fmt.Errorf("list of members: %w", err)
	}
	for _, m := range list.Members {
		members = append(members, Member{m.ID, m.Name, m.PeerURLs, m.ClientURLs, m.IsLearner})
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	return members, nil
}

func (s *servers) askPeerPort(ctx context.Context, address string) (cluster uint64, members []Member, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.scheme()+net.JoinHostPort(address, "2380")+"/members", nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := s.http.Do(req)
	if err != nil {
		var call *url.Error
		var op *net.OpError
		switch { // without the address, which is known
		case errors.As(err, &op):
			err = op.Err
		case errors.As(err, &call):
			err = call.Err
		}
		return 0, nil, fmt.Errorf("peer port: %w", err)
	}
	defer res.Body.Close()
	var list []struct {
		ID         uint64   `json:"id"`
		PeerURLs   []string `json:"peerURLs"`
		Learner    bool     `json:"isLearner"`
		Name       string   `json:"name"`
		ClientURLs []string `json:"clientURLs"`
	}
	if err := json.NewDecoder(res.Body).Decode(&list); err != nil {
		return 0, nil, fmt.Errorf("peer port: %w", err)
	}
	if cluster, err = strconv.ParseUint(res.Header.Get("X-Etcd-Cluster-ID"), 16, 64); err != nil {
		return 0, nil, fmt.Errorf("peer port: cluster ID: %w", err)
	}
	for _, m := range list {
		members = append(members, Member{m.ID, m.Name, m.PeerURLs, m.ClientURLs, m.Learner})
	}
	slices.SortFunc(members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	return cluster, members, nil
}
