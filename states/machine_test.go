package states

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/looplab/fsm"
)

// FuzzStep shows a machine whatever can be observed. Whatever that is, Step comes to a fixed point, decides the same for the
// same observations, leaves them as they were, and gives no command whose precondition they do not show.
func FuzzStep(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(20) {
		f.Add(randomBytes(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := tell(data); err != nil {
			t.Error(err)
		}
	})
}

// TestRandomSteps is the same, without a fuzzer.
func TestRandomSteps(t *testing.T) {
	given := map[string]int{}
	t.Cleanup(func() { t.Log(given) })
	for seed := range uint64(10_000) {
		if err := tellAnd(randomBytes(seed), func(d *Decision) { count(given, d) }); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	for _, c := range Commands() {
		if kind := fmt.Sprintf("%T", c); given[kind] == 0 {
			t.Errorf("no random observation led to %s: its preconditions were never tested", kind)
		}
	}
	for _, e := range edges {
		if notYet[e] == "" && given[string(e.On)] == 0 {
			t.Errorf("no random observation led over %q", e.On)
		}
	}
}

func count(given map[string]int, d *Decision) {
	for _, c := range d.Commands {
		given[fmt.Sprintf("%T", c)]++
	}
	for _, e := range d.Path {
		given[string(e)]++
	}
}

func randomBytes(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	data := make([]byte, 1200)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func tell(data []byte) error { return tellAnd(data, func(*Decision) {}) }

// tellAnd shows two machines the same few observations.
func tellAnd(data []byte, also func(*Decision)) error {
	r := &drawer{data: data}
	config := testConfig
	config.OnTotalLoss = pick(r, HaltOnTotalLoss, NewOnTotalLoss)
	config.ReplaceUnhealthyAfter = pick(r, 0, time.Minute)
	start := pick(r, States()...)
	one, other := inState(config, start, epoch), inState(config, start, epoch)
	for turns := 0; turns < 4; turns++ {
		now := epoch.Add(time.Duration(turns) * 20 * time.Second)
		draft := *r
		o, again := r.observation(now), draft.observation(now)
		d, err := one.Step(&o)
		if err != nil {
			return fmt.Errorf("turn %d: %w\n%+v", turns, err, again)
		}
		if !reflect.DeepEqual(o, again) {
			return fmt.Errorf("turn %d: Step has changed what it was shown", turns)
		}
		if e, err := other.Step(&again); err != nil || !reflect.DeepEqual(d, e) || one.memory != other.memory {
			return fmt.Errorf("turn %d: the same observations, and two decisions:\n%+v\n%+v", turns, d, e)
		}
		if err := sound(&o, &d); err != nil {
			return fmt.Errorf("turn %d, in %s (%s): %w\n%+v", turns, d.To, d.Why, err, o)
		}
		also(&d)
	}
	return nil
}

// sound tells what is wrong with a decision.
func sound(o *Observation, d *Decision) error {
	if d.Why == "" || len(d.Because) != len(d.Path) || slices.Contains(d.Because, "") {
		return fmt.Errorf("gives no reason")
	}
	if !slices.IsSorted(d.Reports) {
		return fmt.Errorf("reports are not sorted: %q", d.Reports)
	}
	if d.Done && (d.To != Leaving || o.Process.Running != No || len(d.Commands) > 0) {
		return fmt.Errorf("is done, and is not")
	}
	for i, c := range d.Commands {
		if why := refused(o, d.To, c); why != "" {
			return fmt.Errorf("%s: %s", c, why)
		}
		for _, before := range d.Commands[:i] {
			if reflect.TypeOf(before) == reflect.TypeOf(c) {
				return fmt.Errorf("gives %T twice in a turn", c)
			}
		}
	}
	return nil
}

// TestZeroKnowsNothing: unknown is not absent. The goldens in testdata/zero.txt say the same to people.
func TestZeroKnowsNothing(t *testing.T) {
	for _, s := range States() {
		for _, loss := range []TotalLoss{HaltOnTotalLoss, NewOnTotalLoss} {
			config := testConfig
			config.OnTotalLoss = loss
			d, err := inState(config, s, epoch).Step(&Observation{Now: epoch.Add(time.Hour)})
			if err != nil || len(d.Commands) > 0 || d.Done {
				t.Errorf("%s knows nothing, and gives %v (done: %v, error %v)", s, d.Commands, d.Done, err)
			}
		}
	}
}

func TestNewRefusesBadConfig(t *testing.T) {
	for _, c := range []Config{
		{}, {ClientPort: 2379, PeerPort: 2379, OnTotalLoss: HaltOnTotalLoss}, {ClientPort: 2379, PeerPort: 65536, OnTotalLoss: HaltOnTotalLoss},
		{ClientPort: -1, PeerPort: 2380, OnTotalLoss: HaltOnTotalLoss}, {ClientPort: 2379, PeerPort: 2380}, {ClientPort: 2379, PeerPort: 2380, OnTotalLoss: "restore"},
	} {
		if m, err := New(c); err == nil || m != nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

func TestSoonest(t *testing.T) {
	for _, c := range []struct {
		needs Needs
		want  time.Duration
	}{
		{Needs{}, time.Second},
		{Needs{Group: time.Minute, Cluster: 2 * time.Second}, time.Second},
		{Needs{Group: time.Minute, Peers: 150 * time.Millisecond}, 150 * time.Millisecond},
		{Needs{Zone: 10 * time.Millisecond, Peers: 150 * time.Millisecond}, 10 * time.Millisecond},
	} {
		if got := c.needs.Soonest(); got != c.want {
			t.Errorf("%+v: rests %v, want %v", c.needs, got, c.want)
		}
	}
}

// TestRestore: a machine that was made what another one was decides as that one does. The search lives by it.
func TestRestore(t *testing.T) {
	one, other := inState(testConfig, Joining, epoch), inState(testConfig, Running, epoch.Add(time.Hour))
	other.Restore(one.Snapshot())
	if other.State() != Joining || other.Snapshot() != one.Snapshot() {
		t.Errorf("%+v is restored as %+v", one.Snapshot(), other.Snapshot())
	}
}

// TestUndeclaredEdge: a rule that takes an edge which the table has not is a fault, and is told. A machine that went on as if
// nothing were would decide in a state that nobody can name.
func TestUndeclaredEdge(t *testing.T) {
	d := told(t, "daemon i-a of releaseetcd wants 3.7 has 3.7", "disk member 3.7 joined", "process stopped")
	d.machine.fsm = fsm.NewFSM(string(Discovering), nil, nil)
	var invalid fsm.UnknownEventError
	if _, err := d.machine.Step(&d.o); !errors.As(err, &invalid) || !strings.Contains(err.Error(), string(Discovering)) {
		t.Errorf("error %v; want one that names the state and the event", err)
	}
}
