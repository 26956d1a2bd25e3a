package explore

import (
	"sync"
	"sync/atomic"
)

// entry is a state that was reached: its hash, the hash of the state it was first reached from, and its number.
type entry struct {
	hash, parent uint64
	number       uint32
	level        uint16
}

// shards keep two workers out of each other's way.
const shards = 64

// seen is the set of all states, by hash.
type seen struct {
	shard [shards]struct {
		sync.Mutex
		table []entry // open addressing; a power of two
		used  int
	}
	count atomic.Uint32
}

func newSeen() *seen {
	s := &seen{}
	for i := range s.shard {
		s.shard[i].table = make([]entry, 1<<10)
	}
	return s
}

// put notes that a state was reached from another. Of several parents on one level the one of the lowest hash stays, so that a
// trace does not depend on which worker came first.
func (s *seen) put(hash, parent uint64, level uint16) (number uint32, fresh bool) {
	sh := &s.shard[hash>>58]
	sh.Lock()
	defer sh.Unlock()
	e := find(sh.table, hash)
	if e.hash == hash {
		if e.level == level && parent < e.parent {
			e.parent = parent
		}
		return e.number, false
	}
	*e = entry{hash: hash, parent: parent, number: s.count.Add(1) - 1, level: level}
	number = e.number
	if sh.used++; sh.used*4 > len(sh.table)*3 {
		sh.table = grow(sh.table)
	}
	return number, true
}

func (s *seen) get(hash uint64) entry { return *find(s.shard[hash>>58].table, hash) }

// find gives the entry of a hash, or the empty one where it belongs.
func find(table []entry, hash uint64) *entry {
	for i, mask := hash, uint64(len(table)-1); ; i++ {
		if e := &table[i&mask]; e.hash == 0 || e.hash == hash {
			return e
		}
	}
}

func grow(table []entry) []entry {
	bigger := make([]entry, 2*len(table))
	for i := range table {
		if table[i].hash != 0 {
			*find(bigger, table[i].hash) = table[i]
		}
	}
	return bigger
}
