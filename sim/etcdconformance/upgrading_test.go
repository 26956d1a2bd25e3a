package etcdconformance

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var upgrading = []testCase{
	{
		name: "the cluster version follows when the last member is upgraded, and never goes back",
		run: func(s *script) {
			s.older = states.MinorVersion{Major: 3, Minor: 6}
			s.form(1, 2, 3)
			s.version(1)
			for _, n := range []int{1, 2, 3} {
				s.older = states.MinorVersion{Major: 3, Minor: 6}
				s.stop(n)
				if n == 2 { // back, while it is still possible
					s.start(n, states.ClusterRestart)
					s.until("2 serves", func() bool { return s.serves(n) })
					s.stop(n)
				}
				s.older = states.MinorVersion{}
				s.start(n, states.ClusterRestart)
				s.until("restarted", func() bool { return s.serves(n) })
				if n == 2 {
					s.pass(5 * time.Second)
					s.version(n)
				}
			}
			s.until("settled", func() bool { return s.settled(3) && s.settled(1) })
			s.version(3)
			s.kill(1)
			s.older = states.MinorVersion{Major: 3, Minor: 6}
			s.start(1, states.ClusterRestart)
			s.exit(1)
		},
		want: `
			version 1: 3.6
			exit 1: stopped
			exit 2: stopped
			exit 2: stopped
			version 2: 3.6
			exit 3: stopped
			version 3: 3.7
			exit 1: newer`,
	},
	{
		name: "a server older than the cluster cannot join it, a newer one can",
		run: func(s *script) {
			s.older = states.MinorVersion{Major: 3, Minor: 6}
			s.form(1)
			s.addLearner(2, 1)
			s.older = states.MinorVersion{Major: 3, Minor: 5}
			s.start(2, states.ClusterExisting, 1, 2)
			s.exit(2)
			s.older = states.MinorVersion{}
			s.join(2, 1, 2)
			s.members(1)
			s.version(2)
		},
		want: `
			add learner 2: ok
			exit 2: refused
			members: 1 2-learner
			version 2: 3.6`,
	},
	{
		name: "nobody joins a cluster whose version is not decided",
		run: func(s *script) {
			s.start(1, states.ClusterNew, 1, 2)
			s.listens(1)
			s.start(3, states.ClusterExisting, 1, 3)
			s.exit(3)
		},
		want: `exit 3: stale`,
	},
	{
		name: "3.7 dies of what 3.5 has written, until 3.6 is started a second time",
		run: func(s *script) {
			v35, v36 := states.MinorVersion{Major: 3, Minor: 5}, states.MinorVersion{Major: 3, Minor: 6}
			s.older = v35
			s.form(1)
			s.stop(1)
			s.older = states.MinorVersion{} // two minors at once: nothing forbids it
			s.start(1, states.ClusterRestart)
			s.exit(1)
			s.older = v36
			s.start(1, states.ClusterRestart)
			s.until("settled", func() bool { return s.settled(1) && s.lists(1) })
			s.stop(1)
			for range 2 {
				s.older = states.MinorVersion{}
				s.start(1, states.ClusterRestart)
				s.until("it ends, or serves", func() bool { return s.process(1).Inspect().Running == states.No || s.lists(1) })
				s.note("%s", reasons[s.process(1).Inspect().Reason])
				if s.process(1).Inspect().Running == states.Yes {
					break
				}
				s.older = v36
				s.start(1, states.ClusterRestart)
				s.until("1 serves", func() bool { return s.lists(1) })
				s.stop(1)
			}
			s.members(1)
		},
		want: `
			exit 1: stopped
			exit 1: refused
			exit 1: stopped
			refused
			exit 1: stopped
			none
			members: 1`,
	},
	{
		name: "3.7 joins what was 3.5 only through a snapshot",
		run: func(s *script) {
			v35, v36 := states.MinorVersion{Major: 3, Minor: 5}, states.MinorVersion{Major: 3, Minor: 6}
			s.older = v35
			s.form(1)
			s.stop(1)
			s.older = v36
			s.start(1, states.ClusterRestart)
			s.until("settled", func() bool { return s.settled(1) && s.lists(1) })
			s.addLearner(2, 1)
			s.older = states.MinorVersion{}
			s.start(2, states.ClusterExisting, 1, 2)
			s.exit(2)
			s.orders("write", s.operator(1).write(150)) // 3.6 drops the log in memory every 100 entries
			s.remove(s.id(2, 1), 2, 1)
			s.lose(2)
			s.pass(1100 * time.Millisecond) // in the same second it would get the same ID, which was removed
			s.addLearner(2, 1)
			s.join(2, 1, 2)
			s.members(1)
			s.version(2)
		},
		want: `
			exit 1: stopped
			add learner 2: ok
			exit 2: refused
			write: ok
			remove 2: ok
			add learner 2: ok
			members: 1 2-learner
			version 2: 3.6`,
	},
	{
		name: "a downgrade that is enabled opens the way back, and no way in",
		run: func(s *script) {
			v36 := states.MinorVersion{Major: 3, Minor: 6}
			s.form(1, 2, 3)
			s.addLearner(4, 1)
			s.orders("downgrade by two", s.operator(1).downgrade(states.MinorVersion{Major: 3, Minor: 5}))
			s.orders("downgrade", s.operator(1).downgrade(v36))
			s.pass(9 * time.Second)
			s.version(1) // not before every member has answered
			s.remove(s.id(4, 1), 4, 1)
			s.older = v36
			s.until("lowered", func() bool { return s.settled(1) && s.settled(2) && s.settled(3) })
			s.addLearner(5, 1)
			for _, minor := range []states.MinorVersion{v36, {}} {
				s.older = minor
				s.start(5, states.ClusterExisting, 1, 2, 3, 5)
				s.exit(5)
			}
			s.older = v36
			s.remove(s.id(5, 1), 5, 1)
			s.pass(6 * time.Second) // the storage version follows the cluster version
			for _, n := range []int{1, 2, 3} {
				s.stop(n)
				s.start(n, states.ClusterRestart)
				s.until("restarted", func() bool { return s.serves(n) })
			}
			s.members(3)
			s.version(3)
		},
		want: `
			add learner 4: ok
			downgrade by two: refused
			downgrade: ok
			version 1: 3.7
			remove 4: ok
			add learner 5: ok
			exit 5: refused
			exit 5: refused
			remove 5: ok
			exit 1: stopped
			exit 2: stopped
			exit 3: stopped
			members: 1 2 3
			version 3: 3.6`,
	},
	{
		name: "servers of two minors form, join and lead one cluster",
		run: func(s *script) {
			s.older = states.MinorVersion{Major: 3, Minor: 6}
			s.form(1, 2, 3)
			s.stop(1)
			s.older = states.MinorVersion{}
			s.start(1, states.ClusterRestart)
			s.until("1 serves", func() bool { return s.lists(1) })
			for _, to := range []int{1, 2, 1} { // the new leads the old, and the old the new
				leader := s.leader(1, 2, 3)
				if leader != to {
					s.note("move: %s", outcome(s.etcd.MoveLeader(s.context(), s.url(leader), s.id(to, leader))))
				}
				s.until("it leads", func() bool { return s.leader(1, 2, 3) == to && s.lists(1) && s.lists(2) })
				s.orders("write", s.operator(1).write(1))
			}
			s.addLearner(4, 2)
			s.join(4, 1, 2, 3, 4)
			s.until("in sync", func() bool { return outcome(s.etcd.PromoteMember(s.context(), s.urls(2), s.id(4, 2))) == "ok" })
			s.members(2)
			s.version(1)
			s.stop(4) // 3.6 on it: the cluster is 3.6 still
			s.older = states.MinorVersion{Major: 3, Minor: 6}
			s.start(4, states.ClusterRestart)
			s.until("4 serves", func() bool { return s.serves(4) })
			s.version(4)
		},
		want: `
			exit 1: stopped
			move: ok
			write: ok
			move: ok
			write: ok
			move: ok
			write: ok
			add learner 4: ok
			members: 1 2 3 4
			version 1: 3.6
			exit 4: stopped
			version 4: 3.6`,
	},
}
