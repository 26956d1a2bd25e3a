package etcdconformance

import (
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// old are scripts of 2.3, over v2, and of the way to 3.0.
var old = []testCase{
	{
		name: "2.3 adds and removes voters", v2: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.leader(1, 2, 3)
			s.status(1)
			s.addLearner(4, 1)
			s.add(4, 1)
			s.add(4, 2)
			s.members(2)
			s.join(4, 1, 2, 3, 4)
			s.until("4 is listed", func() bool { return s.lists(4) })
			s.members(4)
			s.ask(4)
			id := s.id(4, 1)
			s.promote(id, 4, 1)
			s.remove(id, 4, 1)
			s.exit(4)
			s.remove(id, 4, 1)
			s.remove(7, 9, 1)
			s.members(3)
			leader := s.leader(1, 2, 3)
			s.remove(s.id(leader, leader), 0, leader) // a leader removes itself
			s.until("the others go on", func() bool { return s.lists(others(leader, 1, 2, 3)[0]) })
			s.note("who leads is another: %v", s.leader(others(leader, 1, 2, 3)...) != leader)
		},
		want: `
			status 1: voter, knows the leader
			add learner 4: unknown
			add 4: ok
			add 4: exists
			members: 1 2 3 4-nameless
			members: 1 2 3 4
			ask 4: 1 2 3 4
			promote 4: unknown
			remove 4: ok
			exit 4: removed
			remove 4: not found
			remove 9: not found
			members: 1 2 3
			remove 0: ok
			who leads is another: true`,
	},
	{
		name: "2.3 without a quorum", v2: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			leader := s.leader(1, 2, 3)
			gone := others(leader, 1, 2, 3)
			for _, n := range gone {
				s.kill(n)
			}
			s.until("it notices", func() bool { st, err := s.etcd.Status(s.context(), s.url(leader)); return err == nil && st.Leader == 0 })
			s.note("lists: %v", s.lists(leader))
			_, err := s.etcd.Swap(s.context(), s.urls(leader), effects.EtcdKey{Key: "p/a", Value: "1"})
			s.note("swap: %s", outcome(err))
			s.start(gone[0], states.ClusterRestart)
			s.until("they serve", func() bool { return s.serves(leader) && s.serves(gone[0]) && s.lists(gone[0]) })
			s.members(gone[0])
		},
		want: `
			lists: false
			swap: unknown
			members: 1 2 3`,
	},
	{
		name: "2.3: a key is changed only as it was meant", v2: true,
		run: func(s *script) {
			s.form(1)
			revision := int64(0)
			swap := func(what string, key effects.EtcdKey, absent ...string) {
				r, err := s.etcd.Swap(s.context(), s.urls(1), key, absent...)
				s.note("%s: %s", what, outcome(err))
				if err == nil {
					s.note("later: %v", r > revision)
					revision = r
				}
			}
			upgrade, join, halt := effects.UpgradeLockKey, effects.JoinLockKey, effects.UpgradeHaltKey
			hold := func(key, owner string, absent ...string) {
				l, err := s.etcd.HoldLock(s.context(), s.urls(1), key, owner, time.Minute, absent...)
				s.note("hold: %s, owner %q", outcome(err), l.Owner)
			}
			s.under("before", effects.KeyPrefix)
			swap("take the upgrade lock", effects.EtcdKey{Key: upgrade, Value: "{a}"}, join, halt)
			swap("again", effects.EtcdKey{Key: upgrade, Value: "{b}"}, join, halt)
			hold(join, "b", upgrade)
			s.under("upgrading", upgrade)
			swap("halt", effects.EtcdKey{Key: halt, Value: "{why}"})
			swap("release another revision", effects.EtcdKey{Key: upgrade, Revision: 1})
			keys, _ := s.etcd.Keys(s.context(), s.urls(1), upgrade)
			swap("release", effects.EtcdKey{Key: upgrade, Revision: keys[0].Revision})
			swap("release again", effects.EtcdKey{Key: upgrade, Revision: keys[0].Revision})
			swap("take it while halted", effects.EtcdKey{Key: upgrade, Value: "{b}"}, join, halt)
			hold(join, "b", upgrade)
			hold(join, "c", upgrade)
			swap("end the halt", effects.EtcdKey{Key: halt, Revision: keys[1].Revision})
			swap("take it while one joins", effects.EtcdKey{Key: upgrade, Value: "{b}"}, join, halt)
			s.under("joining", effects.KeyPrefix)
			before, _ := s.etcd.Status(s.context(), s.url(1))
			s.note("advance: %s", outcome(s.etcd.Advance(s.context(), s.url(1), 100)))
			after, _ := s.etcd.Status(s.context(), s.url(1))
			s.note("by as much: %v", after.Applied >= before.Applied+100)
		},
		want: `
			before: ok []
			take the upgrade lock: ok
			later: true
			again: changed
			hold: ok, owner ""
			upgrading: ok [upgrade={a}]
			halt: ok
			later: true
			release another revision: changed
			release: ok
			later: true
			release again: changed
			take it while halted: changed
			hold: ok, owner "b"
			hold: ok, owner "b"
			end the halt: ok
			later: true
			take it while one joins: changed
			joining: ok [join=b]
			advance: ok
			by as much: true`,
	},
	{
		name: "2.3: a lock has one owner, and expires", v2: true,
		run: func(s *script) {
			s.form(1)
			hold := func(client effects.Etcd, owner string, ttl time.Duration) effects.EtcdLock {
				l, err := client.HoldLock(s.context(), s.urls(1), "lock", owner, ttl)
				s.note("hold %s: %s, owner %s", owner, outcome(err), l.Owner)
				return l
			}
			release := func(owner string) {
				s.note("release %s: %s", owner, outcome(s.etcd.ReleaseLock(s.context(), s.urls(1), "lock", owner)))
			}
			release("a") // nobody's
			first := hold(s.etcd, "a", time.Minute)
			s.note("kept at its revision: %v", hold(s.stage.etcd(), "a", time.Minute) == first)
			s.note("seen by others at it: %v", hold(s.etcd, "b", time.Minute) == first)
			release("b")
			release("a")
			release("a")
			hold(s.etcd, "b", 3*time.Second)
			for range 5 {
				s.pass(time.Second)
				hold(s.etcd, "b", 3*time.Second)
			}
			s.until("expired", func() bool {
				l, _ := s.etcd.HoldLock(s.context(), s.urls(1), "lock", "a", time.Minute)
				return l.Owner == "a"
			})
			hold(s.etcd, "b", time.Minute)
		},
		want: `
			release a: ok
			hold a: ok, owner a
			hold a: ok, owner a
			kept at its revision: true
			hold b: ok, owner a
			seen by others at it: true
			release b: changed
			release a: ok
			release a: ok
			hold b: ok, owner b
			hold b: ok, owner b
			hold b: ok, owner b
			hold b: ok, owner b
			hold b: ok, owner b
			hold b: ok, owner b
			hold b: ok, owner a`,
	},
	{
		name: "from 2.3 to 3.0 in place, with the lock held over the rise of the version", v2: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			halted, err := s.etcd.Swap(s.context(), s.urls(1), effects.EtcdKey{Key: effects.UpgradeHaltKey, Value: "{halted}"})
			s.note("halt: %s", outcome(err))
			held, err := s.etcd.Swap(s.context(), s.urls(1), effects.EtcdKey{Key: effects.UpgradeLockKey, Value: "{held}"})
			s.note("take: %s", outcome(err))
			for _, n := range []int{1, 2, 3} {
				s.stop(n)
				s.older = v30
				s.start(n, states.ClusterRestart)
				s.until("restarted", func() bool { return s.serves(n) && s.lists(n) })
				if n < 3 {
					s.version(n)
					s.status(n)
				}
				s.older = states.MinorVersion{}
			}
			s.older = v30
			s.until("risen", func() bool { return s.settled(1) && s.settled(2) && s.settled(3) })
			s.version(3)
			s.until("v3 is served", func() bool { return s.serves(1) && s.serves(2) && s.serves(3) })
			s.under("left", effects.UpgradeLockKey)
			_, err = s.etcd.Swap(s.context(), s.urls(1), effects.EtcdKey{Key: effects.UpgradeLockKey, Value: "{other}"}, effects.JoinLockKey)
			s.note("take it again: %s", outcome(err))
			l, err := s.etcd.HoldLock(s.context(), s.urls(2), effects.JoinLockKey, "j", time.Minute, effects.UpgradeLockKey)
			s.note("join: %s, owner %q", outcome(err), l.Owner)
			for key, revision := range map[string]int64{effects.UpgradeLockKey: held, effects.UpgradeHaltKey: halted} {
				_, err = s.etcd.Swap(s.context(), s.urls(3), effects.EtcdKey{Key: key, Revision: revision})
				s.note("release: %s", outcome(err))
			}
			s.under("left", effects.KeyPrefix)
			l, err = s.etcd.HoldLock(s.context(), s.urls(2), effects.JoinLockKey, "j", time.Minute, effects.UpgradeLockKey)
			s.note("join: %s, owner %q", outcome(err), l.Owner)
			_, err = s.etcd.Swap(s.context(), s.urls(1), effects.EtcdKey{Key: effects.UpgradeLockKey, Value: "{other}"}, effects.JoinLockKey)
			s.note("take it again: %s", outcome(err))
			s.under("v3", effects.KeyPrefix)
			s.add(4, 1)
			s.join(4, 1, 2, 3, 4)
			s.members(1)
		},
		want: `
			halt: ok
			take: ok
			exit 1: stopped
			version 1: 2.3
			status 1: voter, knows the leader
			exit 2: stopped
			version 2: 2.3
			status 2: voter, knows the leader
			exit 3: stopped
			version 3: 3.0
			left: ok [upgrade={held} upgrade-halted={halted}]
			take it again: changed
			join: ok, owner ""
			release: ok
			release: ok
			left: ok []
			join: ok, owner "j"
			take it again: changed
			v3: ok [join=j]
			add 4: ok
			members: 1 2 3 4`,
	},
	{
		name: "3.0 dies of the snapshot of a 2.3 leader, and one that joined as 2.3 does not", v2: true, snapshots: 50,
		run: func(s *script) {
			s.form(1, 2, 3)
			for _, n := range []int{1, 2, 3} { // they forget what is before the snapshot
				s.note("advance: %s", outcome(s.etcd.Advance(s.context(), s.url(n), 200)))
				s.stop(n)
				s.start(n, states.ClusterRestart)
				s.until("restarted", func() bool { return s.serves(n) && s.lists(n) })
			}
			s.add(4, 1)
			s.older = v30
			s.start(4, states.ClusterExisting, 1, 2, 3, 4)
			s.exit(4)
			s.remove(s.id(4, 1), 4, 1)
			s.lose(4)
			s.older = states.MinorVersion{}
			s.pass(time.Second) // or it is given the same ID
			s.add(4, 1)
			s.join(4, 1, 2, 3, 4)
			s.until("it has caught up", func() bool { return s.lists(4) })
			s.stop(4)
			s.older = v30
			s.start(4, states.ClusterRestart)
			s.until("it serves", func() bool { return s.serves(4) && s.lists(4) })
			s.members(4)
			s.version(4)
		},
		want: `
			advance: ok
			exit 1: stopped
			advance: ok
			exit 2: stopped
			advance: ok
			exit 3: stopped
			add 4: ok
			exit 4: corrupt
			remove 4: ok
			add 4: ok
			exit 4: stopped
			members: 1 2 3 4
			version 4: 2.3`,
	},
	{
		name: "2.3 joins through the snapshot of a 3.0 leader, and 3.0 cannot go back", v2: true, snapshots: 50,
		run: func(s *script) {
			s.form(1, 2, 3)
			for _, n := range []int{1, 2} {
				s.stop(n)
				s.older = v30
				s.start(n, states.ClusterRestart)
				s.until("restarted", func() bool { return s.serves(n) && s.lists(n) })
				s.note("advance: %s", outcome(s.etcd.Advance(s.context(), s.url(n), 200)))
				s.older = states.MinorVersion{}
			}
			if s.leader(1, 2, 3) == 3 {
				s.kill(3)
				s.until("another leads", func() bool { return s.leader(1, 2) != 3 && s.lists(1) })
				s.start(3, states.ClusterRestart)
				s.until("restarted", func() bool { return s.serves(3) && s.lists(3) })
			}
			s.add(4, 1)
			s.join(4, 1, 2, 3, 4)
			s.until("it has caught up", func() bool { return s.lists(4) })
			s.members(4)
			s.stop(1)
			s.start(1, states.ClusterRestart)
			s.exit(1)
			s.older = v30
			s.start(1, states.ClusterRestart)
			s.until("it serves again", func() bool { return s.serves(1) && s.lists(1) })
			s.stop(1)
			// Where the record beside the data is lost, the database is not set aside for the older server.
			if err := s.process(1).Start(states.StartEtcd{Minor: states.MinorVersion{Major: 2, Minor: 3}, Name: name(1), Address: s.address(1)}); err != nil {
				s.t.Fatal(err)
			}
			s.exit(1)
		},
		want: `
			exit 1: stopped
			advance: ok
			exit 2: stopped
			advance: ok
			add 4: ok
			members: 1 2 3 4
			exit 1: stopped
			exit 1: corrupt
			exit 1: stopped
			exit 1: newer`,
	},
}

// under notes the keys under a prefix.
func (s *script) under(what, prefix string) {
	list, err := s.etcd.Keys(s.context(), s.urls(1), prefix)
	var all []string
	for _, k := range list {
		all = append(all, strings.TrimPrefix(k.Key, effects.KeyPrefix)+"="+k.Value)
	}
	s.note("%s: %s [%s]", what, outcome(err), strings.Join(all, " "))
}
