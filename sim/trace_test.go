package sim

import (
	"bytes"
	"os"
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

// SIM_HTML=file keeps the page, to be looked at.
func TestTraceOfAViolation(t *testing.T) {
	t.Parallel()
	r := failing(t, twoFaults)
	r, entries := traced(Options{Plan: &r.Plan, planted: twoFaults})
	var page bytes.Buffer
	if err := HTML(&page, &r, entries); err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{"src=", "href=", "url(", "import "} {
		if strings.Contains(page.String(), foreign) {
			t.Errorf("the page asks for something else: %s", foreign)
		}
	}
	if !strings.Contains(page.String(), "T1 at") || !strings.Contains(page.String(), `"sort":"violation"`) {
		t.Error("the page does not tell of the violation")
	}
	if path := os.Getenv("SIM_HTML"); path != "" {
		if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	diagram := Mermaid(entries)
	if n := strings.Count(diagram, "\n"); n > mermaidEvents+20 || !strings.Contains(diagram, "VIOLATION T1") {
		t.Errorf("%d lines of Mermaid without the violation:\n%s", n, diagram)
	}
}
