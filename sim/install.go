package sim

import (
	"fmt"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// patches are the versions of the servers that are installed on this instance.
func (n *node) patches() []states.Version {
	list := make([]states.Version, len(n.plan.servers()))
	for i, minor := range n.plan.servers() {
		list[i] = n.etcd.Installed(minor)
	}
	return list
}

// readInstall puts another patch of a minor in the place of the one that is installed, on every instance, now and later.
func readInstall(words []string) (step, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("want: install 3.6.10")
	}
	v, err := states.ParseVersion(words[0])
	return func(s *stage) error { s.install(v); return nil }, err
}

func (w *world) install(v states.Version) {
	before := w.etcd.Release
	w.etcd.Release = func(m states.MinorVersion) states.Version {
		if m == v.MinorOf() {
			return v
		}
		return before(m)
	}
	for _, n := range w.nodes {
		if n.effects != nil {
			n.effects.Install(n.plan.servers(), n.patches())
		}
	}
}
