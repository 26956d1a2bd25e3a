package sim

import (
	"fmt"
	"slices"
	"time"
)

// longPause outlasts the lease of a lock (20 s), and the time for which a decision takes what it knows for fresh.
const longPause = Span(time.Minute)

// afterwards is when a daemon dies that dies after a command: it has heard the answer, and acted on it.
const afterwards = Span(2 * time.Second)

// Systematic is every combination of one or two faults at the commands of scenarios. Nothing in it is left to luck.
type Systematic struct {
	scenarios []Scenario
	singles   [][]FaultEvent // of each scenario
	until     []uint64       // how many combinations there are up to and with each scenario
	pairs     bool
}

// NewSystematic enumerates the scenarios of these names, or all of them: each single fault, or each pair of them.
func NewSystematic(names []string, pairs bool) (*Systematic, error) {
	all, err := Scenarios()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(s Scenario) bool { return s.Name == name }) {
			return nil, fmt.Errorf("no scenario is called %q", name)
		}
	}
	c := &Systematic{pairs: pairs}
	sum := uint64(0)
	for _, s := range all {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		singles := s.Singles()
		n := uint64(len(singles))
		if pairs {
			n = n * (n - 1) / 2
		}
		sum += n
		c.scenarios, c.singles, c.until = append(c.scenarios, s), append(c.singles, singles), append(c.until, sum)
	}
	return c, nil
}

// Len is how many combinations there are.
func (c *Systematic) Len() uint64 { return c.until[len(c.until)-1] }

// Plan gives the combination with this number, from 1. Neighbours are far apart, so that a part of the numbers is a sample of
// everything.
func (c *Systematic) Plan(number uint64) *Plan {
	total := c.Len()
	at := number % total * coprime(total) % total
	i := 0
	for ; c.until[i] <= at; i++ {
	}
	if i > 0 {
		at -= c.until[i-1]
	}
	s, singles := &c.scenarios[i], c.singles[i]
	if !c.pairs {
		return s.With(singles[at])
	}
	second := uint64(1)
	for ; second <= at; second++ { // row by row of the triangle below the diagonal
		at -= second
	}
	return s.With(singles[at], singles[second])
}

// coprime is a step that visits each of n numbers once before it comes round, in great strides.
func coprime(n uint64) uint64 {
	step := n*5/8 | 1
	for gcd(step, n) != 1 {
		step += 2
	}
	return step
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// With is the plan of the scenario with faults added to it.
func (s *Scenario) With(faults ...FaultEvent) *Plan {
	p := s.Plan
	p.Only = slices.Concat(p.Only, faults)
	return &p
}

// lost is how the loss of the answer to a call is called, which comes over a network and may be lost on it.
func lost(site string) (kind Kind, answered bool) {
	switch {
	case slices.Contains(changesOfEtcd, site):
		return EtcdLost, true
	case slices.Contains(changesOfAWS, site):
		return AWSLost, true
	default:
		return 0, false
	}
}

// isCommand tells whether the site is a command, and not a call that one comes to. Changes of AWS are calls alone.
func isCommand(site string) bool { return !slices.Contains(changesOfEtcd, site) }

// Singles are the faults that can happen at the commands of the scenario as it is told: the daemon dies before it; it dies after
// it, without or with the answer; the answer is lost; the daemon stands still before it; the instance ends.
func (s *Scenario) Singles() (all []FaultEvent) {
	for _, b := range s.Boundaries() {
		if kind, answered := lost(b.Site); answered {
			all = append(all, b.fault(kind, 0))
		}
		if isCommand(b.Site) {
			all = append(all, b.fault(DaemonCrash, 0), b.fault(CrashAfter, 0), b.fault(CrashAfter, afterwards),
				b.fault(PauseAtCall, longPause), b.fault(EndAtCall, 0))
		}
	}
	return all
}

func (b *Boundary) fault(kind Kind, span Span) FaultEvent {
	return FaultEvent{Kind: kind, Node: b.Node, Site: b.Site, Command: b.Command, For: span}
}

// Boundaries are the commands of the daemons in the scenario as it is told, in order.
func (s *Scenario) Boundaries() (all []Boundary) {
	w := newWorld(s.Plan, Options{})
	w.boundaries = func(b Boundary) { all = append(all, b) }
	w.launch()
	w.play()
	return all
}
