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
	if i < 0 {
		i = len(c.locks)
		c.locks = append(c.locks, lock{key: key, owner: owner})
	}
	l := &c.locks[i]
	if l.owner != owner {
		return effects.EtcdLock{Owner: l.owner, Revision: l.revision}, 0, nil
	}
	if l.lease == 0 || l.lease != lease {
		c.world.lastLease++
		c.index++
		l.lease, l.revision = c.world.lastLease, int64(c.index)
	}
	l.ttl, l.expires = ttl, now.Add(ttl)
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
// times.
func (c *Cluster) extend(now time.Time) {
	if c.leader != nil {
		c.purge(now)
	}
	for i := range c.locks {
		c.locks[i].expires = now.Add(c.locks[i].ttl)
	}
}

// Lock tells who holds a lock of the cluster now.
func (c *Cluster) Lock(key string) effects.EtcdLock {
	c.purge(c.world.Now())
	for i := range c.locks {
		if c.locks[i].key == key {
			return effects.EtcdLock{Owner: c.locks[i].owner, Revision: c.locks[i].revision}
		}
	}
	return effects.EtcdLock{}
}
