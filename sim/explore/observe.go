package explore

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// now is the one time of the abstract world; what is old happened long before, what is young just now.
var (
	now     = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	longAgo = now.Add(-time.Hour)
)

// clusterID keeps clusters apart by who claimed them.
func clusterID(token uint8) uint64 { return 0xc0 + uint64(token) }

// observer builds observations in buffers of its own.
type observer struct {
	o         states.Observation
	instances [maxNodes]states.Instance
	absent    [maxMembers]states.Absence
	peers     [maxNodes]states.Peer
	members   [maxMembers]states.Member
	listed    [maxMembers]states.Member // as peers tell it: without health
	desired   int
	wants     func(slot uint8) uint8
}

// observe gives what the daemon would know. The pointer is good until the next call.
func (b *observer) observe(v *view) *states.Observation {
	b.o = states.Observation{
		Now: now, Name: clusterName, Self: states.Self{ID: ids[v.self], Address: addresses[v.self]},
		Wanted: minors[b.wants(v.self)], Servers: minors[minorOld:], Polled: now,
	}
	b.local(v)
	b.group(v)
	n := b.memberList(v)
	b.around(v, b.listed[:n])
	b.claim(v)
	return &b.o
}

// local is what the instance knows of itself.
func (b *observer) local(v *view) {
	disk := states.DiskEmpty
	if v.disk == diskMember {
		disk = states.DiskMember
	}
	b.o.Disk = states.Disk{State: disk, Minor: minors[v.minor], Joined: v.joined, SetAside: v.setAside, Snapshot: 1}
	if disk == states.DiskMember {
		b.o.Disk.Name, b.o.Disk.Address = ids[v.self], addresses[v.self]
	}
	p := &b.o.Process
	p.Running, p.Minor, p.Reason = states.Is(v.proc != stopped), minors[v.runs], states.ExitReason(v.reason)
	p.Stopping = v.proc == stopping
	if p.Running == states.Yes || p.Reason != states.ExitNone {
		p.Started = now.Add(-2 * time.Minute)
	}
	if v.tookPart {
		p.Started = now.Add(-30 * time.Second)
	}
	if p.Running == states.No && p.Reason != states.ExitNone {
		p.Exited, p.Exits = now.Add(-10*time.Second), 1
		if v.old && (p.Reason == states.ExitRefused || p.Reason == states.ExitNewer) {
			p.Exits = 3 // it was started again and again meanwhile
		}
	}
	b.o.Join = states.Join{Added: uint64(v.added)}
	if v.added != 0 {
		b.o.Join.Since = now.Add(-time.Minute)
	}
	if v.lockOwner != 0 {
		b.o.Join.Owner = ids[v.lockOwner-1]
	}
	if v.lockHeld {
		b.o.Join.Held = v.ago(6 * time.Second)
	}
	if v.inst == terminating {
		b.o.Ending.Terminating, b.o.Ending.Asked = states.Yes, now
	}
}

// ago is how long something took, if time has passed.
func (v *view) ago(d time.Duration) time.Time {
	if v.old {
		return now.Add(-d)
	}
	return now
}

// group is what AWS answers.
func (b *observer) group(v *view) {
	g := &b.o.Group
	g.Known, g.At, g.Desired = states.Yes, now, b.desired
	list := b.instances[:0]
	for i, in := range v.group {
		if in == notLaunched {
			continue
		}
		s := states.Instance{ID: ids[i], Address: addresses[i], State: states.InstanceRunning, InGroup: in == inService}
		if in == terminated {
			s.State, s.Address = states.InstanceGone, ""
		}
		list = append(list, s)
	}
	g.Instances = list
	missing := b.absent[:0]
	for i := range v.members {
		if m := &v.members[i]; m.id != 0 && !v.shows(m) {
			missing = append(missing, v.absence(m))
		}
	}
	g.Absent = missing
}

// shows tells whether AWS shows the instance of a member under what the member is known by. A terminated one has no address.
func (v *view) shows(m *seenMember) bool {
	in := v.group[m.slot]
	return in != notLaunched && (in != terminated || m.named)
}

// absence lasts long enough for a proof once time has passed. A stale read is a single one.
func (v *view) absence(m *seenMember) states.Absence {
	a := states.Absence{Key: m.key(), Since: v.ago(2 * time.Minute), Reads: 1}
	if v.old {
		a.Reads = 10
	}
	return a
}

func (m *seenMember) key() string {
	if m.named {
		return ids[m.slot]
	}
	return addresses[m.slot]
}

// memberList fills the list with health, as the cluster tells it, and the one without, as peers do.
func (b *observer) memberList(v *view) int {
	n := 0
	for ; n < maxMembers && v.members[n].id != 0; n++ {
		s := &v.members[n]
		m := states.Member{ID: uint64(s.id), Address: addresses[s.slot], Learner: s.learner}
		if s.named {
			m.Name = ids[s.slot]
		}
		if s.started {
			m.ClientURL = urls[s.slot]
		}
		b.listed[n] = m
		m.Health = states.Is(s.healthy)
		if !s.healthy {
			m.Unhealthy = v.ago(time.Hour)
		}
		if s.minor != 0 {
			m.Version = versions[s.minor]
			m.Applied = 1
		}
		b.members[n] = m
	}
	return n
}

// around is what etcd answers, here and elsewhere.
func (b *observer) around(v *view, listed []states.Member) {
	peers := b.peers[:0]
	for i, in := range v.group {
		if uint8(i) == v.self || in != inService && in != terminating {
			continue
		}
		p := states.Peer{InstanceID: ids[i], Address: addresses[i], Answers: v.answers[i]}
		if p.Answers == states.Yes {
			p.ClusterID, p.ClusterVersion, p.Members = clusterID(v.token), minors[v.version], listed
		}
		peers = append(peers, p)
	}
	b.o.Peers = peers
	c := &b.o.Cluster
	c.Known, c.At, c.Asked = states.Is(v.quorum), now, now
	c.Members = b.members[:len(listed)]
	c.Upgrade = states.Upgrade{
		Known: states.Is(v.quorum), Since: v.ago(time.Hour), Lock: v.upgradeLock(lockOf(v.upLock)), Halted: v.upgradeLock(haltOf(v.upLock)),
	}
	if v.quorum {
		c.ID, c.Version, c.Leader = clusterID(v.token), minors[v.version], uint64(v.leader)
	}
	switch {
	case v.memberID != 0:
		c.Local = states.Local{
			Answers: states.Yes, MemberID: uint64(v.memberID), ClusterID: clusterID(v.token), Leader: uint64(v.leads), Learner: v.learner,
			Version: versions[v.runs], Applied: 1,
		}
	case v.proc != stopped:
		c.Local.Answers = states.No
		if v.deaf {
			c.Local.Restored = longAgo
		}
	}
}

// upgradeLock is the record of a holder, who goes from the old minor to the new one in every scope.
func (v *view) upgradeLock(holder uint8) (l states.UpgradeLock) {
	if holder == 0 {
		return l
	}
	l = states.UpgradeLock{Owner: ids[holder-1], From: minors[minorOld], To: minors[minorNew], Revision: int64(holder)}
	for i := range v.members {
		if m := &v.members[i]; m.id != 0 && m.slot == holder-1 {
			l.Member = uint64(m.id)
		}
	}
	return l
}

func (b *observer) claim(v *view) {
	c := &b.o.Claim
	c.Store, c.Known, c.At, c.Exists = states.ClaimInS3, states.Yes, now, states.Is(v.claim.exists())
	if !v.claim.exists() {
		return
	}
	c.Record = states.ClaimRecord{State: v.claim.state(), Token: tokenName(v.claim.token()), Members: claimMembers(v.claim.list())}
	if c.Record.State == states.ClaimFormed {
		c.Record.ClusterID = clusterID(v.claim.token())
	}
}
