package sim

import (
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// calm is a world without faults, in which a test does what it is about.
func calm(t *testing.T, nodes int, change ...func(*Plan)) *world {
	t.Helper()
	p := Plan{Seed: 1, Nodes: nodes, Claim: "route53", Loss: states.HaltOnTotalLoss, Quiet: Span(10 * time.Minute)}
	for _, c := range change {
		c(&p)
	}
	w := newWorld(p, Options{})
	w.said = map[string]bool{}
	w.launch()
	w.writeForever()
	return w
}

// converges demands a whole cluster, and returns how long it took.
func (w *world) converges(t *testing.T) time.Duration {
	t.Helper()
	took, excused := w.runQuiet()
	if w.violation != nil || excused != "" {
		t.Fatalf("%v %s", w.violation, excused)
	}
	return took
}

func (w *world) ids() (all []string, leader string) {
	c := w.served()
	for _, m := range c.Members() {
		all = append(all, m.Name)
		if m.ID == c.Leader() {
			leader = m.Name
		}
	}
	return all, leader
}

func TestGroupsOfEverySizeFormOneCluster(t *testing.T) {
	for _, claim := range []string{"route53", "s3", "nowhere"} {
		for _, nodes := range []int{1, 2, 3, 4, 5, 7} {
			w := calm(t, nodes, func(p *Plan) { p.Claim = claim })
			w.converges(t)
			all, leader := w.ids()
			if n := len(w.check.served); n != 1 || len(all) != nodes || leader == "" {
				t.Errorf("claim in %s, %d nodes: %d clusters served, members %v, %q leads", claim, nodes, n, all, leader)
			}
		}
	}
}

// Instances whose daemons start up to ten minutes apart wait for each other, or join; they never form a second cluster.
func TestStragglersMinutesApart(t *testing.T) {
	for seed := range uint64(20) {
		w := calm(t, 5, func(p *Plan) {
			p.Seed, p.Rates = seed, []Rate{{Kind: LateLaunch, Chance: 1, Most: Span(10 * time.Minute)}}
		})
		w.run(15 * time.Minute)
		w.converges(t)
		if n := len(w.check.served); n != 1 {
			t.Errorf("seed %d: %d clusters served", seed, n)
		}
	}
}
