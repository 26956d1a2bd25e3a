package etcdconformance

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var losing = []testCase{
	{
		name: "without quorum a server still tells its status and its members",
		run: func(s *script) {
			s.form(1, 2, 3)
			s.kill(2)
			s.kill(3)
			s.until("no leader", func() bool { return !s.serves(1) })
			s.status(1)
			s.members(1, 2, 3)
			s.ask(1)
			s.note("add: %s", outcome(s.addOnce(4, true, 1)))
			s.note("hold: %s", outcome(s.hold(s.etcd, "a", 1)))
			s.start(2, states.ClusterRestart)
			s.until("leader", func() bool { return s.serves(1) && s.serves(2) })
			s.members(1)
		},
		want: `
			status 1: voter, no leader
			members: refused
			ask 1: 1 2 3
			add: unhealthy
			hold: unknown
			members: 1 2 3`,
	},
	{
		name: "a server that restarts without quorum answers on its peer port only",
		run: func(s *script) {
			s.form(1, 2, 3)
			s.pass(2 * time.Second) // what is newer may not have reached the database when the process is killed
			for _, n := range []int{1, 2, 3} {
				s.kill(n)
			}
			s.start(1, states.ClusterRestart)
			s.listens(1)
			s.ask(1)
			s.version(1)
			s.status(1)
			s.members(1)
		},
		want: `
			ask 1: 1 2 3
			version 1: 3.7
			status 1: unknown
			members: unknown`,
	},
	{
		name: "a hung leader is replaced, and takes its place among the others when it comes back",
		run: func(s *script) {
			s.form(1, 2, 3)
			hung := s.leader(1, 2, 3)
			rest := others(hung, 1, 2, 3)
			s.hang(hung, true)
			s.until("another leads", func() bool {
				st, err := s.etcd.Status(s.context(), s.url(rest[0]))
				return err == nil && st.Leader != 0 && st.Leader != s.id(hung, rest...)
			})
			_, err := s.etcd.Status(s.context(), s.url(hung))
			s.note("status: %s", outcome(err))
			_, err = s.peers().Ask(s.context(), s.address(hung))
			s.note("ask: %s", outcome(err))
			s.members(hung, rest[0])
			s.hang(hung, false)
			s.until("it follows", func() bool {
				st, err := s.etcd.Status(s.context(), s.url(hung))
				return err == nil && st.Leader != 0 && st.Leader != st.MemberID
			})
			s.until("it serves", func() bool { return s.lists(hung) })
			s.members(hung)
		},
		want: `
			status: unknown
			ask: unknown
			members: 1 2 3
			members: 1 2 3`,
	},
	{
		name: "a server whose disk has stalled says what it said before, and does nothing",
		run: func(s *script) {
			s.form(1, 2, 3)
			leader := s.leader(1, 2, 3)
			rest := others(leader, 1, 2, 3)
			s.stall(rest[0], true)
			lock := byte('a')
			write := func() error { // without something to write nobody would notice
				lock++
				_, err := s.etcd.HoldLock(s.context(), s.urls(leader), string(lock), "owner", time.Minute)
				return err
			}
			s.until("it reads nothing", func() bool {
				if err := write(); err != nil {
					s.note("the others write: %s", outcome(err))
				}
				return !s.lists(rest[0])
			})
			s.pass(3 * time.Second)
			s.note("the follower hears a leader: %v", s.serves(rest[0]))
			s.addLearner(4, leader) // its connections count
			s.stall(rest[0], false)
			s.until("it serves", func() bool { return s.lists(rest[0]) })

			s.stall(leader, true)
			s.until("it writes nothing", func() bool { return write() != nil })
			id := s.id(leader, rest...)
			s.until("another leads", func() bool {
				st, err := s.etcd.Status(s.context(), s.url(rest[0]))
				return err == nil && st.Leader != 0 && st.Leader != id
			})
			s.pass(3 * time.Second)
			st, err := s.etcd.Status(s.context(), s.url(leader))
			s.note("the leader of before leads: %v, %s", st.Leader == st.MemberID, outcome(err))
			s.note("it reads: %v, the others: %v", s.lists(leader), s.lists(rest[0]))
			s.stall(leader, false)
			s.until("it follows", func() bool {
				st, err := s.etcd.Status(s.context(), s.url(leader))
				return err == nil && st.Leader != 0 && st.Leader != st.MemberID && s.lists(leader)
			})
		},
		want: `
			the follower hears a leader: true
			add learner 4: ok
			the leader of before leads: true, ok
			it reads: false, the others: true`,
	},
	{
		name: "leadership moves where the leader sends it", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			leader := s.leader(1, 2, 3)
			rest := others(leader, 1, 2, 3)
			move := func(from int, to uint64) string {
				return outcome(s.etcd.MoveLeader(s.context(), s.url(from), to))
			}
			s.note("from a follower: %s", move(rest[0], s.id(rest[1], leader)))
			s.note("to nobody: %s", move(leader, 12345))
			s.note("to a follower: %s", move(leader, s.id(rest[0], leader)))
			s.note("it leads: %v", s.leader(1, 2, 3) == rest[0])
			s.note("again: %s", move(leader, s.id(rest[0], leader)))
			if err := s.process(rest[0]).Stop(); err != nil {
				s.t.Fatal(err)
			}
			s.until("it stops", func() bool { return s.process(rest[0]).Inspect().Reason == states.ExitStopped })
			s.note("serves: %v", s.serves(leader)) // a clean stop hands over first
		},
		want: `
			from a follower: not the leader
			to nobody: unknown
			to a follower: ok
			it leads: true
			again: not the leader
			serves: true`,
	},
	{
		name: "a member that has lost its data cannot come back under its ID while the leader remembers it",
		run: func(s *script) {
			s.form(1, 2, 3)
			lost := others(s.leader(1, 2, 3), 1, 2, 3)[0]
			s.lose(lost)
			s.start(lost, states.ClusterExisting, 1, 2, 3)
			s.until("it ends", func() bool { return s.process(lost).Inspect().Running == states.No })
			s.note("%s", reasons[s.process(lost).Inspect().Reason]) // tocommit(N) is out of range [lastIndex(0)]
		},
		want: `corrupt`,
	},
	{
		name: "what was asked for without quorum comes to pass when the quorum is back", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.until("all are known", func() bool { return s.lists(1) && s.lists(2) && s.lists(3) })
			leader := s.leader(1, 2, 3)
			rest := others(leader, 1, 2, 3)
			gone := s.id(rest[1], leader)
			s.kill(rest[1])
			s.kill(rest[0])
			s.note("remove: %s", outcome(s.etcd.RemoveMember(s.context(), s.urls(leader), gone))) // at once, while it leads
			a, err := s.peers().Ask(s.context(), s.address(leader))
			s.note("members: %d, %s", len(a.Members), outcome(err))
			s.start(rest[0], states.ClusterRestart)
			s.until("quorum", func() bool { return s.lists(leader) && s.lists(rest[0]) })
			list, err := s.etcd.Members(s.context(), s.urls(rest[0]))
			s.note("members: %d, %s", len(list.Members), outcome(err))
			s.start(rest[1], states.ClusterRestart)
			s.until("it ends", func() bool { return s.process(rest[1]).Inspect().Running == states.No })
			s.note("%s", reasons[s.process(rest[1]).Inspect().Reason])
		},
		want: `
			remove: unknown
			members: 3, ok
			members: 2, ok
			removed`,
	},
}
