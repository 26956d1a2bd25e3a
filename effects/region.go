package effects

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// regionSeen is what a region last told; the zero value is that it never did.
type regionSeen struct {
	at        time.Time // when it was asked
	desired   int
	instances []states.Instance

	failed   error // why it did not answer the last question; nil when it did
	failures int   // in a row
	rests    time.Time
}

// ask puts what a region tells in the place of what it told before. One that has failed rests, where others need not wait for it.
func (s *regionSeen) ask(at time.Time, mayRest bool, question func() (regionSeen, error)) {
	if mayRest && at.Before(s.rests) {
		return
	}
	told, err := question()
	if err == nil {
		*s = told
		return
	}
	s.failed = err
	s.failures++
	s.rests = at.Add(pauseAfter(s.failures, time.Second, maxPause))
}

// groupPatience is how long the question about the group may take.
const groupPatience = 10 * time.Second

// patienceWith is how long this region may take, so that others can be asked after it.
func patienceWith(others int) time.Duration {
	if others > 0 {
		return groupPatience / 2
	}
	return groupPatience
}

// locate tells the regions abroad from this one.
func (e *Effects) locate(region string) {
	if e.region == region {
		return
	}
	e.region = region
	e.abroad = slices.DeleteFunc(slices.Clone(e.Regions), func(r Region) bool { return r.Name == region })
	e.regions = make([]regionSeen, 1+len(e.abroad))
}

// located refuses to ask while it is not known which regions are the others: one too few would be taken for one without instances.
func (e *Effects) located() error {
	switch {
	case len(e.Regions) == 0:
		return nil
	case e.region == "":
		return errors.New("the instance metadata has not told the region yet")
	case len(e.abroad) == len(e.Regions):
		return fmt.Errorf("this instance is in %s, which --active-regions does not name: add it there", e.region)
	}
	return nil
}

// askRegion reads the instances of a group, and those that members are known by.
func (e *Effects) askRegion(ctx context.Context, r *Region, asg *asgtypes.AutoScalingGroup, keys []string, at time.Time) (regionSeen, error) {
	described, err := r.describe(ctx, "instance-id", idsOf(asg, keys))
	if err != nil {
		return regionSeen{}, err
	}
	filter := "private-ip-address"
	if e.Public {
		filter = "ip-address"
	}
	byAddress, err := r.describe(ctx, filter, addressesOf(keys))
	if err != nil {
		return regionSeen{}, err
	}
	sameVPC(byAddress, described)
	maps.Copy(described, byAddress)
	return regionSeen{at: at, desired: int(aws.ToInt32(asg.DesiredCapacity)), instances: e.instances(asg, described, r.Name != "")}, nil
}

// sameVPC drops the instances of other networks than those of the instances known by ID: VPCs of one account may use the same addresses.
func sameVPC(byAddress, known map[string]ec2types.Instance) {
	vpcs := map[string]bool{}
	for _, in := range known { // in any order: a set
		vpcs[aws.ToString(in.VpcId)] = true
	}
	delete(vpcs, "") // an instance that has ended is in none any more
	maps.DeleteFunc(byAddress, func(_ string, in ec2types.Instance) bool {
		return len(vpcs) > 0 && aws.ToString(in.VpcId) != "" && !vpcs[aws.ToString(in.VpcId)]
	})
}

// askAbroad asks every other region.
func (e *Effects) askAbroad(ctx context.Context, abroad []Region, here *asgtypes.AutoScalingGroup, keys []string, at time.Time, seen []regionSeen) {
	e.Parallel(len(abroad), func(i int) {
		r := &abroad[i]
		seen[i].ask(at, true, func() (regionSeen, error) {
			asg, err := r.Counterpart(ctx, here)
			if err != nil {
				return regionSeen{}, err
			}
			return e.askRegion(ctx, r, asg, keys, at)
		})
	})
}

// noteSilent names the regions that did not answer, and has the log tell why.
func (e *Effects) noteSilent() (silent []string) {
	for i := range e.regions {
		name := e.region
		if i > 0 {
			name = e.abroad[i-1].Name
		}
		e.complaint.note(e.Log, "auto-scaling group in "+name, e.regions[i].failed)
		if e.regions[i].failed != nil {
			silent = append(silent, name)
		}
	}
	return silent
}

// stackTags are those that CloudFormation gives a group, whose own name it makes up: the same template makes the same group of them in
// every region (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html).
var stackTags = []string{"aws:cloudformation:stack-name", "aws:cloudformation:logical-id"}

// Counterpart is the cluster's group in another region than the one given: that of the stack of the same name, or else the one of the same
// name.
func (r *Region) Counterpart(ctx context.Context, here *asgtypes.AutoScalingGroup) (*asgtypes.AutoScalingGroup, error) {
	name := aws.ToString(here.AutoScalingGroupName)
	found, err := r.ofStack(ctx, stackOf(here))
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return r.readGroup(ctx, name)
	case len(found) > 1:
		return nil, fmt.Errorf("%d auto-scaling groups there are of the same stack and logical ID as %s", len(found), name)
	}
	return &found[0], nil
}

// stackOf is by what the group of the same template is found; nothing where a group is of no stack.
func stackOf(g *asgtypes.AutoScalingGroup) (filters []asgtypes.Filter) {
	for _, t := range g.Tags {
		if slices.Contains(stackTags, aws.ToString(t.Key)) {
			filters = append(filters, asgtypes.Filter{Name: aws.String("tag:" + aws.ToString(t.Key)), Values: []string{aws.ToString(t.Value)}})
		}
	}
	return filters
}

func (r *Region) ofStack(ctx context.Context, stack []asgtypes.Filter) (found []asgtypes.AutoScalingGroup, err error) {
	if len(stack) < len(stackTags) {
		return nil, nil
	}
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(r.AutoScaling, &autoscaling.DescribeAutoScalingGroupsInput{Filters: stack})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe the auto-scaling group of the stack: %w", err)
		}
		found = append(found, page.AutoScalingGroups...)
	}
	return found, nil
}

// together is the group of all regions.
func together(seen []regionSeen) states.Group {
	g := states.Group{Known: states.Yes, At: seen[0].at}
	for i := range seen {
		r := &seen[i]
		if r.at.Before(g.At) {
			g.At = r.at
		}
		g.Desired += r.desired
		g.Instances = append(g.Instances, r.instances...)
	}
	slices.SortFunc(g.Instances, func(a, b states.Instance) int { return strings.Compare(a.ID, b.ID) })
	return g
}

// autoScalingOf is the region that an instance is in.
func (e *Effects) autoScalingOf(id string) AutoScaling {
	for i := range e.abroad {
		if slices.ContainsFunc(e.regions[1+i].instances, func(in states.Instance) bool { return in.ID == id }) {
			return e.abroad[i].AutoScaling
		}
	}
	return e.AutoScaling
}
