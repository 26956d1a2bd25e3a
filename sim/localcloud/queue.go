package localcloud

import "sync"

// queue runs functions one after the other, without ever blocking put: the
// cloud's hooks run under its lock.
type queue struct {
	mu     sync.Mutex
	ready  *sync.Cond
	list   []func()
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.ready = sync.NewCond(&q.mu)
	return q
}

func (q *queue) put(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, f)
	q.ready.Signal()
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Signal()
}

// run returns when the queue is closed and empty.
func (q *queue) run() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.list) == 0 {
			if q.closed {
				return
			}
			q.ready.Wait()
		}
		f := q.list[0]
		q.list = q.list[1:]
		q.mu.Unlock()
		f()
		q.mu.Lock()
	}
}
