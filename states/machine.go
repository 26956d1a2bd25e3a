package states

import (
	"context"
	"fmt"
	"time"

	"github.com/looplab/fsm"
)

// Decision is the outcome of one turn.
type Decision struct {
	From, To State
	Path     []Event   // the edges taken, in order; empty when the state did not change
	Because  []string  // why each of them was taken
	Commands []Command // to be carried out, in order within each lane
	Why      string    // the reason to be in To, as logs, traces and status print it
	Reports  []string  // what an operator should know beside it, sorted
	Needs    Needs     // how fresh the next turn wants its facts
	Done     bool      // nothing is left to do: the daemon ends
}

// Needs says how old the facts of each source may be at the next turn. Zero means that the source need not be asked at all:
// it is how the decisions keep AWS calls rare at rest and frequent while something changes.
type Needs struct {
	Group   time.Duration // Auto Scaling and EC2
	Zone    time.Duration // Route53 (claim and DNS), or S3 (claim)
	Peers   time.Duration // the peer ports of the other instances
	Cluster time.Duration // etcd
	Ingress time.Duration // the security group
	Wide    bool          // of etcd: the health of every member, not only of our own
}

// Soonest is the shortest of the needs: how long a daemon may rest when nothing wakes it. At most a second, the longest that a
// rule waits for time alone to pass.
func (n Needs) Soonest() time.Duration {
	soonest := time.Second
	for _, need := range [...]time.Duration{n.Group, n.Zone, n.Peers, n.Cluster, n.Ingress} {
		if need > 0 {
			soonest = min(soonest, need)
		}
	}
	return soonest
}

// Memory is what a machine must remember between turns. It is small and comparable, so that a search can copy and hash it.
type Memory struct {
	Entered time.Time // when the current state was entered
}

// Machine is the finite-state machine of one daemon. It is not safe for concurrent use: one goroutine owns it.
type Machine struct {
	config Config
	fsm    *fsm.FSM
	memory Memory
}

// New gives a machine in Discovering.
func New(config Config) (*Machine, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	return &Machine{config: config, fsm: newFSM()}, nil
}

func newFSM() *fsm.FSM {
	events := make(fsm.Events, len(edges))
	for i, e := range edges {
		events[i] = fsm.EventDesc{Name: string(e.On), Src: []string{string(e.From)}, Dst: string(e.To)}
	}
	return fsm.NewFSM(string(Discovering), events, nil)
}

// State tells the current state.
func (m *Machine) State() State { return State(m.fsm.Current()) }

// Snapshot is a machine at rest, without its configuration. It is comparable, so that a search can copy and hash it.
type Snapshot struct {
	State  State
	Memory Memory
}

// Snapshot gives what Restore takes.
func (m *Machine) Snapshot() Snapshot { return Snapshot{m.State(), m.memory} }

// Restore makes the machine what it was at the snapshot, or what another machine was.
func (m *Machine) Restore(s Snapshot) {
	m.fsm.SetState(string(s.State))
	m.memory = s.Memory
}

// verdict is what the function of a state says of one observation: the event that ends the state, or what to do in it.
type verdict struct {
	event    Event
	why      string
	commands []Command
	reports  []string
	needs    Needs
	done     bool
}

func move(on Event, why string) verdict { return verdict{event: on, why: why} }

// maxHops bounds the edges taken in one turn. The longest honest path is Discovering, Running, LeadingHousekeeping.
const maxHops = 5

// Step decides. Entering a state and staying in it run the same code: Step follows events until a state has none, and gives
// that state's commands. An error is a fault in the rules (an undeclared edge, or no fixed point), never in the world.
func (m *Machine) Step(o *Observation) (Decision, error) {
	state := m.State()
	d := Decision{From: state}
	if m.memory.Entered.IsZero() {
		m.memory.Entered = o.Now
	}
	for range maxHops {
		v := m.decide(state, o)
		if v.event == "" {
			d.To, d.Why = state, v.why
			d.Commands, d.Reports, d.Needs, d.Done = v.commands, v.reports, v.needs, v.done
			return d, nil
		}
		// A cancelled context would wedge looplab/fsm for good (its issue 115), so it gets one that cannot be cancelled.
		if err := m.fsm.Event(context.Background(), string(v.event)); err != nil {
			return d, fmt.Errorf("state %s: %w", state, err)
		}
		state = m.State()
		m.memory.Entered = o.Now
		d.Path, d.Because = append(d.Path, v.event), append(d.Because, v.why)
	}
	return d, fmt.Errorf("no fixed point within %d edges from %s: %v", maxHops, d.From, d.Path)
}

func (m *Machine) decide(state State, o *Observation) verdict {
	if state != Leaving {
		if why, ending := o.Ending.due(); ending {
			return move(EndingSeen, why)
		}
	}
	t := turn{Observation: o, Config: &m.config, State: state, since: m.memory.Entered}
	v := t.decide()
	t.reportLoss(&v)
	if v.event == "" {
		t.tendHook(&v)
		t.keepIngress(&v)
		t.reportWarning(&v)
	}
	return v
}

func (t *turn) decide() verdict {
	if v, due := t.leaveForeign(); due {
		return v
	}
	switch t.State {
	case Discovering:
		return t.discover()
	case Bootstrapping:
		return t.bootstrap()
	case Joining:
		return t.join()
	case Running:
		return t.run()
	case Upgrading:
		return t.upgrade()
	case LeadingHousekeeping:
		return t.housekeep()
	default:
		return t.leave()
	}
}

// turn is what the functions of the states read.
type turn struct {
	*Observation
	*Config
	State State
	since time.Time // when the state was entered
}
