package sim

import (
	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
)

// What a record beside the data says of its member, what the list says of it, and who holds the upgrade lock.
type (
	recorded uint8
	listed   uint8
	holder   uint8
)

const (
	noRecord recorded = iota
	startedRecord
	joinedRecord
	recordings
)

const (
	unlisted listed = iota
	unstarted
	aLearner
	aVoter
	listings
)

const (
	free   holder = 1 << iota
	own           // taken as this very member
	former        // taken by this instance as a member that it is no longer
	others
	anyone = free | own | former | others
)

// explainable is the allow-list of S8. What is not on it nobody can explain, unless nature has spoilt the record.
var explainable = [recordings][listings]holder{
	// It is written down which server is about to run before it runs, so that no data is without a record.
	noRecord: {},
	// Only a member that serves asks for the lock, and that it has become a voter was written down then.
	startedRecord: {unlisted: free | former | others, unstarted: free | former | others, aLearner: free | former | others, aVoter: free | former | others},
	// A voter stays one until it is removed; who is removed under the lock gives it back when he joins anew.
	joinedRecord: {unlisted: anyone, aVoter: anyone},
}

// explains is S8, after each command that a daemon gives to etcd or on its instance.
func (n *node) explains() {
	id, member := n.etcd.MemberID()
	if id == 0 || n.untold {
		return
	}
	c := n.clusterOf(id)
	disk := n.etcd.Disk().Inspect()
	r := startedRecord
	switch {
	case disk.Name == "":
		r = noRecord
	case disk.Joined:
		r = joinedRecord
	}
	if l, h := listing(c, member), n.holds(c, member); explainable[r][l]&h == 0 {
		n.fail("S8", "%s has %s beside its data, is %s in cluster %x, and the upgrade lock is %s", n, r, l, id, h)
	}
}

func (w *world) clusterOf(id uint64) *etcdfake.Cluster {
	for _, c := range w.etcd.Clusters() {
		if c.ID() == id {
			return c
		}
	}
	return nil
}

func listing(c *etcdfake.Cluster, member uint64) listed {
	members := c.Members()
	for i := range members {
		switch m := &members[i]; {
		case m.ID != member:
		case m.Learner:
			return aLearner
		case !m.Started():
			return unstarted
		default:
			return aVoter
		}
	}
	return unlisted
}

func (n *node) holds(c *etcdfake.Cluster, member uint64) holder {
	if !n.check.locked {
		return free
	}
	switch lock := effects.ParseUpgrade(c.Key(effects.UpgradeLockKey)); {
	case lock.Owner == "":
		return free
	case lock.Owner != n.id:
		return others
	case lock.Member == member:
		return own
	default:
		return former
	}
}

func (r recorded) String() string {
	return [...]string{"no record", "a record that it has started", "a record that it is a voter"}[r]
}

func (l listed) String() string {
	return [...]string{"no member", "a member that has not started", "a learner", "a voter"}[l]
}

func (h holder) String() string {
	switch h {
	case free:
		return "free"
	case own:
		return "its own"
	case former:
		return "its own, as another member"
	default:
		return "another's"
	}
}
