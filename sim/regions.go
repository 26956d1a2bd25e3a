package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/etcdfake"
)

// A run may span two regions: the first has the larger part of the instances and is the one that the faults of the group strike at, the
// second has a group of its own. Who comes from one to the other must be let in by the other's security group.
var regions = [...]region{
	{"eu-central-1", groupName, []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"}},
	{"eu-west-1", groupName + "-west", []string{"eu-west-1a", "eu-west-1b"}},
}

type region struct {
	name, group string
	zones       []string
}

// stack ties the groups of both regions together.
var stack = awsfake.StackTags("etcd-cluster", "Group")

// spans lists the regions of a run.
func (p *Plan) spans() []region {
	if p.Regions > 1 {
		return regions[:]
	}
	return regions[:1]
}

// abroad tells the region of an instance, where there are several.
func (p *Plan) abroad(in awsfake.Instance) string {
	if p.Regions > 1 {
		return " in " + in.Region()
	}
	return ""
}

// sizes is how many instances the group of each region is to have at first.
func (p *Plan) sizes() []int {
	if p.Regions > 1 {
		return []int{p.Nodes - p.Nodes/2, p.Nodes / 2}
	}
	return []int{p.Nodes}
}

// ours tells whether a group is one of the cluster's.
func (w *world) ours(group string) bool {
	return slices.ContainsFunc(w.plan.spans(), func(r region) bool { return r.group == group })
}

// desired is how many instances all groups of the cluster are to have.
func (w *world) desired() (n int) {
	for _, r := range w.plan.spans() {
		g, _ := w.cloud.Group(r.group)
		n += g.Desired
	}
	return n
}

// regionOf is the region of an instance, as its number in regions.
func regionOf(in awsfake.Instance) int {
	return max(0, slices.IndexFunc(regions[:], func(r region) bool { return r.name == in.Region() }))
}

// launchAbroad makes the group of the second region, and a security group in each.
func (w *world) launchAbroad() {
	ctx := context.Background()
	for i, r := range w.plan.spans() {
		made, err := w.cloud.EC2(nature).In(r.name).CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String("peers"), Description: aws.String("of etcd")})
		must(err)
		w.security = append(w.security, aws.ToString(made.GroupId))
		if i == 0 {
			continue
		}
		_, err = w.cloud.AutoScaling(nature).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String(r.group), MinSize: aws.Int32(0), MaxSize: aws.Int32(7), DesiredCapacity: aws.Int32(int32(w.plan.sizes()[i])),
			AvailabilityZones: r.zones, Tags: stack,
		})
		must(err)
	}
	if !w.plan.Routed {
		w.walls = &[]etcdfake.Break{}
		w.partitions = append(w.partitions, w.walls)
	}
}

// span points a daemon at the regions of the run.
func (n *node) span(o *effects.Options) {
	if n.plan.Regions < 2 {
		return
	}
	for i, r := range regions {
		at := effects.Region{Name: r.name, EC2: checkedEC2{n.cloud.EC2(n.id).In(r.name), n}, AutoScaling: checkedGroup{n.cloud.AutoScaling(n.id).In(r.name), n, i}}
		o.Regions = append(o.Regions, at)
		if i == n.region {
			o.EC2, o.AutoScaling, o.ClusterName = at.EC2, at.AutoScaling, groupName
			if !n.plan.Routed {
				o.SecurityGroup = n.security[i]
			}
		}
	}
}

// raiseWalls cuts who is in another region and is not let in there.
func (w *world) raiseWalls() {
	if w.walls == nil {
		return
	}
	*w.walls = w.cutsWhere(func(from, to *node) bool {
		return !from.gone && !to.gone && from.region != to.region && !w.letsIn(to.region, from.address)
	})
	w.cutAll()
}

// letsIn tells whether the security group of a region lets an address in to both ports.
func (w *world) letsIn(region int, address string) bool {
	ports := map[int32]bool{}
	for _, rule := range w.rulesOf(w.security[region]) {
		if rule.CIDR == address+"/32" {
			ports[rule.From] = true
		}
	}
	return ports[2379] && ports[2380]
}

// pendingRules names what is missing to security groups that let in who is in the other region, and of the others nobody but an instance
// that has the address now.
func (w *world) pendingRules() string {
	if w.plan.Routed {
		return ""
	}
	for i, id := range w.security {
		var want, may []string
		for _, in := range w.cloud.Instances() {
			switch {
			case !w.ours(in.Group) || in.Lifecycle == "":
			case regionOf(in) != i:
				want = append(want, in.PrivateIP)
			default:
				may = append(may, in.PrivateIP)
			}
		}
		if len(may) == 0 {
			continue // nobody is there to write rules, or to be reached
		}
		for _, address := range want {
			if !w.letsIn(i, address) {
				return regions[i].name + " does not let in " + address
			}
		}
		for _, rule := range w.rulesOf(id) {
			if address := strings.TrimSuffix(rule.CIDR, "/32"); !slices.Contains(want, address) && !slices.Contains(may, address) {
				return regions[i].name + " lets in " + address
			}
		}
	}
	return ""
}

func (w *world) rulesOf(securityGroup string) []awsfake.Rule {
	groups := w.cloud.SecurityGroups()
	return groups[slices.IndexFunc(groups, func(g awsfake.SecurityGroup) bool { return g.ID == securityGroup })].Rules
}

// checkedEC2 watches what a daemon does to its security group.
type checkedEC2 struct {
	effects.EC2
	*node
}

func (c checkedEC2) AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, opts ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	var out *ec2.AuthorizeSecurityGroupIngressOutput
	err := c.guarded("", "authorize a peer", func() (err error) {
		out, err = c.EC2.AuthorizeSecurityGroupIngress(ctx, in, opts...)
		return err
	})
	c.raiseWalls()
	return out, err
}

// RevokeSecurityGroupIngress is C12: no rule is revoked that lets in a member whose instance runs in its group.
func (c checkedEC2) RevokeSecurityGroupIngress(ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput, opts ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	var out *ec2.RevokeSecurityGroupIngressOutput
	err := c.guarded("", "revoke a peer", func() (err error) {
		c.mayRevoke(strings.TrimSuffix(aws.ToString(in.IpPermissions[0].IpRanges[0].CidrIp), "/32"))
		out, err = c.EC2.RevokeSecurityGroupIngress(ctx, in, opts...)
		return err
	})
	if err == nil {
		c.sometimes(PeerRevoked)
	}
	c.raiseWalls()
	return out, err
}

func (c checkedEC2) mayRevoke(address string) {
	c.knows("revokes "+address, theGroup|theMembers, 0)
	served := c.served()
	if served == nil {
		return
	}
	for _, m := range served.Members() {
		in, _ := c.cloud.Instance(m.Name)
		if m.Address == address && in.State == awsfake.Running {
			c.fail("C12", "%s revokes the rule for %s, which is member %x", c.node, address, m.ID)
		}
	}
}

// drawRegion draws a region, where there is more than one.
func drawRegion(w *world, s *stream, e *FaultEvent) bool {
	if w.plan.Regions < 2 {
		return false
	}
	e.What = regions[s.below(len(regions))].name
	return true
}

// silenceRegion is an outage of the services of one region.
func silenceRegion(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.Refuse(awsfake.Unavailable, awsfake.Who{Region: e.What}, lasts)
}

// cutRegion cuts a region from the rest.
func (w *world) cutRegion(_ *node, e FaultEvent) {
	w.cutFor(&w.until, e, w.cutsWhere(func(a, b *node) bool { return a.region != b.region }))
}
