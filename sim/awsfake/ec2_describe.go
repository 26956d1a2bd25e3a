package awsfake

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func describeInstances(r *request, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	if in.MaxResults != nil && len(in.InstanceIds) > 0 {
		return nil, Error("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	if in.MaxResults != nil && *in.MaxResults < 5 {
		return nil, Error("InvalidParameterValue", fmt.Sprintf("Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than 5.", *in.MaxResults))
	}
	shown := r.shown(Unlisted)
	if err := r.checkIDs(in.InstanceIds, shown); err != nil {
		return nil, err
	}
	for _, f := range in.Filters {
		if !knownFilter(aws.ToString(f.Name)) {
			return nil, Error("InvalidParameterValue", fmt.Sprintf("The filter '%s' is invalid", aws.ToString(f.Name)))
		}
	}
	list, err := after(shown, aws.ToString(in.NextToken), func(i *Instance) string { return i.ID })
	if err != nil {
		return nil, err
	}
	size := r.pageSize(in.MaxResults, 1000)
	if len(in.InstanceIds) > 0 {
		size = len(in.InstanceIds)
	}
	out := &ec2.DescribeInstancesOutput{}
	for n := range list {
		i := &list[n]
		if len(in.InstanceIds) > 0 && !slices.Contains(in.InstanceIds, i.ID) || i.forgotten || !matchAll(in.Filters, i) {
			continue
		}
		if len(out.Reservations) == size {
			out.NextToken = aws.String(lastID(out))
			break
		}
		out.Reservations = append(out.Reservations, reservation(i))
	}
	return out, nil
}

// lastID is the page token: the list goes on after that instance.
func lastID(out *ec2.DescribeInstancesOutput) string {
	return *out.Reservations[len(out.Reservations)-1].Instances[0].InstanceId
}

// after returns the rest of a list behind the element that a token names.
func after[T any](list []T, token string, name func(*T) string) ([]T, error) {
	if token == "" {
		return list, nil
	}
	for n := range list {
		if name(&list[n]) == token {
			return list[n+1:], nil
		}
	}
	return nil, Error("InvalidNextToken", "The token '"+token+"' is invalid")
}

func knownFilter(name string) bool {
	return name == "instance-id" || name == "instance-state-name" || name == "private-ip-address" || name == "ip-address" || strings.HasPrefix(name, "tag:")
}

// matchAll: filters are joined by and, the values of one by or.
func matchAll(filters []types.Filter, i *Instance) bool {
	for _, f := range filters {
		value, ok := "", true
		switch name := aws.ToString(f.Name); name {
		case "instance-id":
			value = i.ID
		case "instance-state-name":
			value = i.State
		case "private-ip-address":
			value, ok = i.PrivateIP, !i.gone()
		case "ip-address":
			value, ok = i.PublicIP, !i.gone() && i.PublicIP != ""
		default:
			value, ok = i.Tag(strings.TrimPrefix(name, "tag:"))
		}
		if !ok || !slices.ContainsFunc(f.Values, func(pattern string) bool { return wildcard(pattern, value) }) {
			return false
		}
	}
	return true
}

// wildcard matches as EC2's filters do: * is any text, ? one character.
func wildcard(pattern, s string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for n := 0; n <= len(s); n++ {
				if wildcard(pattern[1:], s[n:]) {
					return true
				}
			}
			return false
		case s == "" || pattern[0] != '?' && pattern[0] != s[0]:
			return false
		}
		pattern, s = pattern[1:], s[1:]
	}
	return s == ""
}

func reservation(i *Instance) types.Reservation {
	instance := types.Instance{
		InstanceId:   aws.String(i.ID),
		ImageId:      aws.String("ami-00000000000000001"),
		InstanceType: types.InstanceTypeM5Large,
		LaunchTime:   aws.Time(i.LaunchedAt.UTC().Truncate(time.Second)),
		Placement:    &types.Placement{AvailabilityZone: aws.String(i.Zone)},
		State:        ec2State(i.State),
	}
	if !i.gone() && i.PrivateIP != "" {
		instance.PrivateIpAddress = aws.String(i.PrivateIP)
		instance.PrivateDnsName = aws.String(i.PrivateDNSName)
		instance.NetworkInterfaces = i.interfaces()
	}
	if !i.gone() && i.PublicIP != "" {
		instance.PublicIpAddress, instance.PublicDnsName = aws.String(i.PublicIP), aws.String(i.publicName())
	}
	if i.look&IPv6Only != 0 {
		instance.Ipv6Address = aws.String("2001:db8::" + i.ID[len(i.ID)-4:])
	}
	if i.Reason != "" {
		instance.StateTransitionReason = aws.String(i.Reason)
	}
	for _, t := range i.Tags {
		instance.Tags = append(instance.Tags, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	return types.Reservation{
		ReservationId: aws.String("r-" + strings.TrimPrefix(i.ID, "i-")),
		OwnerId:       aws.String(AccountID),
		Instances:     []types.Instance{instance},
	}
}

// AccountID is the account that everything belongs to.
const AccountID = "123456789012"

// stateCodes are the low bytes that EC2 sends beside the names.
var stateCodes = map[string]int32{Pending: 0, Running: 16, ShuttingDown: 32, Terminated: 48, Stopping: 64, Stopped: 80}

func ec2State(name string) *types.InstanceState {
	return &types.InstanceState{Name: types.InstanceStateName(name), Code: aws.Int32(stateCodes[name])}
}
