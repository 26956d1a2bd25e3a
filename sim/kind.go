package sim

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// Kind is a class of fault. What there is to say of each is its line in the table (kinds.go).
type Kind uint8

// where is what a class strikes at: a kind of call, or a part of the world.
type where uint16

const (
	atAWS      where = 1 << iota // calls to AWS
	atIMDS                       // calls to the instance metadata service
	atEtcd                       // calls to etcd
	atCommand                    // commands of a daemon, right before they take effect
	atAnswer                     // the way of an answer back to the daemon
	atBoot                       // the boot of an instance
	onDaemon                     // a daemon, at any time
	onInstance                   // an instance and its disk
	onEtcd                       // etcd servers
	onNetwork                    // what is between instances
	onGroup                      // the group and what Auto Scaling does
	onZone                       // the hosted zone

	atCalls = atAWS | atIMDS | atEtcd | atCommand | atAnswer | atBoot
)

// sites are the classes that calls are looked up by, so that a call asks those only that can strike at it.
var sites = [...]where{atAWS, atIMDS, atEtcd, atCommand, atAnswer, atBoot}

// site is the place of a single class in sites, which begin with the first bit.
func (at where) site() int { return bits.TrailingZeros16(uint16(at)) }

var whereNames = map[where]string{
	atAWS: "AWS call", atIMDS: "metadata call", atEtcd: "etcd call", atCommand: "command", atAnswer: "answer", atBoot: "boot",
	onDaemon: "daemon", onInstance: "instance", onEtcd: "etcd", onNetwork: "network", onGroup: "group", onZone: "zone",
}

// kind is a class of fault: what it is called, where it strikes, how its rate is drawn, and how it happens.
type kind struct {
	name string
	ids  string // of the catalogue of faults
	at   where
	does string // what happens, for people

	often     float64       // in which part of the runs it is made; 0: only when it is asked for
	low, high float64       // of its chance at one call, or of the seconds between two of them on average
	least     time.Duration // how long one lasts: from least
	most      time.Duration // to most; 0: it is over at once

	needs  []Kind                                  // what must happen besides, that it comes to anything
	acts   []string                                // the calls or commands at which it can strike; nil: all of the sites
	draw   func(*world, *stream, *FaultEvent) bool // what else there is to it; false: it cannot happen now
	happen func(*world, *node, FaultEvent)         // of a fault of the world
	spoil  func(*node, *FaultEvent) awsfake.Fault  // of a fault of AWS calls
}

// kinds is the table. It is filled in by init, since what happens looks things up in it.
var kinds [Kinds]kind

func (k Kind) String() string { return kinds[k].name }

// MarshalText makes plans readable.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (k *Kind) UnmarshalText(text []byte) error {
	for i := range kinds {
		if kinds[i].name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("no class of fault is called %q", text)
}

// strikesCalls tells whether faults of the class strike at calls and commands of daemons, and not at the world.
func (k Kind) strikesCalls() bool { return kinds[k].at&atCalls != 0 }

// strikesNode tells whether a fault of the class is one of a node, so that without one it cannot happen.
func (k Kind) strikesNode() bool { return kinds[k].at&(onGroup|onZone) == 0 }
