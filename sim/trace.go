package sim

import (
	"fmt"
	"io"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Sort tells what an entry of a trace is about.
type Sort string

// The sorts.
const (
	Planned   Sort = "plan"      // the first: what the run is
	Happening Sort = "happening" // something that is neither of the following: a boot, the start of a daemon, a phase
	FaultMade Sort = "fault"
	CallFault Sort = "spoilt" // a fault of one call, which is little and frequent
	Changed   Sort = "state"  // a decision that changes the state
	Decided   Sort = "decision"
	Reported  Sort = "report"
	Effected  Sort = "effect"
	Refused   Sort = "refused" // an effect that failed
	Violated  Sort = "violation"
	Ended     Sort = "end"
)

// Entry is one event of a trace, with what the world is like then. All renderers draw entries and nothing else.
type Entry struct {
	At      time.Duration `json:"-"`
	Sort    Sort          `json:"sort"`
	Column  int           `json:"column"` // of the instance, in order of first boot; -1: none
	Who     string        `json:"who"`    // the instance, short
	Lane    string        `json:"lane"`   // what it happens to besides: group, etcd or dns; may be empty
	Text    string        `json:"text"`
	Columns string        `json:"columns"` // a letter for each instance
	Join    string        `json:"join"`    // who holds the join lock
	Upgrade string        `json:"upgrade"` // who holds the upgrade lock
	Halted  bool          `json:"halted"`  // upgrades are halted
	Group   Health        `json:"group"`
	Etcd    Health        `json:"etcd"`
	DNS     Health        `json:"dns"`
}

// tracer makes entries for whoever watches.
type tracer struct {
	*world
	watch []func(*Entry)
}

func newTracer(w *world, o Options) *tracer {
	t := &tracer{world: w}
	if o.Trace != nil {
		t.watch = append(t.watch, func(e *Entry) { _, _ = io.WriteString(o.Trace, e.Line()+"\n") })
	}
	if o.Watch != nil {
		t.watch = append(t.watch, o.Watch)
	}
	return t
}

func (t *tracer) on() bool { return t.watch != nil }

var letters = map[states.State]byte{
	states.Discovering: 'D', states.Bootstrapping: 'B', states.Joining: 'J', states.Running: 'R',
	states.Upgrading: 'U', states.LeadingHousekeeping: 'H', states.Leaving: 'L',
}

func (t *tracer) columns() string {
	all := make([]byte, 0, len(t.nodes))
	for _, n := range t.nodes {
		switch {
		case n.gone:
			all = append(all, 'x')
		case n.agent == nil:
			all = append(all, '-')
		default:
			all = append(all, letters[n.agent.State()])
		}
	}
	return string(all)
}

func (t *tracer) emit(sort Sort, n *node, lane, text string) {
	if t.watch == nil {
		return
	}
	e := Entry{At: t.now, Sort: sort, Column: -1, Lane: lane, Text: text, Columns: t.columns(),
		Group: t.groupHealth(), Etcd: t.etcdHealth(), DNS: t.dnsHealth()}
	e.Join, e.Upgrade, e.Halted = t.locks()
	if n != nil {
		e.Column, e.Who = n.column, n.short()
	}
	for _, see := range t.watch {
		see(&e)
	}
}

func (t *tracer) say(lane, format string, args ...any) {
	if t.on() {
		t.emit(Happening, nil, lane, fmt.Sprintf(format, args...))
	}
}

func (t *tracer) node(n *node, text string) { t.emit(Happening, n, "", text) }

func (t *tracer) fault(e *FaultEvent) {
	var at *node
	for _, n := range t.nodes {
		if n.ordinal == e.Node && e.Kind.strikesNode() { // else the node is only who was asked about the quorum
			at = n
		}
	}
	text := e.what()
	if at == nil && e.Node > 0 && e.Kind.strikesNode() {
		text += fmt.Sprintf(", node %d", e.Node) // it has not booted yet
	}
	sort := FaultMade
	if e.Kind.strikesCalls() && e.Kind != DaemonCrash && e.Kind != CrashAfter && e.Kind != PauseAtCall && e.Kind != EndAtCall {
		sort = CallFault
	}
	t.emit(sort, at, e.Kind.lane(), text)
}

// lane is what a fault of the class happens to, beside an instance.
func (k Kind) lane() string {
	switch at := kinds[k].at; {
	case at == onGroup || k == Terminate:
		return "group"
	case at == onZone:
		return "dns"
	case at == onEtcd:
		return "etcd"
	default:
		return ""
	}
}

func (t *tracer) decision(n *node, d *states.Decision) {
	sort, text := Decided, string(d.To)
	if d.From != d.To {
		sort, text = Changed, string(d.From)+" -> "+string(d.To)
	}
	text += ": " + d.Why
	for i, c := range d.Commands {
		text += []string{" | ", ", "}[min(i, 1)] + c.String()
	}
	t.emit(sort, n, "", text)
	for _, r := range d.Reports {
		if r != d.Why {
			t.emit(Reported, n, "", r)
		}
	}
}

func (t *tracer) effect(n *node, lane, what string, err error) {
	if err != nil {
		t.emit(Refused, n, lane, what+": "+err.Error())
		return
	}
	t.emit(Effected, n, lane, what)
}

func (t *tracer) call(c awsfake.Call, err error) {
	if n := t.byID[c.Caller]; n != nil {
		t.effect(n, "dns", c.Action, err)
	}
}

func (t *tracer) plan() {
	if t.on() {
		t.emit(Planned, nil, "", t.world.plan.String())
	}
}

func (t *tracer) end(r *Result) {
	switch {
	case !t.on():
	case r.Violation != nil:
		t.emit(Violated, nil, "", r.Violation.Error())
	case r.Excused != "":
		t.emit(Ended, nil, "", "excused: "+r.Excused)
	default:
		t.emit(Ended, nil, "", fmt.Sprintf("held: %d events, hash %016x", r.Events, r.Hash))
	}
}
