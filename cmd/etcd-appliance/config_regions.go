package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/awsclient"
)

// The addresses of an instance that its member may have.
const (
	privateAddress = "private"
	publicAddress  = "public"
)

var (
	regionPattern        = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	securityGroupPattern = regexp.MustCompile(`^sg-[0-9a-f]{8,17}$`)
)

// parseRegions reads names between commas or spaces, as the predecessor did.
func parseRegions(text string) ([]string, error) {
	names := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	for _, name := range names {
		if !regionPattern.MatchString(name) {
			return nil, refuse(fmt.Sprintf("names no region with %q", name), "give names such as eu-central-1,eu-west-1")
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

func parseSecurityGroup(text string) (string, error) {
	if !securityGroupPattern.MatchString(text) {
		return "", refuse("is not the ID of a security group", "give one such as sg-0123456789abcdef0, of this instance's region")
	}
	return text, nil
}

// validateRegions refuses what would form two clusters, or one that anybody on the way can read.
func (c *Config) validateRegions() error {
	if c.Address == publicAddress && (c.TLS.Clients.Cert == "" || c.TLS.Peers.Cert == "") {
		return errorWithHint(fmt.Errorf("%s: public addresses without TLS", c.source("address")),
			"give --cert-file, --peer-cert-file and what belongs to them, or let the regions meet at private addresses (VPC peering, a transit gateway)")
	}
	switch {
	case len(c.ActiveRegions) < 2:
		return nil
	case c.ClusterName == "":
		return errorWithHint(fmt.Errorf("%s: several regions, and no --cluster-name", c.source("active-regions")),
			"give the same name in all regions: their groups may have different ones")
	case c.Bucket != "":
		return errorWithHint(fmt.Errorf("%s: a bucket is in one region", c.source("bucket")), "keep the claim in --hosted-zone, which all regions see")
	case c.HostedZone == "":
		return errorWithHint(fmt.Errorf("%s: several regions, and no --hosted-zone", c.source("active-regions")),
			"give one that all regions see: there is the claim that makes theirs one cluster")
	}
	return nil
}

// abroadOf makes the clients of all active regions but the one that the environment, or the metadata, names.
func abroadOf(ctx context.Context, c *Config) []effects.Region {
	here, err := awsclient.Settings(ctx)
	if err != nil {
		return nil // the question to this region fails as well, and tells why
	}
	return slices.DeleteFunc(regionsOf(c, nil), func(r effects.Region) bool { return r.Name == here.Region })
}

// regionsOf makes the clients of all active regions.
func regionsOf(c *Config, called func(service, action string, outcome awsclient.Outcome)) (regions []effects.Region) {
	if len(c.ActiveRegions) < 2 {
		return nil
	}
	for _, name := range c.ActiveRegions {
		clients := &awsclient.Clients{Called: called, Region: name}
		regions = append(regions, effects.Region{Name: name, EC2: clients, AutoScaling: clients})
	}
	return regions
}
