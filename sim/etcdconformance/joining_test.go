package etcdconformance

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

var joining = []testCase{
	{
		name: "a learner joins and is promoted", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.addLearner(4, 1)
			s.addLearner(5, 1) // one at a time
			id := s.id(4, 1)
			s.promote(id, 4, 1) // not started
			s.members(1)
			s.join(4, 1, 2, 3, 4)
			s.status(4)
			s.members(1)
			s.members(4) // a learner does not tell
			s.note("add through the learner: %s", outcome(s.addOnce(5, false, 4)))
			s.note("hold through the learner: %s", outcome(s.hold(s.etcd, "a", 4)))
			s.note("hold through the learner or 1: %s", outcome(s.hold(s.etcd, "a", 4, 1)))
			s.until("in sync", func() bool { return outcome(s.etcd.PromoteMember(s.context(), s.urls(4, 1), id)) == "ok" })
			s.promote(id, 4, 1)
			s.members(4)
			s.status(4)
		},
		want: `
			add learner 4: ok
			add learner 5: too many learners
			promote 4: not in sync
			members: 1 2 3 4-nameless-learner
			status 4: learner, knows the leader
			members: 1 2 3 4-learner
			members: unknown
			add through the learner: unknown
			hold through the learner: unknown
			hold through the learner or 1: ok
			promote 4: not a learner
			members: 1 2 3 4
			status 4: voter, knows the leader`,
	},
	{
		name: "a join must name the living members, each once",
		run: func(s *script) {
			s.form(1, 2, 3)
			s.addLearner(4, 1)
			for _, list := range [][]int{{1, 2, 4}, {1, 2, 4, 5}, {4, 8, 9}} {
				s.start(4, states.ClusterExisting, list...)
				s.exit(4)
				s.note("disk %d", s.disk(4).Inspect().State)
			}
			s.start(5, states.ClusterExisting, 1, 2, 3, 5) // never added
			s.exit(5)
			s.join(4, 4, 3, 2, 1)
			s.members(1)
		},
		want: `
			add learner 4: ok
			exit 4: stale
			disk 1
			exit 4: stale
			disk 1
			exit 4: stale
			disk 1
			exit 5: stale
			members: 1 2 3 4-learner`,
	},
	{
		name: "what is there cannot be added, and what is not there cannot be changed",
		run: func(s *script) {
			s.form(1)
			s.add(1, 1)
			s.addLearner(1, 1)
			s.remove(12345, 9, 1)
			s.promote(12345, 9, 1)
			s.promote(s.id(1, 1), 1, 1)
			s.members(1)
		},
		want: `
			add 1: exists
			add learner 1: exists
			remove 9: not found
			promote 9: not found
			promote 1: not a learner
			members: 1`,
	},
	{
		name: "the second voter takes the quorum away until it starts",
		run: func(s *script) {
			s.form(1)
			s.add(2, 1)
			s.until("no leader", func() bool { return !s.serves(1) })
			s.members(1)
			s.note("add 3: %s", outcome(s.addOnce(3, false, 1)))
			s.ask(1)
			s.join(2, 1, 2)
			s.members(2)
		},
		want: `
			add 2: ok
			members: unknown
			add 3: unhealthy
			ask 1: 1 2-nameless
			members: 1 2`,
	},
	{
		name: "voters that have not started count", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.add(4, 1)
			s.add(5, 1) // 3 of 5 are there: no slack at all, and etcd allows it
			s.add(6, 1)
			s.members(1)
			for _, n := range []int{5, 4} {
				s.remove(s.id(n, 1), n, 1)
			}
			s.pass(1100 * time.Millisecond) // IDs are made of the address and the second
			s.add(4, 1)
			s.members(1)
		},
		want: `
			add 4: ok
			add 5: ok
			add 6: unhealthy
			members: 1 2 3 4-nameless 5-nameless
			remove 5: ok
			remove 4: ok
			add 4: ok
			members: 1 2 3 4-nameless`,
	},
	{
		name: "nothing is added while servers are connected for less than 5 s", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			s.stop(3)
			s.start(3, states.ClusterRestart)
			s.until("3 serves", func() bool { return s.serves(3) })
			s.note("at once, through it: %s", outcome(s.addOnce(4, true, 3)))
			s.note("at once, through another: %s", outcome(s.addOnce(4, true, 1)))
			s.note("in time: %s", outcome(s.patiently(func() error { return s.addOnce(4, true, 3) })))
		},
		want: `
			exit 3: stopped
			at once, through it: unhealthy
			at once, through another: unhealthy
			in time: ok`,
	},
	{
		name: "the same peer URL gets another ID in another second",
		run: func(s *script) {
			s.form(1)
			s.addLearner(2, 1)
			first := s.id(2, 1)
			s.remove(first, 2, 1)
			s.pass(1100 * time.Millisecond)
			s.addLearner(2, 1)
			s.note("same ID: %v", first == s.id(2, 1))
			s.note("remove the first again: %s", outcome(s.etcd.RemoveMember(s.context(), s.urls(1), first)))
		},
		want: `
			add learner 2: ok
			remove 2: ok
			add learner 2: ok
			same ID: false
			remove the first again: not found`,
	},
}

// hold takes a lock for a long time.
func (s *script) hold(client effects.Etcd, owner string, via ...int) error {
	_, err := client.HoldLock(s.context(), s.urls(via...), "lock", owner, time.Minute)
	return err
}
