package etcdfake

import (
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// settle applies to one cluster what follows from who is up and who reaches whom. It reports whether anything came of it that
// may have consequences of its own.
func (c *Cluster) settle(now time.Time) bool {
	changed := c.lead(now)
	changed = c.replicate(now) || changed
	changed = c.commitLate() || changed
	changed = c.publish() || changed
	changed = c.raise(now) || changed
	changed = c.replay() || changed
	return c.expel() || changed
}

// lead keeps the leader while it reaches a quorum (etcd's CheckQuorum), and holds an election when it does not.
func (c *Cluster) lead(now time.Time) bool {
	if c.leader != nil && c.reaches(c.leader, false) {
		c.elects = time.Time{}
		return false
	}
	if c.leader != nil { // it is lost only now; etcd gives it an election timeout to come back, which is kinder
		c.stepDown(now)
	}
	candidate := c.candidate()
	switch {
	case candidate == nil:
		c.elects = time.Time{}
		return false
	case c.elects.IsZero():
		c.elects = now.Add(c.world.Election(c.id, c.term))
	}
	if !c.world.due(c.elects, now) {
		return false
	}
	c.elect(candidate, now)
	return true
}

// stepDown leaves the cluster without a leader.
func (c *Cluster) stepDown(now time.Time) {
	c.purge(now)
	c.leader, c.writable = nil, false
}

// reaches tells whether p is a voter that can exchange messages with a quorum of voters; when votes are asked for, only those
// count whose log is not longer than that of p.
func (c *Cluster) reaches(p *process, votes bool) bool {
	members, n, up, own := c.members(), 0, 0, false
	for i := range members {
		if members[i].Learner {
			continue
		}
		n++
		q := c.server(&members[i])
		own = own || q == p
		if q != nil && c.world.linked(p, q) && (!votes || q.last() <= p.last()) {
			up++
		}
	}
	return own && up >= states.Quorum(n)
}

// candidate is the server that can win an election. Of several, the longest log wins, then one that was not deposed, then the
// server that entered first. One that has no log at all does not know itself as a voter and never stands (raft: promotable).
func (c *Cluster) candidate() *process {
	var best *process
	for _, p := range c.procs {
		if p.index() < c.configs[0].index || p.stopping || !c.reaches(p, true) {
			continue
		}
		if best == nil || p.last() > best.last() || p.last() == best.last() && best.disk.member == c.deposed {
			best = p
		}
	}
	return best
}

// elect makes p the leader. What its log lacks is lost; that happens only when a majority has lost its data.
func (c *Cluster) elect(p *process, now time.Time) {
	for _, q := range c.procs {
		q.detach()
	}
	c.truncate(p)
	c.extend(now)
	c.leader, c.led, c.elects, c.followed, c.deposed = p, now, time.Time{}, c.followed[:0], 0
	p.keepLate()
	c.term++
	c.index++ // the empty entry that begins a term
	p.synced, p.disk.applied = true, 0
	p.snapshotBack()
	c.raises = now
}

func (c *Cluster) truncate(p *process) {
	length := p.disk.index
	if c.acked > length {
		c.world.report(LostWrites, c, p.disk.member, p.node.ID)
		c.lostIndex, c.acked = c.acked, length
	}
	for len(c.configs) > 1 && c.configs[len(c.configs)-1].index > length {
		c.configs = c.configs[:len(c.configs)-1]
	}
	c.forget(length)
	c.keys = slices.DeleteFunc(c.keys, func(k effects.EtcdKey) bool { return k.Revision > int64(length) })
	for c.versionIndex > length {
		c.version, c.versionIndex = states.MinorVersion{}, 0
		if last := len(c.versions) - 1; last >= 0 {
			c.version, c.versionIndex, c.versions = c.versions[last].version, c.versions[last].index, c.versions[:last]
		}
	}
	c.index = length
}

// handOver gives the leadership away at once, to the voter that was up longest (etcd's TransferLeadership, since 3.1).
func (c *Cluster) handOver(p *process) {
	if c.leader != p || p.older(3, 1) {
		return
	}
	for _, q := range c.procs {
		if m := find(c.members(), q.disk.member); q != p && q.synced && !q.stopping && m != nil && !m.Learner && c.reaches(q, true) {
			c.elect(q, c.world.Now())
			return
		}
	}
}

// replicate lets every server follow the leader it reaches, and counts who does.
func (c *Cluster) replicate(now time.Time) bool {
	changed, following := false, 0
	for _, p := range c.procs {
		m := find(c.members(), p.disk.member)
		if c.leader == nil || m == nil || m.Address != p.node.Address || !c.world.linked(c.leader, p) {
			changed = p.lose(c, now) || changed
			continue
		}
		p.lead, p.leadless = c.leader.disk.member, time.Time{}
		if p.lags && p != c.leader {
			p.detach()
			continue
		}
		if !p.synced {
			changed = p.follow(c, now) || changed
		}
		if p.synced && !m.Learner {
			following++
		}
	}
	voters := c.voters()
	c.writable = c.leader != nil && following >= states.Quorum(voters)
	if c.writable && c.served.IsZero() {
		c.served = now
	}
	return changed
}

// follow begins to follow the leader, or goes on with it. A member that has lost its data and comes back under its ID is told
// by a leader that counts on its log to commit entries it does not have, and panics (raft tocommit; issues 3504, 2215). The
// next leader does not count on it, and lets it in: its log and its vote are forgotten in silence.
func (p *process) follow(c *Cluster, now time.Time) bool {
	if p.syncs.IsZero() {
		p.syncs = now
		if p.disk.forgot && slices.Contains(c.followed, p.disk.member) {
			p.exitIn(0, states.ExitCorrupt, "exit status 2: panic: tocommit is out of range. Was the raft log corrupted, truncated, or lost?")
			return true
		}
		if p.disk.index < c.configs[0].index || !c.fromLog(p.disk) {
			p.syncs = now.Add(p.node.CatchUp)
		}
	}
	if !p.exits.IsZero() || !c.world.due(p.syncs, now) {
		return false
	}
	if reason, detail := p.sync(c); reason != states.ExitNone {
		p.exitIn(0, reason, detail)
	}
	return true
}

// sync makes the log of a server that of its leader, entry by entry or through a snapshot.
func (p *process) sync(c *Cluster) (states.ExitReason, string) {
	if p != c.leader && !c.fromLog(p.disk) {
		if reason, detail := p.restored(c); reason != states.ExitNone {
			return reason, detail
		}
	}
	p.synced, p.syncs, p.disk.forgot, p.disk.applied, p.disk.late = true, time.Time{}, false, 0, nil
	if !slices.Contains(c.followed, p.disk.member) {
		c.followed = append(c.followed, p.disk.member)
	}
	p.snapshotBack()
	return p.restart() // it is checked again as the log is applied
}

// lose ends following. The server believes in its leader for an election timeout more.
func (p *process) lose(c *Cluster, now time.Time) bool {
	p.detach()
	if p.lead == 0 || p.node.stalled { // whose clock stands still with its disk: it believes in its leader, or in itself, for ever
		return false
	}
	if p.leadless.IsZero() {
		p.leadless = now.Add(c.world.Election(p.disk.member, c.term))
	}
	if !c.world.due(p.leadless, now) {
		return false
	}
	p.lead, p.leadless = 0, time.Time{}
	return true
}

// voters counts the voters in force.
func (c *Cluster) voters() int {
	n := 0
	for i := range c.members() {
		if !c.members()[i].Learner {
			n++
		}
	}
	return n
}
