package sim

import "time"

// lasting is a fault that goes on for a while, and that something must be done about when it is over.
type lasting struct{ end func() }

// begin records a fault that goes on, and lets it end when its time is over or with the chaos. One of a class that goes on here
// already is left out.
func (w *world) begin(until *[Kinds]time.Duration, e FaultEvent, end func()) bool {
	if until[e.Kind] > w.now {
		return false
	}
	w.record(e)
	until[e.Kind] = w.now + time.Duration(e.For)
	if end != nil {
		w.lasts(time.Duration(e.For), end)
	}
	return true
}

// lasts ends something after a while, or with the chaos.
func (w *world) lasts(d time.Duration, end func()) {
	l := &lasting{end}
	w.lasting = append(w.lasting, l)
	w.at(d, l.over)
}

// over ends it once.
func (l *lasting) over() {
	if end := l.end; end != nil {
		l.end = nil
		end()
	}
}

// heal ends the chaos: no more faults are made, and those that go on end.
func (w *world) heal() {
	w.chaos = false
	w.until = [Kinds]time.Duration{}
	for _, h := range w.hosts {
		h.until = [Kinds]time.Duration{}
	}
	for _, l := range w.lasting {
		l.over()
	}
	w.lasting = nil
	w.cutAll()
	w.etcd.Recover()
	w.raiseWalls()
	w.cloud.Calm()
}
