package etcdfake

import "errors"

// late is a change of membership that a leader wrote to its log and could not commit. Whoever asked for it was told nothing. It
// is committed when that leader is elected once more before another is, or finds its quorum again: raft commits what is in the
// log of the next leader. There is one at most: a leader drops a second one (raft, pendingConfIndex).
type late struct {
	term  uint64
	apply func() error
}

// propose commits a change that the server was asked for. Without quorum it may come to pass later, see [late].
func (p *process) propose(apply func() error) error {
	c := p.disk.cluster
	err := p.serves()
	switch {
	case err == nil:
		err = apply()
	case !errors.Is(err, Timeout):
		return err
	default:
		c.forward(p, apply)
	}
	c.world.settle()
	return err
}

// forward hands a change to the leader that the server believes in; without one it is dropped (raft: no leader). A leader that
// has just lost its quorum believes in itself for an election timeout more (CheckQuorum).
func (c *Cluster) forward(p *process, apply func() error) {
	for _, leader := range c.procs {
		if leader.disk.member != p.lead || !c.world.linked(p, leader) {
			continue
		}
		switch {
		case c.leader == leader && c.writable: // only p itself lags: the change is made, and p does not come to tell
			_ = apply()
		case leader.late() == nil:
			leader.disk.late = &late{c.term, apply}
		}
		return
	}
}

// late is what is on top of the server's log, unless an election since has made it void.
func (p *process) late() *late {
	if l := p.disk.late; l != nil && l.term == p.disk.cluster.term {
		return l
	}
	return nil
}

// last is the length of the server's log with what is not committed.
func (p *process) last() uint64 {
	if p.late() != nil {
		return p.index() + 1
	}
	return p.index()
}

// keepLate carries what is on top of a log over into the term that its server is about to lead.
func (p *process) keepLate() {
	if l := p.late(); l != nil {
		l.term++
	}
}

// commitLate commits what is on top of the leader's log.
func (c *Cluster) commitLate() bool {
	if !c.writable || c.leader.late() == nil {
		return false
	}
	l := c.leader.disk.late
	c.leader.disk.late = nil
	_ = l.apply() // whoever asked is not there any more
	return true
}
