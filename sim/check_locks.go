package sim

import (
	"context"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
)

// locks is who holds what right before a command that may change it.
type locks struct {
	cluster       *etcdfake.Cluster
	join          string
	upgrade, halt effects.EtcdKey
}

func (w *world) locksNow() locks {
	c := w.served()
	if c == nil {
		return locks{}
	}
	return locks{c, c.Lock(joinLock).Owner, c.Key(effects.UpgradeLockKey), c.Key(effects.UpgradeHaltKey)}
}

// changesLocks is C5, around a command to the locks: whatever came of it, the record of another has not been replaced, nor
// deleted unless its owner's instance has ended.
func (n *node) changesLocks(do func() error) error {
	before, slept, deleted := n.locksNow(), n.slept, n.deleted
	err := do()
	after := n.locksNow()
	if before.cluster == nil || before.cluster != after.cluster || n.slept != slept || n.deleted != deleted {
		return err // others, or nature, have had their turn in between
	}
	n.check.lockChanged(before.upgrade, after.upgrade)
	n.spares("upgrade lock", ownerOf(before.upgrade), ownerOf(after.upgrade))
	n.spares("halt", ownerOf(before.halt), ownerOf(after.halt))
	if before.join != "" && before.join != after.join && before.join != n.id {
		n.fail("C5", "%s takes or frees the join lock of %s", n, before.join)
	}
	if after.join != before.join && after.join != "" && after.join != n.id {
		n.fail("C5", "%s takes the join lock for %s", n, after.join)
	}
	return err
}

func ownerOf(key effects.EtcdKey) string { return effects.ParseUpgrade(key).Owner }

// spares tells whether a record of another was left alone, and none was made in another's name.
func (n *node) spares(what, before, after string) {
	switch owner := n.byID[before]; {
	case before == after:
		return
	case before != "" && before != n.id && (owner == nil || !owner.gone):
		n.fail("C5", "%s takes or frees the %s of %s, whose instance has not ended", n, what, before)
	case after != "" && after != n.id:
		n.fail("C5", "%s takes the %s for %s", n, what, after)
	case before != "" && before != n.id:
		n.knows("takes the "+what+" away from "+before, theGroup|theLocks, 0)
	case after != "":
		n.knows("takes the "+what, theGroup|theLocks|theMembers, 0)
	}
}

// lockChanged notes since when the upgrade lock is held.
func (c *checker) lockChanged(before, after effects.EtcdKey) {
	if before.Revision != after.Revision {
		c.locked, c.upgrades.since, c.gateOpen, c.openAt = after.Revision != 0, c.now, false, 0
		c.revision = 0 // look at the gate now
	}
}

// rests is C4: no housekeeping takes effect while the upgrade lock is held. What a daemon does it may have decided upon before the
// lock was taken, and then been paused.
func (n *node) rests(what string, grace time.Duration) {
	if n.check.locked && n.now-n.slept-n.check.upgrades.since > grace {
		n.fail("C4", "%s: %s, while the upgrade lock has been held for %s", n, what, n.now-n.check.upgrades.since)
	}
}

func (e checkedEtcd) HoldLock(ctx context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (lock effects.EtcdLock, err error) {
	defer e.crashPoint("hold lock")()
	err = e.changesLocks(func() error { lock, err = e.Etcd.HoldLock(ctx, endpoints, key, owner, ttl, absent...); return err })
	if err != nil || lock.Owner == e.id { // else it was only a look
		e.counts(err)
	}
	if err == nil && lock.Owner == e.id {
		e.joins, e.joinsFor = e.now, ttl
	}
	e.unheard = err != nil
	return lock, err
}

func (e checkedEtcd) ReleaseLock(ctx context.Context, endpoints []string, key, owner string) error {
	defer e.crashPoint("release lock")()
	e.spend(callEdit)
	err := e.changesLocks(func() error { return e.Etcd.ReleaseLock(ctx, endpoints, key, owner) })
	e.counts(err)
	return err
}

func (e checkedEtcd) Swap(ctx context.Context, endpoints []string, key effects.EtcdKey, absent ...string) (revision int64, err error) {
	what := "release " + key.Key
	if key.Value != "" {
		what = "take " + key.Key
	}
	reached := e.swapGoal(key)
	err = e.guarded("etcd", what, func() error {
		if key.Key == effects.UpgradeHaltKey && key.Value != "" {
			e.mayHalt()
		}
		return e.changesLocks(func() error { revision, err = e.Etcd.Swap(ctx, endpoints, key, absent...); return err })
	})
	if err == nil && reached < Goals {
		e.sometimes(reached)
	}
	return revision, err
}
