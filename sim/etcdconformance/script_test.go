package etcdconformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// script plays on a stage and writes down what it sees, with nodes by number, so that a fake and a real run can be compared.
type script struct {
	stage
	t     *testing.T
	etcd  effects.Etcd
	lines []string
	older states.MinorVersion // start servers of this minor instead of the stage's
	again bool                // it may be played again, see TestReal
}

func (s *script) minor() states.MinorVersion {
	if s.older.Known() {
		return s.older
	}
	return s.stage.minor()
}

func (s *script) note(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
}

// patience is how long anything is waited for, at most.
const patience = 30 * time.Second

// inVain is what until panics with.
type inVain string

// until polls. What never happens ends a script that may be played again, and else the test.
func (s *script) until(what string, happens func() bool) {
	s.t.Helper()
	for end := s.now().Add(patience); !happens(); s.pass(100 * time.Millisecond) {
		switch {
		case !s.now().After(end):
		case s.again:
			panic(inVain("waited in vain: " + what))
		default:
			s.t.Fatal("waited in vain:", what)
		}
	}
}

func (s *script) context() context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Second)
	s.t.Cleanup(cancel)
	return ctx
}

func name(n int) string { return fmt.Sprintf("n%d", n) }

func (s *script) url(n int) string     { return "http://" + s.address(n) + ":2379" }
func (s *script) peerURL(n int) string { return "http://" + s.address(n) + ":2380" }

func (s *script) urls(nodes ...int) []string {
	list := make([]string, len(nodes))
	for i, n := range nodes {
		list[i] = s.url(n)
	}
	return list
}

func (s *script) list(nodes ...int) []states.ClaimMember {
	list := make([]states.ClaimMember, len(nodes))
	for i, n := range nodes {
		list[i] = states.ClaimMember{ID: name(n), Address: s.address(n)}
	}
	return list
}

// start starts the server of a node.
func (s *script) start(n int, state states.ClusterState, list ...int) {
	s.t.Helper()
	start := states.StartEtcd{Minor: s.minor(), Name: name(n), Address: s.address(n), State: state}
	if state != states.ClusterRestart {
		start.Token, start.Cluster = "token", s.list(list...)
	}
	if err := s.disk(n).RecordStart(start); err != nil {
		s.t.Fatal(err)
	}
	if err := s.process(n).Start(start); err != nil {
		s.t.Fatal(err)
	}
}

// form makes a cluster of these nodes and waits until it has settled.
func (s *script) form(nodes ...int) {
	s.t.Helper()
	for _, n := range nodes {
		s.start(n, states.ClusterNew, nodes...)
	}
	for _, n := range nodes {
		s.until("cluster forms", func() bool {
			a, err := s.peers().Ask(s.context(), s.address(n))
			return err == nil && a.ClusterVersion == s.minor() && s.serves(n)
		})
	}
}

// serves tells whether the server of a node answers clients and knows a leader.
func (s *script) serves(n int) bool {
	st, err := s.etcd.Status(s.context(), s.url(n))
	return err == nil && st.Leader != 0
}

// lists tells whether the server of a node reads through quorum.
func (s *script) lists(n int) bool {
	_, err := s.etcd.Members(s.context(), s.urls(n))
	return err == nil
}

// id finds the member of a node, through any of the nodes that can be asked.
func (s *script) id(n int, via ...int) uint64 {
	s.t.Helper()
	var found uint64
	s.until("member list", func() bool {
		list, err := s.etcd.Members(s.context(), s.urls(via...))
		for _, m := range list.Members {
			if m.Address == s.address(n) {
				found = m.ID
			}
		}
		return err == nil
	})
	return found
}

// leader finds which of the nodes leads.
func (s *script) leader(nodes ...int) int {
	s.t.Helper()
	leads := 0
	s.until("leader", func() bool {
		for _, n := range nodes {
			if st, err := s.etcd.Status(s.context(), s.url(n)); err == nil && st.Leader == st.MemberID {
				leads = n
			}
		}
		return leads != 0
	})
	return leads
}

// others gives the nodes but one.
func others(n int, nodes ...int) []int {
	return slices.DeleteFunc(slices.Clone(nodes), func(m int) bool { return m == n })
}

// patiently repeats a call for as long as etcd refuses it because servers are connected for less than 5 s, and some more.
func (s *script) patiently(call func() error) error {
	err := call()
	for end := s.now().Add(12 * time.Second); errors.Is(err, effects.ErrUnhealthy) && s.now().Before(end); err = call() {
		s.pass(500 * time.Millisecond)
	}
	return err
}

func (s *script) addOnce(n int, learner bool, via ...int) error {
	_, err := s.etcd.AddMember(s.context(), s.urls(via...), s.peerURL(n), learner)
	return err
}

// add adds a voter, addLearner a learner; both wait until etcd is ready for it.
func (s *script) add(n int, via ...int) {
	s.note("add %d: %s", n, outcome(s.patiently(func() error { return s.addOnce(n, false, via...) })))
}

func (s *script) addLearner(n int, via ...int) {
	s.note("add learner %d: %s", n, outcome(s.patiently(func() error { return s.addOnce(n, true, via...) })))
}

// join starts the server of an added member and waits until it serves.
func (s *script) join(n int, list ...int) {
	s.t.Helper()
	s.start(n, states.ClusterExisting, list...)
	s.until(fmt.Sprintf("%d joins", n), func() bool { return s.serves(n) })
}

func (s *script) remove(id uint64, n int, via ...int) {
	s.note("remove %d: %s", n, outcome(s.patiently(func() error { return s.etcd.RemoveMember(s.context(), s.urls(via...), id) })))
}

func (s *script) promote(id uint64, n int, via ...int) {
	s.note("promote %d: %s", n, outcome(s.etcd.PromoteMember(s.context(), s.urls(via...), id)))
}

// listens waits until the peer port of a node answers.
func (s *script) listens(n int) {
	s.t.Helper()
	s.until("peer port", func() bool { _, err := s.peers().Ask(s.context(), s.address(n)); return err == nil })
}

// settled tells whether a server knows that the cluster runs the minor that is started now.
func (s *script) settled(n int) bool {
	a, err := s.peers().Ask(s.context(), s.address(n))
	return err == nil && a.ClusterVersion == s.minor()
}
