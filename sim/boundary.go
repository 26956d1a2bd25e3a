package sim

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Boundary is a command of a daemon: the Command-th of its name on an instance, in order of launch.
type Boundary struct {
	Node    int
	Site    string
	Command int
}

// boundary carries out a command. What is around a command is where most of what can go wrong with a daemon makes a difference:
// it dies before it, or after and does not know; it stands still, and acts on what it knew long ago; its instance ends.
func (n *node) boundary(site string, do func() error) error {
	e, struck := n.strikes(n.host, site, drawCrash)
	if struck {
		switch e.Kind {
		case DaemonPause:
			n.pause(time.Duration(e.For))
		case Terminate:
			n.announceEnd()
		case DaemonDies:
		default:
			panic(crashed{})
		}
	}
	err := do()
	if struck && e.Kind == DaemonDies {
		if e.For == 0 {
			panic(crashed{})
		}
		life := n.life
		n.world.at(time.Duration(e.For), func() {
			if n.life == life && n.agent != nil {
				n.dies()
			}
		})
	}
	return err
}

// overtaken is what a daemon panics with that stood still when its life ended.
type overtaken struct{}

// pause lets the daemon stand still, as SIGSTOP or the freeze of a virtual machine does, while the world goes on. It happens in
// the middle of a turn: the events of the others are played here, and then the turn goes on with what it knew.
func (n *node) pause(d time.Duration) {
	life := n.life
	n.still, n.resumes = life, n.now+d
	n.run(n.resumes)
	if n.still == life {
		n.still = 0
	}
	if n.life != life || n.violation != nil {
		panic(overtaken{})
	}
}

// standStill is the same between two turns.
func (n *node) standStill(d time.Duration) {
	life := n.life
	n.still, n.resumes = life, n.now+d
	n.world.at(d, func() {
		if n.still == life && n.life == life {
			n.still = 0
			n.turn()
		}
	})
}

// paused tells whether the daemon stands still.
func (n *node) paused() bool { return n.still != 0 && n.still == n.life }

// announceEnd is the group ending the instance in this moment. With a lifecycle hook the command is still carried out, and the
// daemon will hear of the end; without one, it is the end.
func (n *node) announceEnd() {
	n.endInstance(n)
	if !n.plan.Hook {
		panic(crashed{})
	}
}

// checkedRoute53 makes a command of the one call that changes something.
type checkedRoute53 struct {
	effects.Route53
	*node
}

func (r checkedRoute53) ChangeResourceRecordSets(ctx context.Context, in *route53.ChangeResourceRecordSetsInput, o ...func(*route53.Options)) (out *route53.ChangeResourceRecordSetsOutput, err error) {
	err = r.boundary("change zone", func() error { out, err = r.Route53.ChangeResourceRecordSets(ctx, in, o...); return err })
	return out, err
}

// checkedS3 does the same for the claim in a bucket.
type checkedS3 struct {
	effects.S3
	*node
}

func (s checkedS3) PutObject(ctx context.Context, in *s3.PutObjectInput, o ...func(*s3.Options)) (out *s3.PutObjectOutput, err error) {
	err = s.boundary("put claim", func() error { out, err = s.S3.PutObject(ctx, in, o...); return err })
	return out, err
}
