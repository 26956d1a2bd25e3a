package sim

import (
	"context"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
)

// nature is the caller that is no daemon: the operator, Auto Scaling, bad luck. Its calls never fail.
const nature = "nature"

// maxStale is the oldest state that a describe call answers from. AWS names no bound; its advice is to wait out minutes.
const maxStale = 50 * time.Second

var (
	errInternal  = awsfake.Error("InternalError", "An internal error has occurred")
	errThrottled = awsfake.Error("RequestLimitExceeded", "Request limit exceeded.")
	errOutage    = awsfake.Error("ServiceUnavailable", "Service is unavailable")
)

// reads are the calls that can be answered from the past.
var reads = []string{"Describe", "List"}

// changesOfAWS are the calls that change something in AWS.
var changesOfAWS = []string{
	"ChangeResourceRecordSets", "PutObject", "RecordLifecycleActionHeartbeat", "CompleteLifecycleAction", "SetInstanceHealth",
	"AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress",
}

// changesOfEtcd are the calls that change something in etcd.
var changesOfEtcd = []string{"AddMember", "RemoveMember", "PromoteMember", "MoveLeader", "HoldLock", "ReleaseLock", "Swap", "Advance"}

// commands are what a daemon can die of right after.
var commands = slices.Concat(changesOfAWS, []string{
	"add member", "remove member", "promote member", "move leader", "advance log", "start etcd", "stop etcd",
	"take " + effects.UpgradeLockKey, "release " + effects.UpgradeLockKey, "take " + effects.UpgradeHaltKey, "release " + effects.UpgradeHaltKey,
	"set data aside", "delete what was set aside", "record start", "record joined",
})

// pausable is where a daemon may be paused: before its commands, and at its questions. Between a command and the call that it makes
// nothing is decided.
var pausable = append([]string{"Describe", "List", "Get", "HoldLock", "ReleaseLock", "Status", "Members", "Ask"}, commands...)

// awsFault spoils AWS calls of daemons.
func (w *world) awsFault(c awsfake.Call) awsfake.Fault {
	n := w.caller(c.Caller)
	if n == nil {
		return awsfake.Fault{}
	}
	if n.late() {
		return awsfake.Fault{Err: context.DeadlineExceeded}
	}
	at := atAWS
	if c.Service == "imds" {
		at = atIMDS
	}
	e, ok := w.strikes(n.host, at, c.Action)
	switch {
	case ok && n.interrupted(&e):
		return awsfake.Fault{}
	case w.outage && at == atAWS:
		return awsfake.Fault{Err: errOutage}
	case ok && kinds[e.Kind].spoil != nil:
		return kinds[e.Kind].spoil(n, &e)
	default:
		return awsfake.Fault{}
	}
}

func failsWith(err error) func(*node, *FaultEvent) awsfake.Fault {
	return func(*node, *FaultEvent) awsfake.Fault { return awsfake.Fault{Err: err} }
}

func answerLost(*node, *FaultEvent) awsfake.Fault {
	return awsfake.Fault{Err: context.DeadlineExceeded, Apply: true}
}

func omitsNewest(_ *world, s *stream, e *FaultEvent) bool {
	e.Omit = s.chance(0.2)
	return true
}

func stale(_ *node, e *FaultEvent) awsfake.Fault {
	return awsfake.Fault{Stale: time.Duration(e.For), OmitNewest: e.Omit}
}

// etcdFault spoils calls of daemons to etcd.
func (w *world) etcdFault(c etcdfake.Call) etcdfake.Fault {
	n := w.caller(c.Caller)
	switch {
	case n == nil:
		return etcdfake.Fault{}
	case n.late():
		return etcdfake.Fault{Err: etcdfake.Timeout}
	}
	e, ok := w.strikes(n.host, atEtcd, string(c.Action))
	if !ok || n.interrupted(&e) {
		return etcdfake.Fault{}
	}
	n.hangs = n.hangs || e.Kind == EtcdHangs
	return etcdfake.Fault{Err: etcdfake.Timeout, Apply: e.Kind == EtcdLost || e.Kind == EtcdHangs && e.What == applied}
}

// caller is the daemon that calls, if it is one whose calls can be spoilt.
func (w *world) caller(id string) *node {
	switch {
	case !w.chaos || w.natural:
		return nil
	case w.acting != nil && w.acting.id == id:
		return w.acting // it may be the second one there
	default:
		return w.byID[id]
	}
}

// late tells whether a pause has outlasted the context of what the daemon does. The call at which it was paused takes place all
// the same, since nobody looks at a context while he is asleep; those that follow do not.
func (n *node) late() bool { return n.limit > 0 && n.now > n.limit }

// applied says of a call whose answer never comes that it took effect.
const applied = "applied"

func drawApplied(_ *world, s *stream, e *FaultEvent) bool {
	if s.chance(0.5) {
		e.What = applied
	}
	return true
}

// hangs is a call that is answered by nothing but its deadline.
func hangs(n *node, e *FaultEvent) awsfake.Fault {
	n.hangs = true
	return awsfake.Fault{Err: context.DeadlineExceeded, Apply: e.What == applied}
}

// answerDelay is how long the answer to a question or command takes: now and then almost as long as its deadline.
func (n *node) answerDelay(timeout time.Duration) time.Duration {
	delay := n.delays.between(time.Millisecond, 30*time.Millisecond)
	n.timeout = timeout
	if e, ok := n.strikes(n.host, atAnswer, "answer"); ok {
		return time.Duration(e.For)
	}
	return delay
}

// slowly draws how late an answer is: up to its deadline.
func slowly(w *world, s *stream, e *FaultEvent) bool {
	e.For = Span(s.between(0, w.timeout))
	return true
}

// bootDelay is how long after its instance a daemon starts.
func (w *world) bootDelay(h *host) time.Duration {
	delay := h.delays.between(time.Second, 3*time.Second)
	if e, ok := w.strikes(h, atBoot, "boot"); ok {
		delay += time.Duration(e.For)
	}
	return delay
}

// answered is told every AWS call and its outcome. A daemon that is doomed to die after the call dies here.
func (w *world) answered(call awsfake.Call, err error) {
	w.awsCalled(call, err)
	if w.abstract != nil && changes[call.Action] {
		w.abstract.outdated = true
	}
	if n := w.caller(call.Caller); n != nil && changes[call.Action] {
		n.crashAfter()
	}
}
