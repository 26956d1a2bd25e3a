package etcdv3

import (
	"context"
	"errors"
	"fmt"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// HoldLock takes the lock when it is free, keeps it alive when owner has it, and tells who has it then.
//
// A lock is a key bound to a lease, with the owner as its value. A daemon that has lost its memory finds its own value under a
// lease it does not know, and binds the key to a new one.
func (e *Etcd) HoldLock(ctx context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (effects.EtcdLock, error) {
	var kv *mvccpb.KeyValue
	var lock effects.EtcdLock
	err := e.change(ctx, endpoints, get(key, &kv), func(ctx context.Context, s *server) (err error) {
		lock, err = e.hold(ctx, s, kv, key, owner, ttl, absent)
		return err
	})
	return lock, err
}

func (e *Etcd) hold(ctx context.Context, s *server, kv *mvccpb.KeyValue, key, owner string, ttl time.Duration, absent []string) (effects.EtcdLock, error) {
	switch {
	case kv == nil:
		return e.take(ctx, s, key, owner, ttl, append(allAbsent(absent), clientv3.Compare(clientv3.CreateRevision(key), "=", 0))...)
	case string(kv.Value) != owner:
		return lockOf(kv), nil
	case kv.Lease != 0 && clientv3.LeaseID(kv.Lease) == e.lease(key):
		if err := keepAlive(ctx, s, kv.Lease); !errors.Is(err, rpctypes.ErrLeaseNotFound) {
			return lockOf(kv), err
		}
		return effects.EtcdLock{}, nil // it has just expired, and the key with it
	default:
		return e.take(ctx, s, key, owner, ttl, clientv3.Compare(clientv3.ModRevision(key), "=", kv.ModRevision))
	}
}

// take writes the key under a new lease, unless it or one of those that must be absent has changed.
func (e *Etcd) take(ctx context.Context, s *server, key, owner string, ttl time.Duration, unchanged ...clientv3.Cmp) (effects.EtcdLock, error) {
	lease, err := s.Grant(ctx, int64((ttl+time.Second-1)/time.Second))
	if err != nil {
		return effects.EtcdLock{}, err
	}
	e.remember(key, lease.ID) // first, in case the answer to the transaction is lost
	r, err := s.Txn(ctx).If(unchanged...).Then(clientv3.OpPut(key, owner, clientv3.WithLease(lease.ID))).Else(clientv3.OpGet(key)).Commit()
	switch {
	case err != nil:
		return effects.EtcdLock{}, err
	case r.Succeeded:
		return effects.EtcdLock{Owner: owner, Revision: r.Header.GetRevision()}, nil
	}
	_, _ = s.Revoke(ctx, lease.ID) // unused; if this fails it expires
	if kvs := r.Responses[0].GetResponseRange().GetKvs(); len(kvs) > 0 {
		return lockOf(kvs[0]), nil
	}
	return effects.EtcdLock{}, nil
}

// ReleaseLock deletes the key if owner has it, and its lease. A key that is absent is a lock released.
func (e *Etcd) ReleaseLock(ctx context.Context, endpoints []string, key, owner string) error {
	var kv *mvccpb.KeyValue
	return e.change(ctx, endpoints, get(key, &kv), func(ctx context.Context, s *server) error {
		switch {
		case kv == nil:
			e.remember(key, 0)
			return nil
		case string(kv.Value) != owner:
			return fmt.Errorf("lock %s belongs to %s: %w", key, kv.Value, effects.ErrChanged)
		}
		r, err := s.Txn(ctx).
			If(clientv3.Compare(clientv3.ModRevision(key), "=", kv.ModRevision), clientv3.Compare(clientv3.Value(key), "=", owner)).
			Then(clientv3.OpDelete(key)).Commit()
		if err != nil {
			return err
		}
		if !r.Succeeded {
			return fmt.Errorf("lock %s: %w", key, effects.ErrChanged)
		}
		_, _ = s.Revoke(ctx, clientv3.LeaseID(kv.Lease)) // nothing hangs on it any more; if this fails it expires
		e.remember(key, 0)
		return nil
	})
}

// get is the look that reads a key, through quorum, into kv; nil when it is absent.
func get(key string, kv **mvccpb.KeyValue) func(context.Context, *server) error {
	return func(ctx context.Context, s *server) error {
		*kv = nil
		r, err := s.Get(ctx, key)
		if err == nil && len(r.Kvs) > 0 {
			*kv = r.Kvs[0]
		}
		return err
	}
}

// keepAlive renews a lease once. KeepAliveOnce of the official client does the same, but repeats itself without a pause for as
// long as the server says that it is unavailable.
func keepAlive(ctx context.Context, s *server, lease int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := pb.NewLeaseClient(s.ActiveConnection()).LeaseKeepAlive(ctx)
	if err != nil {
		return err
	}
	if err := stream.Send(&pb.LeaseKeepAliveRequest{ID: lease}); err != nil {
		return err
	}
	r, err := stream.Recv()
	if err != nil {
		return err
	}
	if r.GetTTL() <= 0 {
		return rpctypes.ErrLeaseNotFound
	}
	return nil
}

func lockOf(kv *mvccpb.KeyValue) effects.EtcdLock {
	return effects.EtcdLock{Owner: string(kv.GetValue()), Revision: kv.GetModRevision()}
}

func (e *Etcd) lease(key string) clientv3.LeaseID {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.leases[key]
}

func (e *Etcd) remember(key string, lease clientv3.LeaseID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if lease == 0 {
		delete(e.leases, key)
		return
	}
	e.leases[key] = lease
}
