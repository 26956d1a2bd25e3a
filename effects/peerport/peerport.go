// Package peerport asks etcd servers on their peer port, where every etcd from 2.3 on tells its members and its cluster version
// without quorum and without authentication. It is [effects.Peers] over HTTP.
package peerport

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Config configures the client. The zero value asks port 2380 without TLS.
type Config struct {
	TLS     *tls.Config // when set, https
	Port    int
	Timeout time.Duration // of one Ask, when the caller sets no shorter one; the default is 1 s
}

// Peers implements [effects.Peers]. It may be used concurrently.
type Peers struct {
	client  *http.Client
	scheme  string
	port    string
	timeout time.Duration
}

var _ effects.Peers = (*Peers)(nil)

// New makes a client that has no connections yet.
func New(config Config) *Peers {
	p := &Peers{scheme: "http", port: "2380", timeout: time.Second}
	if config.TLS != nil {
		p.scheme = "https"
	}
	if config.Port != 0 {
		p.port = strconv.Itoa(config.Port)
	}
	if config.Timeout != 0 {
		p.timeout = config.Timeout
	}
	p.client = &http.Client{
		Transport: &http.Transport{ // no proxy: instances of one group talk to each other
			TLSClientConfig:     config.TLS,
			MaxIdleConnsPerHost: 1,
			IdleConnTimeout:     30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // as etcd's own client
	}
	return p
}

// Ask asks one server.
func (p *Peers) Ask(ctx context.Context, address string) (effects.PeerAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var answer effects.PeerAnswer
	var members []member
	header, err := p.get(ctx, address, "/members", &members)
	if err != nil {
		return answer, err
	}
	if answer.ClusterID, err = strconv.ParseUint(header.Get("X-Etcd-Cluster-ID"), 16, 64); err != nil {
		return answer, fmt.Errorf("ask %s: cluster ID: %w", address, err)
	}
	var version struct {
		Cluster string `json:"etcdcluster"`
	}
	if _, err := p.get(ctx, address, "/version", &version); err != nil {
		return effects.PeerAnswer{}, err
	}
	if v, err := states.ParseVersion(version.Cluster); err == nil { // otherwise it is "not_decided"
		answer.ClusterVersion = v.MinorOf()
	}
	answer.Members = make([]states.Member, len(members))
	for i := range members {
		answer.Members[i] = members[i].state()
	}
	slices.SortFunc(answer.Members, func(a, b states.Member) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return answer, nil
}

// member is how the peer port tells a member. Servers before 3.4 leave isLearner out.
type member struct {
	ID         uint64   `json:"id"`
	PeerURLs   []string `json:"peerURLs"`
	Learner    bool     `json:"isLearner"`
	Name       string   `json:"name"`
	ClientURLs []string `json:"clientURLs"`
}

func (m *member) state() states.Member {
	s := states.Member{ID: m.ID, Name: m.Name, Learner: m.Learner}
	if len(m.PeerURLs) > 0 {
		if u, err := url.Parse(m.PeerURLs[0]); err == nil {
			s.Address = u.Hostname()
		}
	}
	if len(m.ClientURLs) > 0 {
		s.ClientURL = m.ClientURLs[0]
	}
	return s
}

// maxBody is more than any etcd tells; what listens on an address of ours need not be an etcd.
const maxBody = 1 << 20

func (p *Peers) get(ctx context.Context, address, path string, into any) (http.Header, error) {
	where := p.scheme + "://" + net.JoinHostPort(address, p.port) + path
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, err
	}
	resp, err := p.client.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("ask %s: %w", address, effects.ErrRefused)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", address, effects.MarkTLS(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask %s: %s: %s", address, path, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", address, err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("ask %s: %s: %w", address, path, err)
	}
	return resp.Header, nil
}
