package etcdfake

import (
	"context"
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Port is which of a server's two ports a partition cuts off.
type Port uint8

// The ports; they combine.
const (
	PeerPort   Port = 1 << iota // 2380: raft, /members, /version
	ClientPort                  // 2379
	AllPorts   = PeerPort | ClientPort
)

// link is one direction between two addresses.
type link struct{ from, to string }

// linkState is what is cut of a link now, and when its peer port was last cut or healed.
type linkState struct {
	cut    Port
	healed time.Time
}

// Cut drops everything sent from one address to a port of another. Cut both directions for an ordinary partition. With one
// direction cut, requests the other way arrive and their answers do not: the caller times out after the effect.
func (w *World) Cut(from, to string, ports Port) { w.setLink(link{from, to}, ports, 0) }

// Partition cuts everything between two sets of addresses, in both directions.
func (w *World) Partition(a, b []string, ports Port) {
	for _, from := range a {
		for _, to := range b {
			w.Cut(from, to, ports)
			w.Cut(to, from, ports)
		}
	}
}

// Heal undoes Cut.
func (w *World) Heal(from, to string, ports Port) { w.setLink(link{from, to}, 0, ports) }

// A Break is what is cut between two addresses, in one direction; see [World.Cut].
type Break struct {
	From, To string
	Ports    Port
}

// Recut cuts just these, and heals what else was cut. What was cut before and is still is not healed meanwhile.
func (w *World) Recut(breaks []Break) {
	w.Advance()
	want := make(map[link]Port, len(breaks))
	for _, b := range breaks {
		want[link{b.From, b.To}] |= b.Ports
	}
	for _, l := range w.cutLinks {
		w.heal(l, AllPorts&^want[l])
	}
	w.cutLinks = w.cutLinks[:0]
	for _, b := range breaks {
		w.cut(link{b.From, b.To}, b.Ports)
	}
	w.settle()
}

// Recover has servers start again that were to fail.
func (w *World) Recover() {
	for _, n := range w.nodes {
		n.fails = nil
	}
}

func (w *World) setLink(l link, cut, heal Port) {
	w.Advance()
	if heal != 0 {
		w.heal(l, heal)
	} else {
		w.cut(l, cut)
	}
	w.settle()
}

func (w *World) cut(l link, ports Port) {
	s := w.links[l]
	s.cut |= ports
	w.links[l] = s
	w.cutLinks = append(w.cutLinks, l)
}

func (w *World) heal(l link, ports Port) {
	s, known := w.links[l]
	if !known || s.cut&ports == 0 {
		return
	}
	if s.cut&ports&PeerPort != 0 {
		s.healed = w.Now()
	}
	s.cut &^= ports
	w.links[l] = s
}

func (w *World) isCut(from, to string, port Port) bool {
	return len(w.links) > 0 && w.links[link{from, to}].cut&port != 0
}

// linked tells whether two servers can exchange raft messages. One whose disk has stalled neither takes nor sends any: etcd saves
// its log and sends its messages in one goroutine (server/etcdserver/raft.go, raftNode.start).
func (w *World) linked(p, q *process) bool {
	return !p.node.stalled && !q.node.stalled && w.connected(p, q)
}

// connected tells whether two servers have connections to each other. etcd's streams need both directions: each side dials the other
// (rafthttp), so a link cut one way is cut for raft.
func (w *World) connected(p, q *process) bool {
	if p == q {
		return p.answers()
	}
	return p.answers() && q.answers() && !p.node.distrusted && !q.node.distrusted && speak(p.version, q.version) &&
		!w.isCut(p.node.Address, q.node.Address, PeerPort) && !w.isCut(q.node.Address, p.node.Address, PeerPort)
}

// linkedSince tells since when; only valid while they are linked.
func (w *World) linkedSince(p, q *process) time.Time {
	since := p.up
	for _, t := range []time.Time{q.up, w.links[link{p.node.Address, q.node.Address}].healed, w.links[link{q.node.Address, p.node.Address}].healed} {
		if t.After(since) {
			since = t
		}
	}
	return since
}

// Action names a call of the Etcd or Peers view.
type Action string

// The actions.
const (
	Status        Action = "Status"
	Members       Action = "Members"
	AddMember     Action = "AddMember"
	RemoveMember  Action = "RemoveMember"
	PromoteMember Action = "PromoteMember"
	MoveLeader    Action = "MoveLeader"
	HoldLock      Action = "HoldLock"
	ReleaseLock   Action = "ReleaseLock"
	Keys          Action = "Keys"
	Swap          Action = "Swap"
	Advance       Action = "Advance"
	Ask           Action = "Ask"
)

// Call is one attempt at one server.
type Call struct {
	Caller string // instance ID
	Action Action
	Target string // address
}

// Fault spoils a call: Err is what the caller sees, and Apply says whether the call took effect all the same. Use [Timeout]
// for an unknown outcome and [effects.ErrRefused] for a connection refused. The function that makes faults may let time pass
// before it returns: the call then arrives later than it was made.
type Fault struct {
	Err   error
	Apply bool
}

//lint:ignore ST1012 faults read better as etcdfake.Timeout

// Timeout is the error of a call whose outcome is not known.
var Timeout = fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)

// errUnreachable is a connection that could not be opened: nothing was sent, so another server may be asked even to change
// something.
var errUnreachable = fmt.Errorf("no route: %w", context.DeadlineExceeded)

// errUntrusted is a handshake that failed: nothing was sent.
var errUntrusted = fmt.Errorf("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: %w", errUnreachable)

// reach finds the server that a call arrives at. answer is what the caller gets to see after the call took effect.
func (w *World) reach(caller *Node, action Action, address string, port Port) (p *process, answer, err error) {
	w.Advance()
	if w.Fault != nil {
		f := w.Fault(Call{Caller: caller.ID, Action: action, Target: address})
		w.Advance() // it may have let time pass
		if f.Err != nil && !f.Apply {
			return nil, nil, f.Err
		}
		answer = f.Err
	}
	if caller.distrusted {
		return nil, nil, errUntrusted
	}
	if p, err = w.route(caller.Address, address, port); err == nil && w.isCut(address, caller.Address, port) {
		answer = Timeout
	}
	return p, answer, err
}

// route finds the server that listens on an address and answers, or tells how a connection to it fails.
func (w *World) route(from, to string, port Port) (*process, error) {
	n := w.byAddress[to]
	switch {
	case n == nil || n.off:
		return nil, errUnreachable
	case w.isCut(from, to, port):
		return nil, Timeout
	}
	switch p := n.proc; {
	case p == nil || p.up.IsZero() || port == ClientPort && p.stopping:
		return nil, effects.ErrRefused
	case n.distrusted:
		return nil, errUntrusted
	case !p.answers() || port == ClientPort && (!p.ready || p.stalled):
		return nil, Timeout // it accepts the connection, and that is all
	default:
		return p, nil
	}
}
