package explore

import "github.com/etcd-appliance/etcd-appliance/states"

// act is what leads from one state to the next.
type act struct {
	what  verb
	slot  uint8
	lane  states.Lane
	how   uint8 // reading or answer
	fault fault
}

type verb uint8

const (
	takesTurn verb = iota
	takesEffect
	daemonStarts
	daemonCrashes
	etcdServes
	etcdExpelled
	etcdStops
	etcdCrashes
	isElected
	lockExpires
	isAnnounced
	isEnded
	isLaunched
	losesDisk
)

// expander makes the successors of a state. Each worker has one.
type expander struct {
	*decider
	options *Options
	emit    func(next *world, a act, bad broken)
	next    world // scratch
}

// expand emits every successor of w. Faults that the budget does not allow, and turns that change nothing, are left out.
func (x *expander) expand(w *world) {
	for slot := range uint8(maxNodes) {
		n := &w.nodes[slot]
		if !n.lives() {
			continue
		}
		if n.alive {
			x.turns(w, slot)
			x.effects(w, slot)
			x.fault(w, act{what: daemonCrashes, slot: slot, fault: faultCrash}, func(t *world) { t.nodes[slot].crashDaemon() })
		} else {
			x.nature(w, act{what: daemonStarts, slot: slot}, func(t *world) { t.nodes[slot].startDaemon() })
		}
		x.server(w, slot)
		x.instance(w, slot)
	}
	if w.joinLock != 0 && w.leader != 0 {
		x.nature(w, act{what: lockExpires}, func(t *world) { t.joinLock = 0 })
	}
	if slot, ok := w.toLaunch(x.options.Nodes); ok && int(slot) < x.options.Nodes+x.options.spare() {
		x.nature(w, act{what: isLaunched, slot: slot}, func(t *world) { t.launch(slot) })
	}
}

// nature is an event that needs no budget.
func (x *expander) nature(w *world, a act, do func(*world)) {
	a.fault = noFault
	x.next = *w
	do(&x.next)
	x.emit(&x.next, a, broken{})
}

func (x *expander) fault(w *world, a act, do func(*world)) {
	if w.budget[a.fault] == 0 {
		return
	}
	x.next = *w
	x.next.spend(a.fault)
	do(&x.next)
	x.emit(&x.next, a, broken{})
}

// spend takes one from a budget. With the last stale read goes what there was to read.
func (w *world) spend(f fault) {
	if w.budget[f]--; f == faultStale && w.budget[f] == 0 {
		w.instBefore, w.claimBefore = [maxNodes]instance{}, 0
	}
}

// server is what a server does by itself.
func (x *expander) server(w *world, slot uint8) {
	n := &w.nodes[slot]
	if w.mayServe(slot) {
		x.nature(w, act{what: etcdServes, slot: slot}, func(t *world) { t.serve(slot) })
	}
	if w.expelled(slot) {
		x.nature(w, act{what: etcdExpelled, slot: slot}, func(t *world) { t.nodes[slot].exit(states.ExitRemoved); t.settle() })
	}
	if n.proc == stopping {
		x.nature(w, act{what: etcdStops, slot: slot}, func(t *world) { t.nodes[slot].exit(states.ExitStopped) })
	}
	if n.proc == booting || n.proc == serving {
		x.fault(w, act{what: etcdCrashes, slot: slot, fault: faultEtcd}, func(t *world) { t.nodes[slot].exit(states.ExitCrash); t.settle() })
	}
	if w.mayLead(slot) {
		x.nature(w, act{what: isElected, slot: slot}, func(t *world) { t.elect(slot) })
	}
}

func (x *expander) instance(w *world, slot uint8) {
	switch w.nodes[slot].inst {
	case inService:
		x.fault(w, act{what: isAnnounced, slot: slot, fault: faultTerminate}, func(t *world) { t.announce(slot) })
		x.fault(w, act{what: isEnded, slot: slot, fault: faultTerminate}, func(t *world) { t.end(slot) })
	case terminating:
		x.nature(w, act{what: isEnded, slot: slot}, func(t *world) { t.end(slot) })
	}
	if w.nodes[slot].disk == diskMember {
		x.fault(w, act{what: losesDisk, slot: slot, fault: faultDisk}, func(t *world) { t.loseDisk(slot) })
	}
}

// turns lets the daemon decide: with nothing expired, with everything expired, and from stale answers. A daemon whose command
// to its own server has not taken effect is in the middle of a turn, maybe for long. A stale read that makes no difference is
// kept for a better moment.
func (x *expander) turns(w *world, slot uint8) {
	if w.nodes[slot].lane.process[0] != 0 {
		return
	}
	last := old
	if w.budget[faultStale] > 0 {
		last = staleClaim
	}
	var first world
	for how := young; how <= last; how++ {
		a := act{what: takesTurn, slot: slot, how: uint8(how), fault: noFault}
		x.next = *w
		if how >= staleAWS {
			a.fault = faultStale
			x.next.spend(faultStale)
		}
		bad := x.turn(w, slot, how)
		if how == young {
			first = x.next
		}
		if bad.invariant == "" && (x.next == *w || how == old && x.next == first || how >= staleAWS && x.next.nodes == first.nodes) {
			continue
		}
		x.emit(&x.next, a, bad)
	}
}

// turn puts the commands of a decision in flight, in those lanes that are free.
func (x *expander) turn(w *world, slot uint8, how reading) broken {
	v := w.look(slot, how)
	o := x.decide(&v)
	if o.err != nil {
		return broken{"S9", o.err.Error()}
	}
	n := &x.next.nodes[slot]
	n.state, n.upLock = o.to, own(v.upLock, slot)
	for lane := range states.Lanes {
		if to := n.lane.of(lane); to[0] == 0 {
			copy(to, o.lane.of(lane))
		}
	}
	return broken{}
}

// own keeps of the records what makes a difference to a daemon that cannot read them again: those that name it.
func own(r records, slot uint8) records {
	lock, halted := lockOf(r), haltOf(r)
	if lock != slot+1 {
		lock = 0
	}
	if halted != slot+1 {
		halted = 0
	}
	return newRecords(lock, halted)
}

// effects lets commands in flight take effect.
func (x *expander) effects(w *world, slot uint8) {
	n := &w.nodes[slot]
	for lane := range states.Lanes {
		if n.lane.of(lane)[0] == 0 {
			continue
		}
		for how := answered; how <= requestLost; how++ {
			a := act{what: takesEffect, slot: slot, lane: lane, how: uint8(how), fault: noFault}
			x.next = *w
			if how != answered {
				if lane == states.LaneProcess || w.budget[faultLost] == 0 {
					break
				}
				a.fault = faultLost
				x.next.spend(faultLost)
			}
			bad := x.next.take(slot, lane, how)
			x.emit(&x.next, a, bad)
		}
	}
}
