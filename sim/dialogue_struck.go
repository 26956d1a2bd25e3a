package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// readCrash arms a crash of a daemon, which may not even have been launched: it dies before the next of its commands of that
// name, or after it and before it hears that it took effect.
func readCrash(words []string) (step, error) {
	if len(words) < 3 {
		return nil, fmt.Errorf("want: crash-daemon d before add member")
	}
	kind, known := map[string]Kind{"before": DaemonCrash, "after": CrashAfter}[words[1]]
	if !known {
		return nil, fmt.Errorf("%q is neither before nor after", words[1])
	}
	return armed(words[0], words[2:], FaultEvent{Kind: kind})
}

// readPause lets a daemon stand still: now, or before the next of its commands of that name.
func readPause(words []string) (step, error) {
	if len(words) < 2 || len(words) > 2 && words[2] != "before" {
		return nil, fmt.Errorf("want: pause-daemon d 2m, or: pause-daemon d 2m before add member")
	}
	d, err := time.ParseDuration(words[1])
	if err != nil {
		return nil, err
	}
	if len(words) > 2 {
		return armed(words[0], words[3:], FaultEvent{Kind: PauseAtCall, For: Span(d)})
	}
	return toEach(func(_ *stage, n *node) error { n.stop(d, func() {}); return nil })(words[:1])
}

// called are names for what the traces call after a key.
var called = map[string]string{
	"take upgrade lock": "take " + effects.UpgradeLockKey, "release upgrade lock": "release " + effects.UpgradeLockKey,
	"change zone": "ChangeResourceRecordSets",
}

// armed makes a step of a fault at the next command of that name.
func armed(name string, site []string, e FaultEvent) (step, error) {
	e.Site = strings.Join(site, " ")
	if long := called[e.Site]; long != "" {
		e.Site = long
	}
	if !changes[e.Site] || !isCommand(e.Site) {
		return nil, fmt.Errorf("no daemon does %q", e.Site)
	}
	return func(s *stage) error {
		if roles[name] == nil {
			e.Node = ordinalOf(name)
		} else if chosen, err := s.choose([]string{name}); err != nil {
			return err
		} else {
			e.Node = chosen[0].ordinal
		}
		s.arm(e)
		return nil
	}, checkNames([]string{name})
}

// arm makes a fault due at the next command of its name; another one at the next but one.
func (s *stage) arm(e FaultEvent) {
	at := Boundary{Node: e.Node, Site: e.Site}
	launched := e.Node <= len(s.hosts)
	if launched {
		s.armed[at] = max(s.armed[at], s.hosts[e.Node-1].commands[e.Site])
	}
	s.armed[at]++
	e.Command = s.armed[at]
	if !launched {
		s.plan.Only = append(s.plan.Only, e)
		return
	}
	h := s.hosts[e.Node-1]
	h.dueCommand = append(h.dueCommand, e)
}
