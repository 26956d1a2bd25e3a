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
			return c.bare(p.disk.cluster.under(c.name(prefix))), nil
		}
		last = err
	}
	return nil, last
}

func (c *client) Swap(_ context.Context, endpoints []string, key effects.EtcdKey, absent ...string) (revision int64, err error) {
	key.Key = c.name(key.Key)
	err = c.change(Swap, endpoints, func(p *process) (err error) { revision, err = p.swap(key, c.names(absent)); return err })
	if err != nil {
		return 0, err
	}
	return revision, nil
}

// bare are keys as the caller knows them.
func (c *client) bare(keys []effects.EtcdKey) []effects.EtcdKey {
	for i := range keys {
		keys[i].Key = keys[i].Key[len(c.name("")):]
	}
	return keys
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
	if c.key(key.Key).Revision != key.Revision || c.anyThere(absent) {
		return 0, effects.ErrChanged
	}
	if err := p.writes(key.Value == ""); err != nil {
		return 0, err
	}
	c.keys = slices.DeleteFunc(c.keys, func(k effects.EtcdKey) bool { return k.Key == key.Key })
	c.write(key.Key)
	if key.Value != "" {
		key.Revision = int64(c.index)
		c.keys = append(c.keys, key)
	}
	return int64(c.index), nil
}

func (c *Cluster) anyThere(keys []string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return c.key(k).Revision != 0 })
}

// Key gives a key as it stands, of v3 or else of v2; the zero value when it is absent.
func (c *Cluster) Key(key string) effects.EtcdKey {
	if k := c.key(key); k.Revision != 0 {
		return k
	}
	return c.key("/" + key)
}

func (c *Cluster) key(key string) effects.EtcdKey {
	for _, k := range c.under(key) {
		if k.Key == key {
			return k
		}
	}
	return effects.EtcdKey{}
}

// Advance commits entries that change nothing.
func (c *client) Advance(_ context.Context, endpoint string, n int) error {
	return c.change(Advance, []string{endpoint}, func(p *process) error {
		if err := p.serves(); err != nil {
			return err
		}
		p.disk.cluster.index += uint64(n)
		return nil
	})
}
