// Package history has clients write and read a few keys of a cluster, all at once, and tells whether what they were told is
// linearizable: whether the cluster behaved, whatever happened to it, as if each key were one register that does one thing after the other.
package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// Few clients and few keys: they are to get into each other's way, and a check of many that are under way at once takes for ever.
const (
	clients = 4
	keys    = 3
	pause   = 20 * time.Millisecond
	attempt = 500 * time.Millisecond // after which an outcome is unknown
)

// Clients have recorded what they did, and what they were told.
type Clients struct {
	prefix string
	begun  time.Time
	values atomic.Int64 // that have been written: each once
	stop   context.CancelFunc
	all    sync.WaitGroup

	mu      sync.Mutex
	history []*operation
	failed  error // that is no unknown outcome
}

// Record starts clients of the cluster, with keys of this prefix, which nobody else may write.
func Record(r *rig.Rig, prefix string) *Clients {
	ctx, stop := context.WithCancel(context.Background())
	c := &Clients{prefix: prefix, begun: time.Now(), stop: stop}
	for n := range clients {
		c.all.Go(func() { c.run(ctx, n, r.Finder()) })
	}
	return c
}

// Stop ends the clients.
func (c *Clients) Stop() {
	c.stop()
	c.all.Wait()
}

// Operations is how many have ended so far.
func (c *Clients) Operations() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.history)
}

// Summary counts the operations, and those among them whose outcome is not known.
func (c *Clients) Summary() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	unknown := 0
	for _, o := range c.history {
		if o.unknown {
			unknown++
		}
	}
	return fmt.Sprintf("%d operations of %d clients on %d keys, %d of unknown outcome", len(c.history), clients, keys, unknown)
}

// Linearizable is what the clients, which must have stopped, were told; or else an error that names what does not fit.
func (c *Clients) Linearizable() error {
	if c.failed != nil {
		return c.failed
	}
	known := map[kind]int{}
	for _, o := range c.history {
		if !o.unknown {
			known[o.kind]++
		}
	}
	if known[get] < keys || known[put] < keys || known[swap] < keys {
		return fmt.Errorf("the clients have done next to nothing: %v", known)
	}
	return check(c.history)
}

func (c *Clients) run(ctx context.Context, n int, f *rig.Finder) {
	defer f.Close()
	chance := rand.New(rand.NewPCG(uint64(n), 0))
	last := map[string]int{} // what this client has last seen of each key: what its swaps expect
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		client, err := f.Client(ctx)
		switch {
		case err != nil:
			c.fail(err)
			return
		case client == nil:
			continue // not published yet
		}
		key := c.prefix + strconv.Itoa(chance.IntN(keys))
		o := &operation{client: n, kind: []kind{get, get, put, swap}[chance.IntN(4)], key: key, from: last[key]}
		if o.kind != get {
			o.to = int(c.values.Add(1))
		}
		if err := c.do(ctx, client, o); err != nil {
			c.fail(err)
			return
		}
		last[key] = o.leaves()
	}
}

// leaves is what the client takes the key to hold after its operation.
func (o *operation) leaves() int {
	switch {
	case o.unknown:
		return o.from
	case o.kind == get || o.refused:
		return o.seen
	}
	return o.to
}

func (c *Clients) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed = errors.Join(c.failed, err)
}

// do calls the operation and records it. Whatever goes wrong, the outcome is unknown: an error may well come after the deed.
func (c *Clients) do(ctx context.Context, client *clientv3.Client, o *operation) error {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), attempt)
	defer cancel()
	o.called = time.Since(c.begun)
	read, err := o.call(ctx, client)
	o.ended = time.Since(c.begun)
	o.unknown = err != nil
	if read != "" {
		if o.seen, err = strconv.Atoi(read); err != nil {
			return fmt.Errorf("%s holds what no client has written: %w", o.key, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.history = append(c.history, o)
	return nil
}

// call gives what was read, which is empty when there was no key.
func (o *operation) call(ctx context.Context, client *clientv3.Client) (read string, err error) {
	value := strconv.Itoa(o.to)
	if o.kind == get {
		r, err := client.Get(ctx, o.key)
		if err != nil || len(r.Kvs) == 0 {
			return "", err
		}
		return string(r.Kvs[0].Value), nil
	}
	if o.kind == put {
		_, err := client.Put(ctx, o.key, value)
		return "", err
	}
	as := clientv3.Compare(clientv3.Value(o.key), "=", strconv.Itoa(o.from))
	if o.from == absent {
		as = clientv3.Compare(clientv3.CreateRevision(o.key), "=", 0)
	}
	r, err := client.Txn(ctx).If(as).Then(clientv3.OpPut(o.key, value)).Else(clientv3.OpGet(o.key)).Commit()
	if err != nil || r.Succeeded {
		return "", err
	}
	o.refused = true
	if kvs := r.Responses[0].GetResponseRange().Kvs; len(kvs) > 0 {
		read = string(kvs[0].Value)
	}
	return read, nil
}
