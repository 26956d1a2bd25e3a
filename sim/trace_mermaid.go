package sim

import (
	"fmt"
	"strings"
)

// mermaidEvents is how many events a sequence diagram can have and still be read.
const mermaidEvents = 60

// Mermaid draws the last events that tell something as a sequence diagram, which can be pasted into an issue.
func Mermaid(entries []Entry) string {
	last, left := Last(entries, mermaidEvents)
	var s strings.Builder
	s.WriteString("sequenceDiagram\n")
	names := map[int]string{}
	for i := range entries { // all of them, so that the order is that of the columns
		if e := &entries[i]; e.Column >= 0 && names[e.Column] == "" {
			names[e.Column] = e.Who
		}
	}
	for i := range len(names) {
		fmt.Fprintf(&s, "    participant i%d as %d %s\n", i, i+1, names[i])
	}
	s.WriteString("    participant etcd\n    participant dns as Route53\n    participant group as Auto Scaling\n")
	if left > 0 {
		fmt.Fprintf(&s, "    Note over etcd: %d earlier events left out\n", left)
	}
	for i := range last {
		s.WriteString("    " + last[i].mermaid() + "\n")
	}
	return s.String()
}

func (e *Entry) mermaid() string {
	text := mermaidText(fmt.Sprintf("%.1fs %s", e.At.Seconds(), e.signed()))
	lane := e.Lane
	switch {
	case e.Column < 0:
		if lane == "" {
			lane = "etcd"
		}
		return fmt.Sprintf("Note over %s: %s", lane, text)
	case lane == "":
		return fmt.Sprintf("Note over i%d: %s", e.Column, text)
	case e.Sort == FaultMade:
		return fmt.Sprintf("%s-xi%d: %s", lane, e.Column, text)
	default:
		return fmt.Sprintf("i%d->>%s: %s", e.Column, lane, text)
	}
}

// mermaidText takes out what Mermaid reads as its own, and cuts what would make a diagram too wide.
func mermaidText(text string) string {
	text = strings.NewReplacer(";", ",", "#", "no. ", "\n", " ", "->", "to", "<", "(", ">", "", "%%", "%").Replace(text)
	if r := []rune(text); len(r) > 90 {
		text = string(r[:89]) + "…"
	}
	return text
}
