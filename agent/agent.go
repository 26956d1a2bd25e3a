// Package agent runs the turn of a daemon: observe, decide, carry out. One goroutine decides; it owns the machine, and
// everything that arrives from outside (an answer, the end of the etcd process, a signal) wakes it.
package agent

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Observer gives the facts of a turn. It never blocks: it returns what is known now, with its age.
type Observer interface {
	// Observe gives the latest facts.
	Observe() states.Observation
	// Refresh starts to ask the sources whose facts are older than the decision wants them.
	Refresh(needs states.Needs)
}

// Executor carries out commands. It never blocks: it starts the effect, and a later observation shows what came of it. A
// command whose lane is still busy is dropped; it will be derived again.
type Executor interface {
	Execute(commands []states.Command)
}

// Agent is one daemon's loop.
type Agent struct {
	machine  *states.Machine
	observer Observer
	executor Executor // nil: dry run, nothing is carried out
	journal  *Journal

	// Turned, if not nil, is shown each turn at its end, on the deciding goroutine. Both are reused by the next turn: who keeps
	// them copies them.
	Turned func(*states.Observation, *states.Decision)

	// What the latest turn saw and decided. Both are large, and kept here so that a turn, of which there are many, allocates neither.
	facts    states.Observation
	decision states.Decision
}

// New gives an agent in Discovering. A nil executor makes it observe and decide only.
func New(config states.Config, observer Observer, executor Executor, journal *Journal) (*Agent, error) {
	machine, err := states.New(config)
	if err != nil {
		return nil, err
	}
	return &Agent{machine: machine, observer: observer, executor: executor, journal: journal}, nil
}

// State tells the current state.
func (a *Agent) State() states.State { return a.machine.State() }

// Turn observes, decides and starts the effects. An error is a fault in the rules, and the daemon must not go on deciding.
func (a *Agent) Turn() (states.Decision, error) {
	var err error
	a.facts = a.observer.Observe()
	if a.decision, err = a.machine.Step(&a.facts); err != nil {
		return a.decision, fmt.Errorf("decide: %w", err)
	}
	a.journal.Record(a.facts.Now, &a.decision)
	if a.executor != nil {
		a.executor.Execute(a.decision.Commands)
	}
	a.observer.Refresh(a.decision.Needs)
	if a.Turned != nil {
		a.Turned(&a.facts, &a.decision)
	}
	return a.decision, nil
}

// Run takes turns until a decision says that nothing is left to do, or ctx ends. A turn follows at once on whatever arrives in
// the inbox (an answer, the end of the etcd process, a signal), and otherwise when the decision wants fresh facts.
func (a *Agent) Run(ctx context.Context, inbox <-chan func()) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		d, err := a.Turn()
		if err != nil || d.Done {
			return err
		}
		timer.Reset(d.Needs.Soonest())
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		case deliver := <-inbox:
			deliver()
			drain(inbox)
		}
	}
}

// drain takes whatever else has arrived, so that answers which come together cost one turn.
func drain(inbox <-chan func()) {
	for {
		select {
		case deliver := <-inbox:
			deliver()
		default:
			return
		}
	}
}

// Journal writes one line a decision. Decisions that say the same as the one before are not written again.
type Journal struct {
	log    zerolog.Logger
	dryRun bool
	last   line
	on     func(time.Time, *states.Decision)
}

// line is what makes a decision worth telling.
type line struct {
	to       states.State
	why      string
	commands string
	reports  string
}

// NewJournal writes to log; on, if not nil, is given every decision that is worth telling.
func NewJournal(log zerolog.Logger, dryRun bool, on func(time.Time, *states.Decision)) *Journal {
	return &Journal{log: log, dryRun: dryRun, on: on}
}

// Record writes the decision if it differs from the last.
func (j *Journal) Record(now time.Time, d *states.Decision) {
	if len(d.Path) == 0 && len(d.Commands) == 0 && d.Why == j.last.why && len(d.Reports) == 0 && j.last.reports == "" {
		j.last.commands = ""
		return // the common case, without a word of formatting
	}
	commands := make([]string, len(d.Commands))
	for i, c := range d.Commands {
		commands[i] = c.String()
	}
	l := line{to: d.To, why: d.Why, commands: strings.Join(commands, "\n"), reports: strings.Join(d.Reports, "\n")}
	if l == j.last {
		return
	}
	j.last = l
	if j.on != nil {
		j.on(now, d)
	}
	j.write(d, commands)
}

func (j *Journal) write(d *states.Decision, commands []string) {
	e := j.log.Info()
	if len(d.Reports) > 0 {
		e = j.log.Warn().Strs("reports", d.Reports)
	}
	if len(commands) > 0 {
		e = e.Strs("commands", commands)
	}
	if len(d.Because) > 0 {
		e = e.Strs("because", d.Because)
	}
	if j.dryRun {
		e = e.Bool("dry_run", true)
	}
	e.Str("from", string(d.From)).Str("to", string(d.To)).Str("why", d.Why).Msg("decision")
}
