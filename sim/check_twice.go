package sim

import (
	"context"
	"fmt"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// twice is how many of the commands that changed something are carried out a second time, as by a daemon that did not hear what
// became of the first (C10).
const twice = 1.0 / 16

// snapshot is what a command can change. What a second command adds to the log, or to the time that a lease has left, is no
// change: nobody can tell.
type snapshot struct {
	members *states.Member // of a list that is never changed: a new one is another
	count   int
	locks   locks
	process states.Process
	disk    states.Disk
	aside   int
	records string
}

func (n *node) snapshot() snapshot {
	s := snapshot{locks: n.locksNow(), process: n.etcd.Process().Inspect(), disk: n.etcd.Disk().Inspect(), aside: n.etcd.SetAsideCopies()}
	s.disk.Snapshot = 0
	if c := s.locks.cluster; c != nil {
		if list := c.Members(); len(list) > 0 {
			s.members, s.count = &list[0], len(list)
		}
	}
	s.records = fmt.Sprint(n.cloud.Records(n.zoneID))
	return s
}

// difference names what is not the same any more.
func (s *snapshot) difference(t *snapshot) string {
	switch {
	case s.members != t.members || s.count != t.count:
		return "the members"
	case s.locks != t.locks:
		return fmt.Sprintf("the locks from %+v to %+v", s.locks, t.locks)
	case s.process != t.process:
		return fmt.Sprintf("its server from %+v to %+v", s.process, t.process)
	case s.disk != t.disk || s.aside != t.aside:
		return fmt.Sprintf("its disk from %+v to %+v", s.disk, t.disk)
	default:
		return "the zone from " + s.records + " to " + t.records
	}
}

// again carries a command out a second time, now and then, and compares.
func (n *node) again(what string, do func()) {
	if !n.changed || n.violation != nil || len(n.plan.Script) > 0 || !n.repeats.chance(twice) {
		return
	}
	before := n.snapshot()
	n.natural, n.repeating = true, true
	do()
	n.natural, n.repeating = false, false
	after := n.snapshot()
	if before.locks.join == "" && after.locks.join == n.id {
		after.locks.join = "" // its lease had ended, or nature had deleted it, and it is taken again
	}
	if after != before {
		n.fail("C10", "%s: %s a second time changes %s", n, what, before.difference(&after))
	}
}

// executor carries out the commands of a daemon.
type executor struct {
	*effects.Effects
	n *node
}

// Execute carries out the commands to the server and the disk by themselves, since they are done when it returns.
func (e executor) Execute(commands []states.Command) {
	local, rest := split(commands)
	if len(local) > 0 {
		e.n.changed = false
		e.Effects.Execute(local)
		e.n.again("a command to its server or its disk", func() { e.Effects.Execute(local) })
	}
	if len(rest) > 0 {
		e.Effects.Execute(rest)
	}
}

func split(commands []states.Command) (local, rest []states.Command) {
	for i, c := range commands {
		if states.LaneOf(c) == states.LaneProcess {
			local = append(local, commands[i])
		} else {
			rest = append(rest, commands[i])
		}
	}
	return local, rest
}

// workTwice is a question, or commands, off the deciding goroutine.
func (n *node) workTwice(work func(context.Context) func()) (deliver func()) {
	n.changed = false
	deliver = work(context.Background())
	n.again("a command", func() { work(context.Background()) })
	return deliver
}
