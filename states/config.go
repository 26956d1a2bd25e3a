package states

import (
	"fmt"
	"time"
)

// TotalLoss says what to do when every instance that a formed claim names has provably ended, data and all.
type TotalLoss string

// Halting is the default: only a human can know whether there is a backup.
const (
	HaltOnTotalLoss TotalLoss = "halt"
	NewOnTotalLoss  TotalLoss = "new"
)

// Config is what is fixed for the life of a machine.
type Config struct {
	ClientPort  int // usually 2379
	PeerPort    int // usually 2380
	OnTotalLoss TotalLoss
	ClientTLS   bool // clients are served over TLS only
	PeerTLS     bool // and so are the other members
	Public      bool // members meet at their public addresses
	// ReplaceUnhealthyAfter is how long a member may be unhealthy, its instance running, before the leader has the group replace the
	// instance; zero: for ever.
	ReplaceUnhealthyAfter time.Duration
}

// Validate tells what is wrong with the configuration.
func (c *Config) Validate() error {
	switch {
	case c.ClientPort <= 0 || c.ClientPort > 65535 || c.PeerPort <= 0 || c.PeerPort > 65535 || c.ClientPort == c.PeerPort:
		return fmt.Errorf("client port %d and peer port %d: want two different ports between 1 and 65535", c.ClientPort, c.PeerPort)
	case c.OnTotalLoss != HaltOnTotalLoss && c.OnTotalLoss != NewOnTotalLoss:
		return fmt.Errorf("on total loss %q: want %q or %q", c.OnTotalLoss, HaltOnTotalLoss, NewOnTotalLoss)
	}
	return nil
}

// How fresh facts are wanted. At rest a follower's decisions ask AWS nothing and the leader three things a minute.
const (
	restGroup   = time.Minute
	restZone    = time.Minute
	restCluster = time.Second
	fast        = 150 * time.Millisecond // local and peer-to-peer questions while something changes
	brisk       = time.Second            // AWS questions while something changes
	slow        = 10 * time.Second       // AWS questions while something has long been wrong
)

const (
	// joinLockTTL outlives a hiccup of the joiner, and is short enough not to hold others up when it dies.
	joinLockTTL = 20 * time.Second
	// joinLockRenew is how often the holder keeps the lock alive.
	joinLockRenew = 5 * time.Second
	// staleGroup is how old the last answer about the group may be when a cluster is claimed from it.
	staleGroup = time.Minute
	// stalePeers is how old the peers' last answers may be when a cluster is formed.
	stalePeers = 3 * time.Second
	// claimPatience is how long a straggler waits to read the claim, before it joins as any other instance does.
	claimPatience = 30 * time.Second
	// announceWithin is how soon a joining server serves once it has the cluster's data, unless it has gone deaf.
	announceWithin = 500 * time.Millisecond
	// lossPatience is how long a group is watched, with nothing serving in it, before a total loss is believed: the longest
	// pause between two starts of a server that keeps ending, several times over.
	lossPatience = 2 * time.Minute
	// formGrace is how long a forming cluster waits for stragglers before its claim is closed to them. A straggler then joins
	// as any other instance does.
	formGrace = time.Minute
	// stopPatience is how long a daemon that was asked to stop waits to learn whether its instance is being terminated.
	stopPatience = 5 * time.Second
	// drainGrace is how long a voter may be unhealthy before its DNS values are taken away: longer than a restart takes.
	drainGrace = 30 * time.Second
	// recordTTL is the TTL, in seconds, of every record set.
	recordTTL = 60
)
