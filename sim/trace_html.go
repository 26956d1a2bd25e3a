package sim

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"io"
	"time"
)

//go:embed trace.html
var tracePage string

var traceTemplate = template.Must(template.New("trace").Parse(tracePage))

// htmlEntry is an entry with its time as a number, which a script can reckon with.
type htmlEntry struct {
	Seconds float64 `json:"at"`
	*Entry
}

// HTML writes a trace as one page that needs nothing else: time runs downwards, and every instance, the group, etcd, DNS and
// the lock has a lane.
func HTML(out io.Writer, r *Result, entries []Entry) error {
	rows := make([]htmlEntry, len(entries))
	for i := range entries {
		rows[i] = htmlEntry{float64(entries[i].At.Milliseconds()) / 1000, &entries[i]}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	outcome, broken := "Every invariant held.", false
	switch {
	case r.Violation != nil:
		outcome, broken = r.Violation.Error(), true
	case r.Excused != "":
		outcome = "Excused from converging: " + r.Excused + "."
	}
	return traceTemplate.Execute(out, struct {
		Seed                uint64
		Plan, Outcome, JSON string
		Broken              bool
		Faults              int
		Simulated           time.Duration
		Entries             template.JS // made by json.Marshal, which escapes <, > and &
	}{
		Seed: r.Plan.Seed, Plan: r.Plan.String(), Outcome: outcome, JSON: string(r.Plan.JSON()), Broken: broken, Faults: len(r.Faults),
		Simulated: r.Simulated.Round(time.Second), Entries: template.JS(text),
	})
}
