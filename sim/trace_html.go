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

// htmlEntry is an entry as the script of the page reads it. What is as it was in the entry before is left out: that is most of it.
type htmlEntry struct {
	Seconds float64 `json:"at"`
	Sort    Sort    `json:"sort"`
	Column  int     `json:"column"`
	Who     string  `json:"who,omitempty"`
	Lane    string  `json:"lane,omitempty"`
	Text    string  `json:"text"`
	Columns *string `json:"columns,omitempty"`
	Join    *string `json:"join,omitempty"`
	Upgrade *string `json:"upgrade,omitempty"`
	Halted  *bool   `json:"halted,omitempty"`
	Group   *Health `json:"group,omitempty"`
	Etcd    *Health `json:"etcd,omitempty"`
	DNS     *Health `json:"dns,omitempty"`
}

func htmlEntries(entries []Entry) []htmlEntry {
	rows := make([]htmlEntry, len(entries))
	var before *Entry
	for i := range entries {
		e := &entries[i]
		rows[i] = htmlEntry{Seconds: float64(e.At.Milliseconds()) / 1000, Sort: e.Sort, Column: e.Column, Who: e.Who, Lane: e.Lane, Text: e.Text}
		rows[i].news(e, before)
		before = e
	}
	return rows
}

func (h *htmlEntry) news(e, before *Entry) {
	var none Entry
	first := before == nil
	if first {
		before = &none
	}
	h.Columns = changed(&e.Columns, &before.Columns, first)
	h.Join = changed(&e.Join, &before.Join, first)
	h.Upgrade = changed(&e.Upgrade, &before.Upgrade, first)
	h.Halted = changed(&e.Halted, &before.Halted, first)
	h.Group = changed(&e.Group, &before.Group, first)
	h.Etcd = changed(&e.Etcd, &before.Etcd, first)
	h.DNS = changed(&e.DNS, &before.DNS, first)
}

func changed[T comparable](now, before *T, first bool) *T {
	if first || *now != *before {
		return now
	}
	return nil
}

// HTML writes a trace as one page that needs nothing else: time runs downwards, and every instance, the group, etcd, DNS and
// both locks have a lane.
func HTML(out io.Writer, r *Result, entries []Entry) error {
	text, err := json.Marshal(htmlEntries(entries))
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
		Seed          uint64
		Group, Plan   string
		Outcome, JSON string
		Broken        bool
		Faults        int
		Simulated     time.Duration
		Entries       template.JS // made by json.Marshal, which escapes <, > and &
	}{
		Seed: r.Plan.Seed, Group: r.Plan.group(), Plan: r.Plan.String(), Outcome: outcome, JSON: string(r.Plan.JSON()), Broken: broken, Faults: len(r.Faults),
		Simulated: r.Simulated.Round(time.Second), Entries: template.JS(text),
	})
}
