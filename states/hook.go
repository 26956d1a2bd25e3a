package states

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Transition is a change of an instance's place in its group, at which a lifecycle hook may hold it.
type Transition uint8

// The transitions.
const (
	NotHeld     Transition = iota
	Launching              // Pending:Wait: it runs, and does not count as in service yet
	Terminating            // Terminating:Wait: it is going to be ended, and runs still
)

func (tr Transition) String() string {
	return [...]string{"no", "the launching", "the terminating"}[tr] + " hook"
}

// Hook is the lifecycle hook of this daemon's that holds its instance. What holds it for others is theirs to complete.
type Hook struct {
	Holds   Transition
	Since   time.Time     // when this daemon first saw it so
	Beat    time.Time     // when this daemon last asked for more time; zero when it never has
	Timeout time.Duration // AWS waits so long after it has last heard of the instance
}

// HookHeartbeat asks for more time: the hook's timeout begins anew. That no hook holds the instance any more is success.
type HookHeartbeat struct{ Hook Transition }

// CompleteHook lets the instance go on, or, at its launch, gives it up: the group ends it and launches another. That no hook holds the
// instance any more is success.
type CompleteHook struct {
	Hook    Transition
	Abandon bool
	Why     string
}

// hopelessAfter is how long an instance that is launched may have trouble of its own, before it is given up. A cluster that has no
// quorum is no reason: another instance would find it the same.
const hopelessAfter = 15 * time.Minute

// tendHook keeps the instance where its hook holds it for as long as that is good for, and not longer. A launch is complete with a
// healthy voter, so that whoever replaces one instance after the other waits for the cluster and need not know of it.
func (t *turn) tendHook(v *verdict) {
	switch t.Group.Hook.Holds {
	case NotHeld:
	case Launching:
		t.tendLaunch(v)
	case Terminating:
		t.tendTermination(v)
	}
}

func (t *turn) tendLaunch(v *verdict) {
	if t.State == Leaving {
		return // nobody waits for it any more
	}
	h := &t.Group.Hook
	atMost(&v.needs.Group, slow)
	waits := t.launchWaits()
	switch {
	case waits == "":
		v.commands = append(v.commands, CompleteHook{Hook: Launching, Why: "its member is a healthy voter"})
	case len(v.reports) > 0 && t.State != Discovering && t.Cluster.Known != No && t.Now.Sub(h.Since) >= hopelessAfter:
		v.commands = append(v.commands, CompleteHook{Hook: Launching, Abandon: true, Why: strings.Join(v.reports, "; ")})
	default:
		v.why += "; its launch waits: " + waits
		atMost(&v.needs.Cluster, fast)
		v.needs.Wide = true
		t.beat(v)
	}
}

// launchWaits tells what the launch waits for; empty when for nothing. Its own upgrade is waited for where it can come: of a group that
// has launched one more than it wants, it comes only when the old instance has gone.
func (t *turn) launchWaits() string {
	local := t.Local()
	me, listed := t.Cluster.Member(local.MemberID)
	n, _ := t.Cluster.Voters()
	next, _ := t.change()
	switch {
	case t.Cluster.Known != Yes || !listed || me.Learner || !me.Started() || !local.Serves() || me.Health != Yes:
		return "for its member to be a healthy voter"
	case t.lag(me) > settleLag:
		return fmt.Sprintf("for its member to catch up: %d entries are missing", t.lag(me))
	case t.holdsUpgradeLock():
		return "for the upgrade to etcd " + t.Cluster.Upgrade.Lock.Goal()
	case next.To.Known() && n == t.Group.Desired && t.Cluster.Upgrade.Halted.Owner == "" && t.Now.Sub(t.wanting()) < upgradePatience:
		return "for the upgrade to etcd " + next.Goal()
	}
	return ""
}

// tendTermination holds the instance until its server has ended: it has left its cluster by then. A group that wants no instance at
// all leaves nobody to hand anything to.
func (t *turn) tendTermination(v *verdict) {
	if t.Ending.Terminating != Yes {
		return
	}
	if v.done && !t.Ending.waits(t.Now) {
		return // the hook goes on by itself when it hears no more
	}
	atMost(&v.needs.Group, slow)
	switch {
	case t.Process.Running == No && !t.mustReturn():
		v.commands = append(v.commands, CompleteHook{Hook: Terminating, Why: "its server has ended"})
		v.done = false
	case t.Group.Desired == 0 && len(t.Group.Silent) == 0:
		v.commands = append(v.commands, CompleteHook{Hook: Terminating, Why: "the group wants no instance"})
	case t.serves() || t.Now.Sub(t.Group.Hook.Since) < leavePatience:
		t.beat(v)
	}
}

// serves tells whether its server is of use to the cluster. One that was told to stop is not, however long it takes: a process that waits
// for its disk does not even end when it is killed.
func (t *turn) serves() bool {
	me, listed := t.Cluster.Member(t.Local().MemberID)
	return t.Cluster.Known == Yes && listed && me.Health == Yes && !t.Process.Stopping
}

// leavePatience is for how long an instance that is to be ended asks for time to mend what is wrong with its server. Where that works, and
// the others are no quorum without it, it asks for as long as AWS lets it: they may become one.
const leavePatience = 5 * time.Minute

// beat asks for more time while a third of the timeout has passed: one call that is lost leaves time for another.
func (t *turn) beat(v *verdict) {
	h := &t.Group.Hook
	if t.Now.Sub(cmp.Or(h.Beat, h.Since)) >= h.Timeout/3 {
		v.commands = append(v.commands, HookHeartbeat{Hook: h.Holds})
	}
}

// atMost sees to it that a fact is asked for at least so often; zero is never.
func atMost(need *time.Duration, age time.Duration) {
	if *need == 0 || *need > age {
		*need = age
	}
}

// ReplaceInstance tells the group that an instance is unhealthy, so that it ends it and launches another. A second time it says the
// same again.
type ReplaceInstance struct{ ID, Why string }

// replaceUnhealthy has the group replace the instance of a member that has been unhealthy for long: something that its own daemon cannot
// mend, such as a disk that fails. Only ever one, in a cluster that is otherwise healthy, and no larger than it is meant to be: a smaller
// one cannot grow while a member is unhealthy.
func (t *turn) replaceUnhealthy(v *verdict) {
	n, healthy := t.Cluster.Voters()
	if t.ReplaceUnhealthyAfter == 0 || len(t.Cluster.Members) != n || t.Group.Known != Yes || t.Now.Sub(t.Group.At) > staleGroup || n > t.Group.Desired || n != healthy+1 || healthy < Quorum(n) {
		return
	}
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		in, _ := t.Group.Instance(m.Key())
		since := t.Now.Sub(m.Unhealthy)
		if m.Health != No || m.Learner || !in.InGroup || in.State != InstanceRunning || since < t.ReplaceUnhealthyAfter {
			continue
		}
		v.commands = append(v.commands, ReplaceInstance{ID: in.ID, Why: fmt.Sprintf("its member has been unhealthy for %s", since.Round(time.Minute))})
	}
}

func (HookHeartbeat) command()   {}
func (CompleteHook) command()    {}
func (ReplaceInstance) command() {}

func (c ReplaceInstance) String() string { return "have the group replace " + c.ID + ": " + c.Why }

func (c HookHeartbeat) String() string { return "ask for more time at " + c.Hook.String() }
func (c CompleteHook) String() string {
	if c.Abandon {
		return "give the instance up at " + c.Hook.String() + ": " + c.Why
	}
	return "complete " + c.Hook.String() + ": " + c.Why
}
