package sim

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// catalogue are the ids of the faults that there are to be.
func catalogue() (ids []string) {
	for _, part := range []struct {
		letter string
		n      int
	}{{"A", 12}, {"I", 12}, {"D", 5}, {"E", 19}, {"P", 8}} {
		for i := range part.n {
			ids = append(ids, fmt.Sprint(part.letter, i+1))
		}
	}
	return ids
}

func TestEveryFaultOfTheCatalogueIsMade(t *testing.T) {
	covered := map[string]bool{}
	for _, e := range elsewhere {
		covered[e.id] = true
	}
	for k := range Kinds {
		for id := range strings.SplitSeq(kinds[k].ids, ", ") {
			covered[id] = true
		}
	}
	delete(covered, "") // the canary is no fault that happens
	for _, id := range catalogue() {
		if !covered[id] {
			t.Errorf("nothing stands for %s", id)
		}
		delete(covered, id)
	}
	for id := range covered {
		t.Errorf("%s is not in the catalogue", id)
	}
}

func TestTheTableIsWhole(t *testing.T) {
	names := map[string]bool{}
	for k := range Kinds {
		kind := &kinds[k]
		world := kind.at&atCalls == 0
		switch {
		case kind.name == "" || names[kind.name] || kind.does == "" || kind.at == 0:
			t.Errorf("class %d, %q: a name of its own, a place and words are missing", k, kind.name)
		case kind.low <= 0 || kind.high < kind.low || kind.often < 0 || kind.often > 1 || kind.least > kind.most:
			t.Errorf("%s: rates %g to %g in %g of the runs", kind.name, kind.low, kind.high, kind.often)
		case world != (kind.happen != nil):
			t.Errorf("%s: only what happens to the world happens", kind.name)
		case world && kind.spoil != nil:
			t.Errorf("%s spoils no calls", kind.name)
		}
		names[kind.name] = true
	}
}

// Each class happens when it is made alone, and the list of what happened replays to the same run.
func TestEveryClassHappensAndReplays(t *testing.T) {
	t.Parallel()
	for k := range Kinds {
		t.Run(kinds[k].name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(60) {
				p := Alone(seed, k)
				drawn := Run(Options{Plan: &p})
				if drawn.Coverage.Faults[k] == 0 {
					continue
				}
				p.Only = append([]FaultEvent{}, drawn.Faults...)
				again := Run(Options{Plan: &p})
				if again.Hash != drawn.Hash || !reflect.DeepEqual(again.Faults, drawn.Faults) {
					t.Errorf("seed %d: hash %x with %d faults, replayed %x with %d", seed, drawn.Hash, len(drawn.Faults), again.Hash, len(again.Faults))
				}
				return
			}
			t.Error("never happens")
		})
	}
}

// What a run has left in the middle is ended with it.
func TestPausesLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	for seed := range uint64(8) {
		p := Alone(seed, PauseAtCall)
		p.Quiet = 0
		Run(Options{Plan: &p, planted: func(w *world, e FaultEvent) {
			if len(w.recorded) == 20 {
				w.fail("T3", "planted, while daemons are paused")
			}
		}})
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// A class more must not reshuffle what the others do.
func TestRatesOfAClassAreItsOwn(t *testing.T) {
	for seed := range uint64(300) {
		p := newPlan(seed)
		for _, r := range p.Rates {
			if p.Mode != Swarm {
				continue
			}
			s := newStream(seed, "plan/"+r.Kind.String())
			s.next()
			if made := s.chance(kinds[r.Kind].often); !made || drawRate(r.Kind, s) != r {
				t.Fatalf("seed %d: %s depends on other classes", seed, r.Kind)
			}
		}
	}
}

func TestDocsListEveryFault(t *testing.T) {
	text, err := os.ReadFile("../docs/simulator.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), FaultTable()) {
		t.Error("docs/simulator.md lacks the table that `etcd-appliance sim faults` prints")
	}
}
