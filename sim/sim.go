package sim

import (
	"fmt"
	"io"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Options say what to run.
type Options struct {
	Seed  uint64
	Trace io.Writer // nil: no trace
	Plan  *Plan     // nil: drawn from the seed
}

// Result is the outcome of a run.
type Result struct {
	Plan      Plan
	Violation *Violation // nil: every invariant held
	Excused   string     // why the run was let off from converging; empty when it converged
	Events    uint64
	Simulated time.Duration
	Hash      uint64         // of everything that happened, to tell whether two runs were the same
	Reached   map[string]int // how often each edge, command and fault occurred
	Converged time.Duration  // how long after the last fault
}

// Violation is an invariant that did not hold.
type Violation struct {
	At        time.Duration
	Invariant string // id of the catalogue, such as C1
	Detail    string
}

func (v *Violation) Error() string { return fmt.Sprintf("%s at %s: %s", v.Invariant, v.At, v.Detail) }

// epoch is when every run begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	groupName = "releaseetcd"
	zoneName  = "elephant.example.org."
	bucket    = "claims"
)

// world is one run.
type world struct {
	plan  Plan
	queue queue
	now   time.Duration
	clock time.Time // epoch + now
	trace *tracer

	cloud  *awsfake.Cloud
	etcd   *etcdfake.World
	zoneID string
	nodes  []*node // in order of launch
	byID   map[string]*node

	chaos     bool // faults are being made
	outage    bool // no AWS call succeeds
	calls     *stream
	delays    *stream
	life      *stream
	check     checker
	violation *Violation
	events    uint64
	hash      uint64
	reached   map[string]int
	mutations int // effects of commands so far
}

// Run runs one seed.
func Run(o Options) Result {
	plan := newPlan(o.Seed)
	if o.Plan != nil {
		plan = *o.Plan
	}
	w := newWorld(plan, o.Trace)
	w.launch()
	w.runChaos()
	r := Result{Plan: plan}
	if w.violation == nil {
		r.Converged, r.Excused = w.runQuiet()
	}
	r.Violation, r.Events, r.Simulated, r.Hash, r.Reached = w.violation, w.events, w.now, w.hash, w.reached
	w.trace.end(&r)
	return r
}

func newWorld(plan Plan, trace io.Writer) *world {
	w := &world{
		plan: plan, clock: epoch, byID: map[string]*node{}, chaos: true, reached: map[string]int{}, hash: 14695981039346656037,
		calls: newStream(plan.Seed, "calls"), delays: newStream(plan.Seed, "delays"), life: newStream(plan.Seed, "life"),
	}
	w.trace = newTracer(w, trace)
	now := func() time.Time { return w.clock }
	elections := newStream(plan.Seed, "elections")
	w.etcd = etcdfake.New(etcdfake.Options{
		Now:      now,
		Election: func(uint64, uint64) time.Duration { return elections.between(time.Second, 1700*time.Millisecond) },
		Fault:    w.etcdFault,
	})
	stale := time.Duration(0)
	if plan.AWSStale > 0 {
		stale = maxStale
	}
	w.cloud = awsfake.New(awsfake.Options{
		Now: now, Seed: plan.Seed, LaunchDelay: 5 * time.Second, ShutdownDelay: 10 * time.Second, HealthCheckDelay: 20 * time.Second,
		ReconcileDelay: time.Second, MaxStale: stale, Fault: w.awsFault, Log: w.awsCalled,
		OnRunning: w.instanceRuns, OnTerminate: w.instanceEnds,
	})
	w.trace.plan(plan)
	w.check = checker{world: w, served: map[uint64]bool{}, removed: map[string]time.Duration{}}
	return w
}

// at schedules something.
func (w *world) at(delay time.Duration, do func()) { w.queue.push(w.now+max(0, delay), do) }

// run lets events happen until the time, or until an invariant does not hold.
func (w *world) run(until time.Duration) {
	for w.violation == nil {
		next, due := w.nextEvent()
		if !due || next > until {
			w.setTime(until)
			return
		}
		w.setTime(next)
		w.step()
	}
}

func (w *world) setTime(t time.Duration) {
	if t > w.now {
		w.now, w.clock = t, epoch.Add(t)
	}
}

// nextEvent is the earliest of what the queue, AWS and etcd have coming.
func (w *world) nextEvent() (time.Duration, bool) {
	next, due := time.Duration(0), false
	if len(w.queue.heap) > 0 {
		next, due = w.queue.heap[0].at, true
	}
	if t, ok := w.cloud.NextEvent(); ok {
		if d := t.Sub(epoch); !due || d < next {
			next, due = d, true
		}
	}
	if t, ok := w.etcd.NextEvent(); ok {
		if d := t.Sub(epoch); !due || d < next {
			next, due = d, true
		}
	}
	return next, due
}

func (w *world) step() {
	w.events++
	w.cloud.Advance()
	w.etcd.Advance()
	if len(w.queue.heap) > 0 && w.queue.heap[0].at <= w.now {
		w.queue.pop().do()
	}
	w.check.afterEvent()
}

// note mixes an occurrence into the hash of the run and counts it.
func (w *world) note(what string) {
	w.reached[what]++
	h := w.hash ^ uint64(w.now)
	for i := range len(what) {
		h = (h ^ uint64(what[i])) * 1099511628211
	}
	w.hash = h
}

func (w *world) fail(invariant, format string, args ...any) {
	if w.violation == nil {
		w.violation = &Violation{At: w.now, Invariant: invariant, Detail: fmt.Sprintf(format, args...)}
	}
}

// servers are the minors installed on every instance.
var servers = []states.MinorVersion{{Major: 3, Minor: 6}, {Major: 3, Minor: 7}}
