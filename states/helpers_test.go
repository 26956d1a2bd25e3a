package states

import (
	"fmt"
	"time"
)

var (
	testConfig = Config{ClientPort: 2379, PeerPort: 2380, OnTotalLoss: HaltOnTotalLoss}
	epoch      = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	minor36    = MinorVersion{3, 6}
	minor37    = MinorVersion{3, 7}
)

// number is the one of an instance named by a letter: i-a is 1. Its address, member ID and DNS name are made of it.
func number(id string) int { return int(id[len(id)-1]-'a') + 1 }

func addressOf(id string) string { return fmt.Sprintf("10.0.0.%d", number(id)) }

func dnsNameOf(address string) string {
	var last int
	_, _ = fmt.Sscanf(address, "10.0.0.%d", &last)
	return fmt.Sprintf("ip-10-0-0-%d.internal", last)
}

// inState gives a machine that stands in a state since a time.
func inState(config Config, s State, since time.Time) *Machine {
	m, err := New(config)
	if err != nil {
		panic(err)
	}
	m.fsm.SetState(string(s))
	m.memory.Entered = since
	return m
}
