package sim

import (
	"fmt"
	"strings"
	"time"
)

// FaultTable is the table of the classes of faults as Markdown, for people and for docs/simulator.md.
func FaultTable() string {
	var b strings.Builder
	b.WriteString("| fault | id | strikes | what happens | how often | how long |\n|---|---|---|---|---|---|\n")
	for k := range Kinds {
		kind := &kinds[k]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", kind.name, kind.ids, kind.at, kind.does, kind.rates(), kind.lasts())
	}
	return b.String()
}

// String names all that a class strikes at.
func (w where) String() string {
	var names []string
	for bit := where(1); bit != 0 && bit <= w; bit <<= 1 {
		if w&bit != 0 {
			names = append(names, whereNames[bit])
		}
	}
	return strings.Join(names, ", ")
}

func (k *kind) rates() string {
	switch {
	case k.low == k.high:
		return fmt.Sprintf("%g %%", k.low*100)
	case k.at&atCalls != 0:
		return fmt.Sprintf("%g to %g %%", k.low*100, k.high*100)
	default:
		return fmt.Sprintf("every %s to %s", short(time.Duration(k.low*float64(time.Second))), short(time.Duration(k.high*float64(time.Second))))
	}
}

func (k *kind) lasts() string {
	switch {
	case k.most == 0:
		return ""
	case k.least == 0:
		return "up to " + short(k.most)
	default:
		return short(k.least) + " to " + short(k.most)
	}
}

// short is a duration without the zeros that it ends with.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
