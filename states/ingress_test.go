package states

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"
)

// abroad gives a turn of i-a, a member of a cluster that spans two regions: i-b and i-c are in the other. change edits what it sees.
func abroad(change func(o *Observation, c *Config)) verdict {
	instance := func(id string, far bool) Instance {
		return Instance{ID: id, Address: addressOf(id), State: InstanceRunning, InGroup: true, Abroad: far}
	}
	o := Observation{
		Now: epoch, Self: Self{ID: "i-a", Address: addressOf("i-a")},
		Group:   Group{Known: Yes, At: epoch, Desired: 3, Instances: []Instance{instance("i-a", false), instance("i-b", true), instance("i-c", true)}},
		Cluster: Cluster{Known: Yes, At: epoch, Members: []Member{member("i-a"), member("i-b"), member("i-c")}},
		Ingress: Ingress{Configured: true, Known: Yes, At: epoch, Open: []Opening{rule("10.0.0.2/32", true), rule("10.0.0.3/32", true)}},
	}
	c := testConfig
	change(&o, &c)
	t := turn{Observation: &o, Config: &c, State: Running, since: epoch}
	v := verdict{}
	t.keepIngress(&v)
	return v
}

func member(id string) Member {
	return Member{ID: uint64(number(id)), Name: id, Address: addressOf(id), ClientURL: "http://" + addressOf(id) + ":2379", Health: Yes}
}

func rule(from string, own bool) Opening { return Opening{From: netip.MustParsePrefix(from), Own: own} }

// TestRoomIsMadeFirst: a security group takes 60 rules by default, and refuses one more.
func TestRoomIsMadeFirst(t *testing.T) {
	v := abroad(func(o *Observation, _ *Config) {
		o.Ingress.Open = []Opening{rule("10.0.0.2/32", true), rule("10.0.0.9/32", true)}
		o.Group.Absent = []Absence{{Key: "10.0.0.9", Since: epoch.Add(-time.Hour), Reads: 9}}
	})
	want := []Command{RevokePeers{[]string{"10.0.0.9"}}, AuthorizePeers{[]string{"10.0.0.3"}}}
	if !reflect.DeepEqual(v.commands, want) {
		t.Errorf("does %v, want %v", v.commands, want)
	}
}

// TestPeersAbroadAreLetIn from before they join: what is launched in another region cannot even ask before it is let in.
func TestPeersAbroadAreLetIn(t *testing.T) {
	for what, c := range map[string]struct {
		change func(o *Observation, c *Config)
		want   []string
	}{
		"all are":        {func(*Observation, *Config) {}, nil},
		"one is missing": {func(o *Observation, _ *Config) { o.Ingress.Open = o.Ingress.Open[:1] }, []string{"10.0.0.3"}},
		"none is there":  {func(o *Observation, _ *Config) { o.Ingress.Open = nil }, []string{"10.0.0.2", "10.0.0.3"}},
		"in order of their addresses": {func(o *Observation, _ *Config) {
			o.Ingress.Open = nil
			o.Group.Instances[1].Address, o.Group.Instances[2].Address = o.Group.Instances[2].Address, o.Group.Instances[1].Address
		}, []string{"10.0.0.2", "10.0.0.3"}},
		"one comes half the way":                         {func(o *Observation, _ *Config) { o.Ingress.Open[1].Half = true }, []string{"10.0.0.3"}},
		"a wider rule does":                              {func(o *Observation, _ *Config) { o.Ingress.Open = []Opening{rule("10.0.0.0/8", false)} }, nil},
		"public addresses are let in of this region too": {func(_ *Observation, c *Config) { c.Public = true }, []string{"10.0.0.1"}},
		"who leaves the group is not": {func(o *Observation, _ *Config) {
			o.Ingress.Open = nil
			o.Group.Instances[1].InGroup = false
			o.Group.Instances[2].State = InstanceStopped
		}, nil},
		"the rules are not known": {func(o *Observation, _ *Config) { o.Ingress.Open, o.Ingress.Known = nil, Unknown }, nil},
		"the group is not known":  {func(o *Observation, _ *Config) { o.Ingress.Open, o.Group.Known = nil, Unknown }, nil},
		"none is to be kept":      {func(o *Observation, _ *Config) { o.Ingress.Open, o.Ingress.Configured = nil, false }, nil},
	} {
		v := abroad(c.change)
		var want []Command
		if c.want != nil {
			want = []Command{AuthorizePeers{c.want}}
		}
		if len(v.commands) != len(want) || len(want) > 0 && v.commands[0].String() != want[0].String() {
			t.Errorf("%s: %v, want %v", what, v.commands, want)
		}
	}
}

// TestPeersAreLetInUntilTheyAreProvenGone: the predecessor took rules away whether or not the member had been removed.
func TestPeersAreLetInUntilTheyAreProvenGone(t *testing.T) {
	left := func(o *Observation) { // i-c has been removed, and AWS shows it no more
		o.Cluster.Members, o.Group.Instances, o.Group.Desired = o.Cluster.Members[:2], o.Group.Instances[:2], 2
		o.Group.Absent = []Absence{{Key: "10.0.0.3", Since: epoch.Add(-time.Minute), Reads: 3}}
	}
	for what, c := range map[string]struct {
		change func(o *Observation)
		gone   bool
	}{
		"it is gone":                           {func(*Observation) {}, true},
		"half of its rules are":                {func(o *Observation) { o.Ingress.Open[1].Half = true }, true},
		"it is a member still":                 {func(o *Observation) { o.Cluster.Members = append(o.Cluster.Members, member("i-c")) }, false},
		"the list of members is old":           {func(o *Observation) { o.Cluster.At = epoch.Add(-expired - 1) }, false},
		"the list of members is as old as may": {func(o *Observation) { o.Cluster.At = epoch.Add(-expired) }, true},
		"the members are not known":            {func(o *Observation) { o.Cluster.Known = No }, false},
		"the members were never read":          {func(o *Observation) { o.Cluster.Known = Unknown }, false},
		"AWS has not shown it once":            {func(o *Observation) { o.Group.Absent[0].Reads = 1 }, false},
		"the rule is somebody else's":          {func(o *Observation) { o.Ingress.Open[1].Own = false }, false},
		"the rule is a wide one":               {func(o *Observation) { o.Ingress.Open[1].From = netip.MustParsePrefix("10.0.0.3/31") }, false},
		"another instance has the address now": {func(o *Observation) {
			o.Group.Instances = append(o.Group.Instances,
				Instance{ID: "i-d", Address: "10.0.0.3", State: InstanceGone}, Instance{ID: "i-e", Address: "10.0.0.3", State: InstancePending, InGroup: true, Abroad: true})
		}, false},
	} {
		v := abroad(func(o *Observation, _ *Config) { left(o); c.change(o) })
		if gone := slices.ContainsFunc(v.commands, func(c Command) bool { return c.String() == "let in no longer 10.0.0.3" }); gone != c.gone || len(v.commands) > 1 {
			t.Errorf("%s: %v", what, v.commands)
		}
	}
}

// TestWhoLeavesTouchesNoRules: those who stay do.
func TestWhoLeavesTouchesNoRules(t *testing.T) {
	o := Observation{Now: epoch, Ingress: Ingress{Configured: true}}
	for _, c := range []struct {
		state State
		done  bool
	}{{Leaving, false}, {Running, true}} {
		v := verdict{done: c.done}
		(&turn{Observation: &o, Config: &testConfig, State: c.state}).keepIngress(&v)
		if v.needs != (Needs{}) {
			t.Errorf("%s asks %+v", c.state, v.needs)
		}
	}
}

// TestNewPeersAreLookedFor although a follower at rest asks AWS nothing else: nobody else opens its region's door.
func TestNewPeersAreLookedFor(t *testing.T) {
	for what, c := range map[string]struct {
		change         func(o *Observation)
		group, ingress time.Duration
	}{
		"at rest":              {func(*Observation) {}, 30 * time.Second, time.Minute},
		"a member is missing":  {func(o *Observation) { o.Cluster.Members = o.Cluster.Members[:2] }, 10 * time.Second, time.Minute},
		"rules are not known":  {func(o *Observation) { o.Ingress.Known = Unknown }, 30 * time.Second, time.Second},
		"groups are not known": {func(o *Observation) { o.Group.Known = Unknown }, 30 * time.Second, time.Second},
	} {
		if needs := abroad(func(o *Observation, _ *Config) { c.change(o) }).needs; needs.Group != c.group || needs.Ingress != c.ingress {
			t.Errorf("%s: asks %+v", what, needs)
		}
	}
}

// TestOwnRules are those of single addresses: a wide one is nobody's address, and no end of an instance is to be proved for it.
func TestOwnRules(t *testing.T) {
	in := Ingress{Open: []Opening{rule("10.0.0.2/32", true), rule("10.0.0.3/32", false), rule("10.0.0.0/24", true)}}
	if own := in.Own(); !slices.Equal(own, []string{"10.0.0.2"}) {
		t.Errorf("%v", own)
	}
	if !in.admits("no address") {
		t.Error("what is no address would be let in again and again")
	}
}
