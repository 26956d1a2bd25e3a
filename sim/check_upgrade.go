package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// upgrades is what the checks of upgrades keep of the world.
type upgrades struct {
	locked   bool          // a daemon has taken the upgrade lock, and nobody has freed it
	since    time.Duration // when it was taken
	openAt   time.Duration // when the gate was last seen open, while the lock is held
	gateOpen bool          // and whether it is
	from     *etcdfake.Cluster
	level    states.MinorVersion // cluster version of that cluster, last seen
}

// gateAge is how old what a daemon knows may be when it stops its server: it reads all of it within 2 s of the stop, by a clock
// that may go wrong by a tenth, and a server believes in a leader for an election timeout (1.7 s at most) after that has gone.
const gateAge = 4 * time.Second

// mayStop is S3, C2 and C6, at the moment in which a daemon stops the server of a voter that nobody told it to stop.
func (p checkedProcess) mayStop() {
	c := p.served()
	m := p.voterOf(c)
	if m == nil || !p.node.etcd.Running() || p.node.etcd.Process().Inspect().Stopping || p.ending() {
		return
	}
	if _, runs := p.node.etcd.MemberID(); runs != m.ID {
		return // its server is another's member, on a copy of that one's data
	}
	if p.twins() {
		return // both are the lock's owner, and one gives it back while the other acts on it: what the lock on the data directory is for
	}
	lock := effects.ParseUpgrade(c.Key(effects.UpgradeLockKey))
	switch minor := p.node.etcd.Runs().MinorOf(); {
	case lock.Owner != p.id || lock.Member != m.ID || lock.From != minor:
		p.fail("C6", "%s stops etcd %s of member %x, and the upgrade lock is %q's, for member %x from %s", p.node, minor, m.ID, lock.Owner, lock.Member, lock.From)
	case c.Key(effects.UpgradeHaltKey).Revision != 0:
		p.fail("C6", "%s stops its server for an upgrade that is halted", p.node)
	}
	// Between the last look at the time and the signal a daemon may be stopped for as long as one likes, and nobody can exclude that.
	if why := p.check.shut(c, p.machine); why != "" && (p.check.openAt == 0 || p.now-p.slept-p.check.openAt > gateAge) {
		p.fail("C2", "%s stops its server: %s, and that for %s", p.node, why, p.now-p.check.openAt)
	}
	for _, other := range p.nodes {
		if other.down && other.machine != p.machine && !other.servesAgain(c) {
			p.fail("S3", "%s stops its server while %s has not served since its daemon stopped it", p.node, other)
		}
	}
	p.knows("stops its server for an upgrade", theGroup, theMembers|theLocks)
	p.down = true
}

// failedInARow is how many ends in a row of its new server a daemon takes for one that does not run (docs/upgrading.md).
const failedInARow = 3

// mayHalt is L5: an upgrade is halted for all only where the new server has ended as often as that, which the world knows. No daemon
// ends one that it has just started.
func (e checkedEtcd) mayHalt() {
	if p := e.node.etcd.Process().Inspect(); p.Exits < failedInARow && e.slept == 0 && !e.twins() {
		e.fail("L5", "%s halts the upgrade for all, and its server has ended %d times in a row", e.node, p.Exits)
	}
}

// voterOf is the started voter that this instance is in a cluster; nil when it is none.
func (n *node) voterOf(c *etcdfake.Cluster) *states.Member {
	if c == nil {
		return nil
	}
	members := c.Members()
	for i := range members {
		if m := &members[i]; m.Address == n.address && m.Name == n.id && !m.Learner && m.Started() {
			return m
		}
	}
	return nil
}

// ending tells whether the instance has been told, truly or not, that it is being ended.
func (n *node) ending() bool {
	in, ok := n.cloud.Instance(n.id)
	return n.recalled > n.now || !ok || in.State != awsfake.Running || strings.HasPrefix(in.Lifecycle, "Terminat")
}

// shut tells why the gate is shut; empty when it is open. It knows the capacity of the group as AWS has told it to this daemon:
// what AWS says may be old, and nobody can know more.
func (c *checker) shut(cluster *etcdfake.Cluster, by *machine) string {
	n, why := c.closedFor(cluster)
	if why == "" && !by.told.desired(n, c.now) {
		return fmt.Sprintf("the cluster has %d members, and the groups are to have %s", n, by.told)
	}
	return why
}

// closedFor is the part of the gate that is the same for all daemons.
func (c *checker) closedFor(cluster *etcdfake.Cluster) (n int, why string) {
	healthy := 0
	members := cluster.Members()
	for i := range members {
		if m := &members[i]; m.Learner || !m.Started() {
			return 0, "member " + m.Key() + " is no voter yet"
		} else if cluster.Hears(m.ID) && cluster.Works(m.ID) {
			healthy++
		}
		n++
	}
	switch {
	case cluster.Alarmed():
		return n, "an alarm is raised"
	case n < 3 || healthy-1 < states.Quorum(n):
		return n, fmt.Sprintf("%d of %d voters are healthy", healthy, n)
	}
	return n, ""
}

// size is what Auto Scaling has told a daemon of the capacity of its group.
type size struct {
	size, before int
	changed      time.Duration
}

// toldAge is how long an answer may take until it is decided upon: the deadline of its source, and some.
const toldAge = 15 * time.Second

func (s *size) tell(n int, now time.Duration) {
	if n != s.size {
		s.before, s.size, s.changed = s.size, n, now
	}
}

// may lists what a decision made now may take the capacity for.
func (s *size) may(now time.Duration) []int {
	if now-s.changed < toldAge {
		return []int{s.size, s.before}
	}
	return []int{s.size}
}

// told is the capacity of the group of each region.
type told [len(regions)]size

func (t *told) desired(n int, now time.Duration) bool {
	for _, here := range t[0].may(now) {
		for _, there := range t[1].may(now) {
			if here+there == n {
				return true
			}
		}
	}
	return false
}

func (t told) String() string { return fmt.Sprintf("%d and %d", t[0].size, t[1].size) }

// upgradesGoOn looks at servers and versions after each change of the world.
func (c *checker) upgradesGoOn() {
	cluster := c.world.served()
	if cluster == nil {
		return
	}
	c.versionsFit(cluster)
	if !c.locked {
		return
	}
	if _, why := c.closedFor(cluster); why == "" {
		c.gateOpen, c.openAt = true, c.now
	} else if c.gateOpen {
		c.gateOpen, c.openAt = false, c.now
	}
	for _, n := range c.nodes {
		n.down = n.down && !n.servesAgain(cluster)
	}
}

// servesAgain tells whether an instance that was stopped for its upgrade is no longer down by its daemon's decision: its server is
// up again and hears a leader, or its member is not there any more.
func (n *node) servesAgain(c *etcdfake.Cluster) bool {
	m := n.voterOf(c)
	if n.gone || m == nil {
		return true
	}
	_, member := n.etcd.MemberID()
	return member != m.ID || c.Hears(m.ID) && !n.etcd.Process().Inspect().Stopping
}

// versionsFit is S6: the minors of the servers that run are neighbours, and the cluster version goes from one minor to the next.
func (c *checker) versionsFit(cluster *etcdfake.Cluster) {
	oldest, newest := cluster.Minors()
	if oldest != newest && oldest.Next() != newest {
		c.fail("S6", "servers of etcd %s and %s run in one cluster", oldest, newest)
	}
	before, level := c.upgrades.level, cluster.Version()
	if before == level && c.from == cluster {
		return
	}
	if c.from == cluster && before.Known() && !begins(before) && before.Next() != level && !cluster.Downgrading() {
		c.fail("S6", "the cluster version goes from %s to %s", before, level)
	}
	c.from, c.upgrades.level = cluster, level
}

// begins tells whether a cluster version may be the one that etcd begins with where not every member answers (MinClusterVersion).
func begins(v states.MinorVersion) bool {
	return v == states.MinorVersion{Major: 3} || v == states.MinorVersion{Major: 2, Minor: 2}
}

// mayChangeServer is the second half of S3: only the holder of the upgrade lock starts another minor than ran on its data. A record
// that nature has spoilt may name another; etcd refuses it, and the daemon finds out. On data that nature has spoilt no server runs.
func (p checkedProcess) mayChangeServer(s states.StartEtcd) {
	ran, misled := p.node.etcd.Ran().MinorOf(), p.misled.Known()
	if p.misled == s.Minor {
		p.misled = states.MinorVersion{}
	}
	if s.State != states.ClusterRestart || !ran.Known() || ran == s.Minor {
		return
	}
	if c := p.served(); c != nil && upgradeOwner(c) != p.id && !misled && !p.spoilt && !p.twins() {
		p.fail("S3", "%s starts etcd %s on data of %s, and the upgrade lock is %q's", p.node, s.Minor, ran, upgradeOwner(c))
	}
}
