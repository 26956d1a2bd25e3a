package sim

import (
	"context"
	"time"

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

// awsFault spoils AWS calls of daemons.
func (w *world) awsFault(c awsfake.Call) awsfake.Fault {
	n := w.byID[c.Caller]
	if n == nil || !w.chaos {
		return awsfake.Fault{}
	}
	draw := drawAWS
	if c.Service == "imds" {
		draw = drawIMDS
	}
	e, ok := w.strikes(n.host, c.Action, draw)
	switch {
	case ok && e.Kind == DaemonCrash:
		panic(crashed{})
	case w.outage && c.Service != "imds", w.noRoute53 && c.Service == "route53":
		return awsfake.Fault{Err: errOutage}
	case !ok:
		return awsfake.Fault{}
	}
	switch e.Kind {
	case AWSError, IMDSError:
		return awsfake.Fault{Err: errInternal}
	case AWSThrottle:
		return awsfake.Fault{Err: errThrottled}
	case AWSLost:
		return awsfake.Fault{Err: context.DeadlineExceeded, Apply: true}
	case AWSStale:
		return awsfake.Fault{Stale: time.Duration(e.For), OmitNewest: e.Omit}
	default:
		return awsfake.Fault{}
	}
}

func drawAWS(w *world, h *host) (e FaultEvent, ok bool) {
	p := &w.plan
	switch {
	case h.calls.chance(p.DaemonCrash):
		e.Kind = DaemonCrash
	case w.outage:
		return e, false
	case h.calls.chance(p.AWSError):
		e.Kind = AWSError
	case h.calls.chance(p.AWSThrottle):
		e.Kind = AWSThrottle
	case h.calls.chance(p.AWSLost):
		e.Kind = AWSLost
	case h.calls.chance(p.AWSStale):
		e.Kind, e.For, e.Omit = AWSStale, Span(h.calls.between(0, maxStale)), h.calls.chance(0.2)
	default:
		return e, false
	}
	return e, true
}

func drawIMDS(w *world, h *host) (e FaultEvent, ok bool) {
	switch {
	case h.calls.chance(w.plan.DaemonCrash):
		e.Kind = DaemonCrash
	case h.calls.chance(w.plan.AWSError / 4):
		e.Kind = IMDSError
	default:
		return e, false
	}
	return e, true
}

// etcdFault spoils calls of daemons to etcd.
func (w *world) etcdFault(c etcdfake.Call) etcdfake.Fault {
	n := w.byID[c.Caller]
	if n == nil || !w.chaos {
		return etcdfake.Fault{}
	}
	e, ok := w.strikes(n.host, string(c.Action), drawEtcd)
	switch {
	case !ok:
		return etcdfake.Fault{}
	case e.Kind == DaemonCrash:
		panic(crashed{})
	}
	return etcdfake.Fault{Err: etcdfake.Timeout, Apply: e.Kind == EtcdLost}
}

func drawEtcd(w *world, h *host) (e FaultEvent, ok bool) {
	switch {
	case h.calls.chance(w.plan.DaemonCrash):
		e.Kind = DaemonCrash
	case h.calls.chance(w.plan.EtcdError / 4):
		e.Kind = EtcdError
	case h.calls.chance(w.plan.EtcdLost / 4):
		e.Kind = EtcdLost
	default:
		return e, false
	}
	return e, true
}

// crashed is what a crash point panics with.
type crashed struct{}

func drawCrash(w *world, h *host) (FaultEvent, bool) {
	return FaultEvent{Kind: DaemonCrash}, h.calls.chance(w.plan.DaemonCrash)
}

// answerDelay is how long the answer to a question or command takes: now and then almost as long as its deadline.
func (n *node) answerDelay(timeout time.Duration) time.Duration {
	delay := n.delays.between(time.Millisecond, 30*time.Millisecond)
	if e, ok := n.strikes(n.host, "answer", func(_ *world, h *host) (e FaultEvent, ok bool) {
		if h.calls.chance(0.01) {
			return FaultEvent{Kind: SlowAnswer, For: Span(h.calls.between(0, timeout))}, true
		}
		return e, false
	}); ok {
		return time.Duration(e.For)
	}
	return delay
}

// bootDelay is how long after its instance a daemon starts.
func (w *world) bootDelay(h *host) time.Duration {
	delay := h.delays.between(time.Second, 3*time.Second)
	if e, ok := w.strikes(h, "boot", drawLate); ok {
		delay += time.Duration(e.For)
	}
	return delay
}

func drawLate(w *world, h *host) (FaultEvent, bool) {
	if w.plan.LateLaunch == 0 {
		return FaultEvent{}, false
	}
	return FaultEvent{Kind: LateLaunch, For: Span(h.calls.between(0, time.Duration(w.plan.LateLaunch)))}, true
}
