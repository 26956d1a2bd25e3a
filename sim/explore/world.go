package explore

// maxNodes bounds the instances, replacements included; maxMembers the member list. Lists of instances are bit sets.
const (
	maxNodes   = 5
	maxMembers = 6
)

// instance is what AWS knows of an instance.
type instance = uint8

const (
	notLaunched instance = iota
	inService
	terminating // announced: out of the group, and still running
	terminated
)

// process is what an etcd server is doing.
type process = uint8

const (
	stopped process = iota
	booting         // listens on its peer port and takes part in raft; it does not serve clients yet
	serving
	stopping // told to stop by its daemon
)

// diskState as in states, but always known.
type diskState = uint8

const (
	diskEmpty diskState = iota
	diskMember
)

// node is one instance with its daemon, its disk and its server. What only a living daemon remembers is zero without one, so
// that worlds that differ in nothing that matters are one state.
type node struct {
	inst  instance
	alive bool  // the daemon
	state uint8 // of its machine: index into states.States()

	disk     diskState
	diskID   uint8 // member that the data belongs to
	minor    uint8 // that last ran on it
	joined   bool  // recorded as a voter
	setAside bool

	proc   process
	reason uint8 // states.ExitReason of the last exit that this daemon has seen
	runs   uint8 // minor that runs

	lockOwner uint8 // of the join lock, as last answered: slot+1
	lockHeld  bool  // this daemon believes that it holds the join lock
	added     uint8 // member ID that this daemon has added for itself
	tookPart  bool  // a server was started after that
	upLock    uint8 // what this daemon remembers of the upgrade lock, as records
	lane      lanes
}

// member is one line of the committed member list. Its instance is known by its peer URL from the start, by its name once it
// is named.
type member struct {
	id      uint8 // 0: no member
	slot    uint8
	learner bool
	named   bool // members of the first list are, others once they have started
	started bool // it has published its client URL
	begun   bool // a data directory was made for it
}

// world is everything. It has no padding and no pointers: it is compared and hashed as bytes.
type world struct {
	nodes   [maxNodes]node
	members [maxMembers]member // by ID; the unused ones are zero, and last

	claim       record
	claimBefore record   // before its last change, for a stale read
	budget      [6]uint8 // faults left, by fault

	instBefore [maxNodes]instance // before the last change in AWS, for a stale read
	token      uint8              // of the cluster: slot+1 of who claimed it; 0 when no server was ever started
	served     bool               // it has had a quorum
	minor      uint8              // cluster version
	leader     uint8              // slot+1
	joinLock   uint8              // slot+1 of its holder
	upgrade    records
	down       uint8     // set of those stopped for an upgrade, and not serving since
	unfit      bool      // the first instance cannot run the newer server
	_          [13]uint8 // to a multiple of 16 bytes, for the hash
}

// fault is a kind of event of which a run has only so many.
type fault = uint8

const (
	faultCrash fault = iota // of a daemon
	faultLost               // answer or request
	faultEtcd               // crash of a server
	faultTerminate
	faultStale
	faultDisk // lost with all data
	noFault   // nature's own course, which also goes on when faults have ended
)

// records are the two of upgrades: slot+1 of the lock's holder, and slot+1 of whose upgrade has failed.
type records = uint8

func newRecords(lock, halted uint8) records { return lock | halted<<3 }
func lockOf(r records) uint8                { return r & 7 }
func haltOf(r records) uint8                { return r >> 3 }

// minors are numbered from one, so that zero is unknown.
const (
	minorOld uint8 = 1 // 3.6
	minorNew uint8 = 2 // 3.7
)

// find gives the member of an ID.
func (w *world) find(id uint8) *member {
	for i := range w.members {
		if w.members[i].id == id && id != 0 {
			return &w.members[i]
		}
	}
	return nil
}

// at gives the member that stands for an instance.
func (w *world) at(slot uint8) *member {
	for i := range w.members {
		if m := &w.members[i]; m.id != 0 && m.slot == slot {
			return m
		}
	}
	return nil
}

// list is the set of instances in the member list.
func (w *world) list() (set uint8) {
	for i := range w.members {
		if w.members[i].id != 0 {
			set |= 1 << w.members[i].slot
		}
	}
	return set
}

// up tells whether a server takes part in raft as this member.
func (w *world) up(m *member) bool {
	n := &w.nodes[m.slot]
	return (n.proc == booting || n.proc == serving) && n.diskID == m.id
}

// voters counts the voters, and those that are up.
func (w *world) voters() (n, up int) {
	for i := range w.members {
		m := &w.members[i]
		if m.id == 0 || m.learner {
			continue
		}
		n++
		if w.up(m) {
			up++
		}
	}
	return n, up
}

// hasQuorum tells whether the cluster could be written to.
func (w *world) hasQuorum() bool {
	n, up := w.voters()
	return n > 0 && up > n/2
}

// lives tells whether the instance runs.
func (n *node) lives() bool { return n.inst == inService || n.inst == terminating }

// settle takes the leadership from who can no longer have it, and lets the cluster version follow the servers.
func (w *world) settle() {
	if w.leader == 0 {
		return
	}
	m := w.at(w.leader - 1)
	if m == nil || m.learner || !w.up(m) || !w.hasQuorum() {
		w.leader = 0
		return
	}
	w.raise()
}

// raise sets the cluster version once every member runs something newer.
func (w *world) raise() {
	for i := range w.members {
		if m := &w.members[i]; m.id != 0 && (!w.up(m) || w.nodes[m.slot].runs != minorNew) {
			return
		}
	}
	w.minor = minorNew
}

// drop takes a member out of the list and keeps it sorted.
func (w *world) drop(id uint8) {
	kept := 0
	for i := range w.members {
		if w.members[i].id != id {
			w.members[kept] = w.members[i]
			kept++
		}
	}
	for ; kept < maxMembers; kept++ {
		w.members[kept] = member{}
	}
}

// add gives a new member an ID that nothing refers to any more: such an ID is as good as a new one, and the world stays small.
// IDs up to maxNodes are those of the first list.
func (w *world) add(slot uint8, learner bool) (id uint8, ok bool) {
	for id = maxNodes + 1; w.refersTo(id); id++ {
	}
	at := 0
	for at < maxMembers && w.members[at].id != 0 && w.members[at].id < id {
		at++
	}
	if w.members[maxMembers-1].id != 0 || id > maxID {
		return 0, false
	}
	copy(w.members[at+1:], w.members[at:maxMembers-1])
	w.members[at] = member{id: id, slot: slot, learner: learner}
	return id, true
}

func (w *world) refersTo(id uint8) bool {
	for i := range w.nodes {
		n := &w.nodes[i]
		if n.diskID == id || n.added == id || n.lane.mention(id) {
			return true
		}
	}
	return w.find(id) != nil
}
