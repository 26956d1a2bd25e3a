package sim

import (
	"fmt"
	"strings"
	"time"
)

// Span is a duration that is written as Go writes durations, so that a plan can be read and still be replayed exactly.
type Span time.Duration

func (s Span) String() string { return time.Duration(s).String() }

// MarshalText writes it as in 1m30s.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = Span(d)
	return err
}

// FaultEvent is one fault that happened. It is identified by who it happened to and when, and not by a place in a row of random
// numbers, so that leaving one out does not change what the others are.
type FaultEvent struct {
	Kind Kind `json:"kind"`
	At   Span `json:"at"`             // since the start of the run
	Node int  `json:"node,omitempty"` // in order of launch, from 1; 0 is the world

	// A fault of a call that asks strikes at the Nth call of the node in that instant, which is called Site. Where a replay has
	// no such call then, it strikes at the next of that name, if there is one soon. A fault of a call or command that changes
	// something strikes at that with the number Command among those of its name, whenever it comes.
	Site    string `json:"site,omitempty"`
	Nth     int    `json:"nth,omitempty"`
	Command int    `json:"command,omitempty"`

	For      Span   `json:"for,omitempty"`         // how long, how late, how stale
	Omit     bool   `json:"omit_newest,omitempty"` // of a stale read: it leaves out the newest instance
	Size     int    `json:"size,omitempty"`        // of a resize; how many
	Other    int    `json:"other,omitempty"`       // the second node of a fault between two
	What     string `json:"what,omitempty"`        // which of several things: a record, a form
	Reckless bool   `json:"reckless,omitempty"`    // it may destroy the last quorum of the data
}

func (e FaultEvent) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%.3fs %s", time.Duration(e.At).Seconds(), e.Kind)
	if e.Node > 0 {
		fmt.Fprintf(&s, ", node %d", e.Node)
	}
	if e.Site != "" {
		fmt.Fprintf(&s, ", at %s", e.Site)
	}
	if e.For > 0 {
		fmt.Fprintf(&s, ", %s", time.Duration(e.For).Round(time.Millisecond))
	}
	if e.Size > 0 {
		fmt.Fprintf(&s, ", to %d", e.Size)
	}
	if e.What != "" {
		fmt.Fprintf(&s, ", %s", e.What)
	}
	return s.String()
}
