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
	Trace io.Writer    // nil: no trace
	Watch func(*Entry) // what Trace gets to see, as records; nil: nobody
	Plan  *Plan        // nil: drawn from the seed

	Abstract bool // tell the abstract states, which takes some of the time

	planted func(*world, FaultEvent) // a bug for the tests: told of every fault that happens
}

// Result is the outcome of a run.
type Result struct {
	Plan      Plan
	Violation *Violation // nil: every invariant held
	Excused   string     // why the run was let off from converging; empty when it converged
	Events    uint64
	Simulated time.Duration
	Hash      uint64        // of everything that happened, to tell whether two runs were the same
	Faults    []FaultEvent  // that happened, oldest first
	Coverage  Coverage      // what was seen
	Converged time.Duration // how long after the last fault

	// Abstract is the set of the states that the run was in, as hashes; nil unless [Options] ask for it.
	Abstract map[uint64]struct{}
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
	nodes  []*node // in order of their first boot
	byID   map[string]*node

	launched   []string // instance IDs, in order
	hosts      []*host  // of each of them
	recorded   []FaultEvent
	cover      Coverage
	said       map[string]bool // every reason that a daemon gave, where a test asks for them
	look       func()          // after every event; nil: nobody
	abstract   *abstraction    // nil: nobody asks
	boundaries func(Boundary)  // told of every command; nil: nobody
	planted    func(*world, FaultEvent)
	tampered   string // type and name of the record that was deleted last
	deleted    int    // how often nature has deleted the join lock

	chaos      bool  // faults are being made
	natural    bool  // what is called now is called by nature, and does not fail
	repeating  bool  // a command is carried out a second time
	outage     bool  // no AWS call succeeds
	stops      bool  // daemons may be paused at any call
	acting     *node // the daemon that acts
	idle       []*coroutine
	rates      [Kinds]Rate
	striking   [len(sites)][]Kind   // which classes are drawn at which calls
	until      [Kinds]time.Duration // how long a fault of the class goes on everywhere
	lasting    []*lasting
	partitions []*[]etcdfake.Break // that go on
	walls      *[]etcdfake.Break   // of them, those between regions; nil where there is one
	security   []string            // IDs of the security groups, of each region
	timeout    time.Duration       // of the answer that is on its way

	client    *stream
	check     checker
	violation *Violation
	events    uint64
	hash      uint64
	mutations int // commands that were to change something, so far
	changes   int // changes of etcd's members and keys, and of AWS, that daemons have made so far
}

// Run runs one seed.
func Run(o Options) Result {
	plan := newPlan(o.Seed)
	if o.Plan != nil {
		plan = *o.Plan
	}
	w := newWorld(plan, o)
	w.launch()
	r := Result{Plan: plan}
	if len(plan.Script) > 0 {
		r.Converged, r.Excused = w.play()
	} else if w.runChaos(); w.violation == nil {
		r.Converged, r.Excused = w.runQuiet()
	}
	r.Violation, r.Events, r.Simulated, r.Hash, r.Faults, r.Coverage = w.violation, w.events, w.now, w.hash, w.recorded, w.cover
	if w.abstract != nil {
		r.Abstract = w.abstract.seen
	}
	w.trace.end(&r)
	w.release()
	return r
}

func newWorld(plan Plan, o Options) *world {
	w := &world{
		plan: plan, clock: epoch, byID: map[string]*node{}, chaos: true, hash: 14695981039346656037, planted: o.planted,
		client: newStream(plan.Seed, "client"), cover: Coverage{Edges: map[Edge]*EdgeSeen{}},
	}
	if o.Abstract {
		w.abstract = &abstraction{world: w, seen: map[uint64]struct{}{}}
	}
	w.strike()
	w.trace = newTracer(w, o)
	now := func() time.Time { return w.clock }
	elections := newStream(plan.Seed, "elections").state
	w.etcd = etcdfake.New(etcdfake.Options{
		Now: now, Fault: w.etcdFault,
		Election: func(cluster, term uint64) time.Duration { // of its own numbers, so that one more does not change the others
			s := stream{elections ^ cluster ^ term<<32}
			return s.between(time.Second, 1700*time.Millisecond)
		},
	})
	stale := time.Duration(0)
	if plan.makes(AWSStale) || plan.makes(Replicas) {
		stale = maxStale
	}
	w.cloud = awsfake.New(awsfake.Options{
		Now: now, Seed: plan.Seed, Operator: nature, LaunchDelay: 5 * time.Second, ShutdownDelay: shutdownDelay, HealthCheckDelay: 20 * time.Second,
		ReconcileDelay: time.Second, MaxStale: stale, Fault: w.awsFault, Log: w.answered,
		OnRunning: w.instanceRuns, OnTerminate: w.instanceEnds,
	})
	w.trace.plan()
	w.check = checker{world: w, served: map[uint64]bool{}, removed: map[string]time.Duration{}}
	return w
}

// strike looks up which classes are drawn at which calls.
func (w *world) strike() {
	w.stops = w.plan.makes(PauseAtCall)
	for _, r := range w.plan.Rates {
		w.rates[r.Kind] = r
		for i, at := range sites {
			if kinds[r.Kind].at&at != 0 {
				w.striking[i] = append(w.striking[i], r.Kind)
			}
		}
	}
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
	if w.look != nil {
		w.look()
	}
	if w.abstract != nil {
		w.abstract.note()
	}
}

// note mixes an occurrence into the hash of the run.
func (w *world) note(what string) {
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

// The minors installed on every instance, one of which follows the other. Daemons are configured with the first or the last.
var (
	servers     = []states.MinorVersion{{Major: 3, Minor: 6}, {Major: 3, Minor: 7}}
	longServers = []states.MinorVersion{{Major: 3, Minor: 5}, {Major: 3, Minor: 6}, {Major: 3, Minor: 7}}
	oldServers  = []states.MinorVersion{{Major: 2, Minor: 3}, {Major: 3}}
)

func (p *Plan) servers() []states.MinorVersion {
	switch {
	case p.Old:
		return oldServers
	case p.Long:
		return longServers
	default:
		return servers
	}
}

// oldest and newest are the minors that the daemons are configured with, one before and one after [Plan.Newer].
func (p *Plan) oldest() states.MinorVersion { return p.servers()[0] }
func (p *Plan) newest() states.MinorVersion { return p.servers()[len(p.servers())-1] }
