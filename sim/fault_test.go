package sim

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// A replay of the list of faults that a run recorded is the same run, event for event.
func TestReplayOfRecordedFaultsIsTheSameRun(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		drawn := Run(Options{Seed: seed})
		p := drawn.Plan
		p.Only = append([]FaultEvent{}, drawn.Faults...)
		again := Run(Options{Plan: &p})
		if again.Hash != drawn.Hash || !reflect.DeepEqual(again.Faults, drawn.Faults) && len(drawn.Faults) > 0 {
			t.Errorf("seed %d: %d faults drawn with hash %x, %d replayed with hash %x", seed, len(drawn.Faults), drawn.Hash, len(again.Faults), again.Hash)
		}
	}
}

// A replay without any faults has none.
func TestReplayOfNoFaults(t *testing.T) {
	p := newPlan(1)
	p.Only = []FaultEvent{}
	if r := Run(Options{Plan: &p}); len(r.Faults) > 0 || r.Violation != nil {
		t.Errorf("faults %v, %v", r.Faults, r.Violation)
	}
}

func TestPlanFileRoundTrips(t *testing.T) {
	r := Run(Options{Seed: 3})
	for _, only := range [][]FaultEvent{nil, {}, r.Faults} {
		p := r.Plan
		p.Only = only
		path := filepath.Join(t.TempDir(), "plan.json")
		if err := os.WriteFile(path, p.JSON(), 0o600); err != nil {
			t.Fatal(err)
		}
		back, err := ReadPlan(path)
		if err != nil || !reflect.DeepEqual(back, p) {
			t.Errorf("%v\nread back: %+v\nwritten: %s", err, back, p.JSON())
		}
	}
}

func TestKindsHaveNames(t *testing.T) {
	for k := range Kinds {
		text, err := json.Marshal(k)
		var back Kind
		if err != nil || json.Unmarshal(text, &back) != nil || back != k || k.String() == "" {
			t.Errorf("class %d is written %s and read as %d", k, text, back)
		}
	}
	for g := range Goals {
		if g.String() == "" {
			t.Errorf("goal %d has no name", g)
		}
	}
}
