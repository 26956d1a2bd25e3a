package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// condition is something that may be so at a moment.
type condition func(*stage) bool

// conditions without words of their own.
var conditions = map[string]condition{
	"whole":          func(s *stage) bool { return s.pending() == "" },        // see docs/simulator.md
	"cluster":        func(s *stage) bool { return s.served() != nil },        // one has served
	"one cluster":    func(s *stage) bool { return len(s.check.served) == 1 }, // and never another
	"two clusters":   func(s *stage) bool { return len(s.check.served) == 2 }, // the second after the first
	"quorum":         func(s *stage) bool { c := s.served(); return c != nil && c.HasQuorum() },
	"same members":   func(s *stage) bool { return slices.Equal(s.members, s.memberIDs()) }, // as when the cluster was first whole, or last stabilized
	"no instances":   func(s *stage) bool { return len(s.up()) == 0 },
	"excused":        func(s *stage) bool { return s.excused != "" },
	"claim pending":  func(s *stage) bool { return strings.HasPrefix(s.claim(), "pending") },
	"claim formed":   func(s *stage) bool { return strings.HasPrefix(s.claim(), "formed") },
	"refreshed":      (*stage).refreshed,
	"join lock":      func(s *stage) bool { return s.joining() != "" },   // is held
	"upgrade lock":   func(s *stage) bool { return s.upgrading() != "" }, // is held
	"upgrade halted": func(s *stage) bool { return s.halted() != "" },
}

// parseCondition reads what may be so: one of conditions, or
//
//	not CONDITION | members 3 | version 3.7 | d is Joining | d is learner | d runs 3.7 | d has no etcd | said TOTAL LOSS
func parseCondition(words []string) (condition, error) {
	if c := conditions[strings.Join(words, " ")]; c != nil {
		return c, nil
	}
	switch {
	case len(words) > 1 && words[0] == "not":
		c, err := parseCondition(words[1:])
		return func(s *stage) bool { return !c(s) }, err
	case len(words) == 2 && words[0] == "members":
		n, err := strconv.Atoi(words[1])
		return func(s *stage) bool { return len(s.memberIDs()) == n }, err
	case len(words) == 2 && words[0] == "version":
		return func(s *stage) bool { c := s.served(); return c != nil && c.Version().String() == words[1] }, nil
	case len(words) > 1 && words[0] == "said":
		return func(s *stage) bool { return s.anyWhy(strings.Join(words[1:], " ")) }, nil
	case len(words) > 2 && words[0] != "claim":
		is, err := parsePredicate(words[1:])
		if err == nil {
			err = checkNames(words[:1])
		}
		return func(s *stage) bool {
			chosen, _ := s.choose(words[:1])
			return len(chosen) > 0 && !slices.ContainsFunc(chosen, func(n *node) bool { return !is(n) })
		}, err
	}
	return nil, fmt.Errorf("no such condition")
}

// parsePredicate reads what an instance may be.
func parsePredicate(words []string) (func(*node) bool, error) {
	what := strings.Join(words, " ")
	switch {
	case what == "is learner":
		return func(n *node) bool { m := n.member(); return m != nil && m.Learner }, nil
	case what == "is voter":
		return func(n *node) bool { m := n.member(); return m != nil && !m.Learner }, nil
	case what == "has no etcd":
		return func(n *node) bool { return !n.etcd.Running() }, nil
	case words[0] == "is" && slices.Contains(states.States(), states.State(words[1])):
		return func(n *node) bool { return n.agent != nil && string(n.agent.State()) == words[1] }, nil
	case words[0] == "runs":
		return func(n *node) bool {
			m := n.member()
			return m != nil && n.served().Server(m.ID).MinorOf().String() == words[1]
		}, nil
	}
	return nil, fmt.Errorf("no such condition of an instance")
}

// readWait lets time pass until something is so. With other faults about, what it waits for may never come, and the story goes
// on; but a whole cluster must come.
func readWait(words []string) (step, error) {
	limit := convergeWithin
	if n := len(words); n > 2 && words[n-2] == "within" {
		d, err := time.ParseDuration(words[n-1])
		if err != nil {
			return nil, err
		}
		limit, words = d, words[:n-2]
	}
	is, err := parseCondition(words)
	what := strings.Join(words, " ")
	return func(s *stage) error {
		if what == "whole" {
			return s.waitWhole(limit)
		}
		for end := s.now + limit; !is(s); s.advance(end) {
			if s.violation != nil || s.now >= end {
				return fmt.Errorf("%s passed, and %s never came", limit, what)
			}
		}
		return nil
	}, err
}

// waitWhole demands convergence while faults may still happen.
func (s *stage) waitWhole(limit time.Duration) error {
	for begun := s.now; s.violation == nil; s.run(s.now + time.Second) {
		pending := s.pending()
		if pending == "" {
			if s.members == nil {
				s.remember()
			}
			return nil
		}
		if s.excused = s.beyondRecovery(); s.excused != "" && s.now-begun > 2*time.Minute {
			return fmt.Errorf("excused: %s", s.excused)
		}
		s.excused = ""
		if s.now-begun > limit {
			s.fail("L1", "not whole after %s: %s", limit, pending)
		}
	}
	return s.violation
}

// advance lets the next event happen, at the latest at the end.
func (s *stage) advance(end time.Duration) {
	next, due := s.nextEvent()
	if !due || next > end {
		s.setTime(end)
		return
	}
	s.setTime(next)
	s.step()
}

func readExpect(words []string) (step, error) {
	is, err := parseCondition(words)
	return func(s *stage) error {
		if !is(s) {
			return fmt.Errorf("it is not so")
		}
		return nil
	}, err
}

// member is the entry of this instance in the list; nil if there is none.
func (n *node) member() *states.Member {
	if c := n.served(); c != nil {
		list := c.Members()
		for i := range list {
			if list[i].Address == n.address {
				return &list[i]
			}
		}
	}
	return nil
}

func (s *stage) memberIDs() (ids []uint64) {
	if c := s.served(); c != nil {
		for _, m := range c.Members() {
			ids = append(ids, m.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *stage) remember() { s.members = s.memberIDs() }

// claim is the claim's state and whom it names; empty where there is none, or where it is not in Route53.
func (s *stage) claim() string {
	for _, r := range s.cloud.Records(s.zoneID) {
		if r.Type == "TXT" {
			text, _ := awsfake.Unquote(r.Values[0])
			_, state, _ := strings.Cut(strings.Join(text, ""), "state=")
			state, members, _ := strings.Cut(state, " token=")
			_, members, _ = strings.Cut(members, "members=")
			return state + " " + strings.ReplaceAll(members, ",", " ")
		}
	}
	return ""
}

// anyWhy tells whether a daemon's decision has ever given a reason with these words.
func (w *world) anyWhy(words string) bool {
	for what := range w.said { // in any order: one is enough
		if strings.Contains(what, words) {
			return true
		}
	}
	return false
}

// refreshed tells whether the last instance refresh has replaced everything.
func (s *stage) refreshed() bool {
	g, _ := s.cloud.Group(groupName)
	return len(g.Refreshes) > 0 && g.Refreshes[0].Status == string(astypes.InstanceRefreshStatusSuccessful)
}

// joining is who holds the join lock, and upgrading who holds the upgrade lock; nobody is empty.
func (s *stage) joining() string {
	if c := s.served(); c != nil {
		return c.Lock(joinLock).Owner
	}
	return ""
}

func (s *stage) upgrading() string {
	if c := s.served(); c != nil {
		return effects.ParseUpgrade(c.Key(effects.UpgradeLockKey)).Owner
	}
	return ""
}

// halted is what keeps upgrades from going on.
func (s *stage) halted() string {
	if c := s.served(); c != nil {
		return effects.ParseUpgrade(c.Key(effects.UpgradeHaltKey)).Why
	}
	return ""
}
