package rig

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// resolveEvery is how often an application looks the members up.
const resolveEvery = time.Second

// Finder is an application's way to the cluster: a client of all its members, as DNS has them. One goroutine uses it.
type Finder struct {
	tls      *tls.Config
	find     func(context.Context) ([]string, error) // client URLs
	client   *clientv3.Client
	resolved time.Time
}

// Finder follows the SRV records.
func (r *Rig) Finder() *Finder { return &Finder{tls: r.options.TLS, find: r.ClientURLs} }

// FinderInGroup asks the cloud itself, for a cluster that publishes nothing.
func (r *Rig) FinderInGroup() *Finder {
	return &Finder{find: func(context.Context) (urls []string, err error) {
		for _, i := range r.group() {
			urls = append(urls, clientURL(i.PrivateIP))
		}
		return urls, nil
	}}
}

// Client is nil as long as DNS has no member.
func (f *Finder) Client(ctx context.Context) (*clientv3.Client, error) {
	if time.Since(f.resolved) < resolveEvery {
		return f.client, nil
	}
	urls, err := f.urls(ctx)
	if found := err == nil && len(urls) > 0; !found {
		return f.client, nil // what was found before may still serve
	}
	switch {
	case f.client == nil:
		if f.client, err = clientv3.New(clientv3.Config{Endpoints: urls, TLS: f.tls, Logger: zap.NewNop()}); err != nil {
			return nil, fmt.Errorf("client of %v: %w", urls, err)
		}
	case !slices.Equal(urls, f.client.Endpoints()):
		f.client.SetEndpoints(urls...)
	}
	f.resolved = time.Now()
	return f.client, nil
}

// urls looks the members up.
func (f *Finder) urls(ctx context.Context) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, writeAttempt)
	defer cancel()
	return f.find(ctx)
}

// Close ends the connections.
func (f *Finder) Close() {
	if f.client != nil {
		f.client.Close()
	}
}
