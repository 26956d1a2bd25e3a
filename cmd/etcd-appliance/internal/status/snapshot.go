// Package status shows what a daemon knows and does: to probes, to Prometheus, to people and to other programs.
//
// The decision loop must never wait for anybody who looks. So it only writes: after each turn it puts an immutable [Snapshot] behind an
// atomic pointer. Whoever asks reads that, and computes what he wants to know from it on his own goroutine.
package status

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// kept is how many decisions are remembered.
const kept = 20

// Snapshot is what the loop knew at the end of one turn. Nothing of it changes afterwards.
type Snapshot struct {
	Facts     states.Observation
	Decision  states.Decision
	Busy      []states.Command // under way
	Started   time.Time        // when the daemon took its first turn
	Since     time.Time        // when it came into its state
	Ended     time.Time        // when the turn was over
	Healthy   time.Time        // when its member was ready last; zero: not since the daemon started
	Decisions []Told           // the last ones that said something new, the newest first
}

// Told is a decision that differs from the one before it.
type Told struct {
	At       time.Time     `json:"at"`
	From     states.State  `json:"from"`
	To       states.State  `json:"to"`
	Events   []string      `json:"events,omitempty"`   // the edges that were taken
	Because  []string      `json:"because,omitempty"`  // why each of them was
	Why      string        `json:"why"`                // the reason to be in To
	Commands []string      `json:"commands,omitempty"` // what is to be done
	Reports  []string      `json:"reports,omitempty"`  // what an operator should know
	Edges    []states.Edge `json:"-"`
}

// Board is where the loop writes, and where everybody else reads.
type Board struct {
	// Version of the daemon.
	Version string
	// Rules are those that the daemon decides by.
	Rules states.Config
	// Now is the clock; default time.Now.
	Now func() time.Time
	// Busy lists the commands that are under way. It is asked on the deciding goroutine; may be nil.
	Busy func() []states.Command

	latest       atomic.Pointer[Snapshot]
	certificates atomic.Pointer[[]Certificate]
	decisions    []Told // the loop's own; replaced and never changed, since snapshots hold it
	counters     *counters
}

// NewBoard gives one with nothing on it yet.
func NewBoard(version string, rules states.Config) *Board {
	return &Board{Version: version, Rules: rules, Now: time.Now, counters: newCounters()}
}

// Latest is the snapshot of the last turn; nil before the first.
func (b *Board) Latest() *Snapshot { return b.latest.Load() }

// Decided notes a decision that is worth telling. The loop calls it, before Turned.
func (b *Board) Decided(at time.Time, d *states.Decision) {
	b.counters.decisions.Inc()
	told := Told{At: at, From: d.From, To: d.To, Because: d.Because, Why: d.Why, Reports: d.Reports, Edges: edgesOf(d)}
	for _, e := range d.Path {
		told.Events = append(told.Events, string(e))
	}
	for _, c := range d.Commands {
		told.Commands = append(told.Commands, c.String())
	}
	rest := b.decisions[:min(len(b.decisions), kept-1)]
	b.decisions = append([]Told{told}, rest...)
}

// Turned publishes a turn that is over. The loop calls it.
func (b *Board) Turned(facts *states.Observation, d *states.Decision) {
	now := b.Now()
	s := &Snapshot{Facts: *facts, Decision: *d, Started: facts.Now, Since: facts.Now, Ended: now, Decisions: b.decisions}
	s.Facts.Cluster.Members = slices.Clone(facts.Cluster.Members) // the next answer is noted in the loop's own
	if b.Busy != nil {
		s.Busy = b.Busy()
	}
	if last := b.latest.Load(); last != nil {
		s.Started, s.Healthy = last.Started, last.Healthy
		if len(d.Path) == 0 {
			s.Since = last.Since
		}
	}
	if ready, _ := s.Ready(); ready {
		s.Healthy = now
	}
	b.counters.turned(now.Sub(facts.Now), edgesOf(d))
	b.latest.Store(s)
}

// edgesOf are the edges that a decision has taken.
func edgesOf(d *states.Decision) (taken []states.Edge) {
	at := d.From
	for _, event := range d.Path {
		i := slices.IndexFunc(table, func(e states.Edge) bool { return e.From == at && e.On == event })
		if i < 0 {
			return taken // no edge of the machine's
		}
		taken = append(taken, table[i])
		at = table[i].To
	}
	return taken
}

var table = states.Edges()
