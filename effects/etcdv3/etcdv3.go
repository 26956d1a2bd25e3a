// Package etcdv3 asks etcd servers from 3.0 on over their client port. It is [effects.Etcd] on the official client.
//
// The official client is made to spread calls over many endpoints and to wait until one answers. A supervisor needs the
// opposite: to know which server it asked, and to learn at once that nobody is there. So there is one client per endpoint,
// nothing is retried inside, and a server that cannot be reached is told apart from a call whose outcome is not known.
package etcdv3

import (
	"context"
	"crypto/tls"
	"slices"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Config configures the client. The zero value asks without TLS.
type Config struct {
	TLS *tls.Config // for https endpoints
	// Attempt is how long one server is given to accept a connection, and to answer a question that changes nothing.
	// The default is 1 s. A request for a change, once sent, is waited for as long as the caller wants.
	Attempt time.Duration
	// Change is how long a change is waited for when the caller sets no deadline. The default is 5 s.
	Change time.Duration
}

// Etcd implements [effects.Etcd]. It may be used concurrently.
type Etcd struct {
	config Config

	mu      sync.Mutex
	servers map[string]*server
	leases  map[string]clientv3.LeaseID // by lock key: the lease that our value of it was bound to
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
	return &Etcd{config: config, servers: map[string]*server{}, leases: map[string]clientv3.LeaseID{}}
}

// server gives the client of one endpoint.
func (e *Etcd) server(endpoint string) (*server, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.servers[endpoint]
	if !ok {
		var err error
		if s, err = open(endpoint, e.config); err != nil {
			return nil, err
		}
		e.servers[endpoint] = s
	}
	s.used = time.Now()
	return s, nil
}

// forgetAfter is how long a connection that is no longer listed is kept: no call that is under way may lose it, and a server
// that is asked again and again before it is listed (our own, while it joins) need not be dialled each time.
const forgetAfter = time.Minute

// Forget closes the connections to endpoints that are not listed and have not been asked for a minute.
func (e *Etcd) Forget(keep []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for endpoint, s := range e.servers { // in any order: each is looked at by itself
		if !slices.Contains(keep, endpoint) && time.Since(s.used) > forgetAfter {
			s.Close()
			delete(e.servers, endpoint)
		}
	}
}

// Close closes every connection.
func (e *Etcd) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for endpoint, s := range e.servers { // in any order: all are closed
		s.Close()
		delete(e.servers, endpoint)
	}
}

// read asks the servers in order until one answers.
func (e *Etcd) read(ctx context.Context, endpoints []string, ask func(context.Context, *server) error) error {
	last := errNobody
	for _, endpoint := range endpoints {
		if last = e.attempt(ctx, endpoint, ask); last == nil || ctx.Err() != nil {
			return last
		}
	}
	return last
}

// attempt asks one server, within the time of one attempt.
func (e *Etcd) attempt(ctx context.Context, endpoint string, ask func(context.Context, *server) error) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.Attempt)
	defer cancel()
	s, err := e.server(endpoint)
	if err != nil {
		return err
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	return explain(endpoint, ask(ctx, s))
}

// change looks at the servers in order, within the time of one attempt each, and asks the first that lets itself be looked at
// for a change. It asks another only if that one has certainly changed nothing: a learner serves no changes. After an unknown
// outcome only a new look can tell.
func (e *Etcd) change(ctx context.Context, endpoints []string, look, ask func(context.Context, *server) error) error {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, e.config.Change)
		defer cancel()
	}
	last := errNobody
	for _, endpoint := range endpoints {
		if last = e.attempt(ctx, endpoint, look); last == nil {
			var s *server
			if s, last = e.server(endpoint); last == nil {
				last = explain(endpoint, ask(ctx, s))
			}
			if !refusedByLearner(last) {
				return last
			}
		}
		if ctx.Err() != nil {
			return last
		}
	}
	return last
}

// reached is the look that is content with a connection.
func reached(context.Context, *server) error { return nil }
