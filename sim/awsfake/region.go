package awsfake

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// regionOf is the region of an availability zone: its name without the letter.
func regionOf(zone string) string {
	if zone == "" {
		return ""
	}
	return zone[:len(zone)-1]
}

// publicAddress is behind what a private one is translated.
func publicAddress(private string) string {
	parts := strings.SplitN(private, ".", 3)
	return "198.51." + parts[2]
}

// publicName is the host name of a public address.
func (i *Instance) publicName() string {
	return "ec2-" + strings.ReplaceAll(i.PublicIP, ".", "-") + "." + i.Region() + ".compute.amazonaws.com"
}

// StackTags are those by which CloudFormation tells a group of its making from
// others: the same template makes groups with the same ones in every region.
func StackTags(stack, logicalID string) []types.Tag {
	return []types.Tag{
		{Key: aws.String("aws:cloudformation:stack-name"), Value: aws.String(stack), PropagateAtLaunch: aws.Bool(false)},
		{Key: aws.String("aws:cloudformation:logical-id"), Value: aws.String(logicalID), PropagateAtLaunch: aws.Bool(false)},
	}
}

// reaches tells whether what is in a zone is in the region that was asked.
func (r *request) reaches(zone string) bool {
	return r.call.Region == "" || regionOf(zone) == r.call.Region
}

// group finds a group of the region that was asked. Names are unique in the
// account, where AWS has them unique in a region.
func (r *request) group(name string) *Group {
	if g := r.state.group(name); g != nil && r.reaches(g.Zones[0]) {
		return g
	}
	return nil
}

// Region tells the region that an instance is in.
func (i *Instance) Region() string { return regionOf(i.Zone) }
