package sim

import (
	"strings"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// abstraction counts the different states of a run as seen from afar: of each instance whether it runs, the state of its daemon,
// its etcd, its disk and its place among the members; of the cluster its size, whether it has a quorum and a leader, and which locks
// are held; and the claim. Times, names and the order of instances make no difference. A campaign that finds no new states any more
// only repeats itself.
type abstraction struct {
	*world
	seen     map[uint64]struct{}
	last     uint64
	claim    uint64
	outdated bool // the claim may have changed
}

// note adds the state that the world is in now.
func (a *abstraction) note() {
	if a.outdated {
		a.claim, a.outdated = a.claimState(), false
	}
	c := a.served()
	sum := scatter(scatter(a.claim) + clusterState(c))
	for _, n := range a.nodes {
		if !n.gone {
			sum += scatter(n.abstractState(c)) // whichever node is which
		}
	}
	if sum != a.last {
		a.last = sum
		a.seen[sum] = struct{}{}
	}
}

// claimState looks at the store itself: 0 without a claim, 1 while it is pending, 2 once it has formed.
func (a *abstraction) claimState() uint64 {
	text := string(a.cloud.Object(bucket, effects.ClaimKey(groupName)))
	for _, r := range a.cloud.Records(a.zoneID) {
		if r.Type == "TXT" {
			said, _ := awsfake.Unquote(r.Values[0])
			text = strings.Join(said, "")
		}
	}
	switch {
	case text == "":
		return 0
	case strings.Contains(text, "state="+states.ClaimFormed.String()):
		return 2
	default:
		return 1
	}
}

func clusterState(c *etcdfake.Cluster) uint64 {
	if c == nil {
		return 0
	}
	voters, _, _ := c.Voters()
	return digits(16, 1, voters, len(c.Members())-voters, bit(c.HasQuorum()), bit(c.Leader() != 0), bit(c.Lock(joinLock).Owner != ""),
		bit(c.Key(effects.UpgradeLockKey).Revision != 0), bit(c.Key(effects.UpgradeHaltKey).Revision != 0))
}

func (n *node) abstractState(c *etcdfake.Cluster) uint64 {
	daemon, role, healthy := 0, 0, false
	if n.agent != nil {
		daemon = 1 + stateIndex[n.agent.State()]
	}
	if c != nil {
		for i, m := range c.Members() {
			if m.Key() == n.id || m.Address == n.address {
				role, healthy = 1+bit(m.Learner)+2*bit(m.Started()), c.Healthy(c.Members()[i].ID)
			}
		}
	}
	return digits(8, bit(n.on), bit(n.paused), daemon, bit(n.etcd.Running()), bit(healthy), int(n.etcd.DiskState()), bit(n.etcd.SetAsideCopies() > 0), role)
}

// stateIndex numbers the states of the machine.
var stateIndex = func() map[states.State]int {
	index := map[states.State]int{}
	for i, s := range states.States() {
		index[s] = i
	}
	return index
}()

// digits are the digits of a number.
func digits(base uint64, list ...int) (number uint64) {
	for _, d := range list {
		number = number*base + uint64(d)
	}
	return number
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}

// scatter is splitmix64: sums of what it gives are as good as different when they are of different numbers.
func scatter(x uint64) uint64 {
	s := stream{x}
	return s.next()
}
