package etcdfake

import (
	"context"
	"slices"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Keys reads the keys under a prefix, locks among them, as their owners are their values.
func (c *client) Keys(_ context.Context, endpoints []string, prefix string) ([]effects.EtcdKey, error) {
	last := errUnreachable
	for _, e := range endpoints {
		p, answer, err := c.reach(Keys, e)
		if err == nil {
			err = p.serves()
		}
		if err == nil {
			err = answer
		}
		if err == nil {
			return p.disk.cluster.under(prefix), nil
		}
		last = err
	}
	return nil, last
}

func (c *client) Swap(_ context.Context, endpoints []string, key effects.EtcdKey, absent ...string) (revision int64, err error) {
	err = c.change(Swap, endpoints, func(p *process) (err error) { revision, err = p.swap(key, absent); return err })
	if err != nil {
		return 0, err
	}
	return revision, nil
}

// under lists the keys with a prefix, in order.
func (c *Cluster) under(prefix string) []effects.EtcdKey {
	c.purge(c.world.Now())
	var found []effects.EtcdKey
	for _, k := range c.keys {
		if strings.HasPrefix(k.Key, prefix) {
			found = append(found, k)
		}
	}
	for _, l := range c.locks {
		if strings.HasPrefix(l.key, prefix) {
			found = append(found, effects.EtcdKey{Key: l.key, Value: l.owner, Revision: l.revision})
		}
	}
	slices.SortFunc(found, func(a, b effects.EtcdKey) int { return strings.Compare(a.Key, b.Key) })
	return found
}

// swap is a transaction: it compares the mod revision of the key, which is 0 when it is absent, and the absence of the others.
func (p *process) swap(key effects.EtcdKey, absent []string) (int64, error) {
	c := p.disk.cluster
	if err := p.serves(); err != nil {
		return 0, err
	}
	if c.Key(key.Key).Revision != key.Revision || c.anyThere(absent) {
		return 0, effects.ErrChanged
	}
	c.keys = slices.DeleteFunc(c.keys, func(k effects.EtcdKey) bool { return k.Key == key.Key })
	c.index++
	if key.Value != "" {
		key.Revision = int64(c.index)
		c.keys = append(c.keys, key)
	}
	return int64(c.index), nil
}

func (c *Cluster) anyThere(keys []string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return c.Key(k).Revision != 0 })
}

// Key gives a key as it stands; the zero value when it is absent.
func (c *Cluster) Key(key string) effects.EtcdKey {
	for _, k := range c.under(key) {
		if k.Key == key {
			return k
		}
	}
	return effects.EtcdKey{}
}
