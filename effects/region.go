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

	"github.com/etcd-appliance/etcd-appliance/states"
)

// regionSeen is what a region last told; the zero value is that it never did.
type regionSeen struct {
	at        time.Time // when it was asked
	desired   int
	instances []states.Instance
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
	maps.Copy(described, byAddress)
	return regionSeen{at, int(aws.ToInt32(asg.DesiredCapacity)), e.instances(asg, described, r.Name != "")}, nil
}

// askAbroad asks every other region, and puts what it tells in the place of what it told before. It gives the errors of the silent ones.
func (e *Effects) askAbroad(ctx context.Context, abroad []Region, here *asgtypes.AutoScalingGroup, keys []string, at time.Time, seen []regionSeen) []error {
	failed := make([]error, len(abroad))
	e.Parallel(len(abroad), func(i int) {
		r := &abroad[i]
		asg, err := r.counterpart(ctx, here)
		if err == nil {
			var told regionSeen
			if told, err = e.askRegion(ctx, r, asg, keys, at); err == nil {
				seen[i] = told
			}
		}
		failed[i] = err
	})
	return failed
}

// noteSilent names the regions that failed, and has the log tell why.
func (e *Effects) noteSilent(abroad []Region, failed []error) (silent []string) {
	for i, err := range failed {
		name := abroad[i].Name
		e.complaint.note(e.Log, "auto-scaling group in "+name, err)
		if err != nil {
			silent = append(silent, name)
		}
	}
	return silent
}

// stackTags are those that CloudFormation gives a group, whose own name it makes up: the same template makes the same group of them in
// every region (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html).
var stackTags = []string{"aws:cloudformation:stack-name", "aws:cloudformation:logical-id"}

// counterpart is the cluster's group in another region: the same of a stack of the same name, or else the one of the same name.
func (r *Region) counterpart(ctx context.Context, here *asgtypes.AutoScalingGroup) (*asgtypes.AutoScalingGroup, error) {
	var filters []asgtypes.Filter
	for _, t := range here.Tags {
		if slices.Contains(stackTags, aws.ToString(t.Key)) {
			filters = append(filters, asgtypes.Filter{Name: aws.String("tag:" + aws.ToString(t.Key)), Values: []string{aws.ToString(t.Value)}})
		}
	}
	if len(filters) == 0 {
		return r.readGroup(ctx, aws.ToString(here.AutoScalingGroupName))
	}
	var found []asgtypes.AutoScalingGroup
	pages := autoscaling.NewDescribeAutoScalingGroupsPaginator(r.AutoScaling, &autoscaling.DescribeAutoScalingGroupsInput{Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("describe the auto-scaling group of the stack: %w", err)
		}
		found = append(found, page.AutoScalingGroups...)
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%d auto-scaling groups are of %s there, and not one: make the stack, or leave the region out of --active-regions", len(found), describeFilters(filters))
	}
	return &found[0], nil
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

func describeFilters(filters []asgtypes.Filter) string {
	parts := make([]string, len(filters))
	for i, f := range filters {
		parts[i] = strings.TrimPrefix(aws.ToString(f.Name), "tag:") + " " + strings.Join(f.Values, " or ")
	}
	return strings.Join(parts, ", ")
}
