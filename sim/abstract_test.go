package sim

import "testing"

// Whoever counts abstract states must not change the run, and the same run must have the same ones.
func TestAbstractStatesChangeNothing(t *testing.T) {
	t.Parallel()
	all := map[uint64]bool{}
	for seed := range uint64(5) {
		plain, watched, again := Run(Options{Seed: seed}), Run(Options{Seed: seed, Abstract: true}), Run(Options{Seed: seed, Abstract: true})
		if plain.Hash != watched.Hash || plain.Events != watched.Events || plain.Abstract != nil {
			t.Errorf("seed %d: %d events with hash %x, and watched %d with %x", seed, plain.Events, plain.Hash, watched.Events, watched.Hash)
		}
		if len(watched.Abstract) < 5 || uint64(len(watched.Abstract)) > watched.Events/10 {
			t.Errorf("seed %d: %d abstract states in %d events", seed, len(watched.Abstract), watched.Events)
		}
		for state := range again.Abstract {
			if _, ok := watched.Abstract[state]; !ok {
				t.Errorf("seed %d: a second run has the state %x, and the first has not", seed, state)
			}
			all[state] = true
		}
	}
	if len(all) < 100 {
		t.Errorf("five seeds come to %d abstract states", len(all))
	}
}

// Which instance is in which state makes no difference to the abstract state; how many are does.
func TestAbstractStateForgetsOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(newPlan(1), Options{Abstract: true})
	state := func(up ...bool) uint64 {
		w.nodes = nil
		for i, on := range up {
			id := string(rune('a' + i))
			w.nodes = append(w.nodes, &node{world: w, machine: &machine{id: id, on: on}, etcd: w.etcd.Node(id, id)})
		}
		w.abstract.note()
		return w.abstract.last
	}
	one, other, both := state(true, false), state(false, true), state(true, true)
	if one != other || one == both {
		t.Errorf("one up is %x or %x, both are %x", one, other, both)
	}
}
