package effects

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// TestEveryCommandIsHandled: each kind there is, in the lane it is said to run in.
func TestEveryCommandIsHandled(t *testing.T) {
	for _, c := range states.Commands() {
		r := newRig(t, nil)
		r.know()
		var err error
		if states.LaneOf(c) == states.LaneProcess {
			err = r.local(c)
		} else {
			_, err = r.action(c)(t.Context())
		}
		if err != nil && (strings.Contains(err.Error(), "not known") || strings.Contains(err.Error(), "not a local one")) {
			t.Errorf("%T: %v", c, err)
		}
		if kind(c) == "" || strings.Contains(kind(c), ".") {
			t.Errorf("%T is logged as %q", c, kind(c))
		}
	}
	r := newRig(t, nil)
	if _, err := r.action(states.StopEtcd{})(t.Context()); err == nil {
		t.Error("a command of another lane is taken for one of this")
	}
	if err := r.local(states.PublishDNS{}); err == nil {
		t.Error("a command of another lane is taken for a local one")
	}
}

// TestStartEtcdLooksFirst: what the decision saw of process and disk must still be so.
func TestStartEtcdLooksFirst(t *testing.T) {
	start := func(s states.ClusterState) states.StartEtcd {
		return states.StartEtcd{Minor: states.MinorVersion{Major: 3, Minor: 7}, Name: "i-a", Address: "10.0.0.1", State: s}
	}
	for _, c := range []struct {
		running states.Fact
		disk    states.DiskState
		state   states.ClusterState
		starts  bool
	}{
		{states.No, states.DiskEmpty, states.ClusterNew, true},
		{states.No, states.DiskEmpty, states.ClusterExisting, true},
		{states.No, states.DiskMember, states.ClusterRestart, true},
		{states.No, states.DiskMember, states.ClusterNew, false},
		{states.No, states.DiskMember, states.ClusterExisting, false},
		{states.No, states.DiskEmpty, states.ClusterRestart, false},
		{states.No, states.DiskBroken, states.ClusterNew, false},
		{states.No, states.DiskBroken, states.ClusterRestart, false},
		{states.No, states.DiskUnknown, states.ClusterNew, false},
		{states.No, states.DiskUnknown, states.ClusterRestart, false},
		{states.Yes, states.DiskMember, states.ClusterRestart, false},
		{states.Unknown, states.DiskMember, states.ClusterRestart, false},
		{states.Unknown, states.DiskEmpty, states.ClusterNew, false},
	} {
		r := newRig(t, nil)
		r.know()
		r.process.state.Running, r.disk.state.State = c.running, c.disk
		err := r.local(start(c.state))
		if wrong := c.running == states.No && !c.starts; (err != nil) != wrong {
			t.Errorf("%+v: error %v", c, err)
		}
		if got := len(r.process.starts) > 0; got != c.starts {
			t.Errorf("%+v: starts: %v", c, got)
		}
		if recorded := len(r.disk.changes) > 0; recorded != c.starts {
			t.Errorf("%+v: what is about to run is recorded: %v", c, recorded)
		}
	}
}

// TestStartIsRecordedBefore: a start that cannot be written down does not happen, since a restart would not know the minor.
func TestStartIsRecordedBefore(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.disk.err = errors.New("no space left on device")
	if err := r.local(states.StartEtcd{State: states.ClusterNew}); !errors.Is(err, r.disk.err) || len(r.process.starts) != 0 || len(r.disk.changes) != 1 {
		t.Errorf("error %v, starts %v, changes %q", err, r.process.starts, r.disk.changes)
	}
}

// TestServerThatDoesNotStart does not join, and is no news of the cluster.
func TestServerThatDoesNotStart(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.process.err = errors.New("exec format error")
	if err := r.local(states.StartEtcd{State: states.ClusterExisting}); !errors.Is(err, r.process.err) || r.joining || r.cluster.dirty {
		t.Errorf("error %v, joins: %v", err, r.joining)
	}
}

func TestSetAsideNeedsAStoppedServer(t *testing.T) {
	for running, want := range map[states.Fact]int{states.No: 1, states.Yes: 0, states.Unknown: 0} {
		r := newRig(t, nil)
		r.know()
		r.process.state.Running = running
		if err := r.local(states.SetAsideData{Why: "broken"}); len(r.disk.changes) != want || (err == nil) != (want == 1) {
			t.Errorf("running: %s: %q, error %v", running, r.disk.changes, err)
		}
	}
}

func TestStopNeedsARunningServer(t *testing.T) {
	for running, want := range map[states.Fact]int{states.No: 0, states.Yes: 1, states.Unknown: 0} {
		r := newRig(t, nil)
		r.know()
		r.process.state.Running = running
		r.Execute([]states.Command{states.StopEtcd{}})
		if r.process.stops != want {
			t.Errorf("running: %s: %d stops", running, r.process.stops)
		}
	}
}

// TestAddMemberAfterALostAnswer: the member is there already, and is not added twice. Its ID is not taken for one of our own:
// the rules remove it as a ghost and add anew.
func TestAddMemberAfterALostAnswer(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.etcd.member(0xa1, "i-a", "10.0.0.1")
	add := states.AddMember{Address: "10.0.0.4", Learner: true}
	if got := r.do(add); !slices.Equal(got, []string{"members", "add http://10.0.0.4:2380 true"}) {
		t.Errorf("calls %q", got)
	}
	if j := r.Observe().Join; j.Added != 0xd4 || !j.Since.Equal(r.now) {
		t.Errorf("%+v", j)
	}
	r.facts.Join = states.Join{}
	r.etcd.list.Members = append(r.etcd.list.Members, states.Member{ID: 0xd4, Address: "10.0.0.4", Learner: true})
	deliver, err := r.action(add)(t.Context())
	if !errors.Is(err, ErrExists) || deliver != nil || r.etcd.calls[len(r.etcd.calls)-1] != "members" {
		t.Errorf("error %v, calls %q", err, r.etcd.calls)
	}
	voter := states.AddMember{Address: "10.0.0.4"}
	r.etcd.list.Members = r.etcd.list.Members[:1]
	if _, err = r.action(voter)(t.Context()); err != nil {
		t.Errorf("a voter beside a healthy one: error %v", err)
	}
	r.etcd.list.Members = append(r.etcd.list.Members, states.Member{ID: 0xe5, Address: "10.0.0.5"})
	if _, err = r.action(voter)(t.Context()); !errors.Is(err, ErrUnhealthy) {
		t.Errorf("a second voter that has not started: error %v", err)
	}
	if _, err = r.action(add)(t.Context()); err != nil {
		t.Errorf("a learner, of which the quorum does not hang: error %v", err)
	}
	r.etcd.listErr = errors.New("no quorum")
	if _, err = r.action(add)(t.Context()); err == nil || r.etcd.calls[len(r.etcd.calls)-1] != "members" {
		t.Errorf("adds without having read the list: %v, %q", err, r.etcd.calls)
	}
	r.etcd.listErr, r.etcd.err, r.etcd.list = nil, ErrUnhealthy, EtcdMembers{}
	if deliver, err = r.action(add)(t.Context()); !errors.Is(err, ErrUnhealthy) || deliver != nil {
		t.Errorf("error %v", err)
	}
}

// TestRemoveMemberLooksFirst: members come and go between a look and an act.
func TestRemoveMemberLooksFirst(t *testing.T) {
	remove := states.RemoveMember{ID: 0xc3, Name: "i-c", Address: "10.0.0.3"}
	url := func(n string) string { return "http://10.0.0." + n + ":2379" }
	for what, c := range map[string]struct {
		edit    func(*stubEtcd)
		removes bool
		err     error // nil: whatever, if it does not remove; else what it must be
		fails   bool
	}{
		"is as it was":             {func(*stubEtcd) {}, true, nil, false},
		"is gone":                  {func(s *stubEtcd) { s.list.Members = s.list.Members[:2] }, false, nil, false},
		"has another name":         {func(s *stubEtcd) { s.list.Members[2].Name = "i-x" }, false, ErrChanged, true},
		"has another address":      {func(s *stubEtcd) { s.list.Members[2].Address = "10.0.0.9" }, false, ErrChanged, true},
		"has started meanwhile":    {func(s *stubEtcd) { s.list.Members[2].Name = "" }, false, ErrChanged, true},
		"the list is not read":     {func(s *stubEtcd) { s.listErr = errors.New("timeout") }, false, nil, true},
		"one of the others hangs":  {func(s *stubEtcd) { delete(s.status, url("2")) }, false, nil, true},
		"one knows no leader":      {func(s *stubEtcd) { s.status[url("2")] = EtcdStatus{MemberID: 0xb2} }, false, nil, true},
		"another one answers":      {func(s *stubEtcd) { s.status[url("2")] = EtcdStatus{MemberID: 0xee, Leader: 0xa1} }, false, nil, true},
		"it leads by now":          {func(s *stubEtcd) { s.status[url("3")] = EtcdStatus{MemberID: 0xc3, Leader: 0xc3} }, false, ErrChanged, true},
		"it is healthy itself":     {func(s *stubEtcd) { s.status[url("3")] = EtcdStatus{MemberID: 0xc3, Leader: 0xa1} }, true, nil, false},
		"a learner needs no votes": {func(s *stubEtcd) { s.list.Members[2].Learner, s.status = true, nil }, true, nil, false},
		"it has gone while asking": {func(s *stubEtcd) { s.err = ErrNotFound }, true, nil, false},
		"etcd refuses":             {func(s *stubEtcd) { s.err = ErrUnhealthy }, true, ErrUnhealthy, true},
		"it is healthy, another is not": {func(s *stubEtcd) {
			s.status[url("3")] = EtcdStatus{MemberID: 0xc3, Leader: 0xa1}
			delete(s.status, url("2"))
		}, false, nil, true},
	} {
		r := newRig(t, nil)
		r.know()
		for i, name := range []string{"i-a", "i-b", "i-c"} {
			r.etcd.member(uint64(0xa1+0x11*i), name, "10.0.0."+string(rune('1'+i)))
		}
		delete(r.etcd.status, url("3"))
		c.edit(r.etcd)
		_, err := r.action(remove)(t.Context())
		if got := slices.Contains(r.etcd.calls, "remove c3"); got != c.removes {
			t.Errorf("%s: removes: %v", what, got)
		}
		if (err != nil) != c.fails || c.err != nil && !errors.Is(err, c.err) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// TestOnlyVotersAreAsked right before one is removed: neither a learner, which may be hours behind, nor one that never started, has
// an answer that counts, and each that hangs takes time from the rest.
func TestOnlyVotersAreAsked(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	for i := range 4 {
		r.etcd.member(uint64(0xa1+0x11*i), "i-"+string(rune('a'+i)), "10.0.0."+string(rune('1'+i)))
	}
	members := r.etcd.list.Members
	members[2].Name, members[2].ClientURL, members[3].Learner = "", "", true
	if _, err := r.action(states.RemoveMember{ID: 0xc3, Address: "10.0.0.3"})(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"http://10.0.0.1:2379", "http://10.0.0.2:2379"}; !slices.Equal(r.etcd.asked, want) {
		t.Errorf("asks %q, want %q", r.etcd.asked, want)
	}
}

// TestLeaderThatCannotHandOverLeaves: a server up to 3.2 that leads removes itself, and is not removed by others.
func TestLeaderThatCannotHandOverLeaves(t *testing.T) {
	for minor, leaves := range map[states.MinorVersion]bool{{Major: 2, Minor: 3}: true, {Major: 3, Minor: 3}: false} {
		r := newRig(t, nil)
		r.know()
		own := r.facts.Self.Address
		for i, address := range []string{own, "10.9.0.2", "10.9.0.3"} {
			r.etcd.member(uint64(0xa1+i), "i-"+address, address)
			url := "http://" + address + ":2379"
			s := r.etcd.status[url]
			s.Version = states.Version{Major: minor.Major, Minor: minor.Minor}
			r.etcd.status[url] = s
		}
		_, err := r.action(states.RemoveMember{ID: 0xa1, Name: "i-" + own, Address: own})(t.Context())
		if slices.Contains(r.etcd.calls, "remove a1") != leaves {
			t.Errorf("%s removes itself: error %v", minor, err)
		}
		if err := r.survives(t.Context(), r.etcd.list.Members, &r.etcd.list.Members[0], false); err == nil {
			t.Errorf("%s, which leads, is removed by another", minor)
		}
	}
}

// TestServerWhoseDiskHasStalledIsNoVoice: it hears its leader, tells so, and cannot write.
func TestServerWhoseDiskHasStalledIsNoVoice(t *testing.T) {
	for stalled, refused := range map[string]bool{"": false, "http://10.0.0.2:2379": true} {
		r := newRig(t, nil)
		r.know()
		r.etcd.member(0xa1, "i-a", "10.0.0.1")
		r.etcd.member(0xb2, "i-b", "10.0.0.2")
		r.etcd.member(0xc3, "i-c", "10.0.0.3")
		r.etcd.stalled = stalled
		_, err := r.action(states.RemoveMember{ID: 0xc3, Name: "i-c", Address: "10.0.0.3"})(t.Context())
		if slices.Contains(r.etcd.calls, "remove c3") == refused || (err != nil) != refused {
			t.Errorf("stalled %q: error %v, calls %q", stalled, err, r.etcd.calls)
		}
		voter := states.AddMember{Address: "10.0.0.4"}
		if err := r.mayAddVoter(t.Context(), voter, r.etcd.list.Members); (err != nil) != refused {
			t.Errorf("stalled %q: a voter is added, error %v", stalled, err)
		}
	}
}

// TestLastVoterStays: there is no other whom anything could be asked of.
func TestLastVoterStays(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.etcd.member(0xa1, "i-a", "10.0.0.1")
	if _, err := r.action(states.RemoveMember{ID: 0xa1, Name: "i-a", Address: "10.0.0.1"})(t.Context()); err == nil || slices.Contains(r.etcd.calls, "remove a1") {
		t.Errorf("error %v, calls %q", err, r.etcd.calls)
	}
}

// TestWhatIsSoAlreadyIsSuccess: the answer to the command before may have been lost.
func TestWhatIsSoAlreadyIsSuccess(t *testing.T) {
	for _, c := range []struct {
		command states.Command
		err     error
		ok      bool
	}{
		{states.PromoteMember{ID: 1}, ErrNotLearner, true}, {states.PromoteMember{ID: 1}, ErrNotInSync, false},
		{states.MoveLeader{To: 1}, ErrNotLeader, true}, {states.MoveLeader{To: 1}, ErrUnhealthy, false},
	} {
		r := newRig(t, nil)
		r.know()
		r.etcd.err = c.err
		if _, err := r.action(c.command)(t.Context()); (err == nil) != c.ok {
			t.Errorf("%T answered with %v: error %v", c.command, c.err, err)
		}
	}
}

// TestOwnServerIsTold: only the leader can hand over, and a log is advanced for its own server's sake. A thousand entries are less
// than a second's worth, so that what comes of them is seen soon.
func TestOwnServerIsTold(t *testing.T) {
	for call, c := range map[string]states.Command{"move to b2": states.MoveLeader{To: 0xb2}, "advance by 1000": states.AdvanceLog{}} {
		r := newRig(t, nil)
		r.know()
		r.endpoints = []string{"http://10.0.0.2:2379"}
		got := r.do(c)
		if own := "http://" + r.facts.Self.Address + ":2379"; !slices.Equal(got, []string{call}) || !slices.Equal(r.etcd.endpoints, []string{own}) {
			t.Errorf("%q sent to %q, want %q", got, r.etcd.endpoints, call)
		}
	}
}

// TestWhoIsTold: its own server first while it serves, last while it does not, and not at all while it does not run.
func TestWhoIsTold(t *testing.T) {
	for what, c := range map[string]struct {
		running states.Fact
		leader  uint64
		order   []int
	}{
		"serves": {states.Yes, 0xb2, []int{2, 0, 1}}, "knows no leader": {states.Yes, 0, []int{0, 1, 2}}, "does not run": {states.No, 0, []int{0, 1}},
	} {
		r := newRig(t, nil)
		r.know()
		urls := []string{"http://10.0.0.8:2379", "http://10.0.0.9:2379", r.clientURL(r.facts.Self.Address)}
		r.endpoints, r.facts.Process.Running = slices.Clone(urls[:2]), c.running
		r.facts.Cluster.Local = states.Local{Answers: c.running, Leader: c.leader}
		var want []string
		for _, i := range c.order {
			want = append(want, urls[i])
		}
		if r.do(promote); !slices.Equal(r.etcd.endpoints, want) {
			t.Errorf("%s: tells %q, want %q", what, r.etcd.endpoints, want)
		}
	}
}

// TestJoinLock follows it through its life.
func TestJoinLock(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	hold := func() states.Join {
		r.pass(time.Minute)
		r.turn(states.Needs{})
		r.do(states.HoldJoinLock{TTL: 20 * time.Second})
		return r.Observe().Join
	}
	me := r.ids[0]
	if j := hold(); j.Owner != me || !j.Held.Equal(r.now) {
		t.Errorf("free: %+v", j)
	}
	held := r.now
	r.etcd.err = errors.New("timeout")
	r.turn(states.Needs{})
	r.pass(20 * time.Second)
	r.turn(states.Needs{})
	r.do(states.HoldJoinLock{TTL: 20 * time.Second})
	if j := r.Observe().Join; j.Owner != me || !j.Held.Equal(held) {
		t.Errorf("one failure within its time: %+v", j)
	}
	if j := hold(); j.Owner != "" || !j.Held.IsZero() {
		t.Errorf("its time is over: %+v", j)
	}
	r.etcd.err, r.etcd.lock = nil, EtcdLock{Owner: "i-other"}
	if j := hold(); j.Owner != "i-other" || !j.Held.IsZero() {
		t.Errorf("another's: %+v", j)
	}
	r.etcd.lock = EtcdLock{}
	hold()
	r.pass(time.Minute)
	r.turn(states.Needs{})
	r.etcd.err = errors.New("timeout")
	deliver, err := r.action(states.ReleaseJoinLock{})(t.Context())
	deliver()
	if j := r.Observe().Join; !errors.Is(err, r.etcd.err) || j.Owner != me {
		t.Errorf("nobody knows whether it is released: %+v, error %v", j, err)
	}
	r.etcd.err = nil
	r.do(states.ReleaseJoinLock{})
	if j := r.Observe().Join; j != (states.Join{}) || !slices.Contains(r.etcd.calls, "release _etcd-appliance/join "+me) {
		t.Errorf("released: %+v, calls %q", j, r.etcd.calls)
	}
}
