package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// stage is where a script is played.
type stage struct {
	*world
	members []uint64         // IDs when the cluster was first whole, or last stabilized
	armed   map[Boundary]int // the last command of each name that a fault is due at
	took    time.Duration
	excused string
	err     error // the first step that could not be done as it is written
}

// step is one line of a script. Its error says that the world is not as the script takes for granted: in a story that is told
// without other faults this is a mistake, with other faults it is their doing, and the story goes on.
type step func(*stage) error

// play lets the script happen. It gives how long the last stabilize took, and why the run was let off from it.
func (w *world) play() (took time.Duration, excused string) {
	s := w.stage()
	for _, line := range w.plan.Script {
		if !s.do(line) {
			break
		}
	}
	return s.took, s.excused
}

func (w *world) stage() *stage {
	w.plan.Only = slices.Clone(w.plan.Only) // it grows by what the script arms
	for _, e := range w.plan.Only {
		if !e.Kind.strikesCalls() {
			w.at(time.Duration(e.At), func() { w.happen(e) })
		}
	}
	w.stops = w.stops || strings.Contains(strings.Join(w.plan.Script, "\n"), "pause-daemon")
	w.writeForever()
	w.said = map[string]bool{}
	return &stage{world: w, armed: map[Boundary]int{}}
}

// do takes one step, and tells whether the story goes on.
func (s *stage) do(line string) bool {
	do, err := parseStep(strings.Fields(line))
	must(err) // readScript and ReadPlan have read it
	s.trace.say("", "%s", line)
	if err := do(s); err != nil && s.err == nil {
		s.err = err
	}
	s.run(s.now) // what happens at once
	return s.violation == nil && s.excused == ""
}

// verbs make steps of the words that follow them.
var verbs map[string]func(words []string) (step, error)

func init() { // it refers to itself through the parsing of faults
	verbs = map[string]func([]string) (step, error){
		"tick":         readTick,                       // tick 30s
		"wait":         readWait,                       // wait whole | wait d is Joining within 5m | wait not quorum
		"expect":       readExpect,                     // expect the same of the moment
		"stabilize":    alone((*stage).stabilize),      // no more faults: the world must converge, and stay so
		"terminate":    toEach((*stage).terminated),    // terminate leader: the group ends it, through the hook if there is one, and starts another
		"end":          toEach((*stage).ended),         // end a b: someone ends the instances, and the group notices
		"zone":         readZone,                       // zone a fails: all its instances end at once
		"refresh":      readRefresh,                    // refresh 60s: an instance refresh with this warm-up replaces all instances
		"resize":       readResize,                     // resize 5
		"reboot":       toEach((*stage).rebooted),      // reboot all
		"stop-daemon":  toEach((*stage).daemonStopped), // stop-daemon a: SIGTERM, and systemd starts it again
		"kill-daemon":  toEach((*stage).daemonKilled),  // kill-daemon all: SIGKILL, and systemd starts it again; etcd goes on
		"crash-daemon": readCrash,                      // crash-daemon d before add member | crash-daemon d after add member: when it comes to that
		"crash-etcd":   toEach((*stage).etcdCrashed),   // crash-etcd leader
		"unfit":        toEach(switched(unfit, true)),  // unfit b: the newest server does not run there
		"fit":          toEach(switched(unfit, false)),
		"lose-disk":    toEach((*stage).diskLost),         // lose-disk b: an empty one is in its place
		"stall-disk":   toEach(switched(stallDisk, true)), // stall-disk leader: nothing that is written comes to an end
		"mend-disk":    toEach(switched(stallDisk, false)),
		"pause-daemon": readPause,                     // pause-daemon d 2m: now | pause-daemon d 2m before add member
		"partition":    readPartition,                 // partition a: from all others, or: partition a from b c
		"heal":         alone((*stage).heal),          // heal
		"outage":       readOutage,                    // outage begin | outage begin route53 | outage begin eu-west-1 | outage end
		"reconfigure":  toEach((*stage).reconfigured), // reconfigure all: daemons that run are told what new ones want
		"install":      readInstall,                   // install 3.6.10: this patch of 3.6 instead of the one before, on every instance
		"downgrade":    readDowngrade,                 // downgrade 3.6, downgrade cancel: an operator's order to etcd
		"wants":        readWants,                     // wants 3.7: the configuration of daemons that start from now on
	}
}

func parseStep(words []string) (step, error) {
	if len(words) == 0 || verbs[words[0]] == nil {
		return nil, fmt.Errorf("no such verb")
	}
	return verbs[words[0]](words[1:])
}

func alone(do func(*stage) error) func([]string) (step, error) {
	return func(words []string) (step, error) {
		if len(words) > 0 {
			return nil, fmt.Errorf("does not know what to do with %q", words)
		}
		return do, nil
	}
}

// toEach makes a step that happens to each of the instances named, all of them chosen before it happens to the first.
func toEach(do func(*stage, *node) error) func([]string) (step, error) {
	return func(words []string) (step, error) {
		if err := checkNames(words); err != nil {
			return nil, err
		}
		return func(s *stage) error {
			chosen, err := s.choose(words)
			for _, n := range chosen {
				if e := do(s, n); err == nil {
					err = e
				}
			}
			return err
		}, nil
	}
}

// roles name instances by what they are at the moment.
var roles = map[string]func(*stage) []*node{
	"all":      func(s *stage) []*node { return s.up() },
	"leader":   func(s *stage) []*node { return first(s.voters(true)) },
	"follower": func(s *stage) []*node { return first(s.voters(false)) },
	"newest":   func(s *stage) []*node { up := s.up(); return up[max(0, len(up)-1):] },
	"joiner":   func(s *stage) []*node { return s.alive(s.joining()) },
	"upgrader": func(s *stage) []*node { return s.alive(s.upgrading()) },
}

func checkNames(words []string) error {
	for _, w := range words {
		if roles[w] == nil && (len(w) != 1 || w < "a" || w > "z") {
			return fmt.Errorf("%q is no instance", w)
		}
	}
	if len(words) == 0 {
		return fmt.Errorf("names no instance")
	}
	return nil
}

// choose finds the instances that run and are named so.
func (s *stage) choose(words []string) (chosen []*node, err error) {
	for _, w := range words {
		var found []*node
		if role := roles[w]; role != nil {
			found = role(s)
		} else if n := s.byOrdinal(ordinalOf(w)); n != nil {
			found = []*node{n}
		}
		if len(found) == 0 {
			err = fmt.Errorf("there is no %s", w)
		}
		chosen = append(chosen, found...)
	}
	return chosen, err
}

func first(list []*node) []*node { return list[:min(1, len(list))] }

func (s *stage) up() []*node {
	return slices.DeleteFunc(slices.Clone(s.nodes), func(n *node) bool { return !n.on || n.gone })
}

// voters gives the leader, or the voters that follow.
func (s *stage) voters(lead bool) (list []*node) {
	c := s.served()
	for _, n := range s.up() {
		if id, member := n.etcd.MemberID(); c != nil && id == c.ID() && isVoter(c, member) && (member == c.Leader()) == lead {
			list = append(list, n)
		}
	}
	return list
}

// alive is the instance of this ID, if it runs.
func (s *stage) alive(id string) []*node {
	if n := s.byID[id]; n != nil && n.on {
		return []*node{n}
	}
	return nil
}
