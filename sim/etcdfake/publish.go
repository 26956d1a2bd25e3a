package etcdfake

import "github.com/etcd-appliance/etcd-appliance/states"

// publish lets servers that reach the leader tell their name and client URL. A server serves clients only after that
// (EtcdServer.publishV3 closes readych): after a restart without quorum its client port accepts connections and is silent.
func (c *Cluster) publish() bool {
	changed := false
	for _, p := range c.procs {
		if !c.writable || p.lead != c.leader.disk.member || !p.leadless.IsZero() {
			continue
		}
		if !p.published {
			p.published, changed = true, true
			c.attribute(p)
		}
		if p.synced && !p.ready {
			p.ready, changed = true, true
		}
	}
	return changed
}

// attribute is a server telling the cluster its name and client URL, as every server does after each start.
func (c *Cluster) attribute(p *process) {
	url, m := clientURL(p.node.Address), find(c.members(), p.disk.member)
	if m == nil {
		return
	}
	if p.older(3, 6) {
		c.log(v2Request)
	} else {
		c.log(memberAttributes)
	}
	if m.Name == p.start.Name && m.ClientURL == url {
		return
	}
	c.change(func(members []states.Member) []states.Member {
		m := find(members, p.disk.member)
		m.Name, m.ClientURL = p.start.Name, url
		return members
	})
}
