package awsfake

import (
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

// hook returns the group's hook for a transition, nil if there is none. Several
// hooks of one transition act as the first.
func (g *Group) hook(transition string) *Hook {
	for n := range g.Hooks {
		if g.Hooks[n].Transition == transition {
			return &g.Hooks[n]
		}
	}
	return nil
}

// heldBy returns the hook that holds the instance, nil if none does.
func (c *Cloud) heldBy(i *Instance) *Hook {
	g := c.state.group(i.Group)
	switch {
	case g == nil:
		return nil
	case i.Lifecycle == "Pending:Wait":
		return g.hook(Launching)
	case i.Lifecycle == "Terminating:Wait":
		return g.hook(Terminating)
	}
	return nil
}

func (c *Cloud) hookDefault(i *Instance) string {
	if h := c.heldBy(i); h != nil {
		return h.Default
	}
	return "ABANDON" // the hook was deleted meanwhile
}

// hold puts the instance into a :Wait state if the group has a hook for it.
func (c *Cloud) hold(i *Instance, transition, wait string, at time.Time) bool {
	g := c.state.group(i.Group)
	if g == nil || g.hook(transition) == nil {
		return false
	}
	h := g.hook(transition)
	i.Lifecycle, i.hookAt = wait, at.Add(h.Heartbeat)
	i.hookEnd = at.Add(min(maxHold, 100*h.Heartbeat))
	return true
}

// enterService makes a booted instance a full member of its group.
func (c *Cloud) enterService(i *Instance, at time.Time) {
	if i.Lifecycle == "Pending" && !c.hold(i, Launching, "Pending:Wait", at) {
		i.Lifecycle, i.servesAt = "InService", at
	}
}

// leaveService takes a member out: held by a hook while its machine runs, then
// terminated.
func (c *Cloud) leaveService(i *Instance, at time.Time, reason string) {
	c.touch()
	running := i.State == Running && i.Lifecycle == "InService"
	if running && c.hold(i, Terminating, "Terminating:Wait", at) {
		return
	}
	i.Lifecycle, i.hookAt = "Terminating", time.Time{}
	if i.State == Terminated {
		i.Lifecycle = "" // it ended by itself and the group learns it only now
	}
	c.shutdown(i, at, reason)
}

// Retained is the state of an instance whose termination hook was abandoned in a
// group that keeps such ones: it runs and does not count, until
// TerminateInstanceInAutoScalingGroup is called for it
// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/configure-instance-retention.html).
const Retained = "Terminating:Retained"

func (c *Cloud) retains(i *Instance) bool {
	g := c.state.group(i.Group)
	return g != nil && g.Retain
}

// completeHook ends the wait. A launch goes on only with CONTINUE; a termination
// goes on whatever the result, unless the group retains the abandoned.
func (c *Cloud) completeHook(i *Instance, result string, at time.Time) {
	c.touch()
	i.hookAt = time.Time{}
	switch {
	case i.Lifecycle == "Pending:Wait" && result == "CONTINUE":
		i.Lifecycle, i.servesAt = "InService", at
	case i.Lifecycle == "Terminating:Wait" && result == "ABANDON" && c.retains(i):
		i.Lifecycle = Retained
	case strings.HasSuffix(i.Lifecycle, ":Wait"):
		i.Lifecycle = "Terminating"
		c.shutdown(i, at, "User initiated (lifecycle action completed)")
	}
	c.scheduleGroup(i.Group, at)
}
