package sim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

func readTick(words []string) (step, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("want: tick 30s")
	}
	d, err := time.ParseDuration(words[0])
	return func(s *stage) error { s.run(s.now + d); return nil }, err
}

// stabilize ends every fault and demands a whole cluster, which then stays untouched.
func (s *stage) stabilize() error {
	s.outage = false
	took, excused := s.runQuiet()
	s.took, s.excused = took, excused
	s.chaos = true
	s.remember()
	return nil
}

// terminated is the group ending an instance and starting another.
func (s *stage) terminated(n *node) error {
	n.endInstance()
	return nil
}

func (s *stage) ended(n *node) error {
	_, err := s.cloud.EC2(nature).TerminateInstances(context.Background(), &ec2.TerminateInstancesInput{InstanceIds: []string{n.id}})
	return err
}

func (s *stage) rebooted(n *node) error {
	_, err := s.cloud.EC2(nature).RebootInstances(context.Background(), &ec2.RebootInstancesInput{InstanceIds: []string{n.id}})
	return err
}

// readZone is the end of an availability zone: every instance in it ends without a word.
func readZone(words []string) (step, error) {
	if len(words) != 2 || words[1] != "fails" {
		return nil, fmt.Errorf("want: zone a fails")
	}
	return func(s *stage) error {
		struck := 0
		for _, n := range s.up() {
			if in, ok := s.cloud.Instance(n.id); ok && strings.HasSuffix(in.Zone, words[0]) {
				struck++
				if err := s.ended(n); err != nil {
					return err
				}
			}
		}
		if struck == 0 {
			return fmt.Errorf("no instance is in zone %s", words[0])
		}
		return nil
	}, nil
}

// readRefresh starts an instance refresh, which replaces every instance and looks at nothing but whether the new one is in service,
// and for how long.
func readRefresh(words []string) (step, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("want: refresh 60s")
	}
	warmup, err := time.ParseDuration(words[0])
	return func(s *stage) error {
		_, err := s.cloud.AutoScaling(nature).StartInstanceRefresh(context.Background(), &autoscaling.StartInstanceRefreshInput{
			AutoScalingGroupName: aws.String(groupName), Preferences: &astypes.RefreshPreferences{InstanceWarmup: aws.Int32(int32(warmup.Seconds()))},
		})
		return err
	}, err
}

func readResize(words []string) (step, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("want: resize 5")
	}
	size, err := strconv.Atoi(words[0])
	return func(s *stage) error {
		_, err := s.cloud.AutoScaling(nature).SetDesiredCapacity(context.Background(), &autoscaling.SetDesiredCapacityInput{
			AutoScalingGroupName: aws.String(groupName), DesiredCapacity: aws.Int32(int32(size)),
		})
		return err
	}, err
}

func (s *stage) daemonStopped(n *node) error {
	if n.effects == nil {
		return fmt.Errorf("%s has no daemon", n.letter())
	}
	n.terminateDaemon()
	return nil
}

func (s *stage) daemonKilled(n *node) error {
	if n.agent == nil {
		return fmt.Errorf("%s has no daemon", n.letter())
	}
	n.trace.node(n, "daemon is killed")
	n.kill()
	return nil
}

func (s *stage) etcdCrashed(n *node) error {
	if !n.etcd.Running() {
		return fmt.Errorf("%s runs no etcd", n.letter())
	}
	s.world.etcd.Crash(n.id)
	return nil
}

// switched makes of what a fault of a node turns on for a while a step that turns it on, or off.
func switched(set func(w *world, n *node, on bool), on bool) func(*stage, *node) error {
	return func(s *stage, n *node) error {
		set(s.world, n, on)
		return nil
	}
}

func (s *stage) diskLost(n *node) error {
	s.harm(n, FaultEvent{Kind: LoseDisk, Reckless: true})
	return nil
}

// readPartition cuts instances off from others, or from all others, in both directions.
func readPartition(words []string) (step, error) {
	from := slices.Index(words, "from")
	some, others := words, []string{"all"}
	if from >= 0 {
		some, others = words[:from], words[from+1:]
	}
	if err := checkNames(append(slices.Clone(some), others...)); err != nil {
		return nil, err
	}
	return func(s *stage) error {
		a, err := s.choose(some)
		if err != nil {
			return err
		}
		b, err := s.choose(others)
		for _, x := range a {
			for _, y := range b {
				if !slices.Contains(a, y) {
					s.world.etcd.Cut(x.address, y.address, etcdfake.AllPorts)
					s.world.etcd.Cut(y.address, x.address, etcdfake.AllPorts)
				}
			}
		}
		return err
	}, nil
}

func (s *stage) heal() error {
	s.world.cutAll()
	return nil
}

func readOutage(words []string) (step, error) {
	switch strings.Join(words, " ") {
	case "begin":
		return func(s *stage) error { s.outage = true; return nil }, nil
	case "end":
		return func(s *stage) error { s.outage = false; s.cloud.Calm(); return nil }, nil
	}
	if len(words) == 2 && words[0] == "begin" {
		who := awsfake.Who{Region: words[1]}
		if words[1] == "route53" {
			who = awsfake.Who{Service: words[1]}
		}
		if who.Service != "" || slices.ContainsFunc(regions[:], func(r region) bool { return r.name == who.Region }) {
			return func(s *stage) error { s.cloud.Refuse(awsfake.Unavailable, who, time.Duration(never)); return nil }, nil
		}
	}
	return nil, fmt.Errorf("want: outage begin, outage begin route53, outage begin eu-west-1, outage end")
}

func readWants(words []string) (step, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("want: wants 3.7")
	}
	_, err := states.ParseVersion(words[0])
	return func(s *stage) (err error) {
		s.plan.Newer, err = s.plan.newerFor(words[0])
		return err
	}, err
}

func (s *stage) reconfigured(n *node) error {
	if n.effects == nil {
		return fmt.Errorf("%s has no daemon", n.letter())
	}
	n.wants = s.wanted()
	n.effects.Want(n.wants, states.Version{})
	return nil
}

// readDowngrade is etcdctl downgrade: enable, or cancel. etcd may refuse it, as it refuses to cancel what has ended by itself.
func readDowngrade(words []string) (step, error) {
	if len(words) != 1 {
		return nil, fmt.Errorf("want: downgrade 3.6, downgrade cancel")
	}
	var target states.Version
	var err error
	if words[0] != "cancel" {
		target, err = states.ParseVersion(words[0])
	}
	return func(s *stage) error {
		if c := s.served(); c != nil {
			c.Downgrade(target.MinorOf())
		}
		return nil
	}, err
}
