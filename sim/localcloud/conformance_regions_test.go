package localcloud_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// inWest asks the other region.
func inWest(o *ec2.Options) { o.Region = "eu-west-1" }

// permission lets addresses in to a port.
func permission(port int32, description string, addresses ...string) []ec2types.IpPermission {
	var ranges []ec2types.IpRange
	for _, a := range addresses {
		ranges = append(ranges, ec2types.IpRange{CidrIp: aws.String(a), Description: aws.String(description)})
	}
	return []ec2types.IpPermission{{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(port), ToPort: aws.Int32(port), IpRanges: ranges}}
}

func (b *backend) securityGroup(t *testing.T) *string {
	out, err := b.ec2.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{GroupName: aws.String(unique("peers")), Description: aws.String("of etcd")})
	must(t, err)
	return out.GroupId
}

func (b *backend) authorize(group *string, rules []ec2types.IpPermission) string {
	_, err := b.ec2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: rules})
	return outcome(err)
}

func (b *backend) revoke(group *string, rules []ec2types.IpPermission) string {
	_, err := b.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: group, IpPermissions: rules})
	return outcome(err)
}

// rules lists the rules of a group, sorted.
func (b *backend) rules(t *testing.T, group *string) string {
	out, err := b.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*group}})
	must(t, err)
	var list []string
	for _, p := range out.SecurityGroups[0].IpPermissions {
		for _, r := range p.IpRanges {
			list = append(list, fmt.Sprintf("%d-%d %s (%s)", *p.FromPort, *p.ToPort, *r.CidrIp, aws.ToString(r.Description)))
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

var securityGroupCases = []conformance{
	{name: "rules of a security group", want: "ok ok 2379-2379 10.0.0.1/32 (etcd), 2379-2379 10.0.0.2/32 (etcd), 2380-2380 10.0.0.1/32 (etcd)", run: func(t *testing.T, b *backend) string {
		g := b.securityGroup(t)
		return b.authorize(g, permission(2379, "etcd", "10.0.0.1/32", "10.0.0.2/32")) + " " + b.authorize(g, permission(2380, "etcd", "10.0.0.1/32")) + " " + b.rules(t, g)
	}},
	{name: "a rule twice", want: "ok InvalidPermission.Duplicate", run: func(t *testing.T, b *backend) string {
		g := b.securityGroup(t)
		return b.authorize(g, permission(2379, "etcd", "10.0.0.1/32")) + " " + b.authorize(g, permission(2379, "etcd", "10.0.0.1/32"))
	}},
	{name: "a rule twice, by another description", want: "ok InvalidPermission.Duplicate", run: func(t *testing.T, b *backend) string {
		g := b.securityGroup(t)
		return b.authorize(g, permission(2379, "etcd", "10.0.0.1/32")) + " " + b.authorize(g, permission(2379, "other", "10.0.0.1/32"))
	}},
	{name: "a new rule beside one that is there", want: "ok InvalidPermission.Duplicate 2379-2379 10.0.0.1/32 (etcd)", run: func(t *testing.T, b *backend) string {
		g := b.securityGroup(t)
		return b.authorize(g, permission(2379, "etcd", "10.0.0.1/32")) + " " + b.authorize(g, permission(2379, "etcd", "10.0.0.2/32", "10.0.0.1/32")) + " " + b.rules(t, g)
	}, StricterThanMoto: "it keeps what it has made before it fails", wantMoto: "ok InvalidPermission.Duplicate 2379-2379 10.0.0.1/32 (etcd), 2379-2379 10.0.0.2/32 (etcd)"},
	{name: "revoke, twice", want: "ok ok InvalidPermission.NotFound ", run: func(t *testing.T, b *backend) string {
		g, rule := b.securityGroup(t), permission(2379, "etcd", "10.0.0.1/32")
		return b.authorize(g, rule) + " " + b.revoke(g, rule) + " " + b.revoke(g, rule) + " " + b.rules(t, g)
	}},
	{name: "unknown security group", want: "InvalidGroup.NotFound InvalidGroup.NotFound", run: func(t *testing.T, b *backend) string {
		none := aws.String("sg-0123456789abcdef0")
		_, err := b.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*none}})
		return outcome(err) + " " + b.authorize(none, permission(2379, "etcd", "10.0.0.1/32"))
	}},
	{name: "a security group of another region", want: "InvalidGroup.NotFound", run: func(t *testing.T, b *backend) string {
		_, err := b.ec2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*b.securityGroup(t)}}, inWest)
		return outcome(err)
	}},
	{name: "an instance of another region", want: "InvalidInstanceID.NotFound, 0 by filter", run: func(t *testing.T, b *backend) string {
		id := b.members(t, b.group(t, 1), "InService")[0]
		_, err := b.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, inWest)
		out, filtered := b.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: aws.String("instance-id"), Values: []string{id}}}}, inWest)
		must(t, filtered)
		return fmt.Sprintf("%s, %d by filter", outcome(err), len(out.Reservations))
	}},
}
