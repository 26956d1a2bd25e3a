package explore

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Bend changes decisions before they are carried out: how a test plants a bug.
type Bend func(o *states.Observation, d *states.Decision)

// outcome is a decision in the words of the world.
type outcome struct {
	to   uint8
	lane lanes
	err  error
	text string // only when it is asked for
}

// decider makes decisions and remembers them. Each worker has one.
type decider struct {
	machine *states.Machine
	build   observer
	known   map[view]outcome
	bend    Bend
	verbose bool
}

func newDecider(o *Options) (*decider, error) {
	m, err := states.New(states.Config{ClientPort: 2379, PeerPort: 2380, OnTotalLoss: states.HaltOnTotalLoss})
	if err != nil {
		return nil, fmt.Errorf("explore: %w", err)
	}
	return &decider{machine: m, build: observer{desired: o.Nodes, wants: o.wants}, known: map[view]outcome{}, bend: o.Bend}, nil
}

var allStates = states.States()

func stateNumber(s states.State) uint8 { return uint8(slices.Index(allStates, s)) }

// decide gives the decision of a turn.
func (d *decider) decide(v *view) outcome {
	if o, ok := d.known[*v]; ok && !d.verbose {
		return o
	}
	o := d.step(v)
	d.known[*v] = o
	return o
}

// step asks the rules.
func (d *decider) step(v *view) outcome {
	observation := d.build.observe(v)
	d.machine.Restore(d.memory(v))
	decision, err := d.machine.Step(observation)
	if err != nil {
		return outcome{to: v.state, err: err}
	}
	if d.bend != nil {
		d.bend(observation, &decision)
	}
	o := outcome{to: stateNumber(decision.To)}
	for lane := range states.Lanes {
		o.err = fill(o.lane.of(lane), decision.Commands, lane)
		if o.err != nil {
			return o
		}
	}
	if d.verbose {
		o.text = tell(&decision)
	}
	return o
}

// memory is what the machine remembers: when it entered its state.
func (d *decider) memory(v *view) states.Snapshot {
	return states.Snapshot{State: allStates[v.state], Memory: states.Memory{Entered: v.ago(time.Hour)}}
}

func fill(lane []command, commands []states.Command, which states.Lane) error {
	n := 0
	for _, c := range commands {
		if states.LaneOf(c) != which {
			continue
		}
		if n == len(lane) {
			return fmt.Errorf("explore has no room for %s", c)
		}
		lane[n] = translate(c)
		n++
	}
	return nil
}

// tell is the line of the simulator's trace.
func tell(d *states.Decision) string {
	text := string(d.To) + ": " + d.Why
	if d.From != d.To {
		text = string(d.From) + " -> " + text
	}
	names := make([]string, len(d.Commands))
	for i, c := range d.Commands {
		names[i] = c.String()
	}
	if len(names) > 0 {
		text += " | " + strings.Join(names, ", ")
	}
	return text
}
