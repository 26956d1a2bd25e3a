package sim

import (
	"fmt"
	"io"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// tracer writes one line an event: the time, a column a node with its state, the node, and what happened.
//
//	12.031s  R L J      3f2a  Joining: is a learner: asks to be promoted | promote learner 8e9e05c52164694d
//
// The letters are the first of the state: D B J R U H(ousekeeping) L(eaving); "-" is a node without a daemon, "x" a terminated
// one. Faults begin with "!", effects with ">".
type tracer struct {
	*world
	out io.Writer
}

func newTracer(w *world, out io.Writer) *tracer { return &tracer{w, out} }

func (t *tracer) on() bool { return t.out != nil }

var letters = map[states.State]string{
	states.Discovering: "D", states.Bootstrapping: "B", states.Joining: "J", states.Running: "R",
	states.Upgrading: "U", states.LeadingHousekeeping: "H", states.Leaving: "L",
}

func (t *tracer) line(who, text string) {
	if t.out == nil {
		return
	}
	var columns strings.Builder
	for _, n := range t.nodes {
		switch {
		case n.gone:
			columns.WriteString("x ")
		case n.agent == nil:
			columns.WriteString("- ")
		default:
			columns.WriteString(letters[n.agent.State()] + " ")
		}
	}
	fmt.Fprintf(t.out, "%10.3fs  %-12s %8.8s  %s\n", t.now.Seconds(), columns.String(), who, text)
}

func (t *tracer) say(format string, args ...any) {
	if t.out != nil {
		t.line("", "! "+fmt.Sprintf(format, args...))
	}
}

func (t *tracer) node(n *node, text string) { t.line(n.short(), text) }

func (t *tracer) fault(n *node, text string) {
	t.note(text)
	t.line(n.short(), "! "+text)
}

func (t *tracer) decision(n *node, d *states.Decision) {
	head := string(d.To)
	if d.From != d.To {
		head = string(d.From) + " -> " + string(d.To)
	}
	text := head + ": " + d.Why
	for i, c := range d.Commands {
		text += []string{" | ", ", "}[min(i, 1)] + c.String()
	}
	t.line(n.short(), text)
	for _, r := range d.Reports {
		if r != d.Why {
			t.line(n.short(), "  reports: "+r)
		}
	}
}

func (t *tracer) effect(n *node, what string, err error) {
	if err != nil {
		what += ": " + err.Error()
	}
	t.line(n.short(), "> "+what)
}

func (t *tracer) call(c awsfake.Call, err error) {
	if n := t.byID[c.Caller]; n != nil {
		t.effect(n, c.Action, err)
	}
}

func (t *tracer) plan(p Plan) {
	if t.out != nil {
		fmt.Fprintln(t.out, p)
	}
}

func (t *tracer) end(r *Result) {
	switch {
	case t.out == nil:
	case r.Violation != nil:
		t.line("", "VIOLATION "+r.Violation.Error())
	case r.Excused != "":
		t.line("", "excused: "+r.Excused)
	default:
		t.line("", fmt.Sprintf("held: %d events, hash %016x", r.Events, r.Hash))
	}
}
