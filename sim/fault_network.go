package sim

import (
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
)

// partition cuts a node from the others, in the form of the event.
func (w *world) partition(n *node, e FaultEvent) {
	if n.host.until[e.Kind] > w.now {
		return
	}
	w.cutFor(&n.host.until, e, w.cuts(n, &e))
}

func (w *world) cuts(n *node, e *FaultEvent) (cuts []etcdfake.Break) {
	ports := etcdfake.AllPorts
	switch e.What {
	case peerPort:
		ports = etcdfake.PeerPort
	case clientPort:
		ports = etcdfake.ClientPort
	}
	for _, other := range w.nodes {
		if other == n || e.Other > 0 && other.ordinal != e.Other {
			continue
		}
		if e.What != inbound {
			cuts = append(cuts, etcdfake.Break{From: n.address, To: other.address, Ports: ports})
		}
		if e.What != outbound {
			cuts = append(cuts, etcdfake.Break{From: other.address, To: n.address, Ports: ports})
		}
	}
	return cuts
}

// The forms of partitions.
const (
	wholly     = "wholly"
	outbound   = "outbound"
	inbound    = "inbound"
	peerPort   = "peer port"
	clientPort = "client port"
)

func drawPartition(w *world, s *stream, e *FaultEvent) bool {
	return oneOf(wholly, wholly, outbound, inbound, peerPort, clientPort)(w, s, e)
}

// drawLink is a partition between two nodes only, which both reach the others.
func drawLink(w *world, s *stream, e *FaultEvent) bool {
	return drawOther(w, s, e) && drawPartition(w, s, e)
}

// cutAZ cuts an availability zone from the rest.
func (w *world) cutAZ(n *node, e FaultEvent) {
	in, _ := w.cloud.Instance(n.id)
	w.cutFor(&w.until, e, w.cutsWhere(func(a, b *node) bool {
		inA, _ := w.cloud.Instance(a.id)
		inB, _ := w.cloud.Instance(b.id)
		return (inA.Zone == in.Zone) != (inB.Zone == in.Zone)
	}))
}

// cutsWhere cuts the ways between nodes that are apart; none is an empty list, since nil is one that is over.
func (w *world) cutsWhere(apart func(from, to *node) bool) []etcdfake.Break {
	cuts := []etcdfake.Break{}
	for _, from := range w.nodes {
		for _, to := range w.nodes {
			if apart(from, to) {
				cuts = append(cuts, etcdfake.Break{From: from.address, To: to.address, Ports: etcdfake.AllPorts})
			}
		}
	}
	return cuts
}

// cutFor cuts for a while.
func (w *world) cutFor(until *[Kinds]time.Duration, e FaultEvent, cuts []etcdfake.Break) {
	if len(cuts) == 0 {
		return
	}
	kept := &cuts
	if !w.begin(until, e, func() {
		*kept = nil
		w.cutAll()
	}) {
		return
	}
	w.partitions = append(w.partitions, kept)
	w.cutAll()
}

// cutAll cuts what all partitions cut that go on, and no more.
func (w *world) cutAll() {
	w.partitions = slices.DeleteFunc(w.partitions, func(cuts *[]etcdfake.Break) bool { return *cuts == nil })
	var all []etcdfake.Break
	for _, cuts := range w.partitions {
		all = append(all, *cuts...)
	}
	w.etcd.Recut(all)
}
