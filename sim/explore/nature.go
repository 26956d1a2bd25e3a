package explore

import "github.com/etcd-appliance/etcd-appliance/states"

// startDaemon begins a daemon that remembers nothing. It finds the process and the disk as they are.
func (n *node) startDaemon() { n.alive, n.state = true, stateNumber(states.Discovering) }

// crashDaemon ends it, with what it had in flight and what it remembered. The server lives on.
func (n *node) crashDaemon() {
	*n = node{
		inst: n.inst, disk: n.disk, diskID: n.diskID, minor: n.minor, joined: n.joined, setAside: n.setAside,
		proc: n.proc, runs: n.runs,
	}
	if n.proc == stopped {
		n.runs = 0
	}
}

// exit ends the server.
func (n *node) exit(reason states.ExitReason) {
	n.proc, n.reason = stopped, uint8(reason)
	if !n.alive {
		n.reason, n.runs = 0, 0
	}
}

// serve makes a server ready: it has the cluster's data, and has told the cluster its name and URL.
func (w *world) serve(slot uint8) {
	n := &w.nodes[slot]
	m := w.find(n.diskID)
	n.proc, m.named, m.started = serving, true, true
	w.down &^= 1 << slot
	w.settle()
}

// mayServe tells whether it can: it takes a leader.
func (w *world) mayServe(slot uint8) bool {
	n := &w.nodes[slot]
	return n.proc == booting && w.leader != 0 && w.find(n.diskID) != nil
}

// expelled tells whether a server runs for a member that was removed, with someone there to tell it.
func (w *world) expelled(slot uint8) bool {
	n := &w.nodes[slot]
	return (n.proc == booting || n.proc == serving) && w.leader != 0 && w.find(n.diskID) == nil
}

// mayLead tells whether the server of an instance can win an election now.
func (w *world) mayLead(slot uint8) bool {
	n := &w.nodes[slot]
	if w.leader != 0 || n.proc != booting && n.proc != serving || !w.hasQuorum() {
		return false
	}
	m := w.find(n.diskID)
	return m != nil && !m.learner && w.up(m)
}

func (w *world) elect(slot uint8) {
	w.leader, w.served = slot+1, true
	w.settle()
}

// remember keeps what AWS showed before a change, as long as a stale read is still to come.
func (w *world) remember() {
	for i := range w.nodes {
		if w.budget[faultStale] > 0 {
			w.instBefore[i] = w.nodes[i].inst
		}
	}
}

// announce begins a termination that the instance is told of.
func (w *world) announce(slot uint8) {
	w.remember()
	w.nodes[slot].inst = terminating
}

// end takes the instance with its disk.
func (w *world) end(slot uint8) {
	w.remember()
	w.nodes[slot] = node{inst: terminated}
	w.down &^= 1 << slot
	w.settle()
}

// launch is Auto Scaling's replacement. Its daemon starts at once.
func (w *world) launch(slot uint8) {
	w.remember()
	w.nodes[slot] = node{inst: inService}
	w.nodes[slot].startDaemon()
}

// toLaunch is the next free slot, if the group is short of instances.
func (w *world) toLaunch(desired int) (uint8, bool) {
	free, have := -1, 0
	for i := range w.nodes {
		switch w.nodes[i].inst {
		case inService:
			have++
		case notLaunched:
			if free < 0 {
				free = i
			}
		}
	}
	return uint8(max(free, 0)), free >= 0 && have < desired
}

// loseDisk gives the instance an empty disk, and ends everything on it.
func (w *world) loseDisk(slot uint8) {
	inst := w.nodes[slot].inst
	w.nodes[slot] = node{inst: inst}
	w.down &^= 1 << slot
	w.settle()
}
