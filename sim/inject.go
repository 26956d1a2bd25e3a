package sim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// soon is how much later than recorded a fault may strike in a replay that others were left out of.
const soon = time.Minute

// Boundary is a command of a daemon: the Command-th of its name on an instance, in order of launch.
type Boundary struct {
	Node    int
	Site    string
	Command int
}

// host is what the simulator keeps of an instance from its launch on, in order of launch: its random numbers, and where its
// daemon stands among its calls. A daemon's numbers are its own, so that what one daemon meets does not reshuffle the others.
type host struct {
	ordinal int         // from 1
	dice    [Kinds]dice // each class has its own, so that a new one does not reshuffle the others
	delays  *stream
	repeats *stream

	at  time.Duration // of the latest call or command
	nth int           // how many there have been in that instant

	commands map[string]int // how many of each name there have been

	due        []FaultEvent // of a replay: what is to strike at calls here, in order
	dueCommand []FaultEvent // and at commands

	until  [Kinds]time.Duration // how long a fault of the class goes on here
	struck [Kinds]time.Duration // when a fault of the class last struck here, for the coverage; zero is never
}

// host finds what is kept of an instance, by its ID.
func (w *world) host(id string) *host {
	if i := slices.Index(w.launched, id); i >= 0 {
		return w.hosts[i]
	}
	h := &host{ordinal: len(w.hosts) + 1, commands: map[string]int{}}
	name := "/" + strconv.Itoa(h.ordinal)
	h.delays = newStream(w.plan.Seed, "delays"+name)
	h.repeats = newStream(w.plan.Seed, "repeats"+name)
	for _, r := range w.plan.Rates {
		h.dice[r.Kind].stream = *newStream(w.plan.Seed, r.Kind.String()+name)
	}
	for _, e := range w.plan.Only {
		switch {
		case e.Node != h.ordinal || !e.Kind.strikesCalls():
		case e.Command > 0:
			h.dueCommand = append(h.dueCommand, e)
		default:
			h.due = append(h.due, e)
		}
	}
	w.launched, w.hosts = append(w.launched, id), append(w.hosts, h)
	return h
}

// strikes tells which fault, if any, strikes at this call or command: in a replay one that the plan names, else one that is
// drawn from the plan's rates.
func (w *world) strikes(h *host, at where, site string) (e FaultEvent, ok bool) {
	if !w.chaos || w.natural {
		return e, false
	}
	if h.at != w.now {
		h.at, h.nth = w.now, 0
	}
	h.nth++
	command := 0
	if at&(atAWS|atEtcd|atCommand) != 0 && changes[site] {
		h.commands[site]++
		command = h.commands[site]
		if w.boundaries != nil {
			w.boundaries(Boundary{h.ordinal, site, command})
		}
	}
	if w.plan.Only == nil {
		e, ok = w.drawCall(h, at, site)
	} else if command > 0 {
		e, ok = h.nextCommand(site, command)
	} else {
		e, ok = h.next(site)
	}
	if ok {
		e.At, e.Node, e.Site, e.Nth, e.Command = Span(w.now), h.ordinal, site, h.nth, command
		w.record(e)
	}
	return e, ok
}

// drawCall asks the dice of the classes that can strike here, in the order of the table. Of several that are due, the others wait
// for the next call.
func (w *world) drawCall(h *host, at where, site string) (e FaultEvent, ok bool) {
	for _, k := range w.striking[at.site()] {
		kind, dice := &kinds[k], &h.dice[k]
		if !dice.strikes(w.rates[k].Chance, !ok && kind.strikesAt(site)) {
			continue
		}
		made := FaultEvent{Kind: k, Node: h.ordinal}
		if kind.most > 0 {
			made.For = Span(dice.between(kind.least, time.Duration(w.rates[k].Most)))
		}
		if kind.draw == nil || kind.draw(w, &dice.stream, &made) {
			e, ok = made, true
		}
	}
	return e, ok
}

// strikesAt tells whether the class strikes at calls of this name.
func (k *kind) strikesAt(site string) bool {
	return k.acts == nil || slices.ContainsFunc(k.acts, func(a string) bool { return strings.HasPrefix(site, a) })
}

// changes are the calls and commands that change something. There are few of them, so they are told apart by their number,
// whenever they come; of the questions, which are asked all the time, it is the moment that counts.
var changes = func() map[string]bool {
	all := map[string]bool{"hold lock": true, "release lock": true}
	for _, names := range [][]string{changesOfAWS, changesOfEtcd, commands} {
		for _, name := range names {
			all[name] = true
		}
	}
	return all
}()

// nextCommand takes the fault that is due at this command.
func (h *host) nextCommand(site string, number int) (FaultEvent, bool) {
	for i, e := range h.dueCommand {
		if e.Site == site && e.Command == number {
			h.dueCommand = slices.Delete(h.dueCommand, i, i+1)
			return e, true
		}
	}
	return FaultEvent{}, false
}

// next takes the first fault that is due at this call or command.
func (h *host) next(site string) (FaultEvent, bool) {
	for i := 0; i < len(h.due); i++ {
		e := h.due[i]
		switch at := time.Duration(e.At); {
		case at > h.at:
			return FaultEvent{}, false
		case at+soon < h.at: // what it should have struck at never came
			h.due = slices.Delete(h.due, i, i+1)
			i--
		case e.Site == site && (at < h.at || e.Nth <= h.nth):
			h.due = slices.Delete(h.due, i, i+1)
			return e, true
		}
	}
	return FaultEvent{}, false
}

// record notes a fault that happens: in the list of the run, in its hash, in the coverage and in the trace.
func (w *world) record(e FaultEvent) {
	w.recorded = append(w.recorded, e)
	w.note(e.Kind.String())
	w.cover.struck(w, &e)
	if w.trace.on() {
		w.trace.fault(&e)
	}
	if w.planted != nil {
		w.planted(w, e)
	}
}

// byOrdinal finds the node of a fault of the world; nil when it does not run (any more).
func (w *world) byOrdinal(ordinal int) *node {
	for _, n := range w.nodes {
		if n.ordinal == ordinal && n.on && !n.gone {
			return n
		}
	}
	return nil
}

// happen lets a fault happen to the world, in a replay as in the run that drew it. One that cannot happen is left out.
func (w *world) happen(e FaultEvent) {
	var n *node
	if e.Node > 0 {
		if n = w.byOrdinal(e.Node); n == nil || !w.chaos {
			return
		}
	}
	e.At = Span(w.now)
	kinds[e.Kind].happen(w, n, e)
}
