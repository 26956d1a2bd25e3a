package etcdfake

import (
	"context"
	"errors"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// client is the client of one daemon. Like the real one it remembers the leases of its locks, and nothing else.
type client struct {
	node   *Node
	v2     bool
	leases map[string]int64
}

// Etcd is a new client of the daemon of this instance; ask for another when the daemon restarts.
func (n *Node) Etcd() effects.Etcd { return &client{node: n, leases: map[string]int64{}} }

var noLeader = []string{"etcdserver: no leader"}

func (c *client) Status(_ context.Context, endpoint string) (effects.EtcdStatus, error) {
	p, answer, err := c.reach(Status, endpoint)
	if err == nil {
		err = answer
	}
	if err != nil {
		return effects.EtcdStatus{}, err
	}
	s := effects.EtcdStatus{
		ClusterID: p.disk.cluster.id, MemberID: p.disk.member, Leader: p.lead, Learner: p.learner(),
		Applied: p.index(), Version: p.version, Errors: p.errors(),
	}
	if !p.older(3, 6) {
		s.Storage, s.Downgrade = p.clusterVersion(), p.disk.cluster.downgrade // the one follows at once, see restart
	}
	return s, nil
}

func (c *client) Members(_ context.Context, endpoints []string) (effects.EtcdMembers, error) {
	last := errUnreachable
	for _, e := range endpoints {
		p, answer, err := c.reach(Members, e)
		if err == nil {
			err = p.lists(c.v2)
		}
		if err == nil {
			err = answer
		}
		if err == nil {
			list := effects.EtcdMembers{ClusterID: p.disk.cluster.id, By: p.disk.member, Members: p.view().members}
			if c.v2 { // whose answers do not say it
				list.By = 0
			}
			return list, nil
		}
		last = err
	}
	return effects.EtcdMembers{}, last
}

func (c *client) AddMember(_ context.Context, endpoints []string, peerURL string, learner bool) (id uint64, err error) {
	if c.v2 && learner {
		return 0, errNotV2
	}
	err = c.change(AddMember, endpoints, func(p *process) (err error) { id, err = p.add(peerURL, learner); return c.told(err) })
	if err != nil {
		id = 0
	}
	return id, err
}

func (c *client) RemoveMember(_ context.Context, endpoints []string, id uint64) error {
	return c.change(RemoveMember, endpoints, func(p *process) error { return c.told(p.remove(id)) })
}

func (c *client) PromoteMember(_ context.Context, endpoints []string, id uint64) error {
	return c.change(PromoteMember, endpoints, func(p *process) error { return p.promote(id) })
}

func (c *client) MoveLeader(_ context.Context, leaderEndpoint string, to uint64) error {
	return c.change(MoveLeader, []string{leaderEndpoint}, func(p *process) error { return p.move(to) })
}

func (c *client) HoldLock(_ context.Context, endpoints []string, key, owner string, ttl time.Duration, absent ...string) (l effects.EtcdLock, err error) {
	var lease int64
	err = c.change(HoldLock, endpoints, func(p *process) (err error) {
		l, lease, err = p.hold(c.name(key), owner, ttl, c.leases[key], c.names(absent))
		return err
	})
	if err != nil {
		return effects.EtcdLock{}, err
	}
	if !c.v2 {
		c.leases[key] = lease
	}
	return l, nil
}

func (c *client) ReleaseLock(_ context.Context, endpoints []string, key, owner string) error {
	return c.change(ReleaseLock, endpoints, func(p *process) error { return p.unlock(c.name(key), owner) })
}

func (c *client) Forget([]string) {}

func (c *client) reach(a Action, endpoint string) (*process, error, error) {
	p, answer, err := c.node.world.reach(c.node, a, host(endpoint), ClientPort)
	switch {
	case err != nil:
	case c.v2:
		err = p.understands(a)
	default:
		err = p.admits(a)
	}
	return p, answer, err
}

// change asks the endpoints in order, and goes on to the next only when the last has certainly changed nothing: it was not
// reached, or it is a learner.
func (c *client) change(a Action, endpoints []string, do func(*process) error) error {
	last := errUnreachable
	for _, e := range endpoints {
		p, answer, err := c.reach(a, e)
		if err == nil {
			if err = do(p); answer != nil {
				err = answer
			}
		}
		if !errors.Is(err, errLearner) && !errors.Is(err, errUnreachable) && !errors.Is(err, effects.ErrRefused) {
			return err
		}
		last = err
	}
	return last
}

type peersView struct{ node *Node }

// Peers asks other servers on their peer port.
func (n *Node) Peers() effects.Peers { return peersView{n} }

func (v peersView) Ask(_ context.Context, address string) (effects.PeerAnswer, error) {
	p, answer, err := v.node.world.reach(v.node, Ask, address, PeerPort)
	if err == nil {
		err = answer
	}
	if err != nil {
		return effects.PeerAnswer{}, err
	}
	return effects.PeerAnswer{ClusterID: p.disk.cluster.id, ClusterVersion: p.clusterVersion(), Members: p.view().members}, nil
}

// Write is a client's write through the server at an address. It is acknowledged, and must never be lost, when the error is nil.
func (w *World) Write(address string) error {
	n := w.byAddress[address]
	if n == nil {
		return errUnreachable
	}
	w.Advance()
	p, err := w.route(address, address, ClientPort)
	if err == nil {
		err = p.writes(false)
	}
	if err != nil {
		return err
	}
	c := p.disk.cluster
	c.write("key")
	c.acked = c.index
	return nil
}
