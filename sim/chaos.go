package sim

import "time"

// runChaos makes faults for as long as the plan says: those that it names, or others drawn from its rates.
func (w *world) runChaos() {
	if w.plan.Only != nil {
		for _, e := range w.plan.Only {
			if !e.Kind.strikesCalls() {
				w.at(time.Duration(e.At), func() { w.happen(e) })
			}
		}
	} else {
		for _, m := range w.plan.means() {
			if *m.value > 0 {
				w.repeat(m.Kind, time.Duration(*m.value))
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
			n.wants = w.wanted()
			n.effects.Want(n.wants)
		}
	}
}

// repeat draws a fault of the world again and again.
func (w *world) repeat(kind Kind, mean time.Duration) {
	w.at(w.life.pause(mean), func() {
		if w.chaos {
			if e, ok := w.drawWorld(kind); ok {
				w.happen(e)
			}
			w.repeat(kind, mean)
		}
	})
}

// drawWorld chooses where a fault of the world strikes, and how. Faults that destroy data mostly keep to what the cluster can
// lose.
func (w *world) drawWorld(kind Kind) (FaultEvent, bool) {
	e := FaultEvent{Kind: kind}
	switch kind {
	case DNSTamper:
		records := w.tamperable()
		if len(records) == 0 {
			return e, false
		}
		r := records[w.life.below(len(records))]
		e.Record = r.Type + " " + r.Name
		return e, true
	case Outage:
		e.For = Span(w.life.between(time.Minute, 15*time.Minute))
		return e, !w.outage
	default: // the others strike an instance
	}
	shrinks := false
	if kind == Resize {
		e.Size, shrinks = w.drawSize()
	}
	n := w.someNode()
	if n == nil {
		return e, false
	}
	e.Node = n.ordinal
	if kind == Terminate || kind == Corrupt || kind == LoseDisk || shrinks {
		if !w.keepsQuorum(n) {
			e.Reckless = w.life.chance(map[bool]float64{true: 0.5, false: 0.02}[w.served() == nil])
			return e, e.Reckless
		}
	}
	return e, true
}

func (w *world) drawSize() (size int, shrinks bool) {
	size = 3 + w.life.below(3)
	g, _ := w.cloud.Group(groupName)
	if size < g.Desired && w.life.chance(0.5) {
		size = g.Desired - 1
	}
	return size, size < g.Desired
}

// someNode picks a running instance.
func (w *world) someNode() *node {
	var up []*node
	for _, n := range w.nodes {
		if n.on && !n.gone {
			up = append(up, n)
		}
	}
	if len(up) == 0 {
		return nil
	}
	return up[w.life.below(len(up))]
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
