package sim

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Goal is something that must happen sometimes: if it never does, the runs do not test what they are believed to test.
type Goal uint8

// The goals.
const (
	Straggler Goal = iota
	ClaimRace
	ClaimLate
	ClaimAnswerLost
	AddAnswerLost
	GhostLeft
	GhostRemoved
	CorruptRejoined
	EmptyRejoined
	LockOwnerDied
	LeaderMovedInRemoval
	LeftThroughHook
	Adopted
	DNSMended
	EndedInOutage
	QuorumRegained
	ScaledIn
	UpgradeHandedBack
	UpgradeOwnerDied
	UpgradeOwnerGone
	UpgradeOfLeader
	UpgradedAll
	UpgradedTwice
	LaunchCompleted
	EndCompleted
	ReplacedUnhealthy
	PeerRevoked
	WarnedYields
	FormedAnew
	Goals // how many there are
)

var goalNames = [Goals]string{
	Straggler:            "a straggler started from a pending claim",
	ClaimRace:            "two daemons raced for the claim",
	ClaimLate:            "a claim was closed late",
	ClaimAnswerLost:      "the answer to a change of Route53 was lost",
	AddAnswerLost:        "the answer to a member add was lost",
	GhostLeft:            "a daemon died between its member's add and its start",
	GhostRemoved:         "a ghost learner was removed",
	CorruptRejoined:      "a corrupt member rejoined",
	EmptyRejoined:        "a member that lost its disk rejoined",
	LockOwnerDied:        "the owner of the join lock died",
	LeaderMovedInRemoval: "leadership changed during a removal",
	LeftThroughHook:      "an instance left through the hook",
	Adopted:              "a daemon adopted a running etcd",
	DNSMended:            "deleted DNS records came back",
	EndedInOutage:        "an instance ended during an AWS outage",
	QuorumRegained:       "a cluster lost its quorum and regained it",
	ScaledIn:             "a group was scaled in",
	UpgradeHandedBack:    "the upgrade lock was handed back by a member that had not stopped",
	UpgradeOwnerDied:     "the daemon that held the upgrade lock died",
	UpgradeOwnerGone:     "the upgrade lock was taken from an instance that had ended",
	UpgradeOfLeader:      "a leader gave its leadership away to be upgraded",
	UpgradedAll:          "a whole cluster was upgraded",
	UpgradedTwice:        "a whole cluster was upgraded to the minor after the next",
	LaunchCompleted:      "an instance completed its launch as a healthy voter",
	EndCompleted:         "an instance completed its termination after it had left",
	ReplacedUnhealthy:    "an unhealthy instance was replaced",
	WarnedYields:         "a leader that AWS warned handed over",
	FormedAnew:           "a new cluster was formed after the loss of all data",
	PeerRevoked:          "a peer of another region was let in no longer",
}

func (g Goal) String() string { return goalNames[g] }

// sometimes notes that a goal was reached.
func (w *world) sometimes(g Goal) { w.cover.Goals[g]++ }

// joinLock is the key of the lock that joiners take turns by.
const joinLock = effects.KeyPrefix + "join"

// ends is told of the end of a daemon that nobody asked for.
func (n *node) ends() {
	c := n.served()
	if c == nil {
		return
	}
	if c.Lock(joinLock).Owner == n.id {
		n.sometimes(LockOwnerDied)
	}
	if upgradeOwner(c) == n.id {
		n.sometimes(UpgradeOwnerDied)
	}
	for _, m := range c.Members() {
		if m.Address == n.address && !m.Started() && !n.etcd.Running() {
			n.sometimes(GhostLeft)
		}
	}
}

// changeGoals looks at a change of Route53 by a daemon, and at what came of it.
func (c *checker) changeGoals(change *r53types.Change, err error) {
	set := change.ResourceRecordSet
	create := change.Action == r53types.ChangeActionCreate
	switch {
	case change.Action == r53types.ChangeActionDelete:
	case err == nil && string(set.Type)+" "+aws.ToString(set.Name) == c.tampered:
		c.sometimes(DNSMended)
		c.tampered = ""
	case set.Type != r53types.RRTypeTxt:
	case create && err != nil && strings.Contains(err.Error(), "already exists"):
		c.sometimes(ClaimRace)
	case err == nil && strings.Contains(aws.ToString(set.ResourceRecords[0].Value), "state=formed"):
		s := c.world.served()
		if s == nil || s.ID() == c.closed {
			return // every change of DNS writes the claim anew, so that it fails where the claim is another
		}
		c.closed = s.ID()
		if c.clock.Sub(s.Served()) > 5*time.Minute {
			c.sometimes(ClaimLate)
		}
	}
}

// removalGoals looks at the removal of a member, right before it, and tells whether it is a ghost: added, and never started.
func (c *checker) removalGoals(by *node, id uint64) (ghost bool) {
	for _, cluster := range c.etcd.Clusters() {
		for _, m := range cluster.Members() {
			if m.ID != id {
				continue
			}
			c.removing, c.ledBy = c.now, cluster.Leader()
			if in, ok := c.cloud.Instance(by.id); ok && m.Key() == by.id && strings.HasPrefix(in.Lifecycle, "Terminating") {
				c.sometimes(LeftThroughHook)
			}
			return m.Learner && !m.Started()
		}
	}
	return false
}

// clusterGoals looks at the clusters after each change of theirs.
func (c *checker) clusterGoals(served *etcdfake.Cluster) {
	if served == nil {
		return
	}
	c.upgradeGoals(served)
	switch quorum := served.HasQuorum(); {
	case !quorum:
		c.stalled = true
	case c.stalled:
		c.stalled = false
		c.sometimes(QuorumRegained)
	}
	if leader := served.Leader(); c.ledBy != 0 && leader != 0 && leader != c.ledBy && c.now-c.removing < 10*time.Second {
		c.ledBy = 0
		c.sometimes(LeaderMovedInRemoval)
	}
}

// startGoals looks at a start of etcd that worked.
func (n *node) startGoals(s states.StartEtcd, served *etcdfake.Cluster) {
	n.adopts = false
	if s.State == states.ClusterNew && served != nil {
		n.sometimes(Straggler)
	}
}

// joinGoals looks at a node that has become a voter (again).
func (n *node) joinGoals() {
	switch n.harmed {
	case Corrupt:
		n.sometimes(CorruptRejoined)
	case LoseDisk:
		n.sometimes(EmptyRejoined)
	default:
	}
	n.harmed = Kinds
}
