// Package roll takes a whole cluster to another minor of etcd from outside, one instance after the other, as an operator would do
// it by hand: look, do one thing, wait until all is well again. It changes nothing in etcd. The daemons upgrade their servers
// themselves, under their lock; what a roll adds is the order, and that it stops at the first thing that is not as it should be.
package roll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Options say what is rolled, and how.
type Options struct {
	To      states.MinorVersion
	Replace bool // by new instances, which must want To; else the instances that run take To over

	// StepTimeout is how long a roll may go without any progress.
	StepTimeout time.Duration

	// Look looks at the cluster once.
	Look func(context.Context) *observer.View
	// Locks reads the record of the upgrade lock and of a halted upgrade through any of the client URLs.
	Locks func(ctx context.Context, endpoints []string) (lock, halt states.UpgradeLock, err error)
	// Want tells the group which minor its instances are to run. It is called once, unless Replace is set.
	Want func(ctx context.Context, minor states.MinorVersion) error
	// Terminate has the group end an instance and launch another.
	Terminate func(ctx context.Context, instance string) error

	// Show is told of every look, with what is being waited for.
	Show func(*Picture)
	// Pause is the time between two looks.
	Pause time.Duration
}

// Picture is what a roll knows and does at one moment.
type Picture struct {
	Look
	Began   time.Time
	Doing   string    // what is being waited for, or done
	Current string    // instance that is being replaced; empty for none
	Since   time.Time // of the last progress
	Done    int       // instances that run the wanted minor
	Left    time.Duration
}

// Look is one look at the cluster and at what its members keep of upgrades.
type Look struct {
	*observer.View
	Lock, Halt states.UpgradeLock
	LockErr    error // why they could not be read
}

// Run rolls until every instance runs the minor that is wanted and all is well. It stops when ctx ends, or at the first anomaly,
// which is the error. The same call goes on where a stopped one has ended: what was done is seen in the cluster itself.
func Run(ctx context.Context, o Options) error {
	r := &roller{Options: o, began: time.Now()}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	for {
		now := r.look(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		done, err := r.step(ctx, now)
		if done || err != nil {
			return err
		}
		if err := sleep(ctx, o.Pause); err != nil {
			return err
		}
	}
}

// roller is a roll under way. All it remembers beside what can be seen is what it waits for.
type roller struct {
	Options
	watch   watch
	began   time.Time
	since   time.Time // of the last progress
	seen    string    // what progress is measured by, as last seen
	current string    // the instance that was terminated last, until its replacement is done
	begun   int       // instances that ran the wanted minor at the beginning
	done    int       // and when the last one was terminated
}

// prepare looks until everything could be asked once, checks what a roll takes for granted, and begins.
func (r *roller) prepare(ctx context.Context) error {
	now := r.look(ctx)
	for end := time.Now().Add(30 * time.Second); now.unclear() != nil; now = r.look(ctx) {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case len(now.Errors) == 0 && len(now.InService()) == 0:
			return errors.New("the group has no instance in service; is this its name, and its region?")
		case time.Now().After(end):
			return fmt.Errorf("the cluster cannot be seen: %w", now.unclear())
		}
		r.show(now, "looks at the cluster: "+now.unclear().Error())
		if err := sleep(ctx, r.Pause); err != nil {
			return err
		}
	}
	if err := r.permitted(now); err != nil {
		return err
	}
	r.since, r.begun = time.Now(), len(now.running(r.To))
	r.watch = newWatch(now)
	if r.Replace || r.begun == len(now.InService()) {
		return nil
	}
	if err := r.Want(ctx, r.To); err != nil {
		return fmt.Errorf("tell the group to want etcd %s: %w", r.To, err)
	}
	return nil
}

// permitted tells what forbids to begin, or to go on with, a roll.
func (r *roller) permitted(now *Look) error {
	n := len(now.InService())
	switch {
	case n < 3:
		return fmt.Errorf("a cluster of %d cannot be upgraded without being stopped: resize it to 3 first", n)
	case now.Halt.Owner != "":
		return now.halted()
	}
	for _, i := range now.InService() {
		runs := minorOf(i.Etcd.Version)
		switch {
		case !runs.Known():
			continue // it is not up yet, or a learner: it is waited for
		case r.To.Less(runs) && !r.Replace:
			continue // a way back there is as long as another member runs the older one, which the daemons decide
		case r.To.Less(runs):
			return fmt.Errorf("%s runs etcd %s already: a roll does not go back by replacement", i.ID, runs)
		case r.Replace && runs != r.To && runs.Next() != r.To:
			return fmt.Errorf("%s runs etcd %s: by replacement a roll takes one minor at a time, so give --to %s first", i.ID, runs, runs.Next())
		}
	}
	return nil
}

// step does the next thing, if it is time for one.
func (r *roller) step(ctx context.Context, now *Look) (done bool, err error) {
	if err := r.watch.anomaly(now, r.current); err != nil {
		return false, err
	}
	r.progress(now)
	left := now.notRunning(r.To)
	waits := now.unsettled()
	switch {
	case waits == nil && len(left) == 0:
		r.current = ""
		r.show(now, "every instance runs etcd "+r.To.String())
		return true, nil
	case time.Since(r.since) > r.StepTimeout:
		return false, fmt.Errorf("nothing has changed for %s: %w", r.StepTimeout,
			cmp.Or(waits, fmt.Errorf("%d of %d instances run etcd %s", len(now.running(r.To)), len(now.InService()), r.To)))
	case waits != nil:
		r.show(now, waits.Error())
		return false, nil
	case !r.Replace:
		r.show(now, "waits for the members to take their turns")
		return false, nil
	case r.current != "" && !r.replaced(now):
		r.show(now, fmt.Sprintf("waits for the replacement of %s to run etcd %s", r.current, r.To))
		return false, nil
	}
	return false, r.replace(ctx, now, next(now, left))
}

// replaced tells whether another member has come to run the wanted minor since the last instance was terminated.
func (r *roller) replaced(now *Look) bool {
	i, _ := now.Instance(r.current)
	return i.Lifecycle == "" && len(now.running(r.To)) > r.done
}

// replace terminates one instance.
func (r *roller) replace(ctx context.Context, now *Look, victim observer.Instance) error {
	r.current, r.done, r.since = victim.ID, len(now.running(r.To)), time.Now()
	r.show(now, "terminates "+victim.ID)
	if err := r.Terminate(ctx, victim.ID); err != nil {
		return fmt.Errorf("terminate %s: %w", victim.ID, err)
	}
	r.watch.expect(victim.ID)
	return nil
}

// progress notes when anything has changed that a roll is about.
func (r *roller) progress(now *Look) {
	if seen := now.fingerprint(); seen != r.seen {
		r.seen, r.since = seen, time.Now()
	}
}

func (r *roller) look(ctx context.Context) *Look {
	now := &Look{View: r.Look(ctx)}
	var endpoints []string
	for _, i := range now.InService() {
		if i.Etcd.Serves {
			endpoints = append(endpoints, i.Etcd.URL)
		}
	}
	if len(endpoints) == 0 {
		now.LockErr = errors.New("no member serves")
		return now
	}
	now.Lock, now.Halt, now.LockErr = r.Locks(ctx, endpoints)
	return now
}

func (r *roller) show(now *Look, doing string) {
	if r.Show == nil {
		return
	}
	p := &Picture{Look: *now, Began: r.began, Doing: doing, Current: r.current, Since: r.since, Done: len(now.running(r.To))}
	if steps := p.Done - r.begun; steps > 0 {
		p.Left = time.Since(r.began) / time.Duration(steps) * time.Duration(len(now.notRunning(r.To)))
	}
	r.Show(p)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
