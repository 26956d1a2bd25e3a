package effects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// askZone reads what the zone and the bucket hold for this cluster: its record sets and its claim.
func (e *Effects) askZone() question {
	at, id, zone, cluster := e.Now(), e.zoneID, e.facts.DNS.Zone, e.facts.Name
	if e.zoneGone {
		id = ""
	}
	return func(ctx context.Context) (func(), error) {
		var delivers []func()
		run := func() {
			for _, deliver := range delivers {
				deliver()
			}
		}
		if e.Route53 != nil {
			deliver, err := e.readZone(ctx, id, zone, cluster)
			if err != nil {
				return deliver, err
			}
			delivers = append(delivers, func() { e.facts.DNS.At = at; deliver() })
		}
		if e.S3 != nil {
			deliver, err := e.readBucket(ctx, cluster)
			if err != nil {
				return run, err
			}
			delivers = append(delivers, deliver)
		}
		return run, nil
	}
}

func (e *Effects) readZone(ctx context.Context, id, zone, cluster string) (func(), error) {
	if id == "" {
		var err error
		if id, zone, err = e.findZone(ctx); err != nil {
			return nil, err
		}
	}
	at := e.Now()
	records, err := e.listRecords(ctx, id, cluster+"."+zone)
	if hasCode(err, "NoSuchHostedZone") {
		return func() { e.zoneGone = true }, err // it may have been made anew, under another ID
	}
	if err != nil {
		return nil, err
	}
	return func() {
		e.zoneID, e.zoneGone = id, false
		e.facts.DNS.Known, e.facts.DNS.Zone = states.Yes, zone
		claim := claimName(cluster, zone)
		e.facts.DNS.Records = slices.DeleteFunc(slices.Clone(records), func(r states.Record) bool { return r.Name == claim })
		if e.S3 == nil {
			e.setClaim(at, claimFromRecords(records, claim))
		}
	}, nil
}

// findZone resolves --hosted-zone. By its name only a private zone is taken where members have private addresses, and only a public one
// else: where the one is missing for a moment, the other of the same name must not take its place, nor its claims. Zones of several
// networks may have one name; then only an ID tells which is meant.
func (e *Effects) findZone(ctx context.Context) (id, name string, err error) {
	if isZoneID(e.HostedZone) {
		out, err := e.Route53.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: aws.String(e.HostedZone)})
		if err != nil {
			return "", "", fmt.Errorf("get hosted zone %s: %w", e.HostedZone, err)
		}
		return zoneIDOf(out.HostedZone), strings.ToLower(aws.ToString(out.HostedZone.Name)), nil
	}
	want := strings.ToLower(strings.TrimSuffix(e.HostedZone, ".")) + "."
	fitting, others, err := e.zonesNamed(ctx, want)
	kind, other := "private", "public"
	if e.Public {
		fitting, others, kind, other = others, fitting, other, kind
	}
	switch {
	case err != nil:
		return "", "", fmt.Errorf("look for hosted zone %s: %w", want, err)
	case len(fitting) == 1:
		return fitting[0], want, nil
	case len(fitting) > 1:
		return "", "", fmt.Errorf("%d %s zones have the name %s: choose one with --hosted-zone %s", len(fitting), kind, want, strings.Join(fitting, " or "))
	case len(others) > 0:
		return "", "", fmt.Errorf("hosted zone %s is %s, and no %s one has that name: create it, or publish in the %[2]s one with --hosted-zone %[4]s", want, other, kind, others[0])
	default:
		return "", "", fmt.Errorf("hosted zone %s is not there: create it, or give its ID with --hosted-zone", want)
	}
}

// zonesNamed gives the IDs of all zones of a name.
func (e *Effects) zonesNamed(ctx context.Context, name string) (private, public []string, err error) {
	ask := &route53.ListHostedZonesByNameInput{DNSName: aws.String(name)}
	for more := true; more; {
		out, err := e.Route53.ListHostedZonesByName(ctx, ask)
		if err != nil {
			return nil, nil, err
		}
		for i := range out.HostedZones {
			switch z := &out.HostedZones[i]; {
			case strings.ToLower(aws.ToString(z.Name)) != name:
			case z.Config != nil && z.Config.PrivateZone:
				private = append(private, zoneIDOf(z))
			default:
				public = append(public, zoneIDOf(z))
			}
		}
		// A page ends where it likes, and the list goes on with the names that follow the one asked for.
		more = out.IsTruncated && strings.ToLower(aws.ToString(out.NextDNSName)) == name
		ask.HostedZoneId = out.NextHostedZoneId
	}
	return private, public, nil
}

func isZoneID(s string) bool {
	return !strings.Contains(s, ".") && (strings.HasPrefix(s, "Z") || strings.HasPrefix(s, "/hostedzone/"))
}

func zoneIDOf(z *r53types.HostedZone) string {
	return strings.TrimPrefix(aws.ToString(z.Id), "/hostedzone/")
}

// listRecords reads the record sets at and below a name. Route53 lists in the order of reversed labels, in which they stand
// together.
func (e *Effects) listRecords(ctx context.Context, zone, name string) ([]states.Record, error) {
	var records []states.Record
	pages := route53.NewListResourceRecordSetsPaginator(e.Route53, &route53.ListResourceRecordSetsInput{
		HostedZoneId: aws.String(zone), StartRecordName: aws.String(name),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the record sets of zone %s: %w", zone, err)
		}
		for i := range page.ResourceRecordSets {
			r := recordOf(&page.ResourceRecordSets[i])
			switch {
			case r.Name == name || strings.HasSuffix(r.Name, "."+name):
				records = append(records, r)
			case reversed(r.Name) > reversed(name):
				sortRecords(records)
				return records, nil
			}
		}
	}
	sortRecords(records)
	return records, nil
}

func sortRecords(records []states.Record) {
	slices.SortFunc(records, func(a, b states.Record) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Type, b.Type)
	})
}

func reversed(name string) string {
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	slices.Reverse(labels)
	return strings.Join(labels, "\x00")
}

func recordOf(set *r53types.ResourceRecordSet) states.Record {
	r := states.Record{Name: strings.ToLower(aws.ToString(set.Name)), Type: string(set.Type), TTL: aws.ToInt64(set.TTL)}
	for _, v := range set.ResourceRecords {
		r.Values = append(r.Values, aws.ToString(v.Value))
	}
	slices.Sort(r.Values)
	return r
}

// change replaces the record sets old by new in one batch. Route53 has no compare-and-set, but a batch is atomic, and DELETE
// fails unless name, type, TTL and all values are as given, and CREATE if the set exists: together they are one.
func (e *Effects) change(ctx context.Context, zone string, old, replacement []states.Record) error {
	var changes []r53types.Change
	for i := range old {
		changes = append(changes, r53types.Change{Action: r53types.ChangeActionDelete, ResourceRecordSet: setOf(&old[i])})
	}
	for i := range replacement {
		changes = append(changes, r53types.Change{Action: r53types.ChangeActionCreate, ResourceRecordSet: setOf(&replacement[i])})
	}
	_, err := e.Route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(zone), ChangeBatch: &r53types.ChangeBatch{Changes: changes},
	})
	var refused *r53types.InvalidChangeBatch
	if errors.As(err, &refused) { // the error's own text is only that the batch was refused
		err = fmt.Errorf("%w: %s", err, strings.Join(refused.Messages, "; "))
	}
	if hasCode(err, "InvalidChangeBatch") {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return err
}

func setOf(r *states.Record) *r53types.ResourceRecordSet {
	set := &r53types.ResourceRecordSet{Name: aws.String(r.Name), Type: r53types.RRType(r.Type), TTL: aws.Int64(r.TTL)}
	for _, v := range r.Values {
		set.ResourceRecords = append(set.ResourceRecords, r53types.ResourceRecord{Value: aws.String(v)})
	}
	return set
}
