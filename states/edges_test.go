package states

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"testing"

	"github.com/looplab/fsm"
)

// looplab/fsm keeps silent about mistakes in its table (a duplicate wins over the edge before it, an unknown state is
// accepted), so the table is tested before looplab ever sees it.

func TestEdgesAreSound(t *testing.T) {
	type key struct {
		from State
		on   Event
	}
	seen, pairs := map[key]bool{}, map[[2]State]Event{}
	for _, e := range edges {
		if seen[key{e.From, e.On}] {
			t.Errorf("%s --%s--> is there twice: looplab would follow the last and say nothing", e.From, e.On)
		}
		seen[key{e.From, e.On}] = true
		if e.From == e.To {
			t.Errorf("%s --%s--> %s: staying is not an event", e.From, e.On, e.To)
		}
		for _, s := range []State{e.From, e.To} {
			if !slices.Contains(States(), s) {
				t.Errorf("%s is in the table and not in States()", s)
			}
		}
		pairs[[2]State{e.From, e.To}] = e.On
	}
	if len(pairs) == 0 {
		t.Fatal("the table is empty")
	}
}

func TestEveryStateIsReachable(t *testing.T) {
	reached := []State{Discovering}
	for i := 0; i < len(reached); i++ {
		for _, e := range edges {
			if e.From == reached[i] && !slices.Contains(reached, e.To) {
				reached = append(reached, e.To)
			}
		}
	}
	for _, s := range States() {
		if !slices.Contains(reached, s) {
			t.Errorf("no way leads from Discovering to %s", s)
		}
		if s != Leaving && !slices.ContainsFunc(edges, func(e Edge) bool { return e.From == s && e.To == Leaving }) {
			t.Errorf("%s cannot be ended: no edge to Leaving", s)
		}
	}
}

// Mermaid 11.17.2 does not parse a state id with a hyphen, and the label of an edge ends at the first colon or semicolon.
func TestNamesSuitMermaid(t *testing.T) {
	id, label := regexp.MustCompile(`^[A-Z][A-Za-z]*$`), regexp.MustCompile(`^[a-z][a-z ]*$`)
	for _, s := range States() {
		if !id.MatchString(string(s)) {
			t.Errorf("state %q: want letters only", s)
		}
	}
	for _, e := range edges {
		if !label.MatchString(string(e.On)) {
			t.Errorf("event %q: want small letters and spaces only", e.On)
		}
	}
}

// TestMachineIsTheTable asks the machine about every state and event there is.
func TestMachineIsTheTable(t *testing.T) {
	for _, from := range States() {
		for _, on := range sourceOf(t).events {
			f := newFSM()
			f.SetState(string(from))
			err := f.Event(context.Background(), string(on))
			i := slices.IndexFunc(edges, func(e Edge) bool { return e.From == from && e.On == on })
			switch {
			case i < 0:
				var invalid fsm.InvalidEventError
				if !errors.As(err, &invalid) || f.Current() != string(from) {
					t.Errorf("%s --%s--> is no edge; looplab goes to %s, error %v", from, on, f.Current(), err)
				}
			case err != nil || f.Current() != string(edges[i].To):
				t.Errorf("%s --%s--> goes to %s, error %v; the table says %s", from, on, f.Current(), err, edges[i].To)
			}
		}
	}
	if m, err := New(testConfig); err != nil || m.State() != Discovering {
		t.Errorf("a machine begins in %s, error %v", m.State(), err)
	}
}

// notYet are edges that no rule takes yet. Take an edge out when its rule is written.
var notYet = map[Edge]string{
	{Running, UpgradeDue, Upgrading}: "the rules of the upgrade lock are not written",
}

// TestRulesGiveTheEdges reads the rules' own source: what the function of a state can give is what the table says of it. An
// event without an edge would be an error of Step on the day that it is given, an edge without a rule a lie in the diagram.
func TestRulesGiveTheEdges(t *testing.T) {
	source := sourceOf(t)
	for state, function := range map[State]string{
		Discovering: "discover", Bootstrapping: "bootstrap", Joining: "join", Running: "run", Upgrading: "upgrade",
		LeadingHousekeeping: "housekeep", Leaving: "leave",
	} {
		given := source.given(function)
		if state != Leaving {
			given = append(given, EndingSeen) // by decide, before the function is asked
		}
		for _, on := range given {
			if !slices.ContainsFunc(edges, func(e Edge) bool { return e.From == state && e.On == on }) {
				t.Errorf("%s() can give %q, which is no edge of %s", function, on, state)
			}
		}
		for _, e := range edges {
			if e.From == state && !slices.Contains(given, e.On) && notYet[e] == "" {
				t.Errorf("%s --%s--> %s: nothing that %s() calls gives this event", e.From, e.On, e.To, function)
			}
		}
	}
}

func TestEveryEventIsUsed(t *testing.T) {
	events := sourceOf(t).events
	for _, on := range events {
		if !slices.ContainsFunc(edges, func(e Edge) bool { return e.On == on }) {
			t.Errorf("event %q is declared and on no edge", on)
		}
	}
	if slices.Sort(events); len(slices.Compact(slices.Clone(events))) != len(events) {
		t.Errorf("two events have the same name: %q", events)
	}
	if declared := sourceOf(t).states; len(declared) != len(States()) {
		t.Errorf("%d states are declared and States() lists %d", len(declared), len(States()))
	}
}
