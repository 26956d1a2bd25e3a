package effects

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var someLock = states.UpgradeLock{Owner: "i-1", Member: 0xabc, From: states.MinorVersion{Major: 3, Minor: 6}, To: states.MinorVersion{Major: 3, Minor: 7}}

func TestUpgradeRecordReadsAsWritten(t *testing.T) {
	for _, c := range []struct {
		why   string
		patch states.Version
	}{{}, {why: `it said "no", twice`}, {patch: states.Version{Major: 3, Minor: 7, Patch: 4}}} {
		lock := someLock
		lock.Why, lock.Patch = c.why, c.patch
		text := formatUpgrade(&lock)
		lock.Revision = 7
		if got := ParseUpgrade(EtcdKey{Value: text, Revision: 7}); got != lock {
			t.Errorf("%s reads as %+v", text, got)
		}
	}
	if got := ParseUpgrade(EtcdKey{}); got != (states.UpgradeLock{}) {
		t.Errorf("an absent key reads as %+v", got)
	}
}

// A record that cannot be read is held by somebody: nobody must take it for a free lock, or for his own.
func TestUnreadableUpgradeRecordIsHeld(t *testing.T) {
	for _, text := range []string{"i-1", "{}", `{"owner":"i-1","member":"abc","from":"old","to":"3.7"}`, `{"owner":"i-1","member":"","from":"3.6","to":"3.7"}`,
		`{"owner":"i-1","member":"abc","from":"3.6","to":"3.6","patch":"newest"}`, `{"owner":"i-1","member":"abc","from":"3.6","to":"new"}`,
		`{"owner":"i-1","member":"abc","from":"3.6","to":"3.7","index":"one"}`, `{"member":"abc","from":"3.6","to":"3.7"}`} {
		got := ParseUpgrade(EtcdKey{Value: text, Revision: 3})
		if got.Owner == "" || states.IsInstanceID(got.Owner) || got.Revision != 3 || got.Why != text {
			t.Errorf("%s reads as %+v", text, got)
		}
	}
}

// upgrading gives a rig whose instance is member a1 of three, on 3.6, and holds the upgrade lock.
func upgrading(t *testing.T) (*rig, states.UpgradeLock) {
	t.Helper()
	r := newRig(t, nil)
	r.know()
	own := r.facts.Self.Address
	r.etcd.member(0xa1, r.ids[0], own)
	r.etcd.member(0xb2, "i-b", "10.9.0.2")
	r.etcd.member(0xc3, "i-c", "10.9.0.3")
	for url, s := range r.etcd.status {
		s.Leader = 0xb2
		r.etcd.status[url] = s
	}
	r.process.state = states.Process{Running: states.Yes, Minor: someLock.From}
	lock := someLock
	lock.Owner, lock.Member, lock.Revision = r.ids[0], 0xa1, 9
	r.etcd.keys = []EtcdKey{{Key: UpgradeLockKey, Value: formatUpgrade(&lock), Revision: 9}}
	r.turn(states.Needs{Cluster: time.Second, Wide: true})
	return r, lock
}

// TestStopForUpgradeLooksFirst: everything that the decision saw may have changed since.
func TestStopForUpgradeLooksFirst(t *testing.T) {
	for what, c := range map[string]struct {
		edit  func(*rig)
		stops bool
	}{
		"all is as it was":                    {func(*rig) {}, true},
		"the lock is another's":               {func(r *rig) { r.etcd.keys[0].Value = strings.ReplaceAll(r.etcd.keys[0].Value, r.ids[0], "i-b") }, false},
		"the lock was taken anew":             {func(r *rig) { r.etcd.keys[0].Revision++ }, false},
		"the lock is gone":                    {func(r *rig) { r.etcd.keys = nil }, false},
		"the lock cannot be read":             {func(r *rig) { r.etcd.listErr = errors.New("timeout") }, false},
		"someone joins":                       {func(r *rig) { r.etcd.list.Members[2].Learner = true }, false},
		"someone has left":                    {func(r *rig) { r.etcd.list.Members = r.etcd.list.Members[:2] }, false},
		"another one does not answer":         {func(r *rig) { delete(r.etcd.status, "http://10.9.0.3:2379") }, false},
		"the disk of another one has stalled": {func(r *rig) { r.etcd.stalled = "http://10.9.0.3:2379" }, false},
		"another one has an alarm": {func(r *rig) {
			s := r.etcd.status["http://10.9.0.3:2379"]
			s.Errors = []string{"memberID:1 alarm:NOSPACE"}
			r.etcd.status["http://10.9.0.3:2379"] = s
		}, false},
		"it leads by now": {func(r *rig) {
			for url, s := range r.etcd.status {
				s.Leader = 0xa1
				r.etcd.status[url] = s
			}
		}, false},
	} {
		r, lock := upgrading(t)
		c.edit(r)
		deliver, err := r.action(states.StopForUpgrade{Lock: lock, Desired: 3})(t.Context())
		if deliver != nil {
			deliver()
		}
		if (r.process.stops > 0) != c.stops || (err == nil) != c.stops {
			t.Errorf("%s: %d stops, error %v", what, r.process.stops, err)
		}
	}
}

// TestStopSaysWhyNot: the cause is for an operator, and what is only a race is told from it.
func TestStopSaysWhyNot(t *testing.T) {
	silence := errors.New("silence")
	for what, c := range map[string]struct {
		edit func(*rig, *states.UpgradeLock)
		want error
	}{
		"the list cannot be read": {func(r *rig, _ *states.UpgradeLock) { r.etcd.listErr = silence }, silence},
		"the lock cannot be read": {func(r *rig, _ *states.UpgradeLock) { r.etcd.keysErr = silence }, silence},
		"the lock is for another member": {func(r *rig, lock *states.UpgradeLock) {
			lock.Member = 0xc3
			r.etcd.keys[0].Value = formatUpgrade(lock)
		}, ErrChanged},
	} {
		r, lock := upgrading(t)
		c.edit(r, &lock)
		if _, err := r.action(states.StopForUpgrade{Lock: lock, Desired: 3})(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

// TestLeaderThatCannotHandOverStops: up to 3.2 the others have to elect one.
func TestLeaderThatCannotHandOverStops(t *testing.T) {
	for minor, stops := range map[states.MinorVersion]bool{{Major: 3, Minor: 2}: true, {Major: 3, Minor: 3}: false} {
		r, lock := upgrading(t)
		for url, s := range r.etcd.status {
			s.Leader, s.Version = 0xa1, states.Version{Major: minor.Major, Minor: minor.Minor}
			r.etcd.status[url] = s
		}
		if _, err := r.action(states.StopForUpgrade{Lock: lock, Desired: 3})(t.Context()); (err == nil) != stops {
			t.Errorf("a leader of %s: error %v", minor, err)
		}
	}
}

// TestPausedDaemonDoesNotStopItsServer: what was read before a pause says nothing after it.
func TestPausedDaemonDoesNotStopItsServer(t *testing.T) {
	for pause, stops := range map[time.Duration]int{actWithin: 1, actWithin + 1: 0} {
		r, lock := upgrading(t)
		deliver, err := r.action(states.StopForUpgrade{Lock: lock, Desired: 3})(t.Context())
		must(t, err)
		r.now = r.now.Add(pause)
		deliver()
		if r.process.stops != stops {
			t.Errorf("after %s: %d stops", pause, r.process.stops)
		}
	}
}

// TestUpgradeLockIsObserved: who has it, and since when; when it cannot be read, it stays as it was and is not known.
func TestUpgradeLockIsObserved(t *testing.T) {
	r, lock := upgrading(t)
	u := r.Observe().Cluster.Upgrade
	if u.Known != states.Yes || u.Lock != lock || u.Since.IsZero() {
		t.Errorf("%+v, want %+v", u, lock)
	}
	since := u.Since
	look := func() states.Upgrade {
		r.pass(time.Second)
		r.turn(states.Needs{Cluster: time.Second, Wide: true})
		return r.Observe().Cluster.Upgrade
	}
	if u = look(); u.Since != since {
		t.Errorf("the same lock, seen since %s and then since %s", since, u.Since)
	}
	r.etcd.keysErr = errors.New("corrupt cluster")
	if u = look(); u.Known != states.No || u.Lock != lock || r.Observe().Cluster.Known != states.Yes {
		t.Errorf("unreadable: %+v", u)
	}
	r.etcd.keysErr = nil
	if u = look(); u.Known != states.Yes || u.Since != since {
		t.Errorf("the same lock, read again: %+v", u)
	}
	halt := r.etcd.keys[0]
	halt.Key = UpgradeHaltKey
	r.etcd.keys = []EtcdKey{halt}
	if u = look(); u.Lock != (states.UpgradeLock{}) || u.Halted != lock || u.Since == since {
		t.Errorf("released and halted: %+v", u)
	}
}

// TestUpgradeLockExcludesJoiners: it is taken in one transaction with the proof that nobody joins, and the other way round.
func TestUpgradeLockExcludesJoiners(t *testing.T) {
	r, lock := upgrading(t)
	lock.Revision = 0
	calls := strings.Join(r.do(states.HoldUpgradeLock{Lock: lock}), "\n")
	if !strings.Contains(calls, fmt.Sprintf("swap %s at 0 to %q", UpgradeLockKey, formatUpgrade(&lock))) || !strings.Contains(calls, "without ["+JoinLockKey+" "+UpgradeHaltKey+"]") {
		t.Error(calls)
	}
	r.facts.Cluster.Upgrade = states.Upgrade{Known: states.Yes}
	r.etcd.err = ErrChanged
	deliver, err := r.action(states.HoldUpgradeLock{Lock: lock})(t.Context())
	if !errors.Is(err, ErrChanged) || deliver != nil {
		t.Errorf("another was first: error %v", err)
	}
	r.etcd.err = nil
	deliver, err = r.action(states.HoldUpgradeLock{Lock: lock})(t.Context())
	must(t, err)
	deliver()
	lock.Revision = 9
	if u := r.facts.Cluster.Upgrade; u != (states.Upgrade{Known: states.Yes, Since: r.now, Lock: lock}) {
		t.Errorf("%+v", u)
	}
	r, lock = upgrading(t)
	if calls = strings.Join(r.do(states.ReleaseUpgradeLock{Lock: lock}), "\n"); !strings.Contains(calls, "swap "+UpgradeLockKey+` at 9 to ""`) {
		t.Error(calls)
	}
	r.turn(states.Needs{})
	if calls = strings.Join(r.do(states.ReleaseUpgradeLock{Lock: lock, Halted: true}), "\n"); !strings.Contains(calls, "swap "+UpgradeHaltKey+` at 9 to ""`) {
		t.Error(calls)
	}
}

// TestUpgradeIsHalted once: somebody's halt is as good as ours. What etcd refuses otherwise is a failure, of the release too.
func TestUpgradeIsHalted(t *testing.T) {
	r, lock := upgrading(t)
	lock.Why = "it does not start"
	halt, release := states.HaltUpgrade{Lock: lock}, states.ReleaseUpgradeLock{Lock: lock}
	if calls, want := r.do(halt), fmt.Sprintf("swap %s at 0 to %q without []", UpgradeHaltKey, formatUpgrade(&lock)); !slices.Equal(calls, []string{want}) {
		t.Errorf("%q, want %q", calls, want)
	}
	for _, c := range []struct {
		command states.Command
		err     error
		ok      bool
	}{{halt, nil, true}, {halt, ErrChanged, true}, {halt, errors.New("no quorum"), false}, {release, nil, true}, {release, ErrChanged, false}} {
		r.etcd.err = c.err
		if _, err := r.action(c.command)(t.Context()); (err == nil) != c.ok || !c.ok && !errors.Is(err, c.err) {
			t.Errorf("%T answered with %v: error %v", c.command, c.err, err)
		}
	}
}

// TestFreeLockIsSeenSince: a leader leaves it to others for a while, from the first look on.
func TestFreeLockIsSeenSince(t *testing.T) {
	r := clustered(t)
	first := r.clusterNow(true).Upgrade.Since
	if again := r.clusterNow(true).Upgrade.Since; first.IsZero() || !again.Equal(first) {
		t.Errorf("since %v, and then since %v", first, again)
	}
}

// TestNobodyIsRemovedDuringAnUpgrade but by himself.
func TestNobodyIsRemovedDuringAnUpgrade(t *testing.T) {
	r, _ := upgrading(t)
	other := states.RemoveMember{ID: 0xc3, Name: "i-c", Address: "10.9.0.3"}
	if _, err := r.action(other)(t.Context()); !errors.Is(err, ErrChanged) {
		t.Errorf("another's: %v", err)
	}
	self := states.RemoveMember{ID: 0xa1, Name: r.ids[0], Address: r.facts.Self.Address}
	if _, err := r.action(self)(t.Context()); err != nil {
		t.Errorf("its own: %v", err)
	}
}

// TestClusterVersionIsAskedForAnUpgrade only, and of whoever knows it.
func TestClusterVersionIsAskedForAnUpgrade(t *testing.T) {
	version["10.9.0.3"] = someLock.From
	defer delete(version, "10.9.0.3")
	for wanted, want := range map[states.MinorVersion]states.MinorVersion{someLock.To: someLock.From, someLock.From: {}} {
		r, _ := upgrading(t)
		r.Want(wanted, states.Version{})
		r.facts.Cluster.Version, r.peers["10.9.0.3"] = states.MinorVersion{}, nil
		r.pass(time.Minute)
		r.turn(states.Needs{Cluster: time.Second, Wide: true})
		if got := r.Observe().Cluster.Version; got != want {
			t.Errorf("wants %s: knows %s", wanted, got)
		}
	}
}

// TestSettledIsWhatItHadAppliedWithTheVersion: an older server may have written what its own server applies before it has the
// version; of what comes later none has.
func TestSettledIsWhatItHadAppliedWithTheVersion(t *testing.T) {
	r, _ := upgrading(t)
	own := r.facts.Self.Address
	defer delete(version, own)
	defer delete(version, "10.9.0.3")
	r.peers[own], r.peers["10.9.0.3"] = nil, nil
	settled := func(level states.MinorVersion, applied uint64) (states.MinorVersion, uint64) {
		if version[own] = level; !level.Known() {
			version["10.9.0.3"] = someLock.To // another has it already
		}
		s := r.etcd.status[r.clientURL(own)]
		s.Applied = applied
		r.etcd.status[r.clientURL(own)] = s
		r.pass(time.Second)
		r.turn(states.Needs{Cluster: time.Second})
		c := r.Observe().Cluster
		return c.Version, c.Settled
	}
	before := states.MinorVersion{Major: 3, Minor: 5}
	r.Want(someLock.To, states.Version{})
	for _, c := range []struct {
		level         states.MinorVersion
		applied, want uint64
	}{
		{before, 10, 10},
		{before, 20, 10},
		{someLock.From, 30, 30},
		{someLock.From, 40, 30},
		{states.MinorVersion{}, 50, 0}, // not from others
		{someLock.From, 60, 60},
		{someLock.From, 70, 60},
	} {
		if _, got := settled(c.level, c.applied); got != c.want {
			t.Errorf("%s, applied %d: settled at %d, want %d", c.level, c.applied, got, c.want)
		}
	}
	r.etcd.list.ClusterID++ // of which none has applied anything yet
	if _, got := settled(someLock.From, 80); got != 80 {
		t.Errorf("another cluster is settled at %d", got)
	}
	r.Want(someLock.From, states.Version{}) // it is not asked any more, and may go down and up again unseen
	if _, got := settled(someLock.From, 90); got != 0 {
		t.Errorf("at rest it is settled at %d", got)
	}
	r.Want(someLock.To, states.Version{})
	if _, got := settled(someLock.From, 100); got != 100 {
		t.Errorf("then it is settled at %d", got)
	}
}
