package etcdfake

import (
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// minTTL is the shortest lease that etcd grants: 1.5 election timeouts, in whole seconds.
const minTTL = 2 * time.Second

// lock is a key bound to a lease.
type lock struct {
	key, owner string
	revision   int64
	lease      int64
	ttl        time.Duration
	expires    time.Time
}

// hold takes or keeps the lock; lease is the one that the caller remembers of the key.
func (p *process) hold(key, owner string, ttl time.Duration, lease int64, absent []string) (effects.EtcdLock, int64, error) {
	c, now := p.disk.cluster, p.node.world.Now()
	if err := p.serves(); err != nil {
		return effects.EtcdLock{}, 0, err
	}
	c.purge(now)
	ttl = max(ttl, minTTL)
	i := slices.IndexFunc(c.locks, func(l lock) bool { return l.key == key })
	if i < 0 && c.anyThere(absent) {
		return effects.EtcdLock{}, 0, nil
	}
	l := lock{key: key, owner: owner}
	if i >= 0 {
		l = c.locks[i]
	}
	if l.owner != owner {
		return effects.EtcdLock{Owner: l.owner, Revision: l.revision}, 0, nil
	}
	if l.lease == 0 || l.lease != lease && !isV2(key) { // a v2 key has a time to live and no lease, and anybody may lengthen it
		if err := p.writes(false); err != nil {
			return effects.EtcdLock{}, 0, err
		}
		c.world.lastLease++
		c.write(key)
		l.lease, l.revision = c.world.lastLease, int64(c.index)
	}
	l.ttl, l.expires = ttl, now.Add(ttl)
	if i < 0 {
		c.locks = append(c.locks, l)
	} else {
		c.locks[i] = l
	}
	return effects.EtcdLock{Owner: owner, Revision: l.revision}, l.lease, nil
}

// unlock deletes the key if owner has it.
func (p *process) unlock(key, owner string) error {
	c := p.disk.cluster
	if err := p.serves(); err != nil {
		return err
	}
	c.purge(p.node.world.Now())
	for i := range c.locks {
		if c.locks[i].key != key {
			continue
		}
		if c.locks[i].owner != owner {
			return effects.ErrChanged
		}
		if err := p.writes(true); err != nil {
			return err
		}
		c.index++
		c.locks = slices.Delete(c.locks, i, i+1)
		return nil
	}
	return nil
}

// purge deletes what has expired. Only a leader revokes leases, so nothing expires without one.
func (c *Cluster) purge(now time.Time) {
	if c.leader != nil {
		c.locks = slices.DeleteFunc(c.locks, func(l lock) bool { return !now.Before(l.expires) })
	}
}

// extend renews every lease to its full TTL, as a new leader does (lessor.Promote): a lock may outlive its TTL any number of
// times. The time to live of a v2 key is a time of day, and ends when it ends.
func (c *Cluster) extend(now time.Time) {
	if c.leader != nil {
		c.purge(now)
	}
	for i := range c.locks {
		if !isV2(c.locks[i].key) {
			c.locks[i].expires = now.Add(c.locks[i].ttl)
		}
	}
}

// Delete deletes a lock's key, as an operator does, or as a leader before 3.5.13 that was replaced and does not know it yet: it
// revokes leases that were kept alive (etcd issue 17425).
func (c *Cluster) Delete(key string) {
	if i := slices.IndexFunc(c.locks, func(l lock) bool { return l.key == key || l.key == "/"+key }); i >= 0 {
		c.index++
		c.locks = slices.Delete(c.locks, i, i+1)
	}
}

// Lock tells who holds a lock of the cluster now, in v3 or else in v2.
func (c *Cluster) Lock(key string) effects.EtcdLock {
	c.purge(c.world.Now())
	found := effects.EtcdLock{}
	for i := range c.locks {
		if l := &c.locks[i]; l.key == key || l.key == "/"+key && found.Owner == "" {
			found = effects.EtcdLock{Owner: l.owner, Revision: l.revision}
		}
	}
	return found
}
