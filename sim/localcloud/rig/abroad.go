package rig

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud"
)

// home is the region of the cloud.
const home = "eu-central-1"

// stack ties the groups of both regions together.
var stack = awsfake.StackTags("etcd-cluster", "Group")

// regions are those that the cluster spans.
func (r *Rig) regions() []string {
	if r.options.Abroad == "" {
		return []string{home}
	}
	return []string{home, r.options.Abroad}
}

// groupIn is the name of the group in a region.
func (r *Rig) groupIn(region string) string {
	if region == home {
		return r.options.Group
	}
	return r.options.Group + "-abroad"
}

// groups are those that the observer looks at.
func (r *Rig) groups() (groups []observer.Group) {
	for _, region := range r.regions() {
		settings := r.awsIn(region, "observer")
		groups = append(groups, observer.Group{Name: r.groupIn(region), AutoScaling: autoscaling.NewFromConfig(settings), EC2: ec2.NewFromConfig(settings)})
	}
	return groups
}

// createSecurityGroups makes one in each region that lets nobody in, where there are two.
func (r *Rig) createSecurityGroups(ctx context.Context) error {
	if r.options.Abroad == "" {
		return nil
	}
	r.security = map[string]string{}
	for _, region := range r.regions() {
		made, err := ec2.NewFromConfig(r.awsIn(region, "operator")).CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
			GroupName: aws.String("peers"), Description: aws.String("who is let in"),
		})
		if err != nil {
			return fmt.Errorf("create a security group in %s: %w", region, err)
		}
		r.security[region] = aws.ToString(made.GroupId)
	}
	return nil
}

// abroadArgs are flags of a daemon whose cluster spans regions.
func (r *Rig) abroadArgs(i localcloud.Instance) []string {
	if r.options.Abroad == "" {
		return nil
	}
	return []string{"--cluster-name", r.options.Group, "--active-regions", home + "," + r.options.Abroad, "--peer-security-group", r.security[i.Region()]}
}

// LaunchAbroad creates the group of the other region with n instances.
func (r *Rig) LaunchAbroad(ctx context.Context, n int) error {
	_, err := autoscaling.NewFromConfig(r.awsIn(r.options.Abroad, "operator")).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(r.groupIn(r.options.Abroad)), MinSize: aws.Int32(0), MaxSize: aws.Int32(100), DesiredCapacity: aws.Int32(int32(n)),
		AvailabilityZones: []string{r.options.Abroad + "a"}, Tags: stack,
	})
	return err
}

// LetsIn lists, of each region, the addresses that its security group lets in to both ports of etcd.
func (r *Rig) LetsIn() map[string][]string {
	let := map[string][]string{}
	r.Cloud.Do(func(c *awsfake.Cloud) {
		for _, g := range c.SecurityGroups() {
			ports := map[string]int{}
			for _, rule := range g.Rules {
				ports[rule.CIDR]++
				if ports[rule.CIDR] == 2 {
					let[g.Region] = append(let[g.Region], rule.CIDR)
				}
			}
		}
	})
	return let
}
