package etcdfake

import (
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Options are how long things take in a world, and what is installed. A zero value is replaced by what a small etcd shows.
type Options struct {
	Now        func() time.Time
	StartDelay time.Duration // from the start of the process until it listens
	StopDelay  time.Duration // from SIGTERM until the process is gone
	CatchUp    time.Duration // an empty member fetching the data of its cluster
	// SnapshotCount is --snapshot-count: after how many entries a server writes a snapshot and drops the log before it.
	SnapshotCount uint64
	// Election is how long a cluster is without a leader once it has lost one and has a quorum again.
	Election func(cluster, term uint64) time.Duration
	// Release is the patch of each minor that is installed.
	Release func(states.MinorVersion) states.Version
	// Fault, when set, may spoil any call of the Etcd and Peers views.
	Fault func(Call) Fault
}

// World is every instance, data directory, cluster and network link there is.
type World struct {
	Options
	nodes     []*Node          // in order of appearance
	byAddress map[string]*Node // looked up only, never ranged over
	clusters  []*Cluster       // in order of appearance
	links     map[link]linkState
	cutLinks  []link // in order; some may be healed since
	incidents []Incident
	next      time.Time // when something becomes due; zero when nothing does
	lastPID   int
	lastLease int64
	revision  uint64
}

// New makes an empty world.
func New(o Options) *World {
	if o.StartDelay == 0 {
		o.StartDelay = 500 * time.Millisecond
	}
	if o.StopDelay == 0 {
		o.StopDelay = time.Second
	}
	if o.CatchUp == 0 {
		o.CatchUp = 2 * time.Second
	}
	if o.SnapshotCount == 0 {
		o.SnapshotCount = 10000
	}
	if o.Election == nil {
		o.Election = election
	}
	if o.Release == nil {
		o.Release = latest
	}
	return &World{Options: o, byAddress: map[string]*Node{}, links: map[link]linkState{}}
}

// Node finds the node of an instance, or makes it with an empty disk. An address other than before moves the instance there.
// An address belongs to one node at a time: the last that was given it.
func (w *World) Node(instanceID, address string) *Node {
	n := w.find(instanceID)
	if n == nil {
		n = &Node{
			ID: instanceID, Address: address, StartDelay: w.StartDelay, StopDelay: w.StopDelay, CatchUp: w.CatchUp,
			world: w, disk: &disk{state: states.DiskEmpty},
		}
		w.nodes = append(w.nodes, n)
		w.byAddress[address] = n
	}
	if n.Address != address {
		w.vacate(n)
		n.Address = address
		w.byAddress[address] = n
		w.settle()
	}
	return n
}

// Nodes lists the nodes that are there, in order of appearance. The slice belongs to the world.
func (w *World) Nodes() []*Node { return w.nodes }

func (w *World) find(instanceID string) *Node {
	for _, n := range w.nodes {
		if n.ID == instanceID {
			return n
		}
	}
	return nil
}

func (w *World) vacate(n *Node) {
	if w.byAddress[n.Address] == n {
		delete(w.byAddress, n.Address)
	}
}

// Advance applies what has become due by Now. Every call into the world does so first.
func (w *World) Advance() {
	if !w.next.IsZero() && !w.Now().Before(w.next) {
		w.settle()
	}
}

// NextEvent tells when something becomes due by itself; false when nothing will.
func (w *World) NextEvent() (time.Time, bool) { return w.next, !w.next.IsZero() }

// Revision grows with every change that is not a mere write or lock, so that a checker can skip a world it has seen.
func (w *World) Revision() uint64 { return w.revision }

// settle applies consequences until there are none left at this instant, and notes when the next are due.
func (w *World) settle() {
	now := w.Now()
	w.revision++
	for again := true; again; {
		again = false
		w.next = time.Time{}
		for _, n := range w.nodes {
			again = n.settle(now) || again
		}
		for _, c := range w.clusters {
			again = c.settle(now) || again
		}
	}
}

// due tells whether t has come; if not, the world wakes up for it.
func (w *World) due(t, now time.Time) bool {
	if !now.Before(t) {
		return true
	}
	if w.next.IsZero() || t.Before(w.next) {
		w.next = t
	}
	return false
}

// election spreads elections over 1 to 1.6 s, as etcd's election timeout of 1 s and its randomisation do.
func election(cluster, term uint64) time.Duration {
	x := cluster ^ (term * 0x9E3779B97F4A7C15) // splitmix64
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9
	x = (x ^ (x >> 27)) * 0x94D049BB133111EB
	return time.Second + time.Duration((x^(x>>31))%600)*time.Millisecond
}

// latest knows the patches that decide something: 3.5.30 and 3.6.11 relaxed the connectivity rule of MemberAdd.
func latest(m states.MinorVersion) states.Version {
	patch := map[states.MinorVersion]int{
		{Major: 2, Minor: 3}: 8, {Major: 3, Minor: 4}: 45, {Major: 3, Minor: 5}: 35, {Major: 3, Minor: 6}: 16, {Major: 3, Minor: 7}: 3,
	}[m]
	return states.Version{Major: m.Major, Minor: m.Minor, Patch: patch}
}

// host cuts the host out of a URL such as http://10.0.0.1:2379.
func host(url string) string {
	if i := strings.Index(url, "://"); i >= 0 {
		url = url[i+3:]
	}
	if i := strings.LastIndexByte(url, ':'); i >= 0 {
		url = url[:i]
	}
	return url
}

func peerURL(address string) string   { return "http://" + address + ":2380" }
func clientURL(address string) string { return "http://" + address + ":2379" }
