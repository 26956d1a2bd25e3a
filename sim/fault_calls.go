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

// reads are the calls that can be answered from the past.
var reads = []string{"Describe", "List"}

// awsFault spoils AWS calls of daemons.
func (w *world) awsFault(c awsfake.Call) awsfake.Fault {
	n := w.byID[c.Caller]
	if n == nil || !w.chaos || w.natural {
		return awsfake.Fault{}
	}
	at := atAWS
	if c.Service == "imds" {
		at = atIMDS
	}
	e, ok := w.strikes(n.host, at, c.Action)
	switch {
	case ok && e.Kind == DaemonCrash:
		panic(crashed{})
	case w.outage && at == atAWS:
		return awsfake.Fault{Err: errOutage}
	case ok && kinds[e.Kind].spoil != nil:
		return kinds[e.Kind].spoil(w, &e)
	default:
		return awsfake.Fault{}
	}
}

func failsWith(err error) func(*world, *FaultEvent) awsfake.Fault {
	return func(*world, *FaultEvent) awsfake.Fault { return awsfake.Fault{Err: err} }
}

func answerLost(*world, *FaultEvent) awsfake.Fault {
	return awsfake.Fault{Err: context.DeadlineExceeded, Apply: true}
}

func omitsNewest(_ *world, s *stream, e *FaultEvent) bool {
	e.Omit = s.chance(0.2)
	return true
}

func stale(_ *world, e *FaultEvent) awsfake.Fault {
	return awsfake.Fault{Stale: time.Duration(e.For), OmitNewest: e.Omit}
}

// etcdFault spoils calls of daemons to etcd.
func (w *world) etcdFault(c etcdfake.Call) etcdfake.Fault {
	n := w.byID[c.Caller]
	if n == nil || !w.chaos || w.natural {
		return etcdfake.Fault{}
	}
	e, ok := w.strikes(n.host, atEtcd, string(c.Action))
	switch {
	case !ok:
		return etcdfake.Fault{}
	case e.Kind == DaemonCrash:
		panic(crashed{})
	}
	return etcdfake.Fault{Err: etcdfake.Timeout, Apply: e.Kind == EtcdLost}
}

// crashed is what a crash point panics with.
type crashed struct{}

// crashPoint is before every command: the daemon may die there.
func (n *node) crashPoint(command string) {
	if _, ok := n.strikes(n.host, atCommand, command); ok {
		panic(crashed{})
	}
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
