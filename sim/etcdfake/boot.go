package etcdfake

import (
	"fmt"
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
		reason, detail = p.reopen()
	case !slices.Contains(p.start.Cluster, states.ClaimMember{ID: p.start.Name, Address: p.node.Address}):
		reason, detail = stale("couldn't find local name %q in the initial cluster configuration", p.start.Name)
	case p.start.State == states.ClusterNew:
		reason, detail = p.form()
	default:
		reason, detail = p.join()
	}
	if reason != states.ExitNone {
		p.exit(reason, detail)
		return
	}
	p.up, p.first, p.disk.ran = w.Now(), p.disk.snapshot, p.version
	p.disk.plain = p.disk.plain && p.older(3, 0)
	p.disk.cluster.entered(p)
}

// stale is an end that says that the list of members was wrong.
func stale(format string, args ...any) (states.ExitReason, string) {
	return states.ExitStale, "exit status 1: discovery failed: " + fmt.Sprintf(format, args...)
}

// reopen is the start on data that is there: its versions are checked, and its log is read.
func (p *process) reopen() (states.ExitReason, string) {
	for _, check := range []func() (states.ExitReason, string){p.upgradable, p.restart, p.haunted} {
		if reason, detail := check(); reason != states.ExitNone {
			return reason, detail
		}
	}
	return p.replay(p.disk.index)
}

// form starts a new cluster from the list. Every server with the same list and token computes the same IDs.
func (p *process) form() (states.ExitReason, string) {
	members := initialMembers(p.start.Cluster, p.start.Token)
	own := members[indexOf(members, p.node.Address)]
	if remote, _ := p.remote(); remote != nil { // isMemberBootstrapped
		if m := find(remote.view().members, own.ID); m != nil && m.ClientURL != "" {
			return states.ExitBootstrapped, fmt.Sprintf("exit status 1: discovery failed: member %x has already been bootstrapped", own.ID)
		}
	}
	p.disk.begin(p.node.world.cluster(p.start.Token, members), own.ID, uint64(len(members)), p)
	return states.ExitNone, ""
}

// join enters a living cluster, whose list must be the one given (ValidateClusterAndAssignIDs) and whose version must be known
// and one that this server can speak to (isCompatibleWithCluster). That it is the minor before is asked by nobody: what comes of
// more than that is in the log, see [entryKind].
func (p *process) join() (states.ExitReason, string) {
	remote, compatible := p.remote()
	if remote == nil {
		return stale("cannot fetch cluster info from peer urls: could not retrieve cluster information from the given URLs")
	}
	members := remote.view().members
	if len(members) != len(p.start.Cluster) {
		return stale("error validating peerURLs {ClusterID:%x}: member count is unequal", remote.disk.cluster.id)
	}
	for i := range members {
		if !slices.ContainsFunc(p.start.Cluster, func(m states.ClaimMember) bool { return m.Address == members[i].Address }) {
			if p.older(3, 4) {
				return stale("error validating peerURLs {ClusterID:%x}: unmatched member while checking PeerURLs", remote.disk.cluster.id)
			}
			return stale("error validating peerURLs {ClusterID:%x}: PeerURLs: no match found for existing member (%x)",
				remote.disk.cluster.id, members[i].ID)
		}
	}
	if !compatible {
		return states.ExitRefused, "exit status 1: discovery failed: " + p.incompatible()
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
	known, foreign := false, false
	for _, a := range addresses {
		q, err := w.route(p.node.Address, a, PeerPort)
		if err != nil || w.isCut(a, p.node.Address, PeerPort) {
			continue
		}
		if first == nil {
			first = q
		}
		if v := q.clusterVersion(); v.Known() {
			known, foreign = true, foreign || !p.joins(v, q.disk.cluster.downgrade.Known())
		}
	}
	return first, known && !foreign
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
