package sim

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// sources are what a daemon asks before it does harm, as a set.
type sources uint8

const (
	theGroup   sources = 1 << iota // Auto Scaling
	theClaim                       // Route53 or S3
	theMembers                     // etcd's list, through quorum
	theLocks                       // the records in etcd
)

func (s sources) String() string {
	var names []string
	for i, name := range []string{"its group", "the claim", "the members", "the locks"} {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " and ")
}

// answers is what a daemon was truly answered since it started, looked at where the answers come in.
type answers struct{ ever, failed sources }

func (a *answers) note(s sources, err error) {
	if err != nil {
		a.failed |= s
		return
	}
	a.ever |= s
	a.failed &^= s
}

// knows is C8: what a daemon does that may do harm it does upon answers, never upon errors. Each of ever has answered in this life of
// the daemon; each of last is read by the effect itself, right before it acts, and has not failed then.
func (n *node) knows(what string, ever, last sources) {
	if missing := (ever | last) &^ n.answers.ever; missing != 0 {
		n.fail("C8", "%s: %s, and nobody has told its daemon about %s", n, what, missing)
	} else if failed := last & n.answers.failed; failed != 0 {
		n.fail("C8", "%s: %s, and could not read %s before", n, what, failed)
	}
}

// mayBegin is C8 for starts on an empty disk.
func (n *node) mayBegin(s states.StartEtcd) {
	switch {
	case s.State == states.ClusterExisting:
		n.knows("joins", theMembers, 0)
	case s.State == states.ClusterNew && n.plan.Claim == "nowhere":
		n.knows("forms a cluster", theGroup, 0)
	case s.State == states.ClusterNew:
		n.knows("forms a cluster", theClaim, 0)
	}
}

// checkedGroup notes what Auto Scaling tells a daemon.
type checkedGroup struct {
	effects.AutoScaling
	*node
	region int // as its number in regions
}

func (g checkedGroup) DescribeAutoScalingGroups(ctx context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, opts ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	out, err := g.AutoScaling.DescribeAutoScalingGroups(ctx, in, opts...)
	g.answers.note(theGroup, err)
	if err == nil && len(out.AutoScalingGroups) > 0 {
		g.told[g.region].tell(int(aws.ToInt32(out.AutoScalingGroups[0].DesiredCapacity)), g.now)
	}
	return out, err
}

func (e checkedEtcd) Members(ctx context.Context, endpoints []string) (effects.EtcdMembers, error) {
	e.spend(callMembers)
	list, err := e.Etcd.Members(ctx, endpoints)
	e.answers.note(theMembers, err)
	return list, err
}

func (e checkedEtcd) Keys(ctx context.Context, endpoints []string, prefix string) ([]effects.EtcdKey, error) {
	e.spend(callKeys)
	keys, err := e.Etcd.Keys(ctx, endpoints, prefix)
	if prefix != effects.SignOfLife {
		e.answers.note(theLocks, err)
	}
	return keys, err
}

// daemon is who calls AWS: of two on one instance the one that acts. Nature is none.
func (w *world) daemon(id string) *node {
	if n := w.acting; n != nil && n.id == id {
		return n
	}
	return w.byID[id]
}

// called is told every AWS call of a daemon.
func (n *node) called(action string, err error) {
	if action == "GetObject" && err != nil {
		var none *s3types.NoSuchKey
		if errors.As(err, &none) {
			err = nil // that there is none is an answer
		}
	}
	c := callsOfAWS[action]
	n.spend(c)
	n.spent.fails(n, c, err)
	if action == "ListResourceRecordSets" || action == "GetObject" {
		n.answers.note(theClaim, err)
	}
}
