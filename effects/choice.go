package effects

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Choice asks a cluster over the API that it answers. While its version is 2.3 that is v2, even where its servers are 3.0 already
// (v3 is "not capable" then); from 3.0 on it is v3.
//
// The member that is upgraded last holds the upgrade lock, in the v2 store, when the version rises. So while the version is 3.0
// what is left of the keys there counts as well, until its owner takes it away: see docs/decisions/0009-the-v2-api.md.
type Choice struct {
	V2, V3 Etcd
	// Level asks a server for the version of its cluster.
	Level func(ctx context.Context, endpoint string) (states.MinorVersion, error)
	Now   func() time.Time // nil: nothing is remembered

	mu    sync.Mutex
	above time.Time // when a server last told of a version above 3.0
}

// aboveFor is how long nobody is asked again once a server has told of a version above 3.0. A cluster never falls below that; but
// an instance may come to join another.
const aboveFor = time.Minute

var _ Etcd = (*Choice)(nil)

var (
	v30 = states.MinorVersion{Major: 3}
	v31 = states.MinorVersion{Major: 3, Minor: 1}
)

// api is how a cluster is asked.
type api struct {
	Etcd
	left Etcd // where keys of the roll to 3.0 may be left; nil when they cannot be
}

// choose asks the servers in order until one tells the version. Where none does, none is there for v3 either.
func (c *Choice) choose(ctx context.Context, endpoints ...string) api {
	if c.isAbove() {
		return api{Etcd: c.V3}
	}
	for _, endpoint := range endpoints {
		level, err := c.Level(ctx, endpoint)
		switch {
		case err != nil: // the next may answer
		case level.Less(v30):
			return api{Etcd: c.V2}
		case level.Less(v31):
			return api{Etcd: c.V3, left: c.V2}
		default:
			c.remember()
			return api{Etcd: c.V3}
		}
	}
	return api{Etcd: c.V3}
}

// Speaks is the client whose API the cluster answers, for a question of which [Etcd] knows nothing.
func (c *Choice) Speaks(ctx context.Context, endpoints ...string) Etcd {
	return c.choose(ctx, endpoints...).Etcd
}

func (c *Choice) isAbove() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.above.IsZero() && c.Now().Sub(c.above) < aboveFor
}

func (c *Choice) remember() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Now != nil {
		c.above = c.Now()
	}
}

// Status implements [Etcd].
func (c *Choice) Status(ctx context.Context, endpoint string) (EtcdStatus, error) {
	return c.choose(ctx, endpoint).Status(ctx, endpoint)
}

// Members implements [Etcd].
func (c *Choice) Members(ctx context.Context, endpoints []string) (EtcdMembers, error) {
	return c.choose(ctx, endpoints...).Members(ctx, endpoints)
}

// AddMember implements [Etcd].
func (c *Choice) AddMember(ctx context.Context, endpoints []string, peerURL string, learner bool) (uint64, error) {
	return c.choose(ctx, endpoints...).AddMember(ctx, endpoints, peerURL, learner)
}

// RemoveMember implements [Etcd].
func (c *Choice) RemoveMember(ctx context.Context, endpoints []string, id uint64) error {
	return c.choose(ctx, endpoints...).RemoveMember(ctx, endpoints, id)
}

// PromoteMember implements [Etcd].
func (c *Choice) PromoteMember(ctx context.Context, endpoints []string, id uint64) error {
	return c.choose(ctx, endpoints...).PromoteMember(ctx, endpoints, id)
}

// MoveLeader implements [Etcd].
func (c *Choice) MoveLeader(ctx context.Context, leaderEndpoint string, to uint64) error {
	return c.choose(ctx, leaderEndpoint).MoveLeader(ctx, leaderEndpoint, to)
}

// Advance implements [Etcd].
func (c *Choice) Advance(ctx context.Context, endpoint string, n int) error {
	return c.choose(ctx, endpoint).Advance(ctx, endpoint, n)
}

// Forget implements [Etcd].
func (c *Choice) Forget(keep []string) {
	c.V2.Forget(keep)
	c.V3.Forget(keep)
}

// Keys implements [Etcd]. A key that is left in the v2 store stands before one of the same name.
func (c *Choice) Keys(ctx context.Context, endpoints []string, prefix string) ([]EtcdKey, error) {
	a := c.choose(ctx, endpoints...)
	keys, err := a.Keys(ctx, endpoints, prefix)
	if err != nil || a.left == nil {
		return keys, err
	}
	left, err := a.left.Keys(ctx, endpoints, prefix)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if !slices.ContainsFunc(left, func(l EtcdKey) bool { return l.Key == key.Key }) {
			left = append(left, key)
		}
	}
	slices.SortFunc(left, func(a, b EtcdKey) int { return strings.Compare(a.Key, b.Key) })
	return left, nil
}

// leftOf finds which of some keys are left in the v2 store.
func (a api) leftOf(ctx context.Context, endpoints []string, names ...string) ([]EtcdKey, error) {
	if a.left == nil {
		return nil, nil
	}
	keys, err := a.left.Keys(ctx, endpoints, KeyPrefix)
	return slices.DeleteFunc(keys, func(k EtcdKey) bool { return !slices.Contains(names, k.Key) }), err
}

// Swap implements [Etcd].
func (c *Choice) Swap(ctx context.Context, endpoints []string, key EtcdKey, absent ...string) (int64, error) {
	a := c.choose(ctx, endpoints...)
	left, err := a.leftOf(ctx, endpoints, append(absent[:len(absent):len(absent)], key.Key)...)
	switch {
	case err != nil:
		return 0, err
	case len(left) == 1 && left[0].Key == key.Key && left[0].Revision == key.Revision:
		return a.left.Swap(ctx, endpoints, key, absent...)
	case len(left) > 0:
		return 0, ErrChanged
	}
	return a.Swap(ctx, endpoints, key, absent...)
}

// HoldLock implements [Etcd].
func (c *Choice) HoldLock(ctx context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (EtcdLock, error) {
	a := c.choose(ctx, endpoints...)
	left, err := a.leftOf(ctx, endpoints, append(absent[:len(absent):len(absent)], key)...)
	if err != nil {
		return EtcdLock{}, err
	}
	for _, l := range left {
		switch {
		case l.Key != key:
			return EtcdLock{}, nil // another must go first
		case l.Value != owner:
			return EtcdLock{Owner: l.Value, Revision: l.Revision}, nil
		}
	}
	return a.Etcd.HoldLock(ctx, endpoints, key, owner, ttl, absent...) // one of its own that is left expires
}

// ReleaseLock implements [Etcd].
func (c *Choice) ReleaseLock(ctx context.Context, endpoints []string, key, owner string) error {
	a := c.choose(ctx, endpoints...)
	if a.left != nil {
		if err := a.left.ReleaseLock(ctx, endpoints, key, owner); err != nil {
			return err
		}
	}
	return a.Etcd.ReleaseLock(ctx, endpoints, key, owner)
}
