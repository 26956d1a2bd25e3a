// Package etcdv2 asks etcd servers over the v2 API, which is all that a cluster answers whose version is 2.3. It is [effects.Etcd]
// over HTTP.
//
// It needs no more of HTTP than package net/http has. The official client (go.etcd.io/etcd/client/v2) ended with etcd 3.5, knows
// neither the statistics nor the raft index that a status is made of, and goes on to the next server after failures of which
// nobody can say whether they have changed something.
package etcdv2

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Config configures the client. The zero value asks without TLS.
type Config struct {
	TLS *tls.Config // for https endpoints
	// Attempt is how long one server is given to answer a question that changes nothing. The default is 1 s.
	Attempt time.Duration
	// Change is how long a change is waited for when the caller sets no deadline. The default is 5 s.
	Change time.Duration
}

// Etcd implements [effects.Etcd]. It has no memory, and may be used concurrently.
type Etcd struct {
	config Config
	client http.Client
}

var _ effects.Etcd = (*Etcd)(nil)

// New makes a client that has no connections yet.
func New(config Config) *Etcd {
	if config.Attempt <= 0 {
		config.Attempt = time.Second
	}
	if config.Change <= 0 {
		config.Change = 5 * time.Second
	}
	return &Etcd{config: config, client: http.Client{
		Transport: &http.Transport{ // no proxy: instances of one group talk to each other
			TLSClientConfig:     config.TLS,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Forget has nothing to do: idle connections end by themselves.
func (e *Etcd) Forget([]string) {}

// Close closes every idle connection.
func (e *Etcd) Close() { e.client.CloseIdleConnections() }

var errNobody = errors.New("no endpoint to ask")

// read asks the servers in order until one answers.
func (e *Etcd) read(ctx context.Context, endpoints []string, ask func(context.Context, string) error) error {
	last := errNobody
	for _, endpoint := range endpoints {
		if last = e.attempt(ctx, endpoint, ask); last == nil || ctx.Err() != nil {
			return last
		}
	}
	return last
}

// attempt asks one server, within the time of one attempt.
func (e *Etcd) attempt(ctx context.Context, endpoint string, ask func(context.Context, string) error) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.Attempt)
	defer cancel()
	return ask(ctx, endpoint)
}

// change looks at the servers in order, within the time of one attempt each, and asks the first that lets itself be looked at
// for a change. It asks no other after that: of a change that was sent and failed only a new look can tell what became of it.
func (e *Etcd) change(ctx context.Context, endpoints []string, look, ask func(context.Context, string) error) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.config.Change)
		defer cancel()
	}
	last := errNobody
	for _, endpoint := range endpoints {
		if last = e.attempt(ctx, endpoint, look); last == nil {
			return ask(ctx, endpoint)
		}
		if ctx.Err() != nil {
			return last
		}
	}
	return last
}

// reached is the look that is content with an answer.
func (e *Etcd) reached(ctx context.Context, endpoint string) error {
	_, err := e.version(ctx, endpoint)
	return err
}
