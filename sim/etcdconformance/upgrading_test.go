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
			exit 1: refused`,
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
}
