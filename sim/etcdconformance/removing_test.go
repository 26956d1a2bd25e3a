package etcdconformance

import (
	"github.com/etcd-appliance/etcd-appliance/states"
)

var removing = []testCase{
	{
		name: "nothing is added while a voter of three is down; remove it first", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.addLearner(4, 1) // all are connected for 5 s then
			s.remove(s.id(4, 1), 4, 1)
			dead := s.id(3, 1)
			s.kill(3)
			s.add(4, 1)
			s.addLearner(4, 1)
			s.note("remove 3: %s", outcome(s.etcd.RemoveMember(s.context(), s.urls(1), dead))) // at once
			s.add(4, 1)
			s.members(1)
		},
		want: `
			add learner 4: ok
			remove 4: ok
			add 4: unhealthy
			add learner 4: unhealthy
			remove 3: ok
			add 4: ok
			members: 1 2 4-nameless`,
	},
	{
		name: "one may be added while a voter of five is down", // since 3.5.30, 3.6.11 and 3.7
		run: func(s *script) {
			s.form(1, 2, 3, 4, 5)
			s.kill(5)
			s.addLearner(6, 1)
			s.members(1)
		},
		want: `
			add learner 6: ok
			members: 1 2 3 4 5 6-nameless-learner`,
	},
	{
		name: "a healthy voter is not removed where that takes the quorum away", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.addLearner(4, 1)
			s.kill(3)
			s.remove(s.id(2, 1), 2, 1)
			s.remove(s.id(4, 1), 4, 1) // learners do not matter
			s.remove(s.id(3, 1), 3, 1)
			s.members(1)
			s.remove(s.id(2, 1), 2, 1) // of two healthy ones, one may go
			s.exit(2)
			s.note("disk %d", s.disk(2).Inspect().State)
			s.until("1 leads", func() bool { return s.lists(1) })
			s.members(1)
			s.note("remove the last: %s", outcome(s.etcd.RemoveMember(s.context(), s.urls(1), s.id(1, 1))))
		},
		want: `
			add learner 4: ok
			remove 2: unhealthy
			remove 4: ok
			remove 3: ok
			members: 1 2
			remove 2: ok
			exit 2: removed
			disk 2
			members: 1
			remove the last: unhealthy`,
	},
	{
		name: "a member that was removed while it was down learns it when it is back",
		run: func(s *script) {
			s.form(1, 2, 3)
			leader := s.leader(1, 2, 3)
			dead := others(leader, 1, 2, 3)[0]
			id := s.id(dead, leader)
			s.kill(dead)
			s.note("remove: %s", outcome(s.etcd.RemoveMember(s.context(), s.urls(leader), id)))
			for range 2 {
				s.start(dead, states.ClusterRestart)
				s.until("it ends", func() bool { return s.process(dead).Inspect().Running == states.No })
				s.note("%s", reasons[s.process(dead).Inspect().Reason])
			}
		},
		want: `
			remove: ok
			removed
			removed`,
	},
	{
		name: "a leader can be removed",
		run: func(s *script) {
			s.form(1, 2, 3)
			leader := s.leader(1, 2, 3)
			rest := others(leader, 1, 2, 3)
			err := s.patiently(func() error { return s.etcd.RemoveMember(s.context(), s.urls(rest...), s.id(leader, rest...)) })
			s.note("remove: %s", outcome(err))
			s.until("it exits", func() bool { return s.process(leader).Inspect().Reason == states.ExitRemoved })
			s.leader(rest...)
			list, err := s.etcd.Members(s.context(), s.urls(rest...))
			s.note("members: %d, %s", len(list.Members), outcome(err))
		},
		want: `
			remove: ok
			members: 2, ok`,
	},
}
