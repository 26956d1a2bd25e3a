package etcdfake

import (
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
	c.index++
	c.versionBefore, c.version, c.versionIndex, c.versionAt, c.raises = c.version, version, c.index, now, time.Time{}
	return true
}

// decide is decideClusterVersion (server/etcdserver/version/monitor.go): the lowest server version of all members, learners and
// unstarted ones included. If one does not answer, a version that is not set yet becomes the oldest that the leader's minor
// can speak to, and one that is set stays.
func (c *Cluster) decide() states.MinorVersion {
	lowest := c.leader.version.MinorOf()
	for i := range c.members() {
		p := c.server(&c.members()[i])
		if p == nil || !c.world.linked(c.leader, p) {
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

// older tells whether the server is older than a minor.
func (p *process) older(major, minor int) bool {
	return p.version.MinorOf().Less(states.MinorVersion{Major: major, Minor: minor})
}

// release is the version of a minor that is installed on the node.
func (n *Node) release(m states.MinorVersion) states.Version {
	if n.Release != nil {
		return n.Release(m)
	}
	return n.world.Release(m)
}
