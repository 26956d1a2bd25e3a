package etcdconformance

import (
	"errors"
	"fmt"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// outcome names what became of a call.
func outcome(err error) string {
	for text, sentinel := range map[string]error{
		"refused": effects.ErrRefused, "unhealthy": effects.ErrUnhealthy, "too many learners": effects.ErrTooManyLearners,
		"not found": effects.ErrNotFound, "exists": effects.ErrExists, "not a learner": effects.ErrNotLearner,
		"not in sync": effects.ErrNotInSync, "not the leader": effects.ErrNotLeader, "changed": effects.ErrChanged,
	} {
		if errors.Is(err, sentinel) {
			return text
		}
	}
	if err != nil {
		return "unknown"
	}
	return "ok"
}

// members notes the list: a member without a name has never started, one without a client URL has not published itself.
func (s *script) members(via ...int) {
	list, err := s.etcd.Members(s.context(), s.urls(via...))
	s.note("members: %s", s.describe(list.Members, err))
}

func (s *script) ask(n int) {
	a, err := s.peers().Ask(s.context(), s.address(n))
	s.note("ask %d: %s", n, s.describe(a.Members, err))
}

func (s *script) describe(members []states.Member, err error) string {
	if err != nil {
		return outcome(err)
	}
	var parts []string
	for n := range 10 {
		for i := range members {
			m := &members[i]
			if m.Address != s.address(n) {
				continue
			}
			text := fmt.Sprint(n)
			switch {
			case m.Name == "":
				text += "-nameless"
			case m.ClientURL == "":
				text += "-unpublished"
			}
			if m.Learner {
				text += "-learner"
			}
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// exit waits for the end of a process and notes its reason.
func (s *script) exit(n int) {
	s.t.Helper()
	s.until(fmt.Sprintf("%d exits", n), func() bool { return s.process(n).Inspect().Running == states.No })
	s.note("exit %d: %s", n, reasons[s.process(n).Inspect().Reason])
}

var reasons = map[states.ExitReason]string{
	states.ExitNone: "none", states.ExitCrash: "crash", states.ExitStopped: "stopped", states.ExitRemoved: "removed",
	states.ExitCorrupt: "corrupt", states.ExitStale: "stale", states.ExitUnstarted: "unstarted", states.ExitRefused: "refused", states.ExitNewer: "newer",
	states.ExitBootstrapped: "bootstrapped",
}

func (s *script) stop(n int) {
	s.t.Helper()
	if err := s.process(n).Stop(); err != nil {
		s.t.Fatal(err)
	}
	s.exit(n)
}

// version notes the cluster version that a server tells on its peer port.
func (s *script) version(n int) {
	a, err := s.peers().Ask(s.context(), s.address(n))
	if err != nil {
		s.note("version %d: %s", n, outcome(err))
		return
	}
	s.note("version %d: %s", n, a.ClusterVersion)
}

func (s *script) status(n int) {
	st, err := s.etcd.Status(s.context(), s.url(n))
	role, leader := "voter", "knows the leader"
	if st.Learner {
		role = "learner"
	}
	if st.Leader == 0 {
		leader = "no leader"
	}
	if err != nil {
		s.note("status %d: %s", n, outcome(err))
		return
	}
	s.note("status %d: %s, %s", n, role, leader)
}
