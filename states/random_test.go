package states

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// drawer makes observations out of bytes, so that a fuzzer can steer and shrink them. When the bytes have run out everything
// drawn is the first choice, which is always the unknown.
type drawer struct {
	data []byte
	calm bool // most facts are known and good, as on most days; some rules show only then
}

// mostly is true on most calm days, and never on others.
func (r *drawer) mostly() bool { return r.calm && r.n(8) > 0 }

func (r *drawer) n(of int) int {
	if len(r.data) == 0 {
		return 0
	}
	b := r.data[0]
	r.data = r.data[1:]
	return int(b) % of
}

func (r *drawer) yes() bool { return r.n(2) == 1 }

func (r *drawer) fact() Fact {
	if r.mostly() {
		return Yes
	}
	return Fact(r.n(3))
}

func pick[T any](r *drawer, choices ...T) T { return choices[r.n(len(choices))] }

// ago draws a time before now, around the limits that the rules know.
func (r *drawer) ago(now time.Time) time.Time {
	if r.mostly() {
		return now
	}
	return now.Add(-pick(r, 0, time.Millisecond, 2*time.Second, 4*time.Second, 29*time.Second, 31*time.Second, 61*time.Second, time.Hour))
}

var letters = []string{"i-a", "i-b", "i-c", "i-d", "i-e"}

// observation draws one of i-a's. It keeps to what effects can tell (see each part); within that, everything goes together.
func (r *drawer) observation(now time.Time) Observation {
	r.calm = r.n(4) > 0
	o := Observation{Now: now, Wanted: pick(r, MinorVersion{}, minor36, minor37), Since: r.ago(now)}
	o.Servers = pick(r, nil, []MinorVersion{minor37}, []MinorVersion{minor36, minor37})
	o.Patches = pick(r, nil, []Version{{3, 6, 16}, {3, 7, 3}}, []Version{{3, 7, 4}})
	o.Process, o.Disk = r.process(now), r.disk()
	if r.n(8) == 7 {
		o.Ending = Ending{Shutdown: r.fact(), Terminating: r.fact(), Announced: r.fact(), Reason: pick(r, "", "SIGTERM")}
		o.Ending.Requested, o.Ending.Asked = r.ago(now), r.ago(now)
	}
	if r.n(8) == 7 {
		o.Ending.Warned, o.Ending.Yielded = "rebalance", pick(r, "", "rebalance", "reboot")
	}
	if !r.mostly() && !r.yes() {
		return o // effects ask nobody before they know who asks
	}
	o.Self = Self{ID: "i-a", Address: addressOf("i-a")}
	o.Group, o.Claim, o.DNS = r.group(now), r.claim(now), r.dns(now)
	if o.Name = "releaseetcd"; o.Group.Known != Yes { // it comes with the first answer about the group, unless it is configured
		o.Name = pick(r, "", o.Name)
	}
	if o.Name == "" { // nor can the zone be asked without it
		o.Claim, o.DNS = Claim{Store: o.Claim.Store}, DNS{Configured: o.DNS.Configured}
	}
	o.Peers, o.Polled, o.Cluster, o.Join = r.peers(), r.ago(now), r.cluster(now), r.join(now)
	if o.Process.Running == Yes {
		o.Cluster.Local = r.local(now)
	}
	if r.n(4) == 3 {
		r.ripen(&o)
	}
	if o.Group.Known == Yes && r.n(4) == 3 {
		r.spread(&o)
	}
	return o
}

// spread lets the cluster span regions, of which one may be silent.
func (r *drawer) spread(o *Observation) {
	for i := range o.Group.Instances {
		o.Group.Instances[i].Abroad = i > 0 && r.yes()
	}
	if r.n(3) == 2 {
		o.Group.Silent = []string{"eu-west-1"}
	}
	o.Ingress = Ingress{Configured: true, Known: pick(r, Yes, Yes, Yes, Unknown), At: r.ago(o.Now)}
	for _, id := range letters {
		if r.yes() {
			o.Ingress.Open = append(o.Ingress.Open, Opening{From: netip.MustParsePrefix(addressOf(id) + "/32"), Own: r.mostly(), Half: !r.mostly()})
			o.Group.Absent = append(o.Group.Absent, Absence{Key: addressOf(id), Reads: r.n(5), Since: r.ago(o.Group.At)})
		}
	}
}

// ripen makes most of what an upgrade needs true: by chance alone it hardly ever is so.
func (r *drawer) ripen(o *Observation) {
	o.Wanted, o.Servers = minor37, []MinorVersion{minor36, minor37}
	o.Process = Process{Running: Yes, Minor: minor36, Started: r.ago(o.Now)}
	c := &o.Cluster
	if r.n(3) == 2 { // of a patch
		o.Patches, o.Process.Minor = []Version{{3, 7, 4}}, minor37
		defer func() { c.Local.Version = Version{3, 7, 3} }()
	}
	c.Known, c.Version, c.Upgrade.Known = Yes, minor36, pick(r, Yes, Yes, No)
	c.Local = Local{Answers: Yes, MemberID: 10, ClusterID: c.ID, Leader: uint64(pick(r, 10, 11, 11)), Version: Version{3, 6, 16}}
	o.Group.Known, o.Group.At, o.Group.Desired = Yes, o.Now, len(c.Members)-r.n(2)
	for i := range c.Members {
		if r.n(6) > 0 {
			c.Members[i].Health, c.Members[i].Alarm = Yes, ""
		}
	}
	if r.n(4) == 3 && len(c.Members) > 2 { // one of them has been ill for long, on an instance that runs
		m := &c.Members[1+r.n(len(c.Members)-1)]
		m.Health, m.Unhealthy = No, o.Now.Add(-pick(r, time.Hour, time.Second))
		c.Local.Leader, c.Asked = c.Local.MemberID, o.Now
		o.Group.Absent = slices.DeleteFunc(o.Group.Absent, func(a Absence) bool { return a.Key == m.Name })
		o.Group.Instances = slices.DeleteFunc(o.Group.Instances, func(in Instance) bool { return in.ID == m.Name })
		o.Group.Instances = append(o.Group.Instances, Instance{ID: m.Name, Address: m.Address, State: InstanceRunning, InGroup: r.n(4) > 0})
		slices.SortFunc(o.Group.Instances, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	}
}

func (r *drawer) process(now time.Time) Process {
	p := Process{Running: Fact(r.n(3)), Minor: pick(r, MinorVersion{}, minor36, minor37)}
	if p.Minor.Known() {
		p.Started = r.ago(now)
	}
	if p.Running == Yes {
		p.Stopping = r.n(4) == 3
		return p
	}
	if p.Reason = ExitReason(r.n(int(ExitNewer) + 1)); p.Reason != ExitNone {
		p.Exits, p.Exited, p.Detail = 1+r.n(12), r.ago(now), "last words"
	}
	return p
}

func (r *drawer) disk() Disk {
	d := Disk{State: pick(r, DiskUnknown, DiskEmpty, DiskEmpty, DiskMember, DiskMember, DiskBroken), SetAside: r.n(4) == 3, Error: pick(r, "", "input/output error")}
	if r.yes() {
		d.Snapshot = pick[uint64](r, 0, 100, 101)
		d.Minor, d.Name, d.Address, d.Joined = pick(r, minor37, minor36), "i-a", addressOf("i-a"), r.yes()
	}
	return d
}

func (r *drawer) group(now time.Time) Group {
	if !r.mostly() && !r.yes() {
		return Group{}
	}
	g := Group{Known: Yes, At: r.ago(now), Desired: r.n(6)}
	if r.n(4) == 3 {
		g.Hook = Hook{Holds: pick(r, Launching, Terminating), Since: r.ago(g.At), Beat: r.ago(g.At), Timeout: time.Minute}
	}
	whole := r.mostly()
	for _, id := range letters {
		switch state := InstanceState(r.n(5)); r.n(4) {
		case 1:
			g.Absent = append(g.Absent, Absence{Key: id, Reads: r.n(5), Since: r.ago(g.At)})
		case 2, 3:
			if id == letters[0] && (state == InstanceUnknown || state == InstanceStopped) {
				state = InstanceRunning // known: see TestClaimNamesWhoMakesIt
			}
			in := Instance{ID: id, State: state, InGroup: state != InstanceGone && r.n(4) != 3}
			if state != InstanceGone && state != InstanceUnknown {
				in.Address, in.DNSName = addressOf(id), dnsNameOf(addressOf(id))
			}
			g.Instances = append(g.Instances, in)
		}
	}
	if whole {
		g.Desired = 0
		for _, in := range g.Instances {
			if in.InGroup && in.Address != "" && in.State != InstanceStopped {
				g.Desired++
			}
		}
	}
	return g
}

// members draws a list without duplicates, and with a voter at least. A member that has not started has neither a name nor a client URL.
func (r *drawer) members(now time.Time) []Member {
	var list []Member
	for i, id := range letters {
		kind := r.n(6)
		if calm := r.mostly(); calm {
			kind %= 3 // not there, or a voter
		}
		if kind == 0 {
			continue
		}
		m := Member{ID: uint64(10 + i), Name: id, Address: addressOf(id), ClientURL: "http://" + addressOf(id) + ":2379", Learner: kind == 5}
		if kind == 4 {
			m.Name, m.ClientURL = "", ""
			m.Learner = r.yes()
		}
		if m.Health = r.fact(); m.Health == No {
			m.Unhealthy = r.ago(now)
		}
		if r.n(20) == 19 {
			m.Alarm = "NOSPACE"
		}
		m.Applied, m.Version = uint64(r.n(3)), pick(r, Version{}, Version{3, 6, 16}, Version{3, 7, 0})
		list = append(list, m)
	}
	if !slices.ContainsFunc(list, func(m Member) bool { return !m.Learner }) {
		list = append(list, Member{ID: 99, Name: "i-z", Address: "10.0.0.26", ClientURL: "http://10.0.0.26:2379"})
	}
	return list
}

func (r *drawer) cluster(now time.Time) Cluster {
	c := Cluster{Known: r.fact()}
	if c.Known != Unknown {
		c.At, c.Asked, c.ID, c.Members = r.ago(now), r.ago(now), uint64(7+r.n(2)), r.members(now)
		c.Version = pick(r, MinorVersion{}, minor36, minor37)
		c.Upgrade = r.upgrade(now)
	}
	return c
}

func (r *drawer) upgrade(now time.Time) Upgrade {
	u := Upgrade{Known: r.fact(), Since: r.ago(now)}
	if r.n(3) == 2 {
		u.Lock = UpgradeLock{Owner: pick(r, "i-a", "i-a", "i-b"), Member: 10, From: minor36, To: minor37, Index: 100, Revision: 5}
	}
	if r.n(6) == 5 {
		u.Lock = UpgradeLock{Owner: pick(r, "i-a", "i-a", "i-b"), Member: 10, From: minor37, To: minor37, Patch: Version{3, 7, 4}, Index: 100, Revision: 5}
	}
	if r.n(6) == 5 {
		u.Halted = UpgradeLock{Owner: pick(r, "i-a", "i-b"), Member: 10, From: minor36, To: minor37, Why: "panic", Revision: 4}
	}
	return u
}

// local draws what i-a's own server answers. It was asked a moment before the list was read, and need not fit to it.
func (r *drawer) local(now time.Time) Local {
	l := Local{Answers: r.fact(), MemberID: 10, ClusterID: 7, Leader: uint64(pick(r, 0, 10, 10, 11)), Learner: r.n(4) == 3, Version: pick(r, Version{}, Version{3, 6, 16}, Version{3, 7, 3})}
	if l.Answers == Yes {
		return l
	}
	l = Local{Answers: l.Answers}
	if r.n(3) == 2 {
		l.Restored = r.ago(now)
	}
	return l
}

func (r *drawer) peers() []Peer {
	var list []Peer
	for _, id := range letters[1:] {
		p := Peer{InstanceID: id, Address: addressOf(id)}
		switch r.n(5) {
		case 0:
			continue
		case 1:
			p.Answers = No
		case 2:
			p.Answers = Fact(r.n(2))
		default:
			p.Answers, p.ClusterID, p.Members = Yes, pick[uint64](r, 7, 7, 7, 7, 7, 7, 7, 8), r.members(epoch)
			p.ClusterVersion = pick(r, MinorVersion{}, MinorVersion{3, 0}, minor36, minor37, MinorVersion{3, 3})
		}
		list = append(list, p)
	}
	return list
}

// claim draws one as a store gives it: once read it is there or not, and a record that was understood names somebody.
func (r *drawer) claim(now time.Time) Claim {
	c := Claim{Store: pick(r, ClaimNowhere, ClaimInRoute53, ClaimInS3)}
	if c.Store == ClaimNowhere || !r.mostly() && !r.yes() {
		return c
	}
	c.Known, c.Exists, c.At = Yes, pick(r, No, Yes), r.ago(now)
	if c.Exists == No {
		return c
	}
	if r.n(6) == 5 {
		c.Foreign = "it says hello"
		return c
	}
	c.Record = ClaimRecord{State: ClaimState(r.n(2)), Token: pick(r, "releaseetcd-1", "releaseetcd-2")}
	if c.Record.State == ClaimFormed {
		c.Record.ClusterID = uint64(7 + r.n(2))
	}
	for _, id := range letters {
		if r.yes() {
			c.Record.Members = append(c.Record.Members, ClaimMember{id, addressOf(id)})
		}
	}
	if len(c.Record.Members) == 0 {
		c.Record.Members = []ClaimMember{{"i-z", "10.0.0.26"}}
	}
	return c
}

func (r *drawer) dns(now time.Time) DNS {
	d := DNS{Configured: r.yes()}
	if !d.Configured || !r.mostly() && !r.yes() {
		return d
	}
	d.Known, d.At, d.Zone = Yes, r.ago(now), testZone
	for _, name := range []string{"", "_etcd._tcp.", "_etcd-server._tcp."} {
		rec := Record{Name: name + "releaseetcd." + testZone, Type: "SRV", TTL: pick[int64](r, 60, 300)}
		if name == "" {
			rec.Type = "A"
		}
		for _, id := range letters {
			if !r.yes() {
				continue
			}
			value := addressOf(id)
			if name != "" {
				value = fmt.Sprintf("1 1 2379 %s.", dnsNameOf(value))
			}
			rec.Values = append(rec.Values, value)
		}
		if len(rec.Values) > 0 {
			d.Records = append(d.Records, rec)
		}
	}
	slices.SortFunc(d.Records, func(a, b Record) int { return strings.Compare(a.Name, b.Name) })
	return d
}

func (r *drawer) join(now time.Time) Join {
	switch r.n(4) {
	case 1:
		return Join{Owner: "i-b"}
	case 2:
		return Join{Owner: "i-a", Held: r.ago(now)}
	case 3:
		return Join{Owner: "i-a", Held: r.ago(now), Added: uint64(pick(r, 10, 11)), Since: r.ago(now)}
	}
	return Join{}
}
