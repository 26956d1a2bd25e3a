package awsfake

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// SecurityGroup is who is let in where. Which instances it protects is not
// modelled: whoever plays the network asks for its rules.
type SecurityGroup struct {
	ID, Name, Region string
	Rules            []Rule // never changed
}

// Rule lets one range of addresses in to some ports.
type Rule struct {
	Protocol    string
	From, To    int32
	CIDR        string
	Description string
}

// same tells whether two rules let the same in: the description is no part of it.
func (r Rule) same(o Rule) bool {
	r.Description, o.Description = "", ""
	return r == o
}

// SecurityGroups returns all of them.
func (c *Cloud) SecurityGroups() []SecurityGroup { return slices.Clone(c.state.security) }

// CreateSecurityGroup makes one that lets nobody in.
func (e *EC2Client) CreateSecurityGroup(ctx context.Context, in *ec2.CreateSecurityGroupInput, _ ...func(*ec2.Options)) (*ec2.CreateSecurityGroupOutput, error) {
	return serve(ctx, e.c, e.call("CreateSecurityGroup"), in, func(r *request, in *ec2.CreateSecurityGroupInput) (*ec2.CreateSecurityGroupOutput, error) {
		r.touch()
		g := SecurityGroup{ID: "sg-0" + r.newID(), Name: aws.ToString(in.GroupName), Region: orText(r.call.Region, r.opt.Region)}
		r.state.security = append(r.state.security, g)
		return &ec2.CreateSecurityGroupOutput{GroupId: aws.String(g.ID)}, nil
	})
}

// DescribeSecurityGroups tells the rules of groups, by their IDs.
func (e *EC2Client) DescribeSecurityGroups(ctx context.Context, in *ec2.DescribeSecurityGroupsInput, _ ...func(*ec2.Options)) (*ec2.DescribeSecurityGroupsOutput, error) {
	return serve(ctx, e.c, e.call("DescribeSecurityGroups"), in, func(r *request, in *ec2.DescribeSecurityGroupsInput) (*ec2.DescribeSecurityGroupsOutput, error) {
		out := &ec2.DescribeSecurityGroupsOutput{}
		for _, id := range in.GroupIds {
			g, err := r.securityGroup(r.view, &id)
			if err != nil {
				return nil, err
			}
			out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: aws.String(g.ID), GroupName: aws.String(g.Name), IpPermissions: g.permissions()})
		}
		return out, nil
	})
}

func (r *request) securityGroup(s *state, id *string) (*SecurityGroup, error) {
	for n := range s.security {
		g := &s.security[n]
		if g.ID == aws.ToString(id) && (r.call.Region == "" || r.call.Region == g.Region) {
			return g, nil
		}
	}
	return nil, Error("InvalidGroup.NotFound", "The security group '"+aws.ToString(id)+"' does not exist")
}

// permissions gathers the rules of the same ports, as EC2 shows them.
func (g *SecurityGroup) permissions() (list []types.IpPermission) {
	for _, rule := range g.Rules {
		i := slices.IndexFunc(list, func(p types.IpPermission) bool {
			return *p.IpProtocol == rule.Protocol && *p.FromPort == rule.From && *p.ToPort == rule.To
		})
		if i < 0 {
			list = append(list, types.IpPermission{IpProtocol: aws.String(rule.Protocol), FromPort: aws.Int32(rule.From), ToPort: aws.Int32(rule.To)})
			i = len(list) - 1
		}
		of := types.IpRange{CidrIp: aws.String(rule.CIDR)}
		if rule.Description != "" {
			of.Description = aws.String(rule.Description)
		}
		list[i].IpRanges = append(list[i].IpRanges, of)
	}
	return list
}

func rulesOf(permissions []types.IpPermission) (rules []Rule) {
	for _, p := range permissions {
		for _, from := range p.IpRanges {
			rules = append(rules, Rule{aws.ToString(p.IpProtocol), aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort), aws.ToString(from.CidrIp), aws.ToString(from.Description)})
		}
	}
	return rules
}

// AuthorizeSecurityGroupIngress adds rules, all or none.
func (e *EC2Client) AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	return serve(ctx, e.c, e.call("AuthorizeSecurityGroupIngress"), in, func(r *request, in *ec2.AuthorizeSecurityGroupIngressInput) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
		err := r.changeRules(in.GroupId, in.IpPermissions, func(rules []Rule, rule Rule) ([]Rule, error) {
			if slices.ContainsFunc(rules, rule.same) {
				return nil, Error("InvalidPermission.Duplicate", fmt.Sprintf("the specified rule \"peer: %s, %s, from port: %d, to port: %d, ALLOW\" already exists", rule.CIDR, strings.ToUpper(rule.Protocol), rule.From, rule.To))
			}
			return append(rules, rule), nil
		})
		return &ec2.AuthorizeSecurityGroupIngressOutput{Return: aws.Bool(true)}, err
	})
}

// RevokeSecurityGroupIngress takes rules away, all or none.
func (e *EC2Client) RevokeSecurityGroupIngress(ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput, _ ...func(*ec2.Options)) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	return serve(ctx, e.c, e.call("RevokeSecurityGroupIngress"), in, func(r *request, in *ec2.RevokeSecurityGroupIngressInput) (*ec2.RevokeSecurityGroupIngressOutput, error) {
		err := r.changeRules(in.GroupId, in.IpPermissions, func(rules []Rule, rule Rule) ([]Rule, error) {
			i := slices.IndexFunc(rules, rule.same)
			if i < 0 {
				return nil, Error("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
			}
			return slices.Delete(rules, i, i+1), nil
		})
		return &ec2.RevokeSecurityGroupIngressOutput{Return: aws.Bool(true)}, err
	})
}

// changeRules changes a copy of a group's rules, and keeps it if every change worked.
func (r *request) changeRules(id *string, permissions []types.IpPermission, change func([]Rule, Rule) ([]Rule, error)) error {
	g, err := r.securityGroup(&r.state, id)
	if err != nil {
		return err
	}
	rules := slices.Clone(g.Rules)
	for _, rule := range rulesOf(permissions) {
		if rules, err = change(rules, rule); err != nil {
			return err
		}
	}
	r.touch()
	g.Rules = rules
	return nil
}
