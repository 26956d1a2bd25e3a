package states

import (
	"hash/fnv"
	"slices"
	"time"
)

// Delays between restarts of a server that keeps exiting: the first restart is at once, later ones double up to the cap.
const (
	firstDelay = 250 * time.Millisecond
	maxDelay   = 30 * time.Second
)

// restartDelay is the time between an exit and the next start. The jitter of up to a quarter comes from the instance and
// the count, not from chance, so that the decision stays pure and yet instances do not restart in step.
func restartDelay(id string, exits int) time.Duration {
	if exits <= 1 {
		return 0
	}
	delay := min(maxDelay, firstDelay<<min(exits-2, 10)) // 10 is more than enough, and does not overflow
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	_, _ = h.Write([]byte{byte(exits), byte(exits >> 8)}) //nolint:gosec // the low bits are what jitter is made of
	return delay - delay/4*time.Duration(h.Sum32()%1000)/1000
}

// startDue tells whether a server may be started now: never by an instance that cannot tell whether the data is its own.
func (t *turn) startDue() bool {
	p := &t.Process
	return t.Self.ID != "" && !t.foreign() && p.Running == No && !p.Stopping && !t.Now.Before(p.Exited.Add(restartDelay(t.Self.ID, p.Exits)))
}

// oldestServer is the oldest minor that is installed, if that is not newer than the one that is wanted.
func (t *turn) oldestServer() MinorVersion {
	if len(t.Servers) > 0 && t.Servers[0].Less(t.Wanted) {
		return t.Servers[0]
	}
	return t.Wanted
}

// has tells whether the server of a minor is installed.
func (t *turn) has(minor MinorVersion) bool { return slices.Contains(t.Servers, minor) }
