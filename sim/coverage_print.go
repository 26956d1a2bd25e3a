package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// named is a row of numbers as an object, so that a summary can be read, and merged by a later version with more of them.
func named[T fmt.Stringer](n int, at func(int) (T, uint64)) ([]byte, error) {
	all := map[string]uint64{}
	for i := range n {
		if name, count := at(i); count > 0 {
			all[name.String()] = count
		}
	}
	return json.Marshal(all)
}

func unnamed(text []byte, names []string, set func(int, uint64)) error {
	var all map[string]uint64
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	for name, count := range all { // in any order: each goes to a place of its own
		i := slices.Index(names, name)
		if i < 0 {
			return fmt.Errorf("nothing that is counted is called %q", name)
		}
		set(i, count)
	}
	return nil
}

// MarshalJSON names the classes.
func (c Counts) MarshalJSON() ([]byte, error) {
	return named(len(c), func(i int) (Kind, uint64) { return Kind(i), c[i] })
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Counts) UnmarshalJSON(text []byte) error {
	return unnamed(text, kindNames(), func(i int, n uint64) { c[i] = n })
}

// MarshalJSON names the goals.
func (g GoalCounts) MarshalJSON() ([]byte, error) {
	return named(len(g), func(i int) (Goal, uint64) { return Goal(i), g[i] })
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (g *GoalCounts) UnmarshalJSON(text []byte) error {
	return unnamed(text, goalNames[:], func(i int, n uint64) { g[i] = n })
}

func kindNames() (names []string) {
	for i := range kinds {
		names = append(names, kinds[i].name)
	}
	return names
}

// Missed lists the goals that were never reached.
func (c *Coverage) Missed() (goals []Goal) {
	for g, n := range c.Goals {
		if n == 0 {
			goals = append(goals, Goal(g))
		}
	}
	return goals
}

// Print writes the matrix of classes of faults and edges, and the goals, as Markdown.
func (c *Coverage) Print(out io.Writer) {
	fmt.Fprint(out, "\nHow often each edge was taken, and how often within a minute after a fault:\n\n| fault | made |")
	edges, leads := diagram()
	for _, e := range edges {
		fmt.Fprintf(out, " %c>%c |", letters[e.From], letters[leads[e]])
	}
	fmt.Fprint(out, "\n|---|---:|", strings.Repeat("---:|", len(edges)), "\n| *taken* | |")
	for _, e := range edges {
		fmt.Fprintf(out, " %d |", c.seen(e).Taken)
	}
	for k := range Kinds {
		fmt.Fprintf(out, "\n| %s | %d |", k, c.Faults[k])
		for _, e := range edges {
			fmt.Fprintf(out, " %d |", c.seen(e).Under[k])
		}
	}
	fmt.Fprint(out, "\n\n| goal | reached |\n|---|---:|\n")
	for g, n := range c.Goals {
		fmt.Fprintf(out, "| %s | %d |\n", Goal(g), n)
	}
}

func (c *Coverage) seen(e Edge) *EdgeSeen {
	if seen := c.Edges[e]; seen != nil {
		return seen
	}
	return &EdgeSeen{}
}
