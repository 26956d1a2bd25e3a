package awsfake

import (
	"slices"
	"strings"
	"time"
)

// Transitions that a Hook can hold.
const (
	Launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	Terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
)

// Hook is a lifecycle hook: it holds an instance in Pending:Wait or
// Terminating:Wait until someone completes the action or it times out
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html).
type Hook struct {
	Name       string
	Transition string        // Launching or Terminating
	Heartbeat  time.Duration // 30 s to 2 h
	Default    string        // CONTINUE or ABANDON, on timeout
}

// The longest an action may be held: the smaller of 48 hours and 100 heartbeats.
const maxHold = 48 * time.Hour

// hold is one hook's wait of one instance.
type hold struct {
	hook string
	at   time.Time // when it times out
	end  time.Time // beyond which heartbeats do not extend it
}

// hook returns the group's hook of that name, nil if there is none.
func (g *Group) hook(name string) *Hook {
	for n := range g.Hooks {
		if g.Hooks[n].Name == name {
			return &g.Hooks[n]
		}
	}
	return nil
}

// hookAt is when the first of the waits times out.
func (i *Instance) hookAt() (at time.Time) {
	for _, h := range i.holds {
		at = sooner(at, h.at)
	}
	return at
}

// timeOut completes the wait that is over with the hook's default result.
func (c *Cloud) timeOut(i *Instance, at time.Time) {
	for _, h := range i.holds {
		if h.at.After(at) {
			continue
		}
		result := "ABANDON" // if the hook, or its group, was deleted meanwhile
		if g := c.state.group(i.Group); g != nil && g.hook(h.hook) != nil {
			result = g.hook(h.hook).Default
		}
		c.completeHook(i, h.hook, result, at)
		return
	}
}

// hold puts the instance into a :Wait state if the group has hooks for it.
func (c *Cloud) hold(i *Instance, transition, wait string, at time.Time) bool {
	g := c.state.group(i.Group)
	if g == nil {
		return false
	}
	i.holds = nil
	for _, h := range g.Hooks {
		if h.Transition == transition {
			i.holds = append(i.holds, hold{h.Name, at.Add(h.Heartbeat), at.Add(min(maxHold, 100*h.Heartbeat))})
		}
	}
	if i.holds == nil {
		return false
	}
	i.Lifecycle = wait
	return true
}

// enterService makes a booted instance a full member of its group.
func (c *Cloud) enterService(i *Instance, at time.Time) {
	if i.Lifecycle == "Pending" && !c.hold(i, Launching, "Pending:Wait", at) {
		i.Lifecycle, i.servesAt = "InService", at
	}
}

// leaveService takes a member out: held by its hooks, then terminated. The hooks
// hold one that has ended too: the group learns that only later, and lists it as
// Terminating:Wait until they time out
// (https://github.com/getsocial-rnd/ecs-drain-lambda/issues/6, AWS support).
func (c *Cloud) leaveService(i *Instance, at time.Time, reason string) {
	c.touch()
	if i.Lifecycle == "InService" && c.hold(i, Terminating, terminatingWait, at) {
		return
	}
	c.leave(i, at, reason)
}

// leave takes a member out that nothing holds.
func (c *Cloud) leave(i *Instance, at time.Time, reason string) {
	i.Lifecycle, i.holds = "Terminating", nil
	if i.State == Terminated {
		i.Lifecycle = ""
	}
	c.shutdown(i, at, reason)
}

const terminatingWait = "Terminating:Wait"

// Retained is the state of an instance whose termination hook was abandoned in a
// group that keeps such ones: it runs and does not count, until
// TerminateInstanceInAutoScalingGroup is called for it
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/configure-instance-retention.html).
const Retained = "Terminating:Retained"

func (c *Cloud) retains(i *Instance) bool {
	g := c.state.group(i.Group)
	return g != nil && g.Retain && i.State == Running
}

// completeHook ends one wait. The instance goes on with CONTINUE when no other
// hook holds it; ABANDON skips the other hooks. A launch goes on only with
// CONTINUE; a termination whatever the result, unless the group retains the
// abandoned.
func (c *Cloud) completeHook(i *Instance, hook, result string, at time.Time) {
	c.touch()
	i.holds = slices.DeleteFunc(slices.Clone(i.holds), func(h hold) bool { return h.hook == hook })
	if result == "CONTINUE" && len(i.holds) > 0 {
		return
	}
	i.holds = nil
	switch {
	case i.Lifecycle == "Pending:Wait" && result == "CONTINUE":
		i.Lifecycle, i.servesAt = "InService", at
	case i.Lifecycle == terminatingWait && result == "ABANDON" && c.retains(i):
		i.Lifecycle = Retained
	case strings.HasSuffix(i.Lifecycle, ":Wait"):
		c.leave(i, at, "User initiated (lifecycle action completed)")
	}
	c.scheduleGroup(i.Group, at)
}
