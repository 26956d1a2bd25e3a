package etcdfake

import (
	"context"
	"errors"
	"fmt"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// EtcdV2 is a new client of the daemon of this instance that speaks v2. What v2 keeps v3 does not see, and the other way round.
func (n *Node) EtcdV2() effects.Etcd { return &client{node: n, v2: true} }

// name is the name of a key in the world: that of a v2 key is a path.
func (c *client) name(key string) string {
	if c.v2 {
		return "/" + key
	}
	return key
}

func (c *client) names(keys []string) []string {
	named := make([]string, len(keys))
	for i, key := range keys {
		named[i] = c.name(key)
	}
	return named
}

func isV2(name string) bool { return name[0] == '/' }

// Level is a server of any version telling, over HTTP, what version its cluster has, or else itself.
func (n *Node) Level(_ context.Context, endpoint string) (states.MinorVersion, error) {
	p, answer, err := n.world.reach(n, Ask, host(endpoint), ClientPort)
	if err == nil {
		err = answer
	}
	if err != nil {
		return states.MinorVersion{}, err
	}
	if v := p.clusterVersion(); v.Known() {
		return v, nil
	}
	return p.version.MinorOf(), nil
}

// Refusals of the v2 API. What is no conflict and no unknown member it tells in the log of the server only.
var (
	errNoV2    = errors.New("404 page not found") // off by default from 3.4 on
	errUnheard = errors.New("HTTP status 500: Internal Server Error")
	errNotV2   = errors.New("the v2 API cannot do that")
)

// understands tells whether the server answers a call of the v2 API.
func (p *process) understands(a Action) error {
	switch {
	case !p.older(3, 4):
		return errNoV2
	case a == PromoteMember || a == MoveLeader:
		return errNotV2
	}
	return nil
}

// told is what the v2 API tells of a refusal.
func (c *client) told(err error) error {
	if c.v2 && errors.Is(err, effects.ErrUnhealthy) {
		return fmt.Errorf("%w (%s)", errUnheard, err.Error())
	}
	return err
}
