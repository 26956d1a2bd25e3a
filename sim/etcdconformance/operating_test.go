package etcdconformance

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

var operating = []testCase{
	{
		name: "under NOSPACE locks are kept, read and given up, and not taken", everyMinor: true,
		run: func(s *script) {
			s.form(1, 2, 3)
			a, b := s.etcd, s.stage.etcd()
			s.locks(a, "a", 1)
			id := s.id(2, 1)
			s.orders("raise", s.operator(1).raise("NOSPACE", id))
			s.errors(3)
			s.locks(a, "a", 1)
			s.locks(b, "b", 1)
			s.orders("write", s.operator(1).write(1))
			s.addLearner(4, 1)
			s.remove(s.id(4, 1), 4, 1)
			s.note("release a: %s", outcome(a.ReleaseLock(s.context(), s.urls(1), "lock", "a")))
			s.locks(b, "b", 1)
			s.stop(3)
			s.start(3, states.ClusterRestart)
			s.until("3 serves", func() bool { return s.serves(3) })
			s.errors(3)
			s.orders("disarm", s.operator(1).disarm("NOSPACE", id))
			s.errors(3)
			s.locks(b, "b", 1)
		},
		want: `
			hold a: ok, owner a
			raise: ok
			errors 3: ok NOSPACE
			hold a: ok, owner a
			hold b: ok, owner a
			write: refused
			add learner 4: ok
			remove 4: ok
			release a: ok
			hold b: unknown, owner
			exit 3: stopped
			errors 3: ok NOSPACE
			disarm: ok
			errors 3: ok
			hold b: ok, owner b`,
	},
	{
		name: "under CORRUPT keys and leases stay as they are", everyMinor: true,
		run: func(s *script) {
			s.form(1)
			a, b := s.etcd, s.stage.etcd()
			s.locks(a, "a", 1)
			id := s.id(1, 1)
			s.orders("raise", s.operator(1).raise("CORRUPT", id))
			s.errors(1)
			s.locks(a, "a", 1)
			s.locks(b, "b", 1)
			s.orders("write", s.operator(1).write(1))
			s.note("release a: %s", outcome(a.ReleaseLock(s.context(), s.urls(1), "lock", "a")))
			s.members(1)
			s.addLearner(2, 1)
			s.orders("disarm", s.operator(1).disarm("CORRUPT", id))
			s.note("release a: %s", outcome(a.ReleaseLock(s.context(), s.urls(1), "lock", "a")))
		},
		want: `
			hold a: ok, owner a
			raise: ok
			errors 1: ok CORRUPT
			hold a: ok, owner a
			hold b: ok, owner a
			write: refused
			release a: unknown
			members: 1
			add learner 2: ok
			disarm: ok
			release a: ok`,
	},
	{
		name: "with authentication only the peer port answers a stranger", everyMinor: true,
		run: func(s *script) {
			s.form(1)
			s.orders("protect", s.operator(1).protect(true))
			s.status(1)
			s.members(1)
			s.note("add: %s", outcome(s.addOnce(2, true, 1)))
			s.note("remove: %s", outcome(s.etcd.RemoveMember(s.context(), s.urls(1), 12345)))
			s.locks(s.etcd, "a", 1)
			s.ask(1)
			s.orders("open", s.operator(1).protect(false))
			s.members(1)
		},
		want: `
			protect: ok
			status 1: unknown
			members: unknown
			add: unknown
			remove: unknown
			hold a: unknown, owner
			ask 1: 1
			open: ok
			members: 1`,
	},
	{
		name: "each new leader gives leases their whole time again",
		run: func(s *script) {
			s.form(1, 2, 3)
			other := s.stage.etcd()
			hold := func(client effects.Etcd, owner string) string {
				l, _ := client.HoldLock(s.context(), s.urls(1, 2, 3), "lock", owner, 4*time.Second)
				return l.Owner
			}
			s.note("%s", hold(s.etcd, "a"))
			for range 4 {
				s.pass(2 * time.Second)
				leader := s.leader(1, 2, 3)
				to := others(leader, 1, 2, 3)[0]
				s.note("move: %s", outcome(s.etcd.MoveLeader(s.context(), s.url(leader), s.id(to, leader))))
			}
			s.until("somebody reads", func() bool { return s.lists(1) })
			s.note("after 8 s of 4: %s", hold(other, "b"))
			s.until("expired", func() bool { return hold(other, "b") == "b" })
		},
		want: `
			a
			move: ok
			move: ok
			move: ok
			move: ok
			after 8 s of 4: a`,
	},
}

// locks holds the lock for a minute, and notes who has it then.
func (s *script) locks(client effects.Etcd, owner string, via ...int) {
	l, err := client.HoldLock(s.context(), s.urls(via...), "lock", owner, time.Minute)
	text := "hold " + owner + ": " + outcome(err) + ", owner"
	if l.Owner != "" {
		text += " " + l.Owner
	}
	s.note("%s", text)
}
