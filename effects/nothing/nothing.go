// Package nothing is what both clients of etcd do to have a server commit entries that change nothing.
package nothing

import (
	"sync"
	"sync/atomic"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Key is a key that is never there. Deleting it passes through the raft log, as any change does, and changes nothing: there
// is not even a new revision (mvcc DeleteRange of no keys). A read of it through quorum finds nothing either.
const Key = effects.KeyPrefix + "nowhere"

// atOnce is how many entries are under way at a time. etcd writes those that come together to its log together.
const atOnce = 32

// Commit has n entries committed, several at a time, until one fails: that is the error.
func Commit(n int, commit func() error) error {
	var all sync.WaitGroup
	var left atomic.Int64
	var failed atomic.Pointer[error]
	left.Store(int64(n))
	for range atOnce {
		all.Go(func() {
			for left.Add(-1) >= 0 && failed.Load() == nil {
				if err := commit(); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
