package awsfake

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// CreateHostedZone creates a zone, private if a VPC is named. Zones may share a
// name, but not a caller reference.
func (d *Route53Client) CreateHostedZone(ctx context.Context, in *route53.CreateHostedZoneInput, _ ...func(*route53.Options)) (*route53.CreateHostedZoneOutput, error) {
	return serve(ctx, d.c, d.call("CreateHostedZone"), in, func(r *request, in *route53.CreateHostedZoneInput) (*route53.CreateHostedZoneOutput, error) {
		name, reference := canonical(aws.ToString(in.Name)), aws.ToString(in.CallerReference)
		if p := checkName(name); p != "" {
			return nil, &types.InvalidDomainName{Message: aws.String(p)}
		}
		if slices.ContainsFunc(r.state.zones, func(z Zone) bool { return z.CallerReference == reference }) {
			return nil, &types.HostedZoneAlreadyExists{Message: aws.String("A hosted zone has already been created with the specified caller reference.")}
		}
		z := Zone{ID: "Z" + strings.ToUpper(r.newID()), Name: name, Private: in.VPC != nil, CallerReference: reference}
		if in.HostedZoneConfig != nil {
			z.Comment = aws.ToString(in.HostedZoneConfig.Comment)
			if in.HostedZoneConfig.PrivateZone && in.VPC == nil {
				return nil, &types.InvalidInput{Message: aws.String("A private hosted zone needs a VPC")}
			}
		}
		z.Records = []RecordSet{
			{name, "NS", 172800, []string{"ns-1.awsdns-01.org.", "ns-2.awsdns-02.co.uk.", "ns-3.awsdns-03.com.", "ns-4.awsdns-04.net."}},
			{name, "SOA", 900, []string{"ns-1.awsdns-01.org. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}},
		}
		r.touch()
		r.state.zones = append(r.state.zones, z)
		return &route53.CreateHostedZoneOutput{
			HostedZone: z.describe(), VPC: in.VPC, ChangeInfo: r.submit(&z),
			DelegationSet: &types.DelegationSet{NameServers: z.Records[0].Values},
			Location:      aws.String("https://route53.amazonaws.com/2013-04-01/hostedzone/" + z.ID),
		}, nil
	})
}

func (z *Zone) describe() *types.HostedZone {
	out := &types.HostedZone{
		Id: aws.String("/hostedzone/" + z.ID), Name: aws.String(z.Name), CallerReference: aws.String(z.CallerReference),
		Config: &types.HostedZoneConfig{PrivateZone: z.Private}, ResourceRecordSetCount: aws.Int64(int64(len(z.Records))),
	}
	if z.Comment != "" {
		out.Config.Comment = aws.String(z.Comment)
	}
	return out
}

// GetHostedZone describes one zone.
func (d *Route53Client) GetHostedZone(ctx context.Context, in *route53.GetHostedZoneInput, _ ...func(*route53.Options)) (*route53.GetHostedZoneOutput, error) {
	return serve(ctx, d.c, d.call("GetHostedZone"), in, func(r *request, in *route53.GetHostedZoneInput) (*route53.GetHostedZoneOutput, error) {
		z := r.view.zone(aws.ToString(in.Id))
		if z == nil {
			return nil, noZone(in.Id)
		}
		return &route53.GetHostedZoneOutput{HostedZone: z.describe()}, nil
	})
}

// zones are those that a list shows.
func (r *request) zones() []Zone {
	return slices.DeleteFunc(slices.Clone(r.view.zones), func(z Zone) bool { return r.lost(z.ID) })
}

// ListHostedZones lists all zones; Marker is the first zone of the page.
func (d *Route53Client) ListHostedZones(ctx context.Context, in *route53.ListHostedZonesInput, _ ...func(*route53.Options)) (*route53.ListHostedZonesOutput, error) {
	return serve(ctx, d.c, d.call("ListHostedZones"), in, func(r *request, in *route53.ListHostedZonesInput) (*route53.ListHostedZonesOutput, error) {
		size := r.pageSize(in.MaxItems, 100)
		out := &route53.ListHostedZonesOutput{Marker: in.Marker, MaxItems: aws.Int32(int32(size)), HostedZones: []types.HostedZone{}}
		zones := r.zones()
		if in.Marker != nil {
			at := slices.IndexFunc(zones, func(z Zone) bool { return z.ID == *in.Marker })
			if at < 0 {
				return nil, &types.InvalidInput{Message: aws.String("Marker is invalid: " + *in.Marker)}
			}
			zones = zones[at:]
		}
		if len(zones) > size {
			out.IsTruncated, out.NextMarker = true, aws.String(zones[size].ID)
			zones = zones[:size]
		}
		for n := range zones {
			out.HostedZones = append(out.HostedZones, *zones[n].describe())
		}
		return out, nil
	})
}

// ListHostedZonesByName lists the zones from DNSName on, in list order: the
// first one need not have that name, and several may.
func (d *Route53Client) ListHostedZonesByName(ctx context.Context, in *route53.ListHostedZonesByNameInput, _ ...func(*route53.Options)) (*route53.ListHostedZonesByNameOutput, error) {
	return serve(ctx, d.c, d.call("ListHostedZonesByName"), in, func(r *request, in *route53.ListHostedZonesByNameInput) (*route53.ListHostedZonesByNameOutput, error) {
		if in.HostedZoneId != nil && in.DNSName == nil {
			return nil, &types.InvalidInput{Message: aws.String("HostedZoneId is only valid with DNSName")}
		}
		size := r.pageSize(in.MaxItems, 100)
		out := &route53.ListHostedZonesByNameOutput{DNSName: in.DNSName, HostedZoneId: in.HostedZoneId, MaxItems: aws.Int32(int32(size)), HostedZones: []types.HostedZone{}}
		start := Zone{ID: strings.TrimPrefix(aws.ToString(in.HostedZoneId), "/hostedzone/")}
		if in.DNSName != nil {
			start.Name = canonical(*in.DNSName)
		}
		zones := r.zones()
		slices.SortFunc(zones, zoneOrder)
		for n := range zones {
			if in.DNSName != nil && zoneOrder(zones[n], start) < 0 {
				continue
			}
			if len(out.HostedZones) == size {
				out.IsTruncated, out.NextDNSName, out.NextHostedZoneId = true, aws.String(zones[n].Name), aws.String(zones[n].ID)
				break
			}
			out.HostedZones = append(out.HostedZones, *zones[n].describe())
		}
		return out, nil
	})
}

func zoneOrder(a, b Zone) int {
	if a.Name == b.Name {
		return strings.Compare(a.ID, b.ID)
	}
	return strings.Compare(sortKey(a.Name), sortKey(b.Name))
}

// ListResourceRecordSets lists the sets from StartRecordName and StartRecordType
// on: the first one need not have that name.
func (d *Route53Client) ListResourceRecordSets(ctx context.Context, in *route53.ListResourceRecordSetsInput, _ ...func(*route53.Options)) (*route53.ListResourceRecordSetsOutput, error) {
	return serve(ctx, d.c, d.call("ListResourceRecordSets"), in, listRecords)
}

func listRecords(r *request, in *route53.ListResourceRecordSetsInput) (*route53.ListResourceRecordSetsOutput, error) {
	z := r.view.zone(aws.ToString(in.HostedZoneId))
	if z == nil {
		return nil, noZone(in.HostedZoneId)
	}
	if in.StartRecordType != "" && in.StartRecordName == nil {
		return nil, &types.InvalidInput{Message: aws.String("StartRecordType is only valid with StartRecordName")}
	}
	size := r.pageSize(in.MaxItems, 300)
	out := &route53.ListResourceRecordSetsOutput{MaxItems: aws.Int32(int32(size)), ResourceRecordSets: []types.ResourceRecordSet{}}
	records := z.Records
	if in.StartRecordName != nil {
		start := RecordSet{Name: canonical(*in.StartRecordName), Type: string(in.StartRecordType)}
		at, _ := slices.BinarySearchFunc(records, start, listOrder)
		records = records[at:]
	}
	if len(records) > size {
		next := records[size]
		out.IsTruncated, out.NextRecordName, out.NextRecordType = true, aws.String(next.Name), types.RRType(next.Type)
		records = records[:size]
	}
	for _, set := range records {
		describe := types.ResourceRecordSet{Name: aws.String(set.Name), Type: types.RRType(set.Type), TTL: aws.Int64(set.TTL)}
		for _, v := range set.Values {
			describe.ResourceRecords = append(describe.ResourceRecords, types.ResourceRecord{Value: aws.String(v)})
		}
		out.ResourceRecordSets = append(out.ResourceRecordSets, describe)
	}
	return out, nil
}
