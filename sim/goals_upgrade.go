package sim

import (
	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
)

// upgradeOwner is the instance that holds the upgrade lock of a cluster; empty when nobody does.
func upgradeOwner(c *etcdfake.Cluster) string {
	return effects.ParseUpgrade(c.Key(effects.UpgradeLockKey)).Owner
}

// swapGoal looks at a change of the upgrade lock, right before it, and tells which goal it reaches if it works; Goals for none.
func (n *node) swapGoal(key effects.EtcdKey) Goal {
	c := n.served()
	if c == nil || key.Key != effects.UpgradeLockKey || key.Value != "" {
		return Goals
	}
	lock := effects.ParseUpgrade(c.Key(key.Key))
	switch {
	case lock.Owner == "":
	case lock.Owner != n.id:
		return UpgradeOwnerGone
	case n.etcd.Running() && n.etcd.Process().Inspect().Minor == lock.From:
		return UpgradeHandedBack
	}
	return Goals
}

// upgradeGoals looks at the version of the cluster, which rises when its last member has been upgraded.
func (c *checker) upgradeGoals(served *etcdfake.Cluster) {
	before := c.reached
	c.reached = served.Version()
	if !before.Known() || begins(before) || !before.Less(c.reached) {
		return
	}
	c.sometimes(UpgradedAll)
	if before != c.plan.oldest() {
		c.sometimes(UpgradedTwice)
	}
}
