package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Line is the entry as the terminal shows it: the time, a column an instance with its state, the instance, and what happened.
//
//	12.031s  R L J      3f2a  Joining: is a learner: asks to be promoted | promote learner 8e9e05c52164694d
//
// The letters are the first of the state: D B J R U H(ousekeeping) L(eaving); "-" is an instance without a daemon, "x" a
// terminated one. Faults begin with "!", effects with ">".
func (e *Entry) Line() string {
	if e.Sort == Planned {
		return e.Text
	}
	var columns strings.Builder
	for _, letter := range e.Columns {
		columns.WriteRune(letter)
		columns.WriteByte(' ')
	}
	return fmt.Sprintf("%10.3fs  %-12s %8.8s  %s", e.At.Seconds(), columns.String(), e.Who, e.signed())
}

// signed is the text with the sign of its sort.
func (e *Entry) signed() string {
	switch {
	case e.Sort == FaultMade || e.Sort == CallFault || e.Sort == Happening && e.Column < 0:
		return "! " + e.Text
	case e.Sort == Effected || e.Sort == Refused:
		return "> " + e.Text
	case e.Sort == Reported:
		return "  reports: " + e.Text
	case e.Sort == Violated:
		return "VIOLATION " + e.Text
	default:
		return e.Text
	}
}

// telling tells whether the entry belongs in a trace that is cut down to what matters most.
func (e *Entry) telling() bool {
	switch e.Sort {
	case FaultMade, CallFault, Changed, Effected, Violated, Ended:
		return true
	default:
		return false
	}
}

// Last keeps the last n entries that tell something, and says how many it left out. Faults of single calls are the first to go.
func Last(entries []Entry, n int) (last []Entry, left int) {
	for i := range entries {
		if entries[i].telling() {
			last = append(last, entries[i])
		}
	}
	all := len(last)
	if all > n {
		last = slices.DeleteFunc(last, func(e Entry) bool { return e.Sort == CallFault })
	}
	last = last[max(0, len(last)-n):]
	return last, all - len(last)
}

// what is the fault in words, without its time and node, which have columns of their own.
func (e *FaultEvent) what() string {
	s := e.words()
	if e.For > 0 {
		s += ", " + time.Duration(e.For).Round(time.Millisecond).String()
	}
	return s
}

func (e *FaultEvent) words() string {
	switch e.Kind {
	case Terminate:
		return "the group terminates the instance"
	case DaemonRestart:
		return "daemon gets SIGTERM"
	case LoseDisk:
		return "disk is lost"
	case Resize, ResizeFar:
		return fmt.Sprintf("group is resized to %d", e.Size)
	case DNSTamper:
		return "someone deletes " + e.What
	case Outage:
		return "AWS stops answering"
	case SlowAnswer:
		return "slow answer"
	case DaemonCrash:
		return "daemon crashes before " + e.Site
	default:
	}
	s := e.Kind.String()
	if e.Site != "" {
		s += " at " + e.Site
	}
	if e.What != "" {
		s += ": " + e.What
	}
	if e.Size > 0 {
		s += fmt.Sprintf(" (%d)", e.Size)
	}
	if e.Other > 0 {
		s += fmt.Sprintf(", with node %d", e.Other)
	}
	return s
}
