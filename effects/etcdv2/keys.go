package etcdv2

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/nothing"
)

// exclusive are the keys of which only one may be there at a time. The v2 store changes one key at a time and compares no other
// with it, so that they share one: its value begins with the name of the key that it stands for (docs/decisions/0009).
var exclusive = []string{effects.JoinLockKey, effects.UpgradeLockKey}

// change is the key that the exclusive ones share.
const changeKey = effects.KeyPrefix + "change"

// place is where a key is kept.
func place(key string) string {
	if slices.Contains(exclusive, key) {
		return changeKey
	}
	return key
}

// wrap is the value under which a key is kept.
func wrap(key, value string) string {
	if slices.Contains(exclusive, key) {
		return key + " " + value
	}
	return value
}

// unwrap gives the key that a node stands for.
func (n *node) unwrap() effects.EtcdKey {
	k := effects.EtcdKey{Key: strings.TrimPrefix(n.Key, "/"), Value: n.Value, Revision: int64(n.Modified)} //nolint:gosec // etcd counts from 1, and does not get there
	if k.Key == changeKey {
		k.Key, k.Value, _ = strings.Cut(n.Value, " ")
	}
	return k
}

// find reads what is kept where a key is, through quorum; nil when that is nothing.
func (e *Etcd) find(ctx context.Context, endpoint, key string) (*node, error) {
	n, code, err := e.keys(ctx, http.MethodGet, endpoint, place(key), url.Values{"quorum": {"true"}}, nil)
	if err != nil || code != 0 {
		return nil, err
	}
	return &n, nil
}

// anyThere tells whether one of the keys is there.
func (e *Etcd) anyThere(ctx context.Context, endpoint string, keys []string) (bool, error) {
	for _, key := range keys {
		n, err := e.find(ctx, endpoint, key)
		if err != nil || n != nil && n.unwrap().Key == key {
			return err == nil, err
		}
	}
	return false, nil
}

// Keys reads every key under a prefix through quorum, in order.
func (e *Etcd) Keys(ctx context.Context, endpoints []string, prefix string) ([]effects.EtcdKey, error) {
	var found []effects.EtcdKey
	dir := prefix[:strings.LastIndex(prefix, "/")+1]
	err := e.read(ctx, endpoints, func(ctx context.Context, endpoint string) error {
		found = nil
		root, code, err := e.keys(ctx, http.MethodGet, endpoint, dir, url.Values{"quorum": {"true"}, "recursive": {"true"}}, nil)
		if err == nil && code == 0 {
			found = root.under(prefix, nil)
		}
		return err
	})
	slices.SortFunc(found, func(a, b effects.EtcdKey) int { return strings.Compare(a.Key, b.Key) })
	return found, err
}

func (n *node) under(prefix string, found []effects.EtcdKey) []effects.EtcdKey {
	if k := n.unwrap(); !n.Dir && strings.HasPrefix(k.Key, prefix) {
		found = append(found, k)
	}
	for i := range n.Nodes {
		found = n.Nodes[i].under(prefix, found)
	}
	return found
}

// Swap changes a key if it stands as the change takes for granted. Of the keys that must be absent, those that share its place are
// so by that; any other is looked for before, and may come in between.
func (e *Etcd) Swap(ctx context.Context, endpoints []string, key effects.EtcdKey, absent ...string) (int64, error) {
	var there bool
	look := func(ctx context.Context, endpoint string) (err error) {
		there, err = e.anyThere(ctx, endpoint, absent)
		return err
	}
	var revision int64
	err := e.change(ctx, endpoints, look, func(ctx context.Context, endpoint string) error {
		if there {
			return fmt.Errorf("key %s: %w", key.Key, effects.ErrChanged)
		}
		query := url.Values{"prevExist": {"false"}}
		if key.Revision != 0 {
			query = url.Values{"prevIndex": {strconv.FormatInt(key.Revision, 10)}}
		}
		method, form := http.MethodPut, url.Values{"value": {wrap(key.Key, key.Value)}}
		if key.Value == "" {
			method, form = http.MethodDelete, nil
		}
		n, code, err := e.keys(ctx, method, endpoint, place(key.Key), query, form)
		switch {
		case err != nil:
			return err
		case code != 0:
			return fmt.Errorf("key %s: %w", key.Key, effects.ErrChanged)
		}
		revision = n.unwrap().Revision
		return nil
	})
	return revision, err
}

// Advance has a server commit n entries that change nothing.
func (e *Etcd) Advance(ctx context.Context, endpoint string, n int) error {
	return e.change(ctx, []string{endpoint}, e.reached, func(ctx context.Context, endpoint string) error {
		return nothing.Commit(n, func() error {
			_, _, err := e.keys(ctx, http.MethodDelete, endpoint, nothing.Key, nil, nil)
			return err
		})
	})
}
