package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// spanRegionsOnMoto forms one cluster of two groups of one name, in two regions, and replaces the instance of the second. Each region's
// security group lets in who is in the other.
func spanRegionsOnMoto(t *testing.T, here *motoCloud) {
	there := here.abroad(t, "eu-west-1")
	_, err := here.route53.CreateHostedZone(t.Context(), &route53.CreateHostedZoneInput{
		Name: aws.String("regions.example.org"), CallerReference: aws.String("regions"), HostedZoneConfig: &route53types.HostedZoneConfig{PrivateZone: true},
		VPC: &route53types.VPC{VPCId: &here.vpc, VPCRegion: motoRegion},
	})
	if err != nil {
		t.Fatal(err)
	}
	var groups []string // IDs of the security groups
	cluster := func(cloud *motoCloud, n int32) *motoCluster {
		made, err := cloud.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("peers"), Description: aws.String("of etcd"), VpcId: &cloud.vpc})
		if err != nil {
			t.Fatal(err)
		}
		groups = append(groups, *made.GroupId)
		return cloud.createClusterWith(t, "spanning", n, nil, "--hosted-zone=regions.example.org",
			"--cluster-name=spanning", "--active-regions=eu-central-1,eu-west-1", "--peer-security-group="+*made.GroupId)
	}
	near, far := cluster(here, 2), cluster(there, 1)
	inOrder := func() error {
		a, b := near.launched(2), far.launched(1)
		all := slices.Concat(a, b)
		slices.SortFunc(all, func(x, y *motoInstance) int { return strings.Compare(x.id, y.id) })
		if _, err := near.healthy(all); err != nil {
			return err
		}
		if err := here.letsIn(t, groups[0], b); err != nil {
			return err
		}
		return there.letsIn(t, groups[1], a)
	}
	near.boot(near.launched(2))
	far.boot(far.launched(1))
	near.until(60*time.Second, "two regions form a cluster", inOrder)

	victim := far.launched(1)[0]
	_, err = there.autoscaling.TerminateInstanceInAutoScalingGroup(t.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(victim.id), ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	if err != nil {
		t.Fatal(err)
	}
	victim.kill()
	far.boot(far.launched(1))
	near.until(90*time.Second, "the replacement takes the place of "+victim.id, inOrder)
	near.until(3*time.Minute, victim.id+" is let in no longer", func() error { // at once: moto shows the address of who has ended
		if here.letsIn(t, groups[0], []*motoInstance{victim}) == nil {
			return errors.New("it is let in")
		}
		return inOrder()
	})
	near.daemonsWell()
	far.daemonsWell()
}

// letsIn tells whom a security group does not let in to both ports.
func (cloud *motoCloud) letsIn(t *testing.T, group string, instances []*motoInstance) error {
	out, err := cloud.ec2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{group}})
	if err != nil {
		return err
	}
	ports := map[string]int{}
	for _, p := range out.SecurityGroups[0].IpPermissions {
		for _, r := range p.IpRanges {
			if *r.Description == "etcd-appliance spanning" {
				ports[*r.CidrIp]++
			}
		}
	}
	for _, in := range instances {
		if ports[in.address+"/32"] != 2 {
			return fmt.Errorf("%s lets %s in to %d ports of 2", cloud.region, in.address, ports[in.address+"/32"])
		}
	}
	return nil
}
