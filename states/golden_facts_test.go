package states

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (d *dialogue) group(rest string) error {
	head, list := elements(rest)
	if rest == "unknown" {
		d.o.Group = Group{}
		return nil
	}
	desired, err := strconv.Atoi(head[1])
	if err != nil {
		return err
	}
	g := Group{Known: Yes, At: d.o.Now, Desired: desired}
	for _, words := range list {
		in := Instance{InGroup: true, State: InstanceRunning}
		in.ID, in.Address, _ = who(words[0])
		in.DNSName = dnsNameOf(in.Address)
		for _, w := range words[1:] {
			switch w {
			case "running":
			case "pending":
				in.State = InstancePending
			case "stopped":
				in.State = InstanceStopped
			case "gone":
				in.State, in.InGroup, in.Address, in.DNSName = InstanceGone, false, "", ""
			case "outside":
				in.InGroup = false
			case "no-address":
				in.Address, in.DNSName, in.State = "", "", InstanceUnknown
			case "no-name":
				in.DNSName = ""
			default:
				return fmt.Errorf("instance %q", w)
			}
		}
		g.Instances = append(g.Instances, in)
	}
	d.o.Group = g
	return nil
}

func (d *dialogue) absent(rest string) error {
	words := strings.Fields(rest)
	reads, err := strconv.Atoi(words[1])
	if err != nil {
		return err
	}
	since, err := time.ParseDuration(words[3])
	d.o.Group.At = d.o.Now
	d.o.Group.Absent = append(slices.Clone(d.o.Group.Absent), Absence{Key: words[0], Reads: reads, Since: d.o.Now.Add(-since)})
	return err
}

func (d *dialogue) peer(rest string) error {
	head, list := elements(rest)
	p := Peer{InstanceID: head[0], Address: addressOf(head[0])}
	switch head[1] {
	case "silent":
	case "refuses":
		p.Answers = No
	case "answers":
		p.Answers = Yes
		p.ClusterID, _ = strconv.ParseUint(head[2], 16, 64)
		if len(head) > 4 {
			p.ClusterVersion = minorOf(head[4])
		}
		var err error
		if p.Members, err = d.readMembers(list); err != nil {
			return err
		}
	default:
		return fmt.Errorf("peer %q", head[1])
	}
	d.o.Polled = d.o.Now
	d.o.Peers = slices.DeleteFunc(slices.Clone(d.o.Peers), func(q Peer) bool { return q.InstanceID == p.InstanceID })
	d.o.Peers = append(d.o.Peers, p)
	slices.SortFunc(d.o.Peers, func(a, b Peer) int { return strings.Compare(a.InstanceID, b.InstanceID) })
	return nil
}

func (d *dialogue) polled(string) error {
	d.o.Polled = d.o.Now
	return nil
}

func (d *dialogue) readMembers(list [][]string) ([]Member, error) {
	var members []Member
	for _, words := range list {
		m := Member{Health: Yes}
		m.Name, m.Address, m.ID = who(words[0])
		m.ClientURL = "http://" + m.Address + ":2379"
		for i := 1; i < len(words); i++ {
			switch w := words[i]; {
			case w == "learner":
				m.Learner = true
			case w == "unstarted":
				m.Name, m.ClientURL, m.Health, m.Unhealthy = "", "", No, d.o.Now
			case w == "unasked":
				m.Health, m.Unhealthy = Unknown, time.Time{}
			case w == "unhealthy" && i+1 < len(words):
				i++
				since, err := time.ParseDuration(words[i])
				if err != nil {
					return nil, err
				}
				m.Health, m.Unhealthy = No, d.o.Now.Add(-since)
			case w == "alarm" && i+1 < len(words):
				i++
				m.Alarm = words[i]
			case w == "applied" && i+1 < len(words):
				i++
				m.Applied, _ = strconv.ParseUint(words[i], 10, 64)
			case strings.Contains(w, "."):
				m.Version, _ = ParseVersion(w)
			case w == "named" && i+1 < len(words):
				i++
				m.Name = words[i]
			default:
				return nil, fmt.Errorf("member %q", w)
			}
		}
		members = append(members, m)
	}
	slices.SortFunc(members, func(a, b Member) int { return int(a.ID) - int(b.ID) })
	return members, nil
}

func (d *dialogue) members(rest string) error {
	c := &d.o.Cluster
	head, list := elements(rest)
	switch head[0] {
	case "unknown":
		*c = Cluster{Local: c.Local}
		return nil
	case "no-quorum": // what was known before stays, as old as it is
		c.Known, c.At = No, d.o.Now
		if c.Lost.IsZero() {
			c.Lost = d.o.Now
		}
		return nil
	}
	members, err := d.readMembers(list)
	if err != nil {
		return err
	}
	c.Known, c.At, c.Asked, c.Lost, c.Members, c.Leader = Yes, d.o.Now, d.o.Now, time.Time{}, members, 0
	c.Upgrade.Known = Yes
	c.ID, err = strconv.ParseUint(head[0], 16, 64)
	for i := 1; i+1 < len(head); i += 2 {
		switch head[i] {
		case "at":
			c.Version = minorOf(head[i+1])
		case "leader":
			_, _, c.Leader = who(head[i+1])
		}
	}
	return err
}

func (d *dialogue) local(rest string) error {
	words := strings.Fields(rest)
	l := Local{}
	switch words[0] {
	case "unknown":
	case "silent":
		l.Answers = No
	case "restored": // its peer port knows the cluster's version, and it serves nobody
		l.Answers, l.Restored = No, d.o.Now
	default:
		l.Answers, l.ClusterID = Yes, d.o.Cluster.ID
		_, _, l.MemberID = who(words[0])
		if words[1] == "leader" {
			_, _, l.Leader = who(words[2])
		}
		l.Learner = words[len(words)-1] == "learner"
		for i := 1; i+1 < len(words); i++ {
			switch words[i] {
			case "storage":
				l.Storage = minorOf(words[i+1])
			case "downgrade":
				l.Downgrade = minorOf(words[i+1])
			}
		}
		if m, ok := d.o.Cluster.Member(l.MemberID); ok {
			l.Version, l.Applied = m.Version, m.Applied
		}
	}
	d.o.Cluster.Local = l
	return nil
}

// lock is the record of the upgrade lock as it was read just now. It has a new revision when it has changed.
func (d *dialogue) lock(rest string) error {
	u := &d.o.Cluster.Upgrade
	if rest == "unknown" {
		u.Known = No
		return nil
	}
	l, err := d.upgradeLock(rest)
	if l != u.Lock || u.Since.IsZero() {
		u.Since = d.o.Now
	}
	u.Known, u.Lock = Yes, l
	return err
}

func (d *dialogue) halted(rest string) (err error) {
	d.o.Cluster.Upgrade.Halted, err = d.upgradeLock(rest)
	return err
}

func (d *dialogue) upgradeLock(rest string) (l UpgradeLock, err error) {
	head, why, _ := strings.Cut(rest, ":")
	words := strings.Fields(head)
	if words[0] == "free" || words[0] == "nobody" {
		return l, nil
	}
	if len(words) < 4 || words[2] != "to" {
		return l, fmt.Errorf("lock %q", rest)
	}
	if len(words) == 6 && words[4] == "index" {
		l.Index, _ = strconv.ParseUint(words[5], 10, 64)
	}
	l.Owner, l.From, l.To, l.Why, l.Revision = words[0], minorOf(words[1]), minorOf(words[3]), strings.TrimSpace(why), 9
	if l.From == l.To {
		l.Patch = exactly(words[3])
	}
	_, _, l.Member = who(words[0])
	return l, nil
}

func (d *dialogue) claim(rest string) error {
	head, list := elements(rest)
	c := Claim{Store: ClaimInRoute53, Known: Yes, Exists: No, At: d.o.Now}
	switch head[0] {
	case "nowhere":
		c = Claim{}
	case "unread":
		c.Known, c.Exists, c.At = Unknown, Unknown, time.Time{}
	case "absent":
	case "foreign":
		c.Exists, c.Foreign = Yes, strings.Join(head[1:], " ")
	case "pending", "formed":
		if n := len(head) - 2; n > 0 && head[n] == "at" {
			head, c.Record.Minor = head[:n], minorOf(head[n+1])
		}
		c.Exists, c.Record.Token = Yes, head[len(head)-1]
		if head[0] == "formed" {
			c.Record.State = ClaimFormed
			c.Record.ClusterID, _ = strconv.ParseUint(head[1], 16, 64)
		}
		for _, words := range list {
			id, address, _ := who(words[0])
			c.Record.Members = append(c.Record.Members, ClaimMember{ID: id, Address: address})
		}
	default:
		return fmt.Errorf("claim %q", head[0])
	}
	d.o.Claim = c
	return nil
}

func (d *dialogue) replaces(rest string) (err error) {
	d.config.ReplaceUnhealthyAfter, err = time.ParseDuration(strings.TrimPrefix(rest, "after "))
	snapshot := d.machine.Snapshot()
	d.machine, _ = New(d.config)
	d.machine.Restore(snapshot)
	return err
}

func (d *dialogue) hook(rest string) (err error) {
	h := &d.o.Group.Hook
	holds, timeout, _ := strings.Cut(rest, " ")
	switch holds {
	case "none":
		*h = Hook{}
	case "beat":
		h.Beat = d.o.Now
	case "launching", "terminating":
		*h = Hook{Holds: map[string]Transition{"launching": Launching, "terminating": Terminating}[holds], Since: d.o.Now}
		h.Timeout, err = time.ParseDuration(timeout)
	default:
		return fmt.Errorf("hook %q", rest)
	}
	return err
}

func (d *dialogue) join(rest string) error {
	words := strings.Fields(rest)
	j := &d.o.Join
	switch {
	case rest == "nobody":
		*j = Join{}
	case rest == "held":
		j.Owner, j.Held = d.o.Self.ID, d.o.Now
	case len(words) == 3 && words[1] == "by":
		*j = Join{Owner: words[2]}
	case len(words) == 2 && words[0] == "added":
		_, _, j.Added = who(words[1])
		j.Since = d.o.Now
	default:
		return fmt.Errorf("join %q", rest)
	}
	return nil
}
