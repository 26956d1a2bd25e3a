package sim

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// lossWatch is how long a world that has lost its quorum for good is watched.
const lossWatch = 5 * time.Minute

// runLost is L7: when too little data is left, the daemons touch neither etcd nor AWS any more, form nothing new, and one of them
// reports it.
func (w *world) runLost(c *etcdfake.Cluster) {
	w.run(w.now + time.Minute) // what was under way may end
	members, clusters, changes := &c.Members()[0], len(w.check.served), w.changes
	w.run(w.now + lossWatch)
	switch {
	case w.violation != nil || c.HasQuorum(): // a server was only slow to come back
	case members != &c.Members()[0] || w.changes != changes:
		w.fail("L7", "a quorum of the data is lost for good, and %d changes were made in %s", w.changes-changes, lossWatch)
	case len(w.check.served) != clusters:
		w.fail("L7", "a quorum of the data is lost for good, and a new cluster was formed")
	case !w.reported():
		w.fail("L7", "a quorum of the data is lost for good, and no daemon reports anything")
	}
}

// reported tells whether a daemon that lives reports something, if one lives.
func (w *world) reported() bool {
	lives := false
	for _, n := range w.nodes {
		if n.agent != nil && n.agent.State() != states.Leaving {
			lives = true
			if n.reports {
				return true
			}
		}
	}
	return !lives
}
