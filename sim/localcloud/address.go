package localcloud

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// block is a /24 of 127.0.0.0/8 that belongs to one cloud on this machine:
// hosts 1 and 2 serve the API and DNS, those from 10 on are instances.
type block struct {
	prefix   string // "127.16.0"
	lock     net.Listener
	launched int
}

// claimPort is listened on, but never answered, at host 1 of a block in use: the
// kernel is the arbiter between clouds, and forgets those that die.
const claimPort = 16127

// claim takes the block asked for, or a free one. The search starts at a place
// that depends on the process, so that addresses rarely repeat from run to run.
func claim(asked string) (*block, error) {
	if asked != "" {
		return tryClaim(asked)
	}
	const blocks = 224 * 256
	start := os.Getpid() * 61
	for n := range 1000 {
		at := (start + n) % blocks
		if b, err := tryClaim(fmt.Sprintf("127.%d.%d", 16+at/256, at%256)); err == nil {
			return b, nil
		}
	}
	return nil, fmt.Errorf("no free block of loopback addresses: is 127.0.0.0/8 on the loopback interface?")
}

func tryClaim(prefix string) (*block, error) {
	l, err := listenLoopback(prefix + ".1:" + strconv.Itoa(claimPort))
	if err != nil {
		return nil, fmt.Errorf("claim %s.0/24: %w", prefix, err)
	}
	return &block{prefix: prefix, lock: l}, nil
}

func (b *block) release() { b.lock.Close() }

func (b *block) address(host int) string { return b.prefix + "." + strconv.Itoa(host) }

// next is the address of a new instance. After 245 launches addresses come
// again, as they do on a subnet.
func (b *block) next(string) string {
	host := 10 + b.launched%245
	b.launched++
	return b.address(host)
}

// requests numbers the answers, as AWS does.
var requests atomic.Uint64

func requestID() string {
	return fmt.Sprintf("00000000-0000-4000-8000-%012d", requests.Add(1))
}
