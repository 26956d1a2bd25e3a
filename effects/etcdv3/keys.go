package etcdv3

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Keys reads every key under a prefix through quorum, in order.
func (e *Etcd) Keys(ctx context.Context, endpoints []string, prefix string) ([]effects.EtcdKey, error) {
	var keys []effects.EtcdKey
	err := e.read(ctx, endpoints, func(ctx context.Context, s *server) error {
		r, err := s.Get(ctx, prefix, clientv3.WithPrefix())
		if err != nil {
			return err
		}
		keys = make([]effects.EtcdKey, len(r.Kvs))
		for i, kv := range r.Kvs {
			keys[i] = effects.EtcdKey{Key: string(kv.GetKey()), Value: string(kv.GetValue()), Revision: kv.GetModRevision()}
		}
		return nil
	})
	return keys, err
}

// Swap changes a key in one transaction with everything that the change takes for granted.
func (e *Etcd) Swap(ctx context.Context, endpoints []string, key effects.EtcdKey, absent ...string) (int64, error) {
	var revision int64
	err := e.change(ctx, endpoints, reached, func(ctx context.Context, s *server) error {
		op := clientv3.OpPut(key.Key, key.Value)
		if key.Value == "" {
			op = clientv3.OpDelete(key.Key)
		}
		// The mod revision of an absent key compares as 0.
		r, err := s.Txn(ctx).If(append(allAbsent(absent), clientv3.Compare(clientv3.ModRevision(key.Key), "=", key.Revision))...).Then(op).Commit()
		switch {
		case err != nil:
			return err
		case !r.Succeeded:
			return fmt.Errorf("key %s: %w", key.Key, effects.ErrChanged)
		}
		revision = r.Header.GetRevision()
		return nil
	})
	return revision, err
}

func allAbsent(keys []string) []clientv3.Cmp {
	cmps := make([]clientv3.Cmp, len(keys), len(keys)+1)
	for i, key := range keys {
		cmps[i] = clientv3.Compare(clientv3.CreateRevision(key), "=", 0)
	}
	return cmps
}

// nowhere is a key that is never there. Deleting it passes through the raft log, as any change does, and changes nothing: there
// is not even a new revision (mvcc DeleteRange of no keys).
const nowhere = effects.KeyPrefix + "nowhere"

// atOnce is how many entries are under way at a time. etcd writes those that come together to its log together.
const atOnce = 32

// Advance has a server commit n entries that change nothing.
func (e *Etcd) Advance(ctx context.Context, endpoint string, n int) error {
	return e.change(ctx, []string{endpoint}, reached, func(ctx context.Context, s *server) error {
		var all sync.WaitGroup
		var left atomic.Int64
		var failed atomic.Pointer[error]
		left.Store(int64(n))
		for range atOnce {
			all.Go(func() {
				for left.Add(-1) >= 0 && failed.Load() == nil {
					if _, err := s.Delete(ctx, nowhere); err != nil {
						failed.Store(&err)
					}
				}
			})
		}
		all.Wait()
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	})
}
