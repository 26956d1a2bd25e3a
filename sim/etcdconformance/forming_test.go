package etcdconformance

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var forming = []testCase{
	{
		name: "a cluster of one forms",
		run: func(s *script) {
			s.form(1)
			s.members(1)
			s.ask(1)
		},
		want: `
			members: 1
			ask 1: 1`,
	},
	{
		name: "three form", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.members(1)
			leader := s.leader(1, 2, 3)
			st, err := s.etcd.Status(s.context(), s.url(leader))
			s.note("status: %s, leads %v, learner %v, version %v, errors %d", outcome(err),
				st.MemberID == s.id(leader, 1) && st.Leader == st.MemberID, st.Learner, st.Version.MinorOf() == s.minor(), len(st.Errors))
			a, err := s.peers().Ask(s.context(), s.address(1))
			s.note("ask: %s, same cluster %v", outcome(err), a.ClusterID == st.ClusterID)
			list, err := s.etcd.Members(s.context(), s.urls(9, 3)) // nobody at 9
			s.note("members: %s, same cluster %v, client URL %v", outcome(err), list.ClusterID == st.ClusterID, list.Members[0].ClientURL != "")
			s.note("told by the one that answered: %v", list.By == s.id(3, 1))
		},
		want: `
			members: 1 2 3
			status: ok, leads true, learner false, version true, errors 0
			ask: ok, same cluster true
			members: ok, same cluster true, client URL true
			told by the one that answered: true`,
	},
	{
		name: "a minority of a new cluster tells its members on the peer port, and serves nothing",
		run: func(s *script) {
			s.start(1, states.ClusterNew, 1, 2, 3)
			s.listens(1)
			s.pass(3 * time.Second)
			s.ask(1)
			s.ask(2)
			a, _ := s.peers().Ask(s.context(), s.address(1))
			s.note("version decided: %v", a.ClusterVersion.Known())
			s.status(1)
			s.members(1)
			s.members(2)
			s.stop(1)
			s.note("disk %d", s.disk(1).Inspect().State)
		},
		want: `
			ask 1: 1-unpublished 2-unpublished 3-unpublished
			ask 2: refused
			version decided: false
			status 1: unknown
			members: unknown
			members: refused
			exit 1: stopped
			disk 2`,
	},
	{
		name: "the cluster version is not settled until every member has answered",
		run: func(s *script) {
			s.start(1, states.ClusterNew, 1, 2, 3)
			s.start(2, states.ClusterNew, 1, 2, 3)
			s.until("2 of 3 serve", func() bool { return s.serves(1) && s.serves(2) })
			s.pass(5 * time.Second)
			s.version(1)
			s.members(1)
			s.start(3, states.ClusterNew, 1, 2, 3)
			s.until("settled", func() bool { return s.settled(3) })
			s.version(3)
			s.members(3)
		},
		want: `
			version 1: 3.0
			members: 1 2 3-unpublished
			version 3: 3.7
			members: 1 2 3`,
	},
	{
		name: "a member that has lost its data is not bootstrapped twice",
		run: func(s *script) {
			s.form(1, 2, 3)
			s.lose(3)
			s.note("disk %d", s.disk(3).Inspect().State)
			s.start(3, states.ClusterNew, 1, 2, 3)
			s.exit(3)
			s.note("disk %d", s.disk(3).Inspect().State)
			s.until("a leader, if the lost one led", func() bool { return s.lists(1) })
			s.members(1)
		},
		want: `
			disk 1
			exit 3: bootstrapped
			disk 1
			members: 1 2 3`,
	},
	{
		name: "data restarts under its own ID, after a stop and after a kill",
		run: func(s *script) {
			s.form(1, 2, 3)
			before := s.id(2, 1)
			s.stop(2)
			s.start(2, states.ClusterRestart)
			s.until("2 serves", func() bool { return s.serves(2) })
			s.note("exits %d", s.process(2).Inspect().Exits)
			for _, n := range []int{1, 2, 3} {
				s.kill(n)
			}
			s.exit(2)
			s.note("exits %d", s.process(2).Inspect().Exits)
			for _, n := range []int{1, 2, 3} {
				s.start(n, states.ClusterRestart)
			}
			s.until("all serve", func() bool { return s.serves(1) && s.serves(2) && s.serves(3) })
			s.note("same ID: %v", before == s.id(2, 1))
			s.members(2)
		},
		want: `
			exit 2: stopped
			exits 0
			exit 2: crash
			exits 1
			same ID: true
			members: 1 2 3`,
	},
}
