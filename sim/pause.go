package sim

import (
	"iter"
	"time"
)

// pausing is the part of a daemon that lets it be stopped in the middle of anything, as by SIGSTOP or with its virtual machine,
// and go on later with facts of old. What it has sent by then takes effect all the same.
type pausing struct {
	paused  bool
	held    []func()      // answers that arrived meanwhile
	limit   time.Duration // when the context of what is being carried out ends; 0: it has none
	slept   time.Duration // how long what is being carried out was paused
	routine *coroutine    // which carries it out
	cut     func()        // ends what was left in the middle
}

// coroutine carries out pieces of daemons, one after the other: to begin one costs more than most pieces do.
type coroutine struct {
	piece func()
	yield func(time.Duration) bool
	next  func() (pause time.Duration, more bool)
	stop  func()
}

// done is what a coroutine yields between two pieces.
const done time.Duration = -1

func newCoroutine() *coroutine {
	c := &coroutine{}
	c.next, c.stop = iter.Pull(func(yield func(time.Duration) bool) {
		c.yield = yield
		for more := true; more; more = yield(done) {
			c.piece()
		}
	})
	return c
}

// coroutine gives one that is idle.
func (w *world) coroutine() *coroutine {
	last := len(w.idle) - 1
	if last < 0 {
		return newCoroutine()
	}
	c := w.idle[last]
	w.idle = w.idle[:last]
	return c
}

// carryOut runs a piece of the daemon. Where it may be paused at a call, the piece is a coroutine, which is no goroutine that runs
// beside others: it is left and entered at known points only.
func (n *node) carryOut(piece func()) {
	n.slept = 0
	if !n.stops {
		defer n.mayCrash()
		n.acting = n
		piece()
		return
	}
	n.routine = n.coroutine()
	n.routine.piece = piece
	n.goOn()
}

// goOn enters the coroutine. When it comes back paused, the daemon is entered again when the pause is over. One that ends with the
// daemon, by a panic, cannot be entered again.
func (n *node) goOn() {
	defer n.mayCrash()
	n.acting = n
	d, _ := n.routine.next()
	if d == done {
		n.idle = append(n.idle, n.routine)
		return
	}
	n.cut = n.routine.stop
	n.stop(d, func() {
		n.cut = nil
		n.goOn()
	})
}

// pauseHere leaves the daemon in the middle of what it does.
func (n *node) pauseHere(d time.Duration) {
	begun := n.now
	if !n.routine.yield(d) {
		panic(crashed{})
	}
	n.slept += n.now - begun
}

// stop holds the daemon for a while, or until the chaos is over; then it goes on.
func (n *node) stop(d time.Duration, goOn func()) {
	n.paused = true
	life := n.life
	n.world.lasts(d, func() {
		if n.life != life || !n.paused {
			return
		}
		n.paused = false
		n.trace.node(n, "daemon goes on")
		goOn()
		n.catchUp()
	})
}

// catchUp gives a daemon that goes on what arrived meanwhile.
func (n *node) catchUp() {
	for len(n.held) > 0 && !n.paused {
		deliver := n.held[0]
		n.held = n.held[1:]
		n.carryOut(deliver)
	}
	n.turn()
}

// arrives gives the daemon an answer, once it can take it.
func (n *node) arrives(deliver func()) {
	if n.paused {
		n.held = append(n.held, deliver)
		return
	}
	n.carryOut(deliver) // which may end in a command: a server is stopped for its upgrade as soon as the answer permits it
	n.turn()
}

// unpause forgets what a daemon that has ended was in the middle of.
func (n *node) unpause() {
	cut := n.cut
	n.paused, n.held, n.cut = false, nil, nil
	if cut != nil {
		defer func() {
			if _, ok := recover().(crashed); !ok {
				panic("a daemon that was cut off went on")
			}
		}()
		cut()
	}
}

// release ends what daemons were left in the middle of, at the end of a run.
func (w *world) release() {
	for _, n := range w.nodes {
		n.unpause()
		if n.twin != nil {
			n.twin.unpause()
		}
	}
	for _, c := range w.idle {
		c.stop()
	}
}
