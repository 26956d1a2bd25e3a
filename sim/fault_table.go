package sim

import (
	"fmt"
	"strings"
	"time"
)

// Elsewhere is an id of the catalogue of faults that no class of its own stands for, since it is always so, or comes of others.
var elsewhere = []struct{ id, how string }{
	{"E13", "comes of daemon crash, daemon crash after and end at call between the add and the start; the goal of the ghost learner counts it"},
	{"E14", "always: the fake refuses changes of membership for 5 s after any connection was made, as etcd does"},
	{"E16", "always: the fake refuses to join with a list that is not the cluster's; it comes of any change between the list and the start"},
	{"P6", "that etcd outlives its daemon comes of all that kills daemons, and a slow stop outlives a stop; process IDs that are used again are tested on real processes (effects/etcdproc)"},
	{"P7", "a daemon keeps no state of its machine, so that the next one, older or newer, starts in Discovering; mixed wishes come of the change of the configuration and of older minor wanted"},
}

// FaultTable is the table of the classes of faults as Markdown, for people and for docs/simulator.md.
func FaultTable() string {
	var b strings.Builder
	b.WriteString("| fault | id | strikes | what happens | how often | how long |\n|---|---|---|---|---|---|\n")
	for k := range Kinds {
		kind := &kinds[k]
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", kind.name, kind.ids, kind.at, kind.does, kind.rates(), kind.lasts())
	}
	b.WriteString("\n| id | where else |\n|---|---|\n")
	for _, e := range elsewhere {
		fmt.Fprintf(&b, "| %s | %s |\n", e.id, e.how)
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
