package effects

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// ruleName is the description that tells a cluster's own rules from those of others.
func ruleName(cluster string) string { return "etcd-appliance " + cluster }

// askIngress reads whom the security group lets in to both ports of etcd.
func (e *Effects) askIngress() question {
	at, name := e.Now(), ruleName(e.facts.Name)
	return func(ctx context.Context) (func(), error) {
		out, err := e.EC2.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{e.SecurityGroup}})
		if err != nil {
			return nil, fmt.Errorf("describe security group %s: %w", e.SecurityGroup, err)
		}
		if len(out.SecurityGroups) != 1 {
			return nil, fmt.Errorf("security group %s is not there: check --peer-security-group", e.SecurityGroup)
		}
		rules := out.SecurityGroups[0].IpPermissions
		open := both(openings(rules, e.ClientPort, name), openings(rules, e.PeerPort, name))
		return func() { e.facts.Ingress = states.Ingress{Configured: true, Known: states.Yes, At: at, Open: open} }, nil
	}
}

// openings lists who is let in to a port.
func openings(rules []ec2types.IpPermission, port int, name string) (list []states.Opening) {
	for _, rule := range rules {
		if !covers(&rule, port) {
			continue
		}
		for _, r := range rule.IpRanges {
			if from, err := netip.ParsePrefix(aws.ToString(r.CidrIp)); err == nil {
				list = append(list, states.Opening{From: from, Own: aws.ToString(r.Description) == name})
			}
		}
	}
	return list
}

// covers tells whether a rule is about a TCP port. Protocol -1 is all of them, and then no ports are named
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html).
func covers(rule *ec2types.IpPermission, port int) bool {
	switch aws.ToString(rule.IpProtocol) {
	case "-1":
		return true
	case "tcp", "6":
		return int(aws.ToInt32(rule.FromPort)) <= port && port <= int(aws.ToInt32(rule.ToPort))
	default:
		return false
	}
}

// both lists who is let in to one port, to the other, or to both, by the same range.
func both(one, other []states.Opening) []states.Opening {
	list := slices.Clone(other)
	for i := range list {
		list[i].Half = true
	}
	for _, o := range one {
		if i := slices.IndexFunc(list, func(p states.Opening) bool { return p.From == o.From }); i >= 0 {
			list[i].Own, list[i].Half = list[i].Own && o.Own, false
		} else {
			list = append(list, states.Opening{From: o.From, Own: o.Own, Half: true})
		}
	}
	slices.SortFunc(list, func(a, b states.Opening) int { return strings.Compare(a.From.String(), b.From.String()) })
	return list
}

// rulesFor are the rules that let an address in, one for each port.
func (e *Effects) rulesFor(address, name string) (rules []ec2types.IpPermission) {
	from := []ec2types.IpRange{{CidrIp: aws.String(address + "/32"), Description: aws.String(name)}}
	for _, number := range []int{e.ClientPort, e.PeerPort} {
		port := aws.Int32(int32(number)) //nolint:gosec // G115: a port, as the configuration has checked
		rules = append(rules, ec2types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: port, ToPort: port, IpRanges: from})
	}
	return rules
}

func (e *Effects) authorize(ctx context.Context, c states.AuthorizePeers, name string) error {
	return e.changeRules(c.Addresses, name, "", "InvalidPermission.Duplicate", func(rule []ec2types.IpPermission) error {
		_, err := e.EC2.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: aws.String(e.SecurityGroup), IpPermissions: rule})
		return err
	})
}

func (e *Effects) revoke(ctx context.Context, c states.RevokePeers, name string) error {
	return e.changeRules(c.Addresses, name, " no longer", "InvalidPermission.NotFound", func(rule []ec2types.IpPermission) error {
		_, err := e.EC2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: aws.String(e.SecurityGroup), IpPermissions: rule})
		return err
	})
}

// changeRules changes the rules for addresses one by one: of a call with several, one that is as it should be already makes all of them
// fail, with the code done (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html).
func (e *Effects) changeRules(addresses []string, name, noLonger, done string, change func(rule []ec2types.IpPermission) error) error {
	for _, address := range addresses {
		for _, rule := range e.rulesFor(address, name) {
			if err := change([]ec2types.IpPermission{rule}); err != nil && !hasCode(err, done) {
				return fmt.Errorf("let %s in to port %d%s: %w", address, *rule.FromPort, noLonger, err)
			}
		}
	}
	return nil
}
