package effects

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// TestAddressesOfOtherNetworks: VPCs of one account may overlap, and an instance that has ended is in none.
func TestAddressesOfOtherNetworks(t *testing.T) {
	in := func(vpc string) ec2types.Instance {
		if vpc == "" {
			return ec2types.Instance{}
		}
		return ec2types.Instance{VpcId: aws.String(vpc)}
	}
	for what, c := range map[string]struct {
		known []string // VPCs of the instances known by ID
		kept  []string
	}{
		"one of ours and one of theirs": {[]string{"vpc-1"}, []string{"i-1", "i-ended"}},
		"our instances have all ended":  {[]string{""}, []string{"i-1", "i-2", "i-ended"}},
		"nobody is known by ID":         {nil, []string{"i-1", "i-2", "i-ended"}},
	} {
		known := map[string]ec2types.Instance{}
		for i, vpc := range c.known {
			known[string(rune('a'+i))] = in(vpc)
		}
		byAddress := map[string]ec2types.Instance{"i-1": in("vpc-1"), "i-2": in("vpc-2"), "i-ended": in("")}
		sameVPC(byAddress, known)
		if got := slices.Sorted(maps.Keys(byAddress)); !slices.Equal(got, c.kept) {
			t.Errorf("%s: %v, want %v", what, got, c.kept)
		}
	}
}
