package states

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // etcd makes the IDs of members with it
	"encoding/binary"
	"fmt"
	"slices"
)

// bootstrap forms a new cluster. Every instance starts from the member list of the claim, whatever it saw itself, so that all
// compute the same cluster; etcd's own quorum does the rest.
func (t *turn) bootstrap() verdict {
	pace := paceAfter(t.Now.Sub(t.since))
	needs := Needs{Group: pace, Zone: pace, Peers: fast, Cluster: fast}
	living := t.living()
	switch {
	case t.Process.Running == Yes:
		return t.bootstrapRunning()
	case t.Disk.State == DiskMember:
		return move(FoundData, "has begun to form the cluster: goes on with its data")
	case t.Disk.State != DiskEmpty:
		return move(StartOver, "the disk is no longer empty")
	case len(living) > 1 || len(living) == 1 && !t.straggler(living[0]):
		return move(StartOver, "a cluster is living")
	}

	record, why, commands := t.claimToFollow()
	if record == nil {
		if len(commands) == 0 {
			return move(StartOver, why)
		}
		return verdict{why: why, commands: commands, needs: needs}
	}
	v := verdict{why: fmt.Sprintf("forms the cluster with %d members, as claimed", len(record.Members)), needs: needs}
	minor := cmp.Or(record.Minor, t.Wanted)
	switch {
	case len(record.Members) > 1 && !t.Process.Started.IsZero() && t.ranOnData() && t.Disk.Name == "":
		// It may have voted. The others can form the cluster without it, and it joins them then. With its record still beside
		// it, an empty directory was not lost: the server ended before it had a log, and so before it could vote.
		v.why = "has lost the data of its first start: joins when the others have formed the cluster"
		v.reports = []string{v.why}
	case !t.has(minor):
		v.why = fmt.Sprintf("cannot form the cluster: no etcd %s server is installed", minor)
		v.reports = []string{v.why}
	case t.startDue():
		v.commands = []Command{StartEtcd{
			Minor: minor, Name: t.Self.ID, Address: t.Self.Address,
			State: ClusterNew, Token: record.Token, Cluster: record.Members,
		}}
	}
	return v
}

// bootstrapRunning waits for the server to serve, which takes a majority of the claim's instances. AWS has nothing to add. A server
// that does not answer has no member ID, by which nobody is found.
func (t *turn) bootstrapRunning() verdict {
	if t.Cluster.Known == Yes {
		if m, ok := t.Cluster.Member(t.Local().MemberID); ok && m.Started() {
			return move(Serving, "the cluster serves")
		}
	}
	return verdict{why: "waits for a majority of the new members", needs: Needs{Cluster: fast, Group: slow}}
}

// Local is what our own server answers.
func (o *Observation) Local() *Local { return &o.Cluster.Local }

// claimToFollow gives the record to start from, or the command that makes one, or neither, with the reason.
func (t *turn) claimToFollow() (*ClaimRecord, string, []Command) {
	c := &t.Claim
	if c.Store == ClaimNowhere {
		why, whole := t.groupComplete()
		if !whole {
			return nil, why, nil
		}
		r := t.newClaim()
		r.Token = t.Name // every instance must compute the same token, with nothing to agree on it by
		return &r, why, nil
	}
	if t.claimed() {
		return &c.Record, "", nil
	}
	why, due := t.bootstrapDue()
	switch {
	case !due:
		return nil, why, nil
	case c.Exists == Yes:
		return nil, why, []Command{UpdateClaim{Old: c.Record, New: t.newClaim()}}
	default:
		return nil, why, []Command{CreateClaim{Record: t.newClaim()}}
	}
}

// claimed tells whether this instance is one of those that the claim wants to form the cluster. The record of a claim that was not
// read, is not there or is not ours is empty, and names nobody.
func (t *turn) claimed() bool {
	r := &t.Claim.Record
	return r.State == ClaimPending && r.Has(t.Self.ID)
}

// newClaim names every instance of the group that is up, and a token that no other bootstrap has: etcd derives the cluster ID from
// list and token, so that members of an earlier cluster on the same addresses are never taken for this one's.
func (t *turn) newClaim() ClaimRecord {
	r := ClaimRecord{State: ClaimPending, Token: fmt.Sprintf("%s-%s-%d", t.Name, t.Self.ID, t.Now.Unix()), Minor: t.Wanted}
	for i := range t.Group.Instances {
		if in := &t.Group.Instances[i]; in.InGroup && in.Up() {
			r.Members = append(r.Members, ClaimMember{ID: in.ID, Address: in.Address})
		}
	}
	return r
}

// forms tells whether a cluster is the one that servers with this list and token form. Its ID is a hash of theirs, and theirs are
// hashes of peer URL and token (etcd server/etcdserver/api/membership, computeMemberID and genID).
func (r *ClaimRecord) forms(cluster uint64, peerPort int) bool {
	return slices.ContainsFunc([]string{"http", "https"}, func(scheme string) bool {
		members := make([]uint64, len(r.Members))
		for i, m := range r.Members {
			members[i] = hashOf(fmt.Appendf(nil, "%s://%s:%d%s", scheme, m.Address, peerPort, r.Token))
		}
		slices.Sort(members)
		var all []byte
		for _, id := range members {
			all = binary.BigEndian.AppendUint64(all, id)
		}
		return hashOf(all) == cluster
	})
}

func hashOf(b []byte) uint64 {
	sum := sha1.Sum(b) //nolint:gosec // as etcd does
	return binary.BigEndian.Uint64(sum[:8])
}
