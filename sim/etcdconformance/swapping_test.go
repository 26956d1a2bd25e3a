package etcdconformance

import (
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

var swapping = []testCase{
	{
		name: "a key is changed only as it was meant", everyMinor: true,
		run: func(s *script) {
			s.form(1)
			revision := int64(0)
			swap := func(what string, key effects.EtcdKey, absent ...string) {
				r, err := s.etcd.Swap(s.context(), s.urls(1), key, absent...)
				if err == nil {
					s.note("%s: ok, later: %v", what, r > revision)
					revision = r
					return
				}
				s.note("%s: %s", what, outcome(err))
			}
			keys := func(prefix string) {
				list, err := s.etcd.Keys(s.context(), s.urls(1), prefix)
				var all []string
				for _, k := range list {
					all = append(all, k.Key+"="+k.Value)
				}
				s.note("under %q: %s [%s]", prefix, outcome(err), strings.Join(all, " "))
			}
			keys("p/")
			swap("create", effects.EtcdKey{Key: "p/b", Value: "1"})
			swap("create again", effects.EtcdKey{Key: "p/b", Value: "2"})
			swap("create beside", effects.EtcdKey{Key: "p/a", Value: "1"}, "p/b")
			swap("create, with nothing beside", effects.EtcdKey{Key: "p/a", Value: "1"}, "p/x", "p/y")
			keys("p/")
			list, _ := s.etcd.Keys(s.context(), s.urls(1), "p/b")
			b := list[0]
			swap("delete another revision", effects.EtcdKey{Key: "p/b", Revision: b.Revision + 1})
			swap("change", effects.EtcdKey{Key: "p/b", Value: "3", Revision: b.Revision})
			swap("change what was changed", effects.EtcdKey{Key: "p/b", Value: "4", Revision: b.Revision})
			swap("delete", effects.EtcdKey{Key: "p/b", Revision: revision})
			swap("delete what is gone", effects.EtcdKey{Key: "p/b", Revision: revision})
			keys("p/")
			hold := func(absent ...string) {
				l, err := s.etcd.HoldLock(s.context(), s.urls(1), "p/lock", "me", time.Minute, absent...)
				s.note("hold without %v: %s, owner %q", absent, outcome(err), l.Owner)
			}
			hold("p/a")
			hold("p/b")
			hold("p/a") // what is held stays so
			swap("create beside a lock", effects.EtcdKey{Key: "p/b", Value: "1"}, "p/lock")
			keys("p/l")
		},
		want: `
			under "p/": ok []
			create: ok, later: true
			create again: changed
			create beside: changed
			create, with nothing beside: ok, later: true
			under "p/": ok [p/a=1 p/b=1]
			delete another revision: changed
			change: ok, later: true
			change what was changed: changed
			delete: ok, later: true
			delete what is gone: changed
			under "p/": ok [p/a=1]
			hold without [p/a]: ok, owner ""
			hold without [p/b]: ok, owner "me"
			hold without [p/a]: ok, owner "me"
			create beside a lock: changed
			under "p/l": ok [p/lock=me]`,
	},
}
