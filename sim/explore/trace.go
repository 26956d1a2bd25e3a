package explore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// trace tells the shortest way from the beginning to a state, in the lines of the simulator. The table holds only hashes: the
// worlds between are made again, from the beginning on.
func (s *search) trace(to uint64, last *violation) []string {
	var path []uint64
	for hash := to; hash != 0; hash = s.seen.get(hash).parent {
		path = append(path, hash)
	}
	slices.Reverse(path)
	d, err := newDecider(s.options)
	if err != nil {
		return []string{err.Error()}
	}
	t := &teller{expander: expander{decider: d, options: s.options}, world: s.first}
	t.emit = t.choose
	for _, hash := range path[1:] {
		t.follow(hash, nil)
	}
	if last != nil {
		t.follow(last.to, &last.act)
		t.lines = append(t.lines, fmt.Sprintf("VIOLATION %s: %s", last.invariant, last.detail))
	}
	return t.lines
}

// teller walks along a path of hashes.
type teller struct {
	expander
	world world
	want  uint64
	act   *act // when more than the hash tells which transition is meant
	taken *act
	to    world
	lines []string
}

func (t *teller) choose(next *world, a act, _ broken) {
	if t.taken == nil && next.hash() == t.want && (t.act == nil || *t.act == a) {
		t.taken, t.to = &a, *next
	}
}

func (t *teller) follow(hash uint64, a *act) {
	t.want, t.act, t.taken = hash, a, nil
	t.expand(&t.world)
	if t.taken == nil {
		t.lines = append(t.lines, "(lost: two states have one hash)")
		return
	}
	t.line(t.taken)
	t.world = t.to
}

var letters = map[states.State]string{
	states.Discovering: "D", states.Bootstrapping: "B", states.Joining: "J", states.Running: "R",
	states.Upgrading: "U", states.LeadingHousekeeping: "H", states.Leaving: "L",
}

// line has the number of the event for a time, and a column for each instance that there is.
func (t *teller) line(a *act) {
	var columns strings.Builder
	for i := range t.to.nodes {
		switch n := &t.to.nodes[i]; {
		case n.inst == notLaunched:
			columns.WriteString("  ")
		case n.inst == terminated:
			columns.WriteString("x ")
		case !n.alive:
			columns.WriteString("- ")
		default:
			columns.WriteString(letters[allStates[n.state]] + " ")
		}
	}
	who := ids[a.slot]
	if a.what == lockExpires {
		who = ""
	}
	t.lines = append(t.lines, fmt.Sprintf("%4d  %s %5s  %s", len(t.lines)+1, columns.String(), who, t.text(a)))
}

var natures = map[verb]string{
	daemonStarts: "the daemon starts", daemonCrashes: "! daemon crash", etcdServes: "etcd serves", etcdExpelled: "etcd exits: its member was removed",
	etcdStops: "etcd has stopped", etcdCrashes: "! etcd crash", isElected: "etcd is elected leader", lockExpires: "the lease of the join lock runs out",
	isAnnounced: "! termination is announced", isEnded: "! terminated", isLaunched: "is launched", losesDisk: "! loses its disk",
}

func (t *teller) text(a *act) string {
	n := &t.world.nodes[a.slot]
	switch a.what {
	case takesTurn:
		t.verbose = true
		v := t.world.look(a.slot, reading(a.how))
		o := t.decide(&v)
		t.verbose = false
		return [...]string{"", "(time has passed) ", "! (AWS answers from the past) ", "! (the claim is read from the past) "}[a.how] + o.text
	case takesEffect:
		c := n.lane.of(a.lane)[0]
		return "> " + c.String() + [...]string{"", " ! (answer lost)", " ! (request lost)"}[a.how] + t.exit(a)
	default:
		return natures[a.what]
	}
}

// exit tells how a server has ended that was started in vain.
func (t *teller) exit(a *act) string {
	n := &t.to.nodes[a.slot]
	if t.world.nodes[a.slot].lane.of(a.lane)[0].kind() != startEtcd || n.proc != stopped {
		return ""
	}
	return map[uint8]string{
		uint8(states.ExitStale): ": exits, the given list is not the cluster's", uint8(states.ExitRefused): ": exits, refused", uint8(states.ExitNewer): ": exits, its data is of a newer server",
		uint8(states.ExitBootstrapped): ": exits, the cluster runs already",
	}[n.reason]
}

var kindNames = [...]string{
	"", "start etcd", "stop etcd", "set data aside", "delete what was set aside", "record joined", "hold the join lock",
	"release the join lock", "add member", "promote member", "remove member", "move leadership to", "create claim", "update claim",
	"take the upgrade lock", "release the upgrade lock", "halt the upgrade", "stop etcd for its upgrade", "write entries that change nothing",
}

func (c command) String() string {
	switch c.kind() {
	case startEtcd:
		s := c.start()
		return fmt.Sprintf("start etcd %s %s", minors[s.minor], [...]string{"on its own data", "as one of a new cluster", "to join"}[s.state])
	case promoteMember, removeMember, moveLeader:
		return fmt.Sprintf("%s %d", kindNames[c.kind()], c.arg(0, 4))
	default:
		return kindNames[c.kind()]
	}
}
