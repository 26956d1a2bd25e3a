// Package preflight looks at a living cluster before an upgrade, and tells what is in its way. It only reads, and nothing that
// leaves a trace: a GET of /health is a quorum read through the v2 store on 3.3 and 3.4, whose entry in the raft log 3.6 dies of. Only
// a cluster at 2.3 or 3.0 is read through quorum over v2, as its daemons do all the time; before the step to 3.6 every member takes a snapshot.
package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Seen is what was seen of a cluster.
type Seen struct {
	To      states.MinorVersion
	Reached error // why the member list could not be read through quorum
	Members []Member
	Auth    states.Fact
	AuthErr error
	Lock    states.UpgradeLock
	Halted  states.UpgradeLock
	LockErr error // why neither could be read

	Group    string
	Desired  int
	GroupErr error // why AWS was not asked

	EtcdDir   string
	Servers   []states.MinorVersion
	Patches   []states.Version
	ServerErr error // why it is not known what is installed

	Args      []string // for etcd, of the daemon's configuration
	ConfigErr error

	V2Dir  string      // the data directory that was looked into
	V2Data states.Fact // whether its newest snapshot has content of the v2 store
	V2Err  error
}

// Member is what was seen of a member.
type Member struct {
	states.Member
	Leader    uint64 // that it knows
	Err       error  // why it did not answer
	Cluster   states.MinorVersion
	Storage   states.MinorVersion
	Downgrade states.MinorVersion
	V2Keys    states.Fact // whether its v2 API shows keys; unknown where that is off
}

// Status is what came of a check.
type Status string

// What failed keeps the daemon from the upgrade, or makes it do harm; what warns could not be checked, or is worth a look.
const (
	Pass Status = "pass"
	Warn Status = "warn"
	Fail Status = "FAIL"
)

// Check is one line of the report.
type Check struct {
	Status Status `json:"status"`
	What   string `json:"what"`
	Saw    string `json:"saw"`
	Mend   string `json:"mend,omitempty"`
}

func pass(what, saw string, args ...any) Check {
	return Check{Status: Pass, What: what, Saw: fmt.Sprintf(saw, args...)}
}
func warn(what, mend, saw string, args ...any) Check {
	return Check{Warn, what, fmt.Sprintf(saw, args...), mend}
}
func fail(what, mend, saw string, args ...any) Check {
	return Check{Fail, what, fmt.Sprintf(saw, args...), mend}
}

// Checks judges. Without a member list there is nothing else to judge.
func Checks(s *Seen) []Check {
	if s.Reached != nil && strings.Contains(s.Reached.Error(), "user name is empty") { // since 3.5.29 the member list needs a user
		s.Auth = states.Yes
		return []Check{s.auth()}
	}
	if s.Reached != nil {
		return []Check{fail("cluster", "name members that serve with --endpoints; without a quorum nothing can be upgraded", "cannot be read: %v", s.Reached)}
	}
	list := []Check{pass("cluster", "%d members, read through quorum", len(s.Members)), s.health(), s.alarms(), s.size(), s.group()}
	way := s.way(&list)
	list = append(list, s.settled(), s.downgrade())
	for i := range way {
		list = append(list, s.patches(&way[i]), s.flags(&way[i]))
	}
	list = append(list, s.servers(way)...)
	if len(way) > 0 {
		list = append(list, s.auth())
	}
	for i := range way {
		list = append(list, s.old(&way[i])...)
	}
	return append(list, s.locks()...)
}

func (s *Seen) health() Check {
	const mend = "mend or replace that member first: docs/operations.md#troubleshooting-by-why"
	for i := range s.Members {
		switch m := &s.Members[i]; {
		case !m.Started():
			return fail("health", mend, "member %s has never started", m.Key())
		case m.Learner:
			return fail("health", "wait until it is a voter", "member %s is a learner", m.Key())
		case m.Err != nil:
			return fail("health", mend, "member %s does not answer: %v", m.Key(), m.Err)
		case m.Leader == 0:
			return fail("health", mend, "member %s knows no leader", m.Key())
		case m.Leader != s.Members[0].Leader:
			return fail("health", "look again: they may be electing one", "members disagree on who leads: %x or %x", s.Members[0].Leader, m.Leader)
		}
	}
	return pass("health", "every member is a voter, answers, and follows %x", s.Members[0].Leader)
}

func (s *Seen) alarms() Check {
	for i := range s.Members {
		if m := &s.Members[i]; m.Alarm != "" {
			return fail("alarms", "mend its cause, then etcdctl alarm disarm", "member %s tells of %s", m.Key(), m.Alarm)
		}
	}
	return pass("alarms", "none")
}

func (s *Seen) size() Check {
	switch n := len(s.Members); {
	case n < 3:
		return fail("size", "resize the group to 3", "%d members: none can be stopped without stopping the cluster", n)
	case n%2 == 0:
		return warn("size", "an odd number stands as many failures with one member fewer", "%d members", n)
	default:
		return pass("size", "%d members", n)
	}
}

func (s *Seen) group() Check {
	switch {
	case s.GroupErr != nil:
		return warn("group", "run this on an instance, or where AWS can be asked (AWS_REGION, --group)", "NOT CHECKED: %v", s.GroupErr)
	case s.Desired != len(s.Members):
		return fail("group", "wait until all have joined, or set the desired capacity", "%s is to have %d instances, and the cluster has %d members", s.Group, s.Desired, len(s.Members))
	default:
		return pass("group", "%s is to have %d instances", s.Group, s.Desired)
	}
}

// minors are the lowest and the highest that members run.
func (s *Seen) minors() (low, high states.MinorVersion) {
	for i := range s.Members {
		m := s.Members[i].Version.MinorOf()
		if !m.Known() {
			continue
		}
		if !low.Known() || m.Less(low) {
			low = m
		}
		if high.Less(m) {
			high = m
		}
	}
	return low, high
}

// way tells what steps lead there.
func (s *Seen) way(list *[]Check) []states.Hop {
	low, high := s.minors()
	way := states.HopsTo(low, s.To)
	add := func(c Check) { *list = append(*list, c) }
	switch {
	case !low.Known():
		add(fail("way", "name members that answer", "no member tells what it runs"))
	case s.To.Less(low):
		add(fail("way", "see docs/upgrading.md#going-back", "every member runs etcd %s or later: there is no way back to %s by configuration", low, s.To))
	case low == s.To:
		add(pass("way", "every member runs etcd %s", low))
	case len(way) == 0:
		add(fail("way", "give a minor that etcd has", "no way from etcd %s to %s is known to this version of etcd-appliance", low, s.To))
	default:
		steps := make([]string, 0, len(way)+1)
		for _, h := range way {
			steps = append(steps, h.From.String())
		}
		text := strings.Join(append(steps, s.To.String()), " > ")
		if low != high {
			add(warn("way", "nothing, if the upgrade to it is under way", "%s; some members run %s already", text, high))
		} else {
			add(pass("way", "%s, one minor at a time", text))
		}
	}
	return way
}

// settled: a step begins at the version of the cluster, which rises when every member has told its own.
func (s *Seen) settled() Check {
	const mend = "wait; if it lasts, a member that does not answer keeps it: every one is asked each 4 s"
	low, _ := s.minors()
	for i := range s.Members {
		switch m := &s.Members[i]; {
		case !m.Cluster.Known() || !low.Known():
			return warn("version", mend, "NOT CHECKED: member %s does not tell the version of the cluster", m.Key())
		case m.Cluster != low:
			return fail("version", mend, "the version of the cluster is %s, and the oldest member runs %s", m.Cluster, low)
		case m.Storage.Known() && m.Storage != m.Cluster:
			return fail("version", mend, "the data of member %s has version %s, and the cluster %s", m.Key(), m.Storage, m.Cluster)
		}
	}
	return pass("version", "of the cluster and of its data: %s", low)
}

func (s *Seen) downgrade() Check {
	for i := range s.Members {
		if m := &s.Members[i]; m.Downgrade.Known() {
			return fail("downgrade", "finish it, or etcdctl downgrade cancel", "one to %s is under way", m.Downgrade)
		}
	}
	return pass("downgrade", "none is under way")
}

func (s *Seen) patches(h *states.Hop) Check {
	what := fmt.Sprintf("patches before %s", h.To)
	if !h.Least.Known() {
		return pass(what, "any patch of %s will do", h.From)
	}
	for i := range s.Members {
		if m := &s.Members[i]; m.Version.Known() && !h.Takes(m.Version) {
			return fail(what, fmt.Sprintf("install the latest %s in --etcd-dir: it is rolled out by itself", h.From),
				"member %s runs %s, and none may run one older than %s: %s", m.Key(), m.Version, h.Least, h.Why)
		}
	}
	if installed := s.installed(h.From); installed.Known() && !h.Takes(installed) {
		return fail(what, fmt.Sprintf("install the latest %s", h.From), "the installed %s is older than %s: %s", installed, h.Least, h.Why)
	}
	return pass(what, "no member runs one older than %s", h.Least)
}

func (s *Seen) installed(m states.MinorVersion) states.Version {
	if i := slices.IndexFunc(s.Patches, func(v states.Version) bool { return v.MinorOf() == m }); i >= 0 {
		return s.Patches[i]
	}
	return states.Version{}
}

func (s *Seen) flags(h *states.Hop) Check {
	what := fmt.Sprintf("flags of %s", h.To)
	if s.ConfigErr != nil {
		return warn(what, "run this on an instance, with the configuration of its daemon", "NOT CHECKED: %v", s.ConfigErr)
	}
	for _, arg := range s.Args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if h.Drops(name) {
			return fail(what, "take it out of etcd-arg before that step", "etcd %s does not know --%s any more, and ends on it", h.To, name)
		}
	}
	return pass(what, "all that etcd-arg gives are known to it")
}

func (s *Seen) servers(way []states.Hop) (list []Check) {
	for i := range way {
		h := &way[i]
		what := fmt.Sprintf("server %s", h.To)
		switch patch := s.installed(h.To); {
		case s.ServerErr != nil:
			list = append(list, warn(what, "run this on an instance, or name its servers with --etcd-dir", "NOT CHECKED: %v", s.ServerErr))
		case !slices.Contains(s.Servers, h.To):
			list = append(list, fail(what, fmt.Sprintf("install %s/%s/etcd on every instance", s.EtcdDir, h.To), "is not installed here"))
		case !patch.Known():
			list = append(list, warn(what, "is it an etcd?", "is installed here, and does not tell its version"))
		case patch.Less(h.Fit):
			list = append(list, fail(what, "install a later one", "%s is installed here, and none older than %s is fit for use", patch, h.Fit))
		default:
			list = append(list, pass(what, "%s is installed here", patch))
		}
	}
	return list
}

// auth: the daemon has no user, so that it can take no lock where one is needed.
func (s *Seen) auth() Check {
	switch s.Auth {
	case states.Yes:
		return fail("authentication", "etcdctl auth disable for the time of the upgrade", "is on, and the daemon has no user; nor does a 3.4 go on to 3.5 with it")
	case states.No:
		return pass("authentication", "is off")
	default:
		return warn("authentication", "etcdctl auth status", "NOT CHECKED: %v", s.AuthErr)
	}
}

// old is what may be left of older servers.
func (s *Seen) old(h *states.Hop) (list []Check) {
	if h.NoV2 {
		list = append(list, s.v2())
	}
	if h.Keyed {
		list = append(list, warn("v3 keys", "etcdctl put any key, once the version of the cluster is 3.0 or later", "NOT CHECKED: before %s some v3 key must have been written", h.To))
	}
	if h.NewLog {
		list = append(list, pass(fmt.Sprintf("log before %s", h.To), "whatever older servers have left in it: the roll has each member take a snapshot first"))
	}
	return list
}

func (s *Seen) v2() Check {
	const mend = "etcdutl check v2store tells where; delete it with ETCDCTL_API=2 etcdctl (--enable-v2), and let every member take a snapshot"
	for i := range s.Members {
		if m := &s.Members[i]; m.V2Keys == states.Yes {
			return fail("v2 data", mend, "member %s has keys in the v2 store, with which 3.6 does not start", m.Key())
		}
	}
	switch {
	case s.V2Data == states.Yes:
		return fail("v2 data", mend, "the snapshot in %s has keys of the v2 store, with which 3.6 does not start", s.V2Dir)
	case s.V2Data == states.No:
		return pass("v2 data", "the newest snapshot in %s has none", s.V2Dir)
	case !slices.ContainsFunc(s.Members, func(m Member) bool { return m.V2Keys != states.No }):
		return pass("v2 data", "the v2 API of every member shows none")
	}
	return warn("v2 data", "etcdutl check v2store on the data of a member", "NOT CHECKED: the v2 API is off, and %v", cmp.Or(s.V2Err, errNoSnapshot))
}

func (s *Seen) locks() []Check {
	if s.LockErr != nil {
		return []Check{fail("upgrade lock", "name members that serve with --endpoints", "cannot be read: %v", s.LockErr)}
	}
	lock, halt := pass("upgrade lock", "is free"), pass("halt", "none")
	if l := &s.Lock; l.Owner != "" {
		lock = fail("upgrade lock", "wait until it is given back; see etcd-appliance unlock", "%s holds it, for etcd %s to %s", l.Owner, l.From, l.Goal())
	}
	if l := &s.Halted; l.Owner != "" {
		halt = fail("halt", "mend its reason, then etcd-appliance unlock", "the upgrade to etcd %s has failed at %s: %s", l.Goal(), l.Owner, l.Why)
	}
	return []Check{lock, halt}
}

// String is the line that people read.
func (c Check) String() string {
	line := fmt.Sprintf("%-5s%-20s %s", c.Status, c.What, c.Saw)
	if c.Mend != "" {
		line += "; to mend: " + c.Mend
	}
	return line
}
