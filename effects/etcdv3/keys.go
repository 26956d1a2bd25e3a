package etcdv3

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/nothing"
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

// Advance has a server commit n entries that change nothing.
func (e *Etcd) Advance(ctx context.Context, endpoint string, n int) error {
	return e.change(ctx, []string{endpoint}, reached, func(ctx context.Context, s *server) error {
		return nothing.Commit(n, func() error {
			_, err := s.Delete(ctx, nothing.Key)
			return err
		})
	})
}
