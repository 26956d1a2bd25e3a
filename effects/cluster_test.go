package effects

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// clustered is a rig whose daemon is the first of three members that all answer.
func clustered(t *testing.T) *rig {
	r := newRig(t, nil)
	r.know()
	for i, id := range r.ids {
		in, _ := r.cloud.Instance(id)
		r.etcd.member(uint64(0xa1+0x11*i), id, in.PrivateIP)
	}
	r.process.state.Running = states.Yes
	r.Observe()
	return r
}

func (r *rig) url(i int) string {
	in, _ := r.cloud.Instance(r.ids[i])
	return "http://" + in.PrivateIP + ":2379"
}

// clusterNow asks for the cluster afresh.
func (r *rig) clusterNow(wide bool) states.Cluster {
	r.pass(time.Second)
	r.turn(states.Needs{Cluster: time.Second, Wide: wide})
	return r.Observe().Cluster
}

func TestClusterIsAskedLocallyFirst(t *testing.T) {
	r := clustered(t)
	c := r.clusterNow(false)
	if c.Known != states.Yes || c.ID != 7 || len(c.Members) != 3 || !c.At.Equal(r.now) || !slices.Equal(r.etcd.endpoints, []string{r.url(0)}) {
		t.Fatalf("%+v, asked %q", c, r.etcd.endpoints)
	}
	if l := c.Local; l.Answers != states.Yes || l.MemberID != 0xa1 || l.Leader != 0xa1 || l.Learner || l.Applied != 0xa1 {
		t.Errorf("%+v", l)
	}
	if c.Members[0].Health != states.Yes || c.Members[1].Health != states.Unknown || !c.Asked.IsZero() {
		t.Errorf("nobody asked for the others' health: %+v", c.Members)
	}
	n := len(r.etcd.calls)
	for range 8 {
		r.clusterNow(false)
	}
	if len(r.etcd.calls) != n {
		t.Errorf("at rest the list is read again within %v: %q", listRest, r.etcd.calls[n:])
	}
	r.clusterNow(false)
	r.clusterNow(false)
	if len(r.etcd.calls) != n+1 {
		t.Errorf("the list is read %d times in %v", len(r.etcd.calls)-n, listRest)
	}
}

// TestHealthIsWhatEachMemberSays, and since when it is bad.
func TestHealthIsWhatEachMemberSays(t *testing.T) {
	r := clustered(t)
	r.etcd.status[r.url(1)] = EtcdStatus{MemberID: 0xb2} // knows no leader
	r.etcd.status[r.url(2)] = EtcdStatus{MemberID: 0xee, Leader: 0xa1}
	r.etcd.list.Members = append(r.etcd.list.Members, states.Member{ID: 0xd4, Address: "10.9.9.9", Learner: true})
	c := r.clusterNow(true)
	first := r.now
	for i, want := range []states.Fact{states.Yes, states.No, states.No, states.No} {
		if m := c.Members[i]; m.Health != want || m.Unhealthy.IsZero() != (want == states.Yes) {
			t.Errorf("member %x: healthy %s since %v, want %s", m.ID, m.Health, m.Unhealthy, want)
		}
	}
	if !c.Asked.Equal(r.now) || c.Members[0].Version != (states.Version{Major: 3, Minor: 7}) || c.Members[0].Applied != 0xa1 {
		t.Errorf("%+v", c)
	}
	r.clusterNow(true)
	r.clusterNow(false)
	if c = r.clusterNow(true); !c.Members[1].Unhealthy.Equal(first) {
		t.Errorf("unhealthy since %v, want the first time, %v", c.Members[1].Unhealthy, first)
	}
	r.etcd.status[r.url(1)] = EtcdStatus{MemberID: 0xb2, Leader: 0xa1}
	if c = r.clusterNow(true); c.Members[1].Health != states.Yes || !c.Members[1].Unhealthy.IsZero() {
		t.Errorf("well again: %+v", c.Members[1])
	}
	delete(r.etcd.status, r.url(1))
	if c = r.clusterNow(true); !c.Members[1].Unhealthy.Equal(r.now) {
		t.Errorf("unhealthy anew since %v", c.Members[1].Unhealthy)
	}
	first = r.now
	r.pass(listRest)
	if c = r.clusterNow(false); c.Members[1].Health != states.Unknown || !c.Members[1].Unhealthy.IsZero() {
		t.Errorf("not asked: %+v", c.Members[1])
	}
	if c = r.clusterNow(true); !c.Members[1].Unhealthy.Equal(first) {
		t.Errorf("nobody has seen it well since, and it is unhealthy since %v, want %v", c.Members[1].Unhealthy, first)
	}
	if slices.Contains(r.etcd.asked, "") {
		t.Error("a member that has never started is asked, at no address")
	}
}

// TestServerWhoseDiskHasStalledIsUnhealthy: it hears its leader, tells so, and answers nothing for which its cluster is needed. One that
// refuses the read has answered; a learner is not asked.
func TestServerWhoseDiskHasStalledIsUnhealthy(t *testing.T) {
	for i := range 2 { // its own, and another
		r := clustered(t)
		r.etcd.stalled = r.url(i)
		c := r.clusterNow(true)
		for k, m := range c.Members {
			if m.Health != states.Is(k != i) {
				t.Errorf("%d has stalled: %d is healthy: %s", i, k, m.Health)
			}
		}
		if local := r.facts.Cluster.Local; (local.Leader == 0) != (i == 0) {
			t.Errorf("%d has stalled: its own follows %x", i, local.Leader)
		}
		s := r.etcd.status[r.url(i)]
		s.Learner, r.etcd.list.Members[i].Learner = true, true
		r.etcd.status[r.url(i)] = s
		r.pass(listRest)
		if m := r.clusterNow(true).Members[i]; m.Health != states.Yes {
			t.Errorf("the learner %d is healthy: %s", i, m.Health)
		}
	}
	r := clustered(t)
	r.etcd.keysErr = errors.New("etcdserver: user name is empty")
	if m := r.clusterNow(true).Members[1]; m.Health != states.Yes {
		t.Errorf("one that demands a user is healthy: %s", m.Health)
	}
}

// TestOwnServerIsAskedForWork now and then while it does some, and each time once it does not.
func TestOwnServerIsAskedForWork(t *testing.T) {
	r := clustered(t)
	reads := func(d time.Duration) int {
		n := r.etcd.reads
		r.pass(d - time.Second) // which clusterNow takes
		r.clusterNow(false)
		return r.etcd.reads - n
	}
	r.process.state.PID = 7
	reads(listRest)
	for _, c := range []struct {
		after   time.Duration
		stalled bool
		leader  bool
		reads   int
	}{
		{ownWorkRest - time.Second, false, true, 0},
		{time.Second, false, true, 1},
		{ownWorkRest, true, false, 1},
		{time.Second, true, false, 1},
		{time.Second, false, true, 1},
		{time.Second, false, true, 0},
	} {
		r.etcd.stalled = ""
		if c.stalled {
			r.etcd.stalled = r.url(0)
		}
		if n := reads(c.after); n != c.reads || (r.facts.Cluster.Local.Leader != 0) != c.leader {
			t.Errorf("%+v: read %d times, follows %x", c, n, r.facts.Cluster.Local.Leader)
		}
	}
	r.process.state.PID++ // another server has not been asked yet
	if n := reads(time.Second); n != 1 {
		t.Errorf("another server is asked %d times", n)
	}
}

// TestOwnWordIsHealth: what its own server has just said is not asked again over an address, which it publishes only when it serves.
func TestOwnWordIsHealth(t *testing.T) {
	for leader, want := range map[uint64]states.Fact{0xb2: states.Yes, 0: states.No} {
		r := clustered(t)
		r.etcd.list.Members[0].Name, r.etcd.list.Members[0].ClientURL = "", ""
		r.etcd.status[r.url(0)] = EtcdStatus{MemberID: 0xa1, Leader: leader, Applied: 5}
		if m := r.clusterNow(true).Members[0]; m.Health != want || m.Applied != 5 {
			t.Errorf("leader %x: %+v", leader, m)
		}
	}
}

func TestLocalIsWhatTheServerSays(t *testing.T) {
	r := clustered(t)
	r.etcd.status[r.url(0)] = EtcdStatus{
		ClusterID: 7, MemberID: 0xa1, Leader: 0xb2, Learner: true, Applied: 5, Version: states.Version{Major: 3, Minor: 6, Patch: 1},
		Storage: states.MinorVersion{Major: 3, Minor: 5}, Downgrade: states.MinorVersion{Major: 3, Minor: 4}, Errors: []string{"etcdserver: no leader", "memberID:1 alarm:NOSPACE"},
	}
	want := states.Local{
		Answers: states.Yes, ClusterID: 7, MemberID: 0xa1, Leader: 0xb2, Learner: true, Applied: 5, Version: states.Version{Major: 3, Minor: 6, Patch: 1},
		Storage: states.MinorVersion{Major: 3, Minor: 5}, Downgrade: states.MinorVersion{Major: 3, Minor: 4}, Alarm: "memberID:1 alarm:NOSPACE",
	}
	if got := r.clusterNow(true).Local; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestUnreadListIsNoEmptyList: no quorum answered. What was known stays, and is known to be old.
func TestUnreadListIsNoEmptyList(t *testing.T) {
	r := clustered(t)
	before := r.clusterNow(true)
	r.etcd.listErr = errors.New("etcdserver: request timed out")
	c := r.clusterNow(true)
	if c.Known != states.No || len(c.Members) != len(before.Members) || c.Asked != before.Asked || c.Local.Answers != states.Yes || !before.Lost.IsZero() {
		t.Errorf("%+v", c)
	}
	if _, err := r.askCluster()(t.Context()); !errors.Is(err, r.etcd.listErr) {
		t.Errorf("the cause is not told: %v", err)
	}
	lost := r.now
	for range 2 {
		if c.Known != states.No || !c.Lost.Equal(lost) {
			t.Errorf("known: %s, lost since %v, want %v", c.Known, c.Lost, lost)
		}
		c = r.clusterNow(false)
	}
	r.etcd.listErr = nil
	if c = r.clusterNow(false); c.Known != states.Yes || !c.Lost.IsZero() {
		t.Errorf("a list that is not known has no rest: known %s, lost since %v", c.Known, c.Lost)
	}
}

// TestOldListIsNoProofOfAQuorum: before 3.5 a server tells the list that it knows, and only keys are read through quorum.
func TestOldListIsNoProofOfAQuorum(t *testing.T) {
	for _, c := range []struct {
		version states.Version
		known   states.Fact
	}{
		{states.Version{Major: 3, Minor: 4, Patch: 45}, states.No},
		{states.Version{Major: 3, Minor: 5}, states.Yes},
		{states.Version{}, states.Yes},
	} {
		r := clustered(t)
		own := r.etcd.status[r.url(0)]
		own.Version = c.version
		r.etcd.status[r.url(0)] = own
		r.clusterNow(true)
		r.etcd.keysErr = errors.New("etcdserver: request timed out")
		got := r.clusterNow(true)
		if lost := r.now; got.Known != c.known || (c.known == states.No) != got.Lost.Equal(lost) {
			t.Errorf("%s: %+v", c.version, got)
		}
		lost := got.Lost
		if got = r.clusterNow(true); got.Known != c.known || !got.Lost.Equal(lost) {
			t.Errorf("%s, later: %+v", c.version, got)
		}
		r.etcd.keysErr = nil
		if got = r.clusterNow(true); got.Known != states.Yes || !got.Lost.IsZero() || !got.At.Equal(r.now) {
			t.Errorf("%s, in the end: %+v", c.version, got)
		}
	}
}

// TestNobodyToAskIsNoAnswer: unknown stays unknown.
func TestNobodyToAskIsNoAnswer(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	if c := r.clusterNow(true); c.Known != states.Unknown || c.Local.Answers != states.Unknown || len(r.etcd.calls) != 0 {
		t.Errorf("%+v, calls %q", c, r.etcd.calls)
	}
	r.process.state.Running = states.Yes
	if c := r.clusterNow(true); c.Known != states.Unknown || c.Local.Answers != states.No || len(r.etcd.calls) != 0 {
		t.Errorf("its own server begins: %+v, calls %q", c, r.etcd.calls)
	}
	r.process.state.Running = states.No
	r.endpoints = []string{r.url(1)}
	if c := r.clusterNow(true); c.Known != states.Yes || !slices.Equal(r.etcd.endpoints, []string{r.url(1)}) {
		t.Errorf("one is known: %+v, asked %q", c, r.etcd.endpoints)
	}
}

// asked is a rig whose question about the cluster is under way.
func asked(t *testing.T) *rig {
	t.Helper()
	r := clustered(t)
	r.clusterNow(true)
	r.hold = true
	r.pass(time.Minute)
	r.Refresh(states.Needs{Cluster: time.Second, Wide: true})
	return r
}

// TestServerThatEndsAnswersNothing: what it said while it ran says nothing about now, also when it arrives late.
func TestServerThatEndsAnswersNothing(t *testing.T) {
	r := asked(t)
	r.process.state.Running = states.No
	if l := r.Observe().Cluster.Local; l != (states.Local{}) {
		t.Errorf("%+v", l)
	}
	r.deliver()
	if l := r.Observe().Cluster.Local; l != (states.Local{}) {
		t.Errorf("a late answer: %+v", l)
	}
	r.hold = false
	n := len(r.etcd.calls)
	r.turn(states.Needs{})
	if len(r.etcd.calls) == n {
		t.Error("the end of the server is news of the cluster, and it is not asked")
	}
}

// TestServerAnswersForItselfOnly: an answer that arrives when another server runs is none of that one's.
func TestServerAnswersForItselfOnly(t *testing.T) {
	r := asked(t)
	r.process.state.PID++
	r.Observe()
	r.deliver()
	if c := r.Observe().Cluster; c.Local != (states.Local{}) || c.Known != states.Yes {
		t.Errorf("%+v", c)
	}
	r.hold = false
	r.turn(states.Needs{})
	if r.Observe().Cluster.Local.Answers != states.Yes {
		t.Error("the new server is not asked")
	}
}

// TestObservationsAreNotChangedLater: a decision's facts are a snapshot.
func TestObservationsAreNotChangedLater(t *testing.T) {
	r := clustered(t)
	r.clusterNow(true)
	o := r.Observe()
	members, records, instances := slices.Clone(o.Cluster.Members), slices.Clone(o.DNS.Records), slices.Clone(o.Group.Instances)
	r.etcd.status = map[string]EtcdStatus{}
	r.etcd.list.Members = slices.Clone(r.etcd.list.Members)[:2]
	r.terminate(r.ids[2])
	r.put(cluster, "A", 60, "10.0.0.9")
	for range 3 {
		r.pass(time.Minute)
		r.turn(states.Needs{Group: time.Second, Zone: time.Second, Cluster: time.Second, Wide: true})
	}
	if !slices.Equal(o.Cluster.Members, members) || len(o.DNS.Records) != len(records) || !slices.Equal(o.Group.Instances, instances) {
		t.Errorf("was %+v %+v, is %+v %+v", members, instances, o.Cluster.Members, o.Group.Instances)
	}
}

// TestNewMemberMakesTheGroupWorthAsking, if anybody needs it at all.
func TestNewMemberMakesTheGroupWorthAsking(t *testing.T) {
	r := clustered(t)
	r.clusterNow(true)
	settle := func() { r.turn(states.Needs{Group: time.Hour}) }
	settle()
	if n := r.asked(groupCall, func() { r.clusterNow(true); settle() }); n != 0 {
		t.Errorf("the same members, and the group is asked %d times", n)
	}
	for _, change := range []struct {
		what string
		do   func(m []states.Member) []states.Member
	}{
		{"a new member", func(m []states.Member) []states.Member {
			return append(m, states.Member{ID: 0xd4, Address: "10.0.0.99"})
		}},
		{"its instance is known", func(m []states.Member) []states.Member { m[3].Name = "i-new"; return m }},
		{"added anew", func(m []states.Member) []states.Member { m[3].ID = 0xe5; return m }},
		{"removed", func(m []states.Member) []states.Member { return m[:3] }},
	} {
		r.etcd.list.Members = change.do(slices.Clone(r.etcd.list.Members))
		n := r.asked(groupCall, func() {
			r.clusterNow(true)
			r.clusterNow(true) // which is no news, and does not take back what was
			settle()
		})
		if n != 1 {
			t.Errorf("%s, and the group is asked %d times", change.what, n)
		}
	}
}

// TestRestored: a server that was started to join tells on its peer port that it has the cluster's data, before it serves.
func TestRestored(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	in, _ := r.cloud.Instance(r.ids[0])
	r.Execute([]states.Command{states.StartEtcd{State: states.ClusterExisting}})
	r.process.state.Running = states.Yes
	if l := r.clusterNow(true).Local; l.Answers != states.No || !l.Restored.IsZero() {
		t.Errorf("its peer port is silent: %+v", l)
	}
	r.peers[in.PrivateIP] = nil // answers, and knows no cluster version
	if l := r.clusterNow(true).Local; !l.Restored.IsZero() {
		t.Errorf("no cluster version yet: %+v", l)
	}
	version[in.PrivateIP] = states.MinorVersion{Major: 3, Minor: 7}
	defer delete(version, in.PrivateIP)
	since := r.clusterNow(true).Local.Restored
	if !since.Equal(r.now) || !r.clusterNow(true).Local.Restored.Equal(since) {
		t.Errorf("restored since %v, want %v", since, r.now)
	}
	r.etcd.member(0xa1, r.ids[0], in.PrivateIP)
	if l := r.clusterNow(true).Local; l.Answers != states.Yes || !l.Restored.IsZero() {
		t.Errorf("serves: %+v", l)
	}
}

// TestPeersAnswerRefuseOrKeepSilent: three different things.
func TestPeersAnswerRefuseOrKeepSilent(t *testing.T) {
	r := newRig(t, func(r *rig, _ *Options) {
		one, _ := r.cloud.Instance(r.ids[1])
		r.peers[one.PrivateIP] = ErrRefused
	})
	r.know()
	peersNow := func() []states.Peer {
		r.pass(time.Second)
		r.turn(states.Needs{Peers: time.Second, Group: time.Second})
		return r.Observe().Peers
	}
	p := peersNow()
	if len(p) != 2 || p[0].InstanceID != r.ids[1] || p[0].Answers != states.No || p[1].Answers != states.Unknown || !r.Observe().Polled.Equal(r.now) {
		t.Errorf("%+v", p)
	}
	two, _ := r.cloud.Instance(r.ids[2])
	r.peers[two.PrivateIP] = nil
	if p = peersNow(); p[1].Answers != states.Yes || p[1].ClusterID != 7 || len(p[1].Members) != 1 {
		t.Errorf("%+v", p)
	}
	if !slices.Equal(r.endpoints, []string{"http://" + two.PrivateIP + ":2379"}) {
		t.Errorf("its client URL is not remembered: %q", r.endpoints)
	}
	r.terminate(r.ids[1])
	peersNow()
	if p = peersNow(); slices.ContainsFunc(p, func(p states.Peer) bool { return p.InstanceID == r.ids[1] }) {
		t.Errorf("asks who has ended: %+v", p)
	}
}

// TestOrderOfEndpoints: our own server first where it can answer through quorum, and last where it cannot.
func TestOrderOfEndpoints(t *testing.T) {
	for _, c := range []struct {
		own    string
		serves bool
		want   []string
	}{
		{"b", true, []string{"b", "a", "c"}}, {"b", false, []string{"a", "c", "b"}}, {"", false, []string{"a", "b", "c"}}, {"x", false, []string{"a", "b", "c", "x"}}, {"x", true, []string{"x", "a", "b", "c"}},
	} {
		if got := order([]string{"a", "b", "c"}, c.own, c.serves); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// TestComplaints: once when it begins, once when it changes, once when it is over.
func TestComplaints(t *testing.T) {
	r := newRig(t, nil)
	log := new(lines)
	r.Log = zerolog.New(log)
	one, two := errors.New("throttled"), errors.New("no route")
	for _, err := range []error{nil, one, one, one, two, two, nil, nil, one} {
		r.complaint.note(r.Log, "hosted zone", err)
	}
	if *log != 4 {
		t.Errorf("%d lines, want 4: throttled, no route, answers again, throttled", *log)
	}
}

type lines int

func (l *lines) Write(b []byte) (int, error) {
	*l++
	return len(b), nil
}
