package awsfake

import (
	"slices"
	"time"
)

// States of an instance
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html).
const (
	Pending      = "pending"
	Running      = "running"
	ShuttingDown = "shutting-down" // never reverts
	Terminated   = "terminated"
	Stopping     = "stopping"
	Stopped      = "stopped"
)

// Tag is a key and value on an instance or a group.
type Tag struct{ Key, Value string }

// Instance is one EC2 machine. It is a value: the Cloud never changes one that
// it has handed out.
type Instance struct {
	ID             string // i- and 17 hexadecimal digits
	State          string // Pending, Running, ...
	PrivateIP      string // stays the same through stop and start, as on a VPC
	PrivateDNSName string // ip-a-b-c-d.<region>.compute.internal
	PublicIP       string // empty unless Options.Public
	Zone           string // availability zone
	LaunchedAt     time.Time
	Reason         string // why it is shutting down, as in StateTransitionReason
	Tags           []Tag  // sorted by key; never changed

	Group           string // auto-scaling group that launched it
	Lifecycle       string // state in the group: InService, Terminating:Wait, ...; empty when it has left
	Health          string // Healthy or Unhealthy, in the group's eyes
	TemplateVersion string // of the launch template it was launched from
	Disk            int    // counts the disks it has had, see Options.InstanceStore

	started bool      // OnRunning has been called last, not OnTerminate
	stateAt time.Time // when State changes by itself
	downAt  time.Time // since when it is not running (zero while it runs or boots)
	bootAt  time.Time // end of a reboot
	holds   []hold    // of lifecycle hooks; never changed
	spotAt  time.Time // when EC2 takes a spot instance back
	diesAt  time.Time // when it ends by itself, failing to boot
	passAt  time.Time // when its failing status check passes again
	warned  warnings
	look    Look // of a copy that is shown

	servesAt time.Time // since when it is in service
	outgoing bool      // it is to be replaced, and serves until then

	forgotten bool // by EC2, while its group still waits for a hook
}

// Tag returns the value of a tag; false when it is absent.
func (i *Instance) Tag(key string) (string, bool) {
	for _, t := range i.Tags {
		if t.Key == key {
			return t.Value, true
		}
	}
	return "", false
}

// due is when something happens to the instance by itself.
func (i *Instance) due() time.Time {
	return sooner(sooner(sooner(i.stateAt, i.bootAt), sooner(i.hookAt(), i.spotAt)), sooner(i.diesAt, i.passAt))
}

// gone tells whether the instance ends or has ended; that never reverts.
func (i *Instance) gone() bool { return i.State == ShuttingDown || i.State == Terminated }

// advanceInstances moves every instance that is due at that time by one step.
func (c *Cloud) advanceInstances(at time.Time) {
	reached := func(t time.Time) bool { return !t.IsZero() && !t.After(at) }
	for n := range c.state.instances {
		i := &c.state.instances[n]
		switch {
		case reached(i.spotAt):
			i.spotAt = time.Time{}
			c.shutdown(i, at, "Server.SpotInstanceTermination: Spot instance termination")
		case reached(i.diesAt):
			i.diesAt = time.Time{}
			c.shutdown(i, at, "Server.InternalError: Internal error on launch")
		case reached(i.passAt):
			c.passHealthCheck(i)
		case reached(i.stateAt):
			c.nextState(i, at)
		case reached(i.bootAt):
			i.bootAt = time.Time{}
			c.start(i)
		case reached(i.hookAt()):
			c.timeOut(i, at)
		}
	}
	c.state.instances = slices.DeleteFunc(c.state.instances, func(i Instance) bool { return i.forgotten && i.Lifecycle == "" })
}

// nextState ends a transitional state.
func (c *Cloud) nextState(i *Instance, at time.Time) {
	i.stateAt = time.Time{}
	switch i.State {
	case Pending:
		i.State = Running
		c.start(i)
		c.enterService(i, at)
	case Stopping:
		i.State = Stopped
	case ShuttingDown:
		i.State = Terminated
		c.freed = append(c.freed, i.PrivateIP)
		i.stateAt = at.Add(c.opt.TerminatedVisible)
		if i.Lifecycle == "Terminating" || i.Lifecycle == Retained {
			i.Lifecycle = "" // it has left the group
		}
	case Terminated:
		i.forgotten = true
	}
	c.scheduleGroup(i.Group, at)
}

// shutdown begins the end of an instance, unless it has begun.
func (c *Cloud) shutdown(i *Instance, at time.Time, reason string) {
	if i.gone() {
		return
	}
	c.touch()
	i.State, i.Reason, i.stateAt = ShuttingDown, reason, at.Add(c.opt.ShutdownDelay)
	i.bootAt, i.spotAt, i.diesAt, i.passAt, i.downAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}, at
	if i.Lifecycle != terminatingWait {
		i.holds = nil
	}
	c.stop(i)
	c.scheduleGroup(i.Group, at)
}

// start and stop call the hooks in turns, so that nothing starts twice.
func (c *Cloud) start(i *Instance) {
	if i.started {
		return
	}
	i.started = true
	c.boots(i)
	if c.opt.OnRunning != nil {
		c.opt.OnRunning(*i)
	}
}

func (c *Cloud) stop(i *Instance) {
	if !i.started {
		return
	}
	i.started = false
	if c.opt.OnTerminate != nil {
		c.opt.OnTerminate(*i)
	}
}

// find returns the instance in the present state, nil if there is none.
func (c *Cloud) find(id string) *Instance { return c.state.find(id) }

func (s *state) find(id string) *Instance {
	for n := range s.instances {
		if s.instances[n].ID == id {
			return &s.instances[n]
		}
	}
	return nil
}

// Instances returns all instances that EC2 or a group still knows, in order of
// launch.
func (c *Cloud) Instances() []Instance { return slices.Clone(c.state.instances) }

// Instance returns one instance; false when neither EC2 nor a group knows it.
func (c *Cloud) Instance(id string) (Instance, bool) {
	if i := c.find(id); i != nil {
		return *i, true
	}
	return Instance{}, false
}

// InterruptSpot gives a spot instance its notice: from now on its metadata says
// so, and after notice (two minutes on EC2) it is terminated.
func (c *Cloud) InterruptSpot(id string, notice time.Duration) {
	if i := c.find(id); i != nil && !i.gone() {
		c.touch()
		i.spotAt = c.opt.Now().Add(notice)
		c.remember()
	}
}
