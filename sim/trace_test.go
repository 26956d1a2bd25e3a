package sim

import (
	"bytes"
	"strings"
	"testing"
)

// traced runs a plan and keeps its trace.
func traced(o Options) (Result, []Entry) {
	var entries []Entry
	o.Watch = func(e *Entry) { entries = append(entries, *e) }
	return Run(o), entries
}

// Drawing a trace must not change the run.
func TestTraceChangesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		r, entries := traced(Options{Seed: seed, Trace: &bytes.Buffer{}})
		if bare := Run(Options{Seed: seed}); bare.Hash != r.Hash || len(entries) == 0 {
			t.Errorf("seed %d: hash %x with a trace, %x without", seed, r.Hash, bare.Hash)
		}
	}
}

func TestDiagramOfAViolation(t *testing.T) {
	t.Parallel()
	entries, _ := brokenPage(t)
	diagram := Mermaid(entries)
	if n := strings.Count(diagram, "\n"); n > mermaidEvents+20 || !strings.Contains(diagram, "VIOLATION T1") {
		t.Errorf("%d lines of Mermaid without the violation:\n%s", n, diagram)
	}
}
