package status

import (
	"strconv"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Status tells a snapshot to others.
func (b *Board) Status(s *Snapshot) Status {
	f := &s.Facts
	self, _ := f.Group.Instance(f.Self.ID)
	status := Status{
		API: API, Daemon: b.Version, At: s.Ended.UTC(), Started: s.Started.UTC(),
		Cluster: f.Name, Instance: f.Self.ID, Address: f.Self.Address, Zone: self.Zone,
		State: s.Decision.To, Since: s.Since.UTC(), Why: s.Decision.Why, Reports: some(s.Decision.Reports), Busy: []string{},
		Member: s.own(), Etcd: s.etcd(), Members: s.members(), Upgrade: s.upgrade(), Group: s.group(), DNS: b.dns(s),
		Certificates: b.certified(), Decisions: s.Decisions,
	}
	status.Ready, status.NotReady = s.Ready()
	for _, c := range s.Busy {
		status.Busy = append(status.Busy, c.String())
	}
	if status.Decisions == nil {
		status.Decisions = []Told{}
	}
	return status
}

func (s *Snapshot) own() Own {
	f, p, local := &s.Facts, &s.Facts.Process, &s.Facts.Cluster.Local
	own := Own{
		Answers: local.Answers.String(), Applied: local.Applied, Alarm: local.Alarm,
		PID: p.PID, Exits: p.Exits, Exited: known(p.Exited), Detail: p.Detail, Data: dataOf(f.Disk.State),
	}
	if local.Answers == states.Yes {
		own.ID, own.Role = hex(local.MemberID), roleOf(local.Learner, true, local.MemberID, local.Leader)
	}
	return own
}

func dataOf(s states.DiskState) string {
	switch s {
	case states.DiskEmpty:
		return "empty"
	case states.DiskMember:
		return "member"
	case states.DiskBroken:
		return "broken"
	default:
		return "unknown"
	}
}

func (s *Snapshot) etcd() Etcd {
	f := &s.Facts
	e := Etcd{Changing: f.Changing(), Installed: []string{}, Running: s.running(), Wanted: s.wanted()}
	if f.Cluster.Version.Known() {
		e.Cluster = f.Cluster.Version.String()
	}
	for _, minor := range f.Servers {
		e.Installed = append(e.Installed, versionOf(minor, f.Patches))
	}
	return e
}

// running is the version that runs: as its server says, or else the minor that was started.
func (s *Snapshot) running() string {
	f := &s.Facts
	switch {
	case f.Cluster.Local.Version.Known():
		return f.Cluster.Local.Version.String()
	case f.Process.Running == states.Yes && f.Process.Minor.Known():
		return f.Process.Minor.String()
	}
	return ""
}

func (s *Snapshot) wanted() string {
	switch {
	case s.Facts.Exact.Known():
		return s.Facts.Exact.String()
	case s.Facts.Wanted.Known():
		return s.Facts.Wanted.String()
	}
	return ""
}

// versionOf is the very version of an installed server, where it has told.
func versionOf(minor states.MinorVersion, patches []states.Version) string {
	for _, v := range patches {
		if v.MinorOf() == minor {
			return v.String()
		}
	}
	return minor.String()
}

func (s *Snapshot) members() Members {
	f, c := &s.Facts, &s.Facts.Cluster
	m := Members{Known: c.Known.String(), At: known(c.At), Lost: known(c.Lost), Asked: known(c.Asked), List: []Member{}}
	if c.ID != 0 {
		m.ID = hex(c.ID)
	}
	leader := c.Local.Leader // the list does not say who leads
	most := uint64(0)        // of those that were asked together
	for i := range c.Members {
		most = max(most, c.Members[i].Applied)
	}
	for i := range c.Members {
		one := memberOf(f, &c.Members[i], leader)
		if applied := c.Members[i].Applied; applied != 0 && c.Known == states.Yes {
			lag := most - applied
			one.Lag = &lag
		}
		if one.Role == Leader {
			m.Leader = one.Instance
		}
		m.List = append(m.List, one)
	}
	return m
}

func memberOf(f *states.Observation, m *states.Member, leader uint64) Member {
	in, _ := f.Group.Instance(m.Key())
	one := Member{
		ID: hex(m.ID), Instance: m.Name, Address: m.Address, ClientURL: m.ClientURL, Zone: in.Zone,
		Role: roleOf(m.Learner, m.Started(), m.ID, leader), Unhealthy: known(m.Unhealthy), Applied: m.Applied, Alarm: m.Alarm,
	}
	if one.Instance == "" {
		one.Instance = in.ID
	}
	one.Health, one.Ended = healthNow(f, m).String(), f.Group.Gone(m.Key()) == states.Yes
	version := m.Version
	if local := &f.Cluster.Local; local.Answers == states.Yes && local.MemberID == m.ID {
		version, one.Applied = local.Version, local.Applied // who asks nobody else knows himself
	}
	if version.Known() {
		one.Version = version.String()
	}
	return one
}

// healthNow is the health of a member as far as it can be told now: how it was when a quorum answered last is not how it is.
func healthNow(f *states.Observation, m *states.Member) states.Fact {
	local := &f.Cluster.Local
	switch {
	case f.Group.Gone(m.Key()) == states.Yes:
		return states.No
	case f.Cluster.Known == states.Yes:
		return m.Health
	case local.Answers == states.Yes && local.MemberID == m.ID:
		return states.Is(local.Serves())
	default:
		return states.Unknown
	}
}

func roleOf(learner, started bool, id, leader uint64) Role {
	switch {
	case !started:
		return Unstarted
	case learner:
		return Learner
	case leader == 0:
		return Voter
	case id == leader:
		return Leader
	default:
		return Follower
	}
}

func (s *Snapshot) upgrade() Upgrade {
	u := &s.Facts.Cluster.Upgrade
	out := Upgrade{Known: u.Known.String(), Lock: recordOf(&u.Lock), Halted: recordOf(&u.Halted)}
	if out.Lock != nil {
		out.Lock.Since = known(u.Since)
	}
	return out
}

func recordOf(l *states.UpgradeLock) *Record {
	if l.Owner == "" {
		return nil
	}
	r := &Record{Owner: l.Owner, Why: l.Why}
	if l.To.Known() { // else it cannot be read
		r.From, r.To = l.From.String(), l.Goal()
	}
	return r
}

func (s *Snapshot) group() Group {
	g := &s.Facts.Group
	out := Group{Known: g.Known.String(), At: known(g.At), Desired: g.Desired, Silent: g.Silent, Instances: []Instance{}}
	for i := range g.Instances {
		in := &g.Instances[i]
		out.Instances = append(out.Instances, Instance{ID: in.ID, Address: in.Address, Zone: in.Zone, State: stateOf(in.State), InGroup: in.InGroup})
	}
	return out
}

func stateOf(s states.InstanceState) string {
	switch s {
	case states.InstancePending:
		return "pending"
	case states.InstanceRunning:
		return "running"
	case states.InstanceStopped:
		return "stopped"
	case states.InstanceGone:
		return "gone"
	default:
		return "unknown"
	}
}

func (b *Board) dns(s *Snapshot) DNS {
	f, d := &s.Facts, &s.Facts.DNS
	drift, wrong := f.Drift(&b.Rules)
	out := DNS{Configured: d.Configured, Known: d.Known.String(), At: known(d.At), Zone: d.Zone, Drift: drift.String()}
	if d.Zone != "" && f.Name != "" {
		out.Name = f.Name + "." + d.Zone
	}
	for i := range wrong {
		out.Wrong = append(out.Wrong, wrong[i].Type+" "+wrong[i].Name)
	}
	for i := range d.Records {
		if r := &d.Records[i]; r.Type == "A" && r.Name == out.Name {
			out.Addresses = r.Values
		}
	}
	return out
}

func hex(id uint64) string { return strconv.FormatUint(id, 16) }

// known leaves out a time that is none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// some is a list that is never null in JSON.
func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
