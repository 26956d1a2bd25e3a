package agent

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var config = states.Config{ClientPort: 2379, PeerPort: 2380, OnTotalLoss: states.HaltOnTotalLoss}

// world is an Observer and an Executor that write down what is asked of them.
type world struct {
	facts states.Observation
	mutex sync.Mutex // the loop writes, and the test reads
	calls []string
}

func (w *world) Observe() states.Observation {
	w.note("observe")
	return w.facts
}

func (w *world) Refresh(needs states.Needs) { w.note("refresh " + needs.Soonest().String()) }

func (w *world) Execute(commands []states.Command) {
	for _, c := range commands {
		w.note("execute " + c.String())
	}
}

func (w *world) note(call string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.calls = append(w.calls, call)
}

func (w *world) all() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return slices.Clone(w.calls)
}

func (w *world) count(call string) int {
	n := 0
	for _, c := range w.all() {
		if strings.HasPrefix(c, call) {
			n++
		}
	}
	return n
}

// stopped has data and no server: a decision with a command.
func stopped() states.Observation {
	return states.Observation{
		Self: states.Self{ID: "i-a", Address: "10.0.0.1"}, Servers: []states.MinorVersion{{Major: 3, Minor: 7}},
		Process: states.Process{Running: states.No},
		Disk:    states.Disk{State: states.DiskMember, Minor: states.MinorVersion{Major: 3, Minor: 7}, Name: "i-a", Address: "10.0.0.1"},
	}
}

// ended was asked to stop, and etcd has stopped.
func ended() states.Observation {
	return states.Observation{Process: states.Process{Running: states.No}, Ending: states.Ending{Shutdown: states.Yes}}
}

// faulty is an observation that no world can show: a claim that was not read, and names this instance. The rules go round in
// circles over it, which is what a fault in the rules looks like.
func faulty(t *testing.T) states.Observation {
	t.Helper()
	o := states.Observation{
		Name: "releaseetcd", Self: states.Self{ID: "i-a", Address: "10.0.0.1"}, Process: states.Process{Running: states.No}, Disk: states.Disk{State: states.DiskEmpty},
		Claim: states.Claim{Store: states.ClaimInRoute53, Exists: states.Yes, Record: states.ClaimRecord{Members: []states.ClaimMember{{ID: "i-a", Address: "10.0.0.1"}}}},
		Peers: []states.Peer{{InstanceID: "i-b", Answers: states.Yes, ClusterID: 7, Members: []states.Member{{ID: 1, Address: "10.0.0.1"}, {ID: 2, ClientURL: "http://10.0.0.2:2379"}}}},
	}
	m, err := states.New(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Step(&o); err == nil {
		t.Skip("the rules have no fault that this test knows of: look for another impossible observation")
	}
	return o
}

func newAgent(t *testing.T, w *world, executor Executor) *Agent {
	t.Helper()
	a, err := New(config, w, executor, NewJournal(zerolog.Nop(), executor == nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestTurn: observe, decide, carry out; and only then ask for fresh facts, so that what a command changes can be asked anew.
func TestTurn(t *testing.T) {
	w := &world{facts: stopped()}
	a := newAgent(t, w, w)
	d, err := a.Turn()
	if err != nil || d.To != states.Running || a.State() != states.Running {
		t.Fatalf("%+v, error %v", d, err)
	}
	want := []string{"observe", "execute start etcd 3.7 on its own data", "refresh 1s"}
	if got := w.all(); !slices.Equal(got, want) {
		t.Errorf("a turn is %q, want %q", got, want)
	}
}

// TestTurnIsLevelTriggered: a command that failed shows in no fact, and is given again.
func TestTurnIsLevelTriggered(t *testing.T) {
	w := &world{facts: stopped()}
	a := newAgent(t, w, w)
	for range 3 {
		if _, err := a.Turn(); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count("execute start etcd"); n != 3 {
		t.Errorf("in three turns the start was asked for %d times", n)
	}
}

func TestDryRunExecutesNothing(t *testing.T) {
	w := &world{facts: stopped()}
	d, err := newAgent(t, w, nil).Turn()
	if err != nil || len(d.Commands) != 1 {
		t.Fatalf("%+v, error %v", d, err)
	}
	if w.count("execute") != 0 || w.count("observe") != 1 || w.count("refresh") != 1 {
		t.Errorf("a dry run observes and decides only: %q", w.all())
	}
}

func TestFaultStopsTheTurn(t *testing.T) {
	w := &world{facts: faulty(t)}
	_, err := newAgent(t, w, w).Turn()
	if err == nil || !strings.HasPrefix(err.Error(), "decide: ") || errors.Unwrap(err) == nil {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(w.all(), []string{"observe"}) {
		t.Errorf("after a fault in the rules, still: %q", w.all())
	}
}

func TestNewRefusesBadConfig(t *testing.T) {
	if a, err := New(states.Config{}, &world{}, nil, nil); err == nil || a != nil {
		t.Error("an empty configuration is accepted")
	}
}

// TestTurned: whoever looks on is shown the turn when all of it has been done.
func TestTurned(t *testing.T) {
	w := &world{facts: stopped()}
	a, err := New(config, w, w, NewJournal(zerolog.Nop(), false, nil))
	if err != nil {
		t.Fatal(err)
	}
	var shown []states.Decision
	a.Turned = func(o *states.Observation, d *states.Decision) {
		if last := w.all()[len(w.all())-1]; !strings.HasPrefix(last, "refresh") {
			t.Errorf("shown after %q", last)
		}
		if o.Now != w.facts.Now || o.Self != w.facts.Self {
			t.Error("these are not the facts of the turn")
		}
		shown = append(shown, *d)
	}
	d, err := a.Turn()
	if err != nil || len(shown) != 1 || shown[0].Why != d.Why || len(shown[0].Commands) != len(d.Commands) {
		t.Errorf("%v: shown %v, decided %v", err, shown, d)
	}
}
