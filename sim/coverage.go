package sim

import (
	"strings"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// recently is how long after a fault an edge still counts as taken under it.
const recently = time.Minute

// Edge is one arrow of the diagram of states.
type Edge struct {
	From states.State
	On   states.Event
}

func (e Edge) String() string { return string(e.From) + ": " + string(e.On) }

// MarshalText makes it a key of the summary.
func (e Edge) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (e *Edge) UnmarshalText(text []byte) error {
	from, on, _ := strings.Cut(string(text), ": ")
	*e = Edge{states.State(from), states.Event(on)}
	return nil
}

// Counts is a number for each class of fault.
type Counts [Kinds]uint64

// GoalCounts is a number for each goal.
type GoalCounts [Goals]uint64

// Coverage is what runs have seen.
type Coverage struct {
	Faults Counts             `json:"faults"` // how many of each class happened
	Edges  map[Edge]*EdgeSeen `json:"edges"`  // the edges that were taken
	Goals  GoalCounts         `json:"goals"`  // how often each goal was reached
}

// EdgeSeen is how often an edge was taken, and how often within a minute after a fault of each class had struck the daemon's
// instance or the world: a rule that is only ever used in peace is a rule that is not tested.
type EdgeSeen struct {
	Taken uint64 `json:"taken"`
	Under Counts `json:"under"`
}

// struck notes a fault.
func (c *Coverage) struck(w *world, e *FaultEvent) {
	c.Faults[e.Kind]++
	for _, h := range w.hosts {
		if e.Node == h.ordinal || e.Other == h.ordinal || !e.Kind.strikesNode() {
			h.struck[e.Kind] = max(w.now, 1)
		}
	}
}

// took notes an edge.
func (c *Coverage) took(w *world, h *host, e Edge) {
	seen := c.Edges[e]
	if seen == nil {
		seen = &EdgeSeen{}
		c.Edges[e] = seen
	}
	seen.Taken++
	for k, at := range h.struck {
		if at > 0 && w.now-at <= recently {
			seen.Under[k]++
		}
	}
}

// Add counts other runs in.
func (c *Coverage) Add(o *Coverage) {
	for k, n := range o.Faults {
		c.Faults[k] += n
	}
	for g, n := range o.Goals {
		c.Goals[g] += n
	}
	if c.Edges == nil {
		c.Edges = map[Edge]*EdgeSeen{}
	}
	for e, seen := range o.Edges { // in any order: sums of integers
		mine := c.Edges[e]
		if mine == nil {
			mine = &EdgeSeen{}
			c.Edges[e] = mine
		}
		mine.Taken += seen.Taken
		for k, n := range seen.Under {
			mine.Under[k] += n
		}
	}
}

// diagram is the edges there are, in the order of the diagram, and where each leads. looplab draws the table that it runs, so
// the diagram is the table.
var diagram = sync.OnceValues(func() (order []Edge, to map[Edge]states.State) {
	text, err := states.Diagram(states.Mermaid)
	must(err)
	to = map[Edge]states.State{}
	for line := range strings.Lines(text) {
		from, rest, arrow := strings.Cut(strings.TrimSpace(line), " --> ")
		target, on, event := strings.Cut(rest, ": ")
		if arrow && event {
			e := Edge{states.State(from), states.Event(on)}
			order, to[e] = append(order, e), states.State(target)
		}
	}
	return order, to
})
