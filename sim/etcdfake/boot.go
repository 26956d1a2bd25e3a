package etcdfake

import (
	"slices"
	"sort"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// boot is what a server does before it takes part: etcd's bootstrapCluster (server/etcdserver/bootstrap.go).
func (p *process) boot() {
	w := p.node.world
	var reason states.ExitReason
	var detail string
	switch {
	case p.node.DiskError != nil:
		reason, detail = states.ExitCrash, p.node.writeFails()
	case p.disk.damage != intact:
		reason, detail = states.ExitCorrupt, "exit status 2: "+string(p.disk.damage)
	case p.disk.state == states.DiskMember: // with a log, every --initial flag is ignored
		reason, detail = p.restart()
	case !slices.Contains(p.start.Cluster, states.ClaimMember{ID: p.start.Name, Address: p.node.Address}):
		reason, detail = states.ExitStale, "couldn't find local name in the initial cluster configuration"
	case p.start.State == states.ClusterNew:
		reason, detail = p.form()
	default:
		reason, detail = p.join()
	}
	if reason != states.ExitNone {
		p.exit(reason, detail)
		return
	}
	p.up = w.Now()
	p.disk.cluster.entered(p)
}

// restart refuses to run below the version that the cluster has reached (MustDetectDowngrade).
func (p *process) restart() (states.ExitReason, string) {
	if p.version.MinorOf().Less(p.clusterVersion()) {
		return states.ExitRefused, "invalid downgrade; server version is lower than determined cluster version"
	}
	return states.ExitNone, ""
}

// form starts a new cluster from the list. Every server with the same list and token computes the same IDs.
func (p *process) form() (states.ExitReason, string) {
	members := initialMembers(p.start.Cluster, p.start.Token)
	own := members[indexOf(members, p.node.Address)]
	if remote, _ := p.remote(); remote != nil { // isMemberBootstrapped
		if m := find(remote.view().members, own.ID); m != nil && m.ClientURL != "" {
			return states.ExitBootstrapped, "member has already been bootstrapped"
		}
	}
	p.disk.begin(p.node.world.cluster(p.start.Token, members), own.ID, uint64(len(members)), p)
	return states.ExitNone, ""
}

// join enters a living cluster, whose list must be the one given (ValidateClusterAndAssignIDs) and whose version must be known
// and not above this server's (isCompatibleWithCluster).
func (p *process) join() (states.ExitReason, string) {
	remote, compatible := p.remote()
	if remote == nil {
		return states.ExitStale, "cannot fetch cluster info from peer urls"
	}
	members := remote.view().members
	if len(members) != len(p.start.Cluster) {
		return states.ExitStale, "error validating peerURLs: member count is unequal"
	}
	for i := range members {
		if !slices.ContainsFunc(p.start.Cluster, func(m states.ClaimMember) bool { return m.Address == members[i].Address }) {
			return states.ExitStale, "error validating peerURLs: PeerURLs: no match found for existing member"
		}
	}
	if !compatible {
		return states.ExitRefused, "incompatible with current running cluster"
	}
	p.disk.begin(remote.disk.cluster, members[indexOf(members, p.node.Address)].ID, 0, p)
	return states.ExitNone, ""
}

// remote is the first other server of the list, in order of URL, that tells its members; compatible says whether the versions
// of all that answer permit to join.
func (p *process) remote() (first *process, compatible bool) {
	w := p.node.world
	addresses := make([]string, 0, len(p.start.Cluster))
	for _, m := range p.start.Cluster {
		if m.ID != p.start.Name {
			addresses = append(addresses, m.Address)
		}
	}
	sort.Strings(addresses)
	known, above := false, false
	for _, a := range addresses {
		q, err := w.route(p.node.Address, a, PeerPort)
		if err != nil || w.isCut(a, p.node.Address, PeerPort) {
			continue
		}
		if first == nil {
			first = q
		}
		v := q.clusterVersion()
		known = known || v.Known()
		above = above || p.version.MinorOf().Less(v)
	}
	return first, known && !above
}

// begin makes an empty data directory a member's.
func (d *disk) begin(c *Cluster, member, index uint64, p *process) {
	if slices.Contains(c.begun, member) {
		c.world.report(WipedMember, c, member, p.node.ID)
		d.forgot = true
	} else {
		c.begun = append(c.begun, member)
	}
	d.state, d.cluster, d.member, d.index = states.DiskMember, c, member, index
}
