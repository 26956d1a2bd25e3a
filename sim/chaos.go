package sim

import (
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// runChaos makes faults for as long as the plan says: those that it names, or others drawn from its rates.
func (w *world) runChaos() {
	if w.plan.Only != nil {
		for _, e := range w.plan.Only {
			if !e.Kind.strikesCalls() {
				w.at(time.Duration(e.At), func() { w.happen(e) })
			}
		}
	} else {
		for _, r := range w.plan.Rates {
			if !r.Kind.strikesCalls() {
				w.repeat(r, newStream(w.plan.Seed, r.Kind.String()))
			}
		}
	}
	if w.plan.InPlace {
		w.at(time.Duration(w.plan.Newer), w.reconfigure)
	}
	w.writeForever()
	w.run(time.Duration(w.plan.Chaos))
}

// reconfigure gives the daemons that run the configuration that new ones have.
func (w *world) reconfigure() {
	w.trace.say("", "every daemon is to want etcd %s", w.wanted())
	for _, n := range w.nodes {
		if n.effects != nil {
			n.wants = n.configured()
			n.effects.Want(n.wants, states.Version{})
		}
	}
}

// repeat draws a fault of the world again and again, from numbers of its class.
func (w *world) repeat(r Rate, s *stream) {
	w.at(s.pause(time.Duration(r.Every)), func() {
		if w.chaos {
			if e, ok := w.drawWorld(r, s); ok {
				w.happen(e)
			}
			w.repeat(r, s)
		}
	})
}

// drawWorld chooses where a fault of the world strikes, and how.
func (w *world) drawWorld(r Rate, s *stream) (FaultEvent, bool) {
	e := FaultEvent{Kind: r.Kind}
	kind := &kinds[r.Kind]
	if kind.most > 0 {
		e.For = Span(s.between(kind.least, time.Duration(r.Most)))
	}
	if r.Kind.strikesNode() {
		n := w.someNode(s)
		if n == nil {
			return e, false
		}
		e.Node = n.ordinal
	}
	return e, kind.draw == nil || kind.draw(w, s, &e)
}

// someNode picks a running instance.
func (w *world) someNode(s *stream) *node {
	var up []*node
	for _, n := range w.nodes {
		if n.on && !n.gone {
			up = append(up, n)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return up[s.below(len(up))]
}

// spares lets a fault that takes the data of its node keep, mostly, to what the cluster can lose. Where it could only while others
// leave that have not left yet, it is made less often.
func spares(w *world, s *stream, e *FaultEvent) bool {
	n := w.byOrdinal(e.Node)
	if w.keepsQuorum(n) {
		return w.keepsQuorumFor(n) || s.chance(0.3)
	}
	e.Reckless = s.chance(map[bool]float64{true: 0.5, false: 0.005}[w.served() == nil])
	return e.Reckless
}

// writeForever is a client. What etcd acknowledges to it must never be lost, which the fake itself keeps an eye on.
func (w *world) writeForever() {
	w.at(2*time.Second, func() {
		if len(w.nodes) > 0 {
			_ = w.etcd.Write(w.nodes[w.client.below(len(w.nodes))].address)
		}
		w.writeForever()
	})
}
