package sim

import (
	"path/filepath"
	"testing"
)

// The compound scenarios: faults that are harmless one by one, at the moments at which they might not be together. All of what
// they list must happen, or they are no longer what they are called.
func TestCompoundScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/compound/*.json")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		p, err := ReadPlan(path)
		if err != nil {
			t.Error(err)
			continue
		}
		r := Run(Options{Plan: &p})
		if r.Violation != nil || r.Excused != "" {
			t.Errorf("%s: %v %s", path, r.Violation, r.Excused)
		}
		if len(r.Faults) != len(p.Only) {
			t.Errorf("%s: only %v happened", path, r.Faults)
		}
	}
}
