package sim

import (
	"fmt"
	"strings"
	"time"
)

// Kind is a class of fault.
type Kind uint8

// The classes. Those up to LateLaunch strike at one call or command of one daemon; the rest happen to the world.
const (
	AWSError      Kind = iota // the call fails, nothing happened
	AWSThrottle               // the same, as RequestLimitExceeded
	AWSLost                   // the call took effect, and the answer is a timeout
	AWSStale                  // a describe call answers from some time ago
	IMDSError                 // the metadata service fails
	EtcdError                 // a call to etcd times out, nothing happened
	EtcdLost                  // a call to etcd took effect, and the answer is a timeout
	DaemonCrash               // the daemon dies right before the call or command
	DaemonDies                // the daemon dies some time after the command took effect; at once: before it hears so
	DaemonPause               // the daemon stands still right before the command, and carries it out later
	SlowAnswer                // an answer takes up to its deadline
	LateLaunch                // the daemon starts long after its instance
	EtcdCrash                 // the etcd process ends
	Terminate                 // the group ends an instance and starts another
	DaemonRestart             // SIGTERM to a daemon
	Reboot                    // an instance goes down and comes back with its disk
	Corrupt                   // the data of a member cannot be read any more
	LoseDisk                  // the disk of an instance is empty
	Resize                    // the desired capacity changes
	DNSTamper                 // someone deletes a record of the cluster
	Outage                    // no AWS call succeeds
	Kinds                     // how many there are
)

var kindNames = [Kinds]string{
	"aws error", "aws throttle", "aws answer lost", "aws stale read", "imds error", "etcd call fails", "etcd answer lost", "daemon crash", "daemon dies after", "daemon pause",
	"slow answer", "late launch", "etcd crash", "terminate", "daemon restart", "reboot", "corrupt", "lose disk", "resize", "dns tamper", "aws outage",
}

func (k Kind) String() string { return kindNames[k] }

// MarshalText makes plans readable.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, name := range kindNames {
		if name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("no class of fault is called %q", text)
}

// strikesCalls tells whether faults of the class strike at calls and commands of daemons, and not at the world.
func (k Kind) strikesCalls() bool { return k <= LateLaunch }

// strikesCall tells whether the fault strikes at a call or command, as any may that names one.
func (e *FaultEvent) strikesCall() bool { return e.Kind.strikesCalls() || e.Command > 0 }

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
	Size     int    `json:"size,omitempty"`        // of a resize
	Record   string `json:"record,omitempty"`      // of DNS tampering: type and name
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
	if e.Record != "" {
		fmt.Fprintf(&s, ", %s", e.Record)
	}
	return s.String()
}
