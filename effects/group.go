package effects

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// askGroup reads the group and then its instances, with those of every member, in this region and in every other. A region answers whole,
// or nothing is learnt of it.
func (e *Effects) askGroup() question {
	at, name, self, keys := e.Now(), e.groupName, e.facts.Self.ID, e.memberKeys()
	seen, abroad, misplaced, home := slices.Clone(e.regions), e.abroad, e.located(), e.home
	return func(ctx context.Context) (func(), error) {
		if misplaced != nil {
			return nil, misplaced
		}
		seen[0].ask(at, len(abroad) > 0, func() (regionSeen, error) {
			ctx, cancel := e.Within(ctx, patienceWith(len(abroad)))
			defer cancel()
			asg, told, err := e.askHome(ctx, name, self, keys, at)
			if err == nil {
				home = asg
			}
			return told, err
		})
		failed := seen[0].failed
		if failed != nil && (home == nil || len(abroad) == 0) {
			return nil, failed
		}
		e.askAbroad(ctx, abroad, home, keys, at, seen[1:])
		hook, unread := states.Hook{}, failed
		if failed == nil {
			hook, unread = e.askHook(ctx, home, self)
		}
		cluster := ""
		if e.ClusterName == "" {
			var err error
			if cluster, err = e.Named(aws.ToString(home.AutoScalingGroupName)); err != nil {
				return nil, err
			}
		}
		return func() {
			before, hookBefore, absent := e.facts.Group.Instances, e.facts.Group.Hook, e.facts.Group.Absent
			e.home, e.groupName, e.facts.Name, e.regions = home, aws.ToString(home.AutoScalingGroupName), cmp.Or(e.ClusterName, cluster), seen
			e.facts.Group = together(seen)
			e.facts.Group.Silent = e.noteSilent()
			e.facts.Group.Absent = absences(absent, keys, &e.facts.Group, at)
			e.setHook(hookBefore, hook, at, unread)
			if failed == nil {
				e.heedTag(home.Tags)
			}
			e.peers.stale = e.peers.stale || !slices.Equal(before, e.facts.Group.Instances)
		}, nil
	}
}

// askHome reads the own region's group, whose name may have to be asked for first.
func (e *Effects) askHome(ctx context.Context, name, self string, keys []string, at time.Time) (*asgtypes.AutoScalingGroup, regionSeen, error) {
	here := Region{EC2: e.EC2, AutoScaling: e.AutoScaling}
	if name == "" {
		var err error
		if name, err = e.findGroup(ctx, self); err != nil {
			return nil, regionSeen{}, err
		}
	}
	asg, err := here.readGroup(ctx, name)
	if err != nil {
		return nil, regionSeen{}, err
	}
	told, err := e.askRegion(ctx, &here, asg, keys, at)
	return asg, told, err
}

// idsOf lists the group's instances, and those that members are named after.
func idsOf(asg *asgtypes.AutoScalingGroup, keys []string) []string {
	ids := make([]string, 0, len(asg.Instances)+len(keys))
	for _, in := range asg.Instances {
		ids = append(ids, aws.ToString(in.InstanceId))
	}
	for _, key := range keys {
		if states.IsInstanceID(key) && !slices.Contains(ids, key) {
			ids = append(ids, key)
		}
	}
	return ids
}

// addressesOf lists the addresses that members are known by: those that never started, and those of another supervisor.
func addressesOf(keys []string) []string {
	return slices.DeleteFunc(slices.Clone(keys), states.IsInstanceID)
}

// findGroup asks which group this instance is in.
func (e *Effects) findGroup(ctx context.Context, self string) (string, error) {
	out, err := e.AutoScaling.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{self}})
	if err != nil {
		return "", fmt.Errorf("ask which auto-scaling group %s is in: %w", self, err)
	}
	for _, in := range out.AutoScalingInstances {
		if aws.ToString(in.InstanceId) == self && aws.ToString(in.AutoScalingGroupName) != "" {
			return *in.AutoScalingGroupName, nil
		}
	}
	return "", fmt.Errorf("instance %s is in no auto-scaling group: launch it from one, or name one with --group", self)
}

func (r *Region) readGroup(ctx context.Context, name string) (*asgtypes.AutoScalingGroup, error) {
	out, err := r.AutoScaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{name}})
	if err != nil {
		return nil, fmt.Errorf("describe auto-scaling group %s: %w", name, err)
	}
	if len(out.AutoScalingGroups) != 1 || aws.ToString(out.AutoScalingGroups[0].AutoScalingGroupName) != name {
		return nil, fmt.Errorf("auto-scaling group %s is not there: check --group, the region and the role's permissions", name)
	}
	return &out.AutoScalingGroups[0], nil
}

// describe reads instances by a filter. It filters by ID instead of asking for the IDs, since one unknown ID would fail the
// whole call (InvalidInstanceID.NotFound), which does not even mean that the instance is gone.
func (r *Region) describe(ctx context.Context, filter string, values []string) (map[string]ec2types.Instance, error) {
	found := make(map[string]ec2types.Instance, len(values))
	if len(values) == 0 {
		return found, nil
	}
	pages := ec2.NewDescribeInstancesPaginator(r.EC2, &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: aws.String(filter), Values: values}}, MaxResults: aws.Int32(100),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe the instances: %w", err)
		}
		for _, reservation := range page.Reservations {
			for _, in := range reservation.Instances {
				found[aws.ToString(in.InstanceId)] = in
			}
		}
	}
	return found, nil
}

// instances merges both answers. An instance that only the group knows has no address yet.
func (e *Effects) instances(asg *asgtypes.AutoScalingGroup, described map[string]ec2types.Instance, abroad bool) []states.Instance {
	list := make([]states.Instance, 0, len(described))
	for id, in := range described { // in any order: the list is sorted when it is complete
		one := states.Instance{ID: id, Address: aws.ToString(in.PrivateIpAddress), DNSName: aws.ToString(in.PrivateDnsName), Zone: zoneOf(&in), State: stateOf(in.State), Abroad: abroad}
		if e.Public {
			one.Address, one.DNSName = aws.ToString(in.PublicIpAddress), aws.ToString(in.PublicDnsName)
		}
		list = append(list, one)
	}
	for _, in := range asg.Instances {
		id := aws.ToString(in.InstanceId)
		i := slices.IndexFunc(list, func(l states.Instance) bool { return l.ID == id })
		if i < 0 {
			list = append(list, states.Instance{ID: id, Zone: aws.ToString(in.AvailabilityZone), Abroad: abroad})
			i = len(list) - 1
		}
		list[i].InGroup = staysInGroup(in.LifecycleState)
	}
	return list
}

func zoneOf(in *ec2types.Instance) string {
	if in.Placement == nil {
		return ""
	}
	return aws.ToString(in.Placement.AvailabilityZone)
}

// staysInGroup is false for instances on their way out, parked, or in the warm pool. States that do not exist today count as staying.
func staysInGroup(s asgtypes.LifecycleState) bool {
	for _, leaving := range []string{"Terminat", "Detach", "Standby", "EnteringStandby", "Warmed"} {
		if strings.HasPrefix(string(s), leaving) {
			return false
		}
	}
	return true
}

func stateOf(s *ec2types.InstanceState) states.InstanceState {
	if s == nil {
		return states.InstanceUnknown
	}
	switch s.Name {
	case ec2types.InstanceStateNamePending:
		return states.InstancePending
	case ec2types.InstanceStateNameRunning:
		return states.InstanceRunning
	case ec2types.InstanceStateNameStopping, ec2types.InstanceStateNameStopped:
		return states.InstanceStopped
	case ec2types.InstanceStateNameShuttingDown, ec2types.InstanceStateNameTerminated:
		return states.InstanceGone
	default:
		return states.InstanceUnknown
	}
}

// absences continues the evidence against the members that no answer shows, and drops it for those shown again. While a region is silent
// nothing is added to it: they may be there. So may one that is known by its address only, while an instance is listed whose address
// nobody tells.
func absences(before []states.Absence, keys []string, group *states.Group, at time.Time) []states.Absence {
	var now []states.Absence
	hidden := slices.ContainsFunc(group.Instances, func(in states.Instance) bool { // one that has stopped gives its public address back
		return in.Address == "" && in.State != states.InstanceGone && in.State != states.InstanceStopped
	})
	for _, key := range keys {
		if _, shown := group.Instance(key); shown {
			continue
		}
		a := states.Absence{Key: key, Since: at}
		i := slices.IndexFunc(before, func(b states.Absence) bool { return b.Key == key })
		if i >= 0 {
			a = before[i]
		}
		if len(group.Silent) == 0 && (states.IsInstanceID(key) || !hidden) {
			a.Reads++
		} else if i < 0 {
			continue
		}
		now = append(now, a)
	}
	return now
}

// memberKeys lists what the members are known by, the instances a claim names, and the owners of the upgrade
// lock: those whose end may have to be proved.
func (e *Effects) memberKeys() []string {
	var keys []string
	for i := range e.facts.Cluster.Members {
		keys = append(keys, e.facts.Cluster.Members[i].Key())
	}
	for _, m := range e.facts.Claim.Record.Members {
		keys = append(keys, m.ID)
	}
	keys = append(keys, e.facts.Ingress.Own()...)
	for _, owner := range []string{e.facts.Cluster.Upgrade.Lock.Owner, e.facts.Cluster.Upgrade.Halted.Owner} {
		if states.IsInstanceID(owner) {
			keys = append(keys, owner)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
