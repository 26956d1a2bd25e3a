package etcdv2

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// HoldLock takes the lock when it is free, keeps it alive when owner has it, and tells who has it then.
//
// A lock is a key with a time to live. The revision of the lock is that of its creation, which stays when it is kept alive.
func (e *Etcd) HoldLock(ctx context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (effects.EtcdLock, error) {
	var kept *node
	var there bool
	look := func(ctx context.Context, endpoint string) (err error) {
		if kept, err = e.find(ctx, endpoint, key); err == nil && kept == nil {
			there, err = e.anyThere(ctx, endpoint, absent)
		}
		return err
	}
	var lock effects.EtcdLock
	err := e.change(ctx, endpoints, look, func(ctx context.Context, endpoint string) (err error) {
		if lock = lockOf(kept, key); lock.Owner != owner && (kept != nil || there) {
			return nil // it is another's, or another key must go first
		}
		lock, err = e.write(ctx, endpoint, kept, key, owner, ttl)
		return err
	})
	return lock, err
}

// write creates the key of a lock, or writes it again with a new time to live, if it is as it was seen.
func (e *Etcd) write(ctx context.Context, endpoint string, seen *node, key, owner string, ttl time.Duration) (effects.EtcdLock, error) {
	query := url.Values{"prevExist": {"false"}}
	if seen != nil {
		query = url.Values{"prevIndex": {strconv.FormatUint(seen.Modified, 10)}}
	}
	seconds := int64((ttl + time.Second - 1) / time.Second)
	form := url.Values{"value": {wrap(key, owner)}, "ttl": {strconv.FormatInt(seconds, 10)}}
	n, code, err := e.keys(ctx, http.MethodPut, endpoint, place(key), query, form)
	switch {
	case err != nil:
		return effects.EtcdLock{}, err
	case code == 0:
		return lockOf(&n, key), nil
	}
	other, err := e.find(ctx, endpoint, key) // somebody was first, or it has just expired
	return lockOf(other, key), err
}

// ReleaseLock deletes the key if owner has it. A key that is absent is a lock released.
func (e *Etcd) ReleaseLock(ctx context.Context, endpoints []string, key, owner string) error {
	var kept *node
	look := func(ctx context.Context, endpoint string) (err error) {
		kept, err = e.find(ctx, endpoint, key)
		return err
	}
	return e.change(ctx, endpoints, look, func(ctx context.Context, endpoint string) error {
		switch held := lockOf(kept, key); held.Owner {
		case "":
			return nil
		case owner:
		default:
			return fmt.Errorf("lock %s belongs to %s: %w", key, held.Owner, effects.ErrChanged)
		}
		query := url.Values{"prevIndex": {strconv.FormatUint(kept.Modified, 10)}}
		_, code, err := e.keys(ctx, http.MethodDelete, endpoint, place(key), query, nil)
		if err == nil && code != 0 {
			return fmt.Errorf("lock %s: %w", key, effects.ErrChanged)
		}
		return err
	})
}

// lockOf is the lock as a node tells it; nobody's when there is none, or when it stands for another key.
func lockOf(n *node, key string) effects.EtcdLock {
	if n == nil {
		return effects.EtcdLock{}
	}
	k := n.unwrap()
	if k.Key != key {
		return effects.EtcdLock{}
	}
	return effects.EtcdLock{Owner: k.Value, Revision: int64(n.Created)} //nolint:gosec // as in unwrap
}
