package awsfake

import (
	"fmt"
	"time"
)

// Options configure a Cloud. Only Now is required.
type Options struct {
	Now    func() time.Time // the one clock
	Region string           // default eu-central-1
	Zones  []string         // availability zones, default the region's a, b and c
	Seed   uint64           // makes the identifiers of two clouds differ

	LaunchDelay       time.Duration // pending -> running, and the length of a reboot
	ShutdownDelay     time.Duration // shutting-down -> terminated, stopping -> stopped
	TerminatedVisible time.Duration // how long a terminated instance is still described, default 1 h
	ReconcileDelay    time.Duration // from a change to the group's reaction
	HealthCheckDelay  time.Duration // from a machine that is not running to its group noticing
	LaunchRetry       time.Duration // pause after a failed launch, default 1 min
	SyncDelay         time.Duration // a Route53 change is PENDING that long
	MaxStale          time.Duration // the largest Fault.Stale; 0 keeps no history
	PageSize          int           // upper bound of every page, 0 for AWS's own

	// InstanceStore: the disk of an instance is on its host. It survives a reboot,
	// and is lost by a stop, which shows in Instance.Disk
	// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-lifetime.html).
	InstanceStore bool

	// NewAddress returns the private IPv4 of a new instance; the default hands
	// out 10.0.0.10 and up and never reuses one.
	NewAddress func(instanceID string) string
	// Public gives instances public addresses too, which are what their private
	// ones are behind 198.51 (a range for documentation, RFC 5737, and a bit more).
	Public bool
	// OnRunning is called when an instance has booted and its processes should
	// start, OnTerminate when they end (shutting-down, stopping or a reboot); each
	// OnRunning is followed by at most one OnTerminate. They run inside the call
	// that caused them and must not call the Cloud: schedule, then return.
	OnRunning   func(Instance)
	OnTerminate func(Instance)
	// Fault is asked once a call, before it; the zero Fault is none. It may change
	// the account: that is how another writer comes in just before a change.
	Fault func(Call) Fault
	// Operator is a caller whom no trouble strikes: the simulator's own hand.
	Operator string
	// Log is told every call and its outcome, and of a late one once more.
	Log func(Call, error)
}

// Cloud is the account. It is not safe for concurrent use.
type Cloud struct {
	opt         Options
	state       state
	past        []snapshot // oldest first; empty unless Options.MaxStale is set
	changed     bool       // state differs from the newest snapshot
	counter     uint64     // of identifiers
	calls       map[callKey]int
	buckets     map[string]map[string]object
	submissions []submission // Route53 changes, oldest first
	troubles    troubles     // what is wrong with the account for a while
	late        []lateCall   // requests that take effect after their callers gave up
	freed       []string     // addresses of terminated instances, the last freed last

	next      time.Time // cache of NextEvent
	nextKnown bool
}

// New returns an empty account.
func New(o Options) *Cloud {
	if o.Region == "" {
		o.Region = "eu-central-1"
	}
	if len(o.Zones) == 0 {
		o.Zones = []string{o.Region + "a", o.Region + "b", o.Region + "c"}
	}
	if o.TerminatedVisible == 0 {
		o.TerminatedVisible = time.Hour
	}
	if o.LaunchRetry == 0 {
		o.LaunchRetry = time.Minute
	}
	c := &Cloud{opt: o, calls: map[callKey]int{}, buckets: map[string]map[string]object{}}
	if o.NewAddress == nil {
		var n int
		c.opt.NewAddress = func(string) string {
			n++
			host := n + 9
			return fmt.Sprintf("10.0.%d.%d", host/250, host%250+1)
		}
	}
	c.remember() // so that the oldest stale read finds an empty account
	return c
}

// Region returns the region that all instances are in.
func (c *Cloud) Region() string { return c.opt.Region }

// Advance makes happen what is due at Now, in order of time, then of launch.
func (c *Cloud) Advance() {
	now := c.opt.Now()
	for {
		at, ok := c.NextEvent()
		if !ok || at.After(now) {
			break
		}
		c.touch()
		c.advanceLate(at)
		c.advanceInstances(at)
		c.advanceGroups(at)
	}
	c.remember()
}

// NextEvent tells when Advance has something to do next; false if only another
// call can make something happen. The time may lie in the past.
func (c *Cloud) NextEvent() (time.Time, bool) {
	if !c.nextKnown {
		c.next, c.nextKnown = c.earliest(), true
	}
	return c.next, !c.next.IsZero()
}

// earliest scans for the first due time; the zero time means nothing is due.
func (c *Cloud) earliest() (at time.Time) {
	for i := range c.state.instances {
		at = sooner(at, c.state.instances[i].due())
	}
	for i := range c.state.groups {
		at = sooner(at, c.state.groups[i].reconcileAt)
	}
	for i := range c.late {
		at = sooner(at, c.late[i].at)
	}
	return at
}

// Late tells whether a request that was made takes effect only later.
func (c *Cloud) Late() bool { return len(c.late) > 0 }

// touch notes that the state is about to change.
func (c *Cloud) touch() { c.changed, c.nextKnown = true, false }

// newID returns the next identifier, hexadecimal and deterministic.
func (c *Cloud) newID() string {
	c.counter++
	return fmt.Sprintf("%016x", mix(c.opt.Seed<<32+c.counter))
}

// mix is the finaliser of splitmix64 (https://prng.di.unimi.it/splitmix64.c): a
// bijection, so two counters never share an identifier.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// sooner returns the earlier of two times, the zero time counting as never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
