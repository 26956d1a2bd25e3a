package etcdfake

import (
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// monitorInterval is how often the leader looks at the versions of all members (etcd's monitorVersionInterval).
const monitorInterval = 4 * time.Second

// raise sets the cluster version as etcd's leader does: on its first commit, and every 4 s from then on.
func (c *Cluster) raise(now time.Time) bool {
	if !c.writable {
		return false
	}
	version := c.decide()
	if version == c.version {
		c.raises = time.Time{}
		return false
	}
	if c.raises.IsZero() {
		c.raises = c.led.Add((now.Sub(c.led)/monitorInterval + 1) * monitorInterval)
	}
	if !c.world.due(c.raises, now) {
		return false
	}
	if c.leader.older(3, 6) {
		c.log(v2Version) // updateClusterVersionV2
	} else {
		c.index++
	}
	if c.version.Known() {
		c.versions = append(c.versions, versionSet{c.versionIndex, c.version})
	}
	c.version, c.versionIndex, c.versionAt, c.raises = version, c.index, now, time.Time{}
	return true
}

// decide is decideClusterVersion (server/etcdserver/version/monitor.go): the lowest server version of all members, learners and
// unstarted ones included. If one does not answer, a version that is not set yet becomes the oldest that the leader's minor
// can speak to, and one that is set stays.
func (c *Cluster) decide() states.MinorVersion {
	if c.downgrade.Known() {
		return c.lower()
	}
	lowest := c.leader.version.MinorOf()
	for i := range c.members() {
		p := c.server(&c.members()[i])
		if p == nil || !c.world.connected(c.leader, p) {
			if c.version.Known() {
				return c.version
			}
			return oldest(c.leader.version.MinorOf())
		}
		if v := p.version.MinorOf(); v.Less(lowest) {
			lowest = v
		}
	}
	if lowest.Less(c.version) {
		return c.version
	}
	return lowest
}

// Downgrade is an operator enabling a downgrade by one minor, or cancelling it (the zero value). From 3.6 on the leader lowers the
// cluster version to the target then, so that servers of the target may restart on the data, one by one. It tells whether the
// cluster accepts.
func (c *Cluster) Downgrade(target states.MinorVersion) bool {
	c.world.Advance()
	next := states.MinorVersion{Major: target.Major, Minor: target.Minor + 1}
	if !c.writable || target.Known() && (next != c.version || c.leader.older(3, 6)) {
		return false
	}
	c.downgrade = target
	c.world.settle()
	return true
}

// lower is decideClusterVersion while a downgrade is enabled: it too waits for every member to answer. The downgrade ends once
// every server runs the target.
func (c *Cluster) lower() states.MinorVersion {
	done := true
	for i := range c.members() {
		p := c.server(&c.members()[i])
		if p == nil || !c.world.connected(c.leader, p) {
			return c.version
		}
		done = done && p.version.MinorOf() == c.downgrade
	}
	target := c.downgrade
	if done {
		c.downgrade = states.MinorVersion{}
	}
	return target
}

// joins tells whether a server may join a cluster of this version (membership.isCompatibleWithVers). While a downgrade is enabled
// the cluster's version must be the one after its own (allowedVersionRange): since 3.6 it is lowered at once, so nobody fits.
func (p *process) joins(v states.MinorVersion, downgrade bool) bool {
	own := p.version.MinorOf()
	if downgrade {
		return v == states.MinorVersion{Major: own.Major, Minor: own.Minor + 1}
	}
	return !own.Less(v) && !v.Less(oldest(own))
}

// restart refuses to run below the version that the cluster has reached (MustDetectDowngrade), and from 3.6 on below the version
// of the storage, which follows it (storage/schema newPlan).
func (p *process) restart() (states.ExitReason, string) {
	v := p.clusterVersion()
	if !p.version.MinorOf().Less(v) {
		return states.ExitNone, ""
	}
	switch {
	case p.older(3, 1):
		return states.ExitNewer, fmt.Sprintf("exit status 1: cluster cannot be downgraded (current version: %s is lower than determined cluster version: %s).", p.version, v)
	case p.older(3, 6):
		return states.ExitNewer, "exit status 1: invalid downgrade; server version is lower than determined cluster version"
	default:
		return states.ExitNewer, fmt.Sprintf("exit status 1: discovery failed: version \"%s.0\" is not supported", v)
	}
}

func (p *process) incompatible() string {
	if p.older(3, 0) {
		return "incomptible with current running cluster" // so misspelt in 2.3
	}
	return "incompatible with current running cluster"
}

// oldest is version.MinClusterVersion of a server of this minor.
func oldest(m states.MinorVersion) states.MinorVersion {
	switch {
	case m.Less(states.MinorVersion{Major: 3, Minor: 0}):
		return states.MinorVersion{Major: 2, Minor: 2}
	case m.Less(states.MinorVersion{Major: 3, Minor: 1}):
		return states.MinorVersion{Major: 2, Minor: 3}
	default:
		return states.MinorVersion{Major: 3, Minor: 0}
	}
}

// speak tells whether two servers exchange raft messages: neither may be older than the oldest that the other speaks to
// (api/rafthttp/util.go checkVersionCompatibility). 3.0 and 2.3 do, 3.1 and 2.3 do not.
func speak(a, b states.Version) bool {
	return a == b || !a.MinorOf().Less(oldest(b.MinorOf())) && !b.MinorOf().Less(oldest(a.MinorOf()))
}

// older tells whether the server is older than a minor.
func (p *process) older(major, minor int) bool {
	return p.version.MinorOf().Less(states.MinorVersion{Major: major, Minor: minor})
}

// Installed is the version of a minor that its next start runs.
func (n *Node) Installed(m states.MinorVersion) states.Version { return n.release(m) }

// release is the version of a minor that is installed on the node.
func (n *Node) release(m states.MinorVersion) states.Version {
	if n.Release != nil {
		return n.Release(m)
	}
	return n.world.Release(m)
}
