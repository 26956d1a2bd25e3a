package rig

import (
	"context"
	"fmt"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// How a writer behaves. An attempt is given up soon, since a server that has lost its leader would hold it for seconds; the
// same key is then written again, with the same value, so that nothing depends on what became of the first attempt.
const (
	writePause   = 10 * time.Millisecond // between two attempts
	writeAttempt = 500 * time.Millisecond
)

// Writer is an application: it finds the cluster by its SRV records, and writes one key after the other to whichever member
// takes it, until it is stopped.
type Writer struct {
	v2     bool // the cluster may be of 2.3
	finder *Finder
	prefix string // of its keys
	stop   context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	acked   int       // keys 0 to acked-1 are acknowledged
	failed  int       // attempts
	last    time.Time // of the last acknowledgement; zero before the first
	longest time.Duration
	lap     time.Duration // the longest since Lap was called
	err     error         // of the last attempt that failed
}

// Write starts a writer, which begins as soon as the cluster is found in DNS. Every writer needs a prefix of its own.
func (r *Rig) Write(prefix string) *Writer { return r.WriteTo(r.Finder(), prefix) }

// WriteTo starts a writer that finds the cluster in its own way.
func (r *Rig) WriteTo(f *Finder, prefix string) *Writer {
	ctx, stop := context.WithCancel(context.Background())
	w := &Writer{v2: r.options.V2, finder: f, prefix: prefix, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.run(ctx)
	}()
	return w
}

// Stop ends the writer. What it has written can still be verified.
func (w *Writer) Stop() {
	w.stop()
	<-w.done
}

// Progress is how far a writer has come.
type Progress struct {
	Acked, Failed int           // keys that were acknowledged, attempts that failed
	Longest, Lap  time.Duration // longest time without an acknowledgement, since the first one and since Lap was called
	Err           error         // of the last attempt that failed
}

// Progress tells how far the writer has come. A time without acknowledgement that has not ended yet counts.
func (w *Writer) Progress() Progress {
	w.mu.Lock()
	defer w.mu.Unlock()
	since := time.Duration(0)
	if !w.last.IsZero() {
		since = time.Since(w.last)
	}
	return Progress{w.acked, w.failed, max(w.longest, since), max(w.lap, since), w.err}
}

// Lap begins another lap, and tells how far the writer had come.
func (w *Writer) Lap() Progress {
	p := w.Progress()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lap = 0
	return p
}

// note counts one attempt.
func (w *Writer) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failed, w.err = w.failed+1, err
		return
	}
	now := time.Now()
	if !w.last.IsZero() {
		gap := now.Sub(w.last)
		w.longest, w.lap = max(w.longest, gap), max(w.lap, gap)
	}
	w.acked, w.last = w.acked+1, now
}

func (w *Writer) run(ctx context.Context) {
	defer w.finder.Close()
	if w.v2 {
		w.runV2(ctx)
		return
	}
	tick := time.NewTicker(writePause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		client, err := w.finder.Client(ctx)
		switch {
		case err != nil:
			w.note(err)
			return
		case client == nil:
			continue // not published yet
		}
		if err := w.put(ctx, client); ctx.Err() == nil {
			w.note(err)
		}
	}
}

// put writes the key that is due. Only a server that knows a leader is asked to.
func (w *Writer) put(ctx context.Context, client *clientv3.Client) error {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), writeAttempt)
	defer cancel()
	n := w.Progress().Acked
	_, err := client.Put(ctx, w.key(n), w.value(n))
	return err
}

func (w *Writer) key(n int) string   { return fmt.Sprintf("%s%08d", w.prefix, n) }
func (w *Writer) value(n int) string { return fmt.Sprintf("value %d of %s", n, w.prefix) }

// Verify reads every acknowledged key back through each of the servers at these addresses. The writer must have stopped.
func (w *Writer) Verify(ctx context.Context, addresses ...string) error {
	verify := w.verify
	if w.v2 {
		verify = w.verifyV2
	}
	for _, address := range addresses {
		if err := verify(ctx, address); err != nil {
			return fmt.Errorf("read back from %s: %w", address, err)
		}
	}
	return nil
}

func (w *Writer) verify(ctx context.Context, address string) error {
	const page = 1000
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{clientURL(address)}, Logger: zap.NewNop()})
	if err != nil {
		return err
	}
	defer client.Close()
	acked := w.Progress().Acked
	for next := 0; next < acked; {
		out, err := client.Get(ctx, w.key(next), clientv3.WithRange(clientv3.GetPrefixRangeEnd(w.prefix)), clientv3.WithLimit(page))
		if err != nil {
			return err
		}
		for _, kv := range out.Kvs[:min(len(out.Kvs), acked-next)] {
			if string(kv.Key) != w.key(next) || string(kv.Value) != w.value(next) {
				return fmt.Errorf("key %s was acknowledged with %q; read was %s with %q", w.key(next), w.value(next), kv.Key, kv.Value)
			}
			next++
		}
		if !out.More && next < acked {
			return fmt.Errorf("key %s was acknowledged and is not there", w.key(next))
		}
	}
	return nil
}
