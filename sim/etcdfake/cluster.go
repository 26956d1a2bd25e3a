package etcdfake

import (
	"crypto/sha1"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Cluster is one cluster ID: its committed log, of which the length is kept, and what that log says of members and locks.
type Cluster struct {
	world *World
	id    uint64
	token string

	index      uint64               // length of the committed log
	acked      uint64               // index of the last write that a client was told of
	entries    [entryKinds][]uint64 // indexes of what not every version can read
	lastEntry  uint64               // the last of them
	configs    []config             // by index; the last is in force
	gone       []states.Member      // those that were removed
	unrecorded []uint64             // learners whose promotion 3.5 before 3.5.20 has kept from the database
	v2Keys     bool                 // a key was written with the v2 API
	keyed      bool                 // a key was written with the v3 API
	downgrade  states.MinorVersion  // to which a downgrade is enabled
	removed    []uint64             // member IDs that can never be used again
	begun      []uint64             // member IDs that have ever had a data directory
	locks      []lock
	keys       []effects.EtcdKey // without a lease
	alarms     []alarm

	protected bool // it asks for a user

	version      states.MinorVersion
	versionIndex uint64 // since when the log says so
	versionAt    time.Time
	versions     []versionSet // before, in order

	procs     []*process // servers that listen with a data directory of this cluster
	leader    *process   // nil when none reaches a quorum
	followed  []uint64   // members that have followed this leader, so that it counts on their logs
	writable  bool       // and a quorum of voters follows its log
	deposed   uint64     // member that has led last and is not to lead next, if another can
	term      uint64
	led       time.Time // since when the leader leads
	elects    time.Time // when an election will be held, if one is needed and possible
	raises    time.Time // when the leader will set the cluster version, if it can
	served    time.Time // when it could first be written to
	lostIndex uint64
}

// config is the membership from one entry of the log on. Its members are never changed.
type config struct {
	index   uint64
	at      time.Time
	members []states.Member // by ID
}

// initialMembers are the members of a new cluster. They have their names from the start, and so count as started in etcd's
// membership rules (IsStarted looks at the name), but no client URL until they publish themselves.
func initialMembers(list []states.ClaimMember, token string) []states.Member {
	members := make([]states.Member, len(list))
	for i, m := range list {
		members[i] = states.Member{ID: memberID(peerURL(m.Address), token), Name: m.ID, Address: m.Address}
	}
	slices.SortFunc(members, byID)
	return members
}

// cluster finds the cluster that servers with this list and token form: the same for all of them, even after total loss.
func (w *World) cluster(token string, members []states.Member) *Cluster {
	id := clusterID(members)
	for _, c := range w.clusters {
		if c.id == id {
			return c
		}
	}
	n := uint64(len(members)) // one entry for each member
	c := &Cluster{world: w, id: id, token: token, index: n, configs: []config{{n, w.Now(), members}}}
	w.clusters = append(w.clusters, c)
	return c
}

// memberID is computeMemberID (server/etcdserver/api/membership/member.go).
func memberID(peerURL, salt string) uint64 {
	sum := sha1.Sum([]byte(peerURL + salt))
	return binary.BigEndian.Uint64(sum[:8])
}

// addedID is the ID of a member that is added to a living cluster: no token, but the second it was added.
func addedID(peerURL string, now time.Time) uint64 {
	return memberID(peerURL, strconv.FormatInt(now.Unix(), 10))
}

// clusterID is RaftCluster.genID.
func clusterID(members []states.Member) uint64 {
	b := make([]byte, 0, 8*len(members))
	for i := range members {
		b = binary.BigEndian.AppendUint64(b, members[i].ID)
	}
	sum := sha1.Sum(b)
	return binary.BigEndian.Uint64(sum[:8])
}

func byID(a, b states.Member) int {
	if a.ID < b.ID {
		return -1
	}
	if a.ID > b.ID {
		return 1
	}
	return 0
}

func (c *Cluster) members() []states.Member { return c.configs[len(c.configs)-1].members }

// view is the membership as far as the server knows it.
func (p *process) view() config {
	c, known := p.disk.cluster, p.disk.cluster.configs[0]
	for i := len(c.configs) - 1; i > 0; i-- {
		if c.configs[i].index <= p.applied() {
			known = c.configs[i]
			break
		}
	}
	if p.disk.zombies != nil {
		known.members = p.disk.withZombies(known.members)
	}
	return known
}

// flushDelay is more than the time after which etcd writes its database to disk (100 ms, backend batch interval). What is newer
// is in the log, but a killed server that restarts does not know that it was committed until a leader tells.
const flushDelay = time.Second

// flushed is the length of the log that a server killed now will know by itself to be committed.
func (c *Cluster) flushed(now time.Time) uint64 {
	length := uint64(0)
	if now.Sub(c.versionAt) < flushDelay {
		length = c.versionIndex - 1
	}
	for i := len(c.configs) - 1; i > 0 && now.Sub(c.configs[i].at) < flushDelay; i-- {
		if length == 0 || c.configs[i].index <= length {
			length = c.configs[i].index - 1
		}
	}
	return length
}

// applied is how much of its log the server knows to be committed.
func (p *process) applied() uint64 {
	if d := p.disk; !p.synced && d.applied != 0 && d.applied < d.index {
		return d.applied
	}
	return p.index()
}

// versionSet is an entry of the log that sets the cluster version.
type versionSet struct {
	index   uint64
	version states.MinorVersion
}

// clusterVersion is the cluster version as far as the server knows it.
func (p *process) clusterVersion() states.MinorVersion {
	c, i := p.disk.cluster, p.applied()
	if i >= c.versionIndex {
		return c.version
	}
	for _, set := range slices.Backward(c.versions) {
		if i >= set.index {
			return set.version
		}
	}
	return states.MinorVersion{}
}

// change commits a new membership; edit works on a copy.
func (c *Cluster) change(edit func([]states.Member) []states.Member) {
	c.index++
	members := edit(slices.Clone(c.members()))
	slices.SortFunc(members, byID)
	c.configs = append(c.configs, config{c.index, c.world.Now(), members})
}

// write commits a key.
func (c *Cluster) write(name string) {
	c.index++
	c.keyed = c.keyed || !isV2(name) && !c.version.Less(states.MinorVersion{Major: 3, Minor: 0})
}

// entered and left note servers that come and go.
func (c *Cluster) entered(p *process) {
	if slices.ContainsFunc(c.procs, func(q *process) bool { return q.disk.member == p.disk.member }) {
		c.world.report(TwinMember, c, p.disk.member, p.node.ID)
	}
	c.procs = append(c.procs, p)
}

func (c *Cluster) left(p *process) {
	if i := slices.Index(c.procs, p); i >= 0 {
		c.procs = slices.Delete(c.procs, i, i+1)
	}
}

// server finds the process of a member, where its peer URL leads to; nil when it is not up.
func (c *Cluster) server(m *states.Member) *process {
	for _, p := range c.procs {
		if p.disk.member == m.ID && p.node.Address == m.Address {
			return p
		}
	}
	return nil
}

func find(members []states.Member, id uint64) *states.Member {
	for i := range members {
		if members[i].ID == id {
			return &members[i]
		}
	}
	return nil
}

func indexOf(members []states.Member, address string) int {
	return slices.IndexFunc(members, func(m states.Member) bool { return strings.EqualFold(m.Address, address) })
}
