package agent

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// tick is how often a daemon that knows nothing takes a turn: the rules ask the peers at this pace.
const tick = 150 * time.Millisecond

// running starts Run in a bubble, where time passes only when everything waits for it.
func running(t *testing.T, facts states.Observation) (w *world, inbox chan func(), cancel context.CancelCauseFunc, result func() error) {
	t.Helper()
	w, inbox = &world{facts: facts}, make(chan func(), 64)
	a := newAgent(t, w, w)
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, inbox) }()
	return w, inbox, cancel, func() error {
		select {
		case err := <-ended:
			return err
		case <-time.After(time.Minute):
			t.Error("Run goes on")
			return nil
		}
	}
}

var errEnough = errors.New("enough")

func TestRunTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, cancel, result := running(t, states.Observation{})
		synctest.Wait()
		if n := w.count("observe"); n != 1 {
			t.Errorf("%d turns at the start, want one at once", n)
		}
		time.Sleep(10*tick + tick/2)
		synctest.Wait()
		if n := w.count("observe"); n != 11 {
			t.Errorf("%d turns in ten and a half ticks", n)
		}
		cancel(errEnough)
		if err := result(); !errors.Is(err, errEnough) {
			t.Errorf("ends with %v, want the cause", err)
		}
	})
}

// TestRunWakes: what arrives is delivered before the turn that follows at once, and the tick counts from that turn.
func TestRunWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, inbox, cancel, _ := running(t, states.Observation{})
		defer cancel(errEnough)
		time.Sleep(tick / 3)
		inbox <- func() { w.note("delivered") }
		synctest.Wait()
		if got := w.all()[2:]; len(got) != 3 || got[0] != "delivered" || got[1] != "observe" {
			t.Errorf("after a delivery: %q", got)
		}
		time.Sleep(tick - time.Millisecond)
		synctest.Wait()
		if n := w.count("observe"); n != 2 {
			t.Errorf("%d turns: the tick does not count from the last turn", n)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := w.count("observe"); n != 3 {
			t.Errorf("%d turns a tick after the delivery", n)
		}
	})
}

// TestRunDrains: answers that come together cost one turn.
func TestRunDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, inbox, cancel, _ := running(t, states.Observation{})
		defer cancel(errEnough)
		synctest.Wait()
		delivered := 0
		block := make(chan struct{})
		inbox <- func() { <-block; delivered++ } // holds the loop, so that the others are there together
		for range 20 {
			inbox <- func() { delivered++ }
		}
		close(block)
		synctest.Wait()
		if n := w.count("observe"); n != 2 || delivered != 21 {
			t.Errorf("%d deliveries, %d turns; want 21 and 2", delivered, n)
		}
	})
}

func TestRunEndsWhenDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, cancel, result := running(t, ended())
		defer cancel(errEnough)
		if err := result(); err != nil || w.count("observe") != 1 {
			t.Errorf("error %v after %d turns", err, w.count("observe"))
		}
	})
}

func TestRunEndsOnAFault(t *testing.T) {
	facts := faulty(t)
	synctest.Test(t, func(t *testing.T) {
		w, _, cancel, result := running(t, facts)
		defer cancel(errEnough)
		if err := result(); err == nil || w.count("execute") != 0 || w.count("observe") != 1 {
			t.Errorf("error %v, calls %q", err, w.all())
		}
	})
}

// TestRunHearsTheSignal: a signal is a fact like another. It is delivered, and the machine takes it from there to the end.
func TestRunHearsTheSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, inbox, cancel, result := running(t, states.Observation{Process: states.Process{Running: states.No}})
		defer cancel(errEnough)
		time.Sleep(3 * tick)
		inbox <- func() { w.facts.Ending.Shutdown = states.Yes }
		begun := time.Now()
		if err := result(); err != nil || time.Since(begun) != 0 {
			t.Errorf("error %v, after %v", err, time.Since(begun))
		}
	})
}

// TestRunIsCancelledAnyTime: also while it has something to do without end.
func TestRunIsCancelledAnyTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, inbox, cancel, result := running(t, states.Observation{})
		go func() {
			for range 1000 {
				inbox <- func() {}
				time.Sleep(time.Millisecond)
			}
		}()
		time.Sleep(100 * time.Millisecond)
		cancel(nil)
		if err := result(); !errors.Is(err, context.Canceled) {
			t.Errorf("ends with %v", err)
		}
		time.Sleep(time.Hour) // the feeder blocks once the inbox is full, and must be let go
		for len(inbox) > 0 {
			<-inbox
		}
		for range 1000 {
			select {
			case <-inbox:
			case <-time.After(time.Second):
				return
			}
		}
	})
}
