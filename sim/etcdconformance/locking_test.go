package etcdconformance

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

var locking = []testCase{
	{
		name: "a lock has one owner", everyMinor: true,
		run: func(s *script) {
			s.form(1)
			hold := func(client effects.Etcd, owner string) effects.EtcdLock {
				l, err := client.HoldLock(s.context(), s.urls(1), "lock", owner, time.Minute)
				s.note("hold %s: %s, owner %s", owner, outcome(err), l.Owner)
				return l
			}
			release := func(client effects.Etcd, owner string) {
				s.note("release %s: %s", owner, outcome(client.ReleaseLock(s.context(), s.urls(1), "lock", owner)))
			}
			a, b := s.etcd, s.stage.etcd()
			release(a, "a") // nobody's
			first := hold(a, "a")
			s.note("kept at its revision: %v", hold(a, "a") == first)
			s.note("seen by others at it: %v", hold(b, "b") == first)
			release(b, "b")
			again := s.stage.etcd() // of a daemon that has restarted
			s.note("taken again at a later one: %v", hold(again, "a").Revision > first.Revision)
			hold(a, "a")
			release(a, "a")
			release(a, "a")
			hold(b, "b")
			release(again, "a")
		},
		want: `
			release a: ok
			hold a: ok, owner a
			hold a: ok, owner a
			kept at its revision: true
			hold b: ok, owner a
			seen by others at it: true
			release b: changed
			hold a: ok, owner a
			taken again at a later one: true
			hold a: ok, owner a
			release a: ok
			release a: ok
			hold b: ok, owner b
			release a: changed`,
	},
	{
		name: "a lock that is not kept alive expires, and not before",
		run: func(s *script) {
			s.form(1)
			other := s.stage.etcd()
			hold := func(client effects.Etcd, owner string) string {
				l, _ := client.HoldLock(s.context(), s.urls(1), "lock", owner, 3*time.Second)
				return l.Owner
			}
			s.note("%s", hold(s.etcd, "a"))
			kept := true
			for range 5 {
				s.pass(time.Second)
				kept = kept && hold(s.etcd, "a") == "a" && hold(other, "b") == "a"
			}
			s.note("kept alive: %v", kept)
			s.until("expired", func() bool { return hold(other, "b") == "b" })
			s.note("%s", hold(s.etcd, "a"))
		},
		want: `
			a
			kept alive: true
			b`,
	},
}
