package awsfake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// newZone creates example.org. and returns its ID.
func newZone(t *testing.T, w *world, name, reference string, private bool) string {
	t.Helper()
	in := &route53.CreateHostedZoneInput{Name: &name, CallerReference: &reference}
	if private {
		in.VPC = &types.VPC{VPCId: aws.String("vpc-1"), VPCRegion: types.VPCRegionEuCentral1}
	}
	out, err := w.Route53("test").CreateHostedZone(ctx, in)
	must(t, err)
	return *out.HostedZone.Id
}

// batch parses lines such as "CREATE A a.example.org 60 1.2.3.4,1.2.3.5".
func batch(lines string) *types.ChangeBatch {
	b := &types.ChangeBatch{}
	for line := range strings.SplitSeq(lines, "; ") {
		f := strings.SplitN(line, " ", 5)
		var ttl int64
		fmt.Sscan(f[3], &ttl)
		set := &types.ResourceRecordSet{Type: types.RRType(f[1]), Name: &f[2], TTL: &ttl}
		for v := range strings.SplitSeq(f[4], ",") {
			if v != "" {
				set.ResourceRecords = append(set.ResourceRecords, types.ResourceRecord{Value: &v})
			}
		}
		b.Changes = append(b.Changes, types.Change{Action: types.ChangeAction(f[0]), ResourceRecordSet: set})
	}
	return b
}

func apply(w *world, zone, lines string) error {
	_, err := w.Route53("test").ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: batch(lines)})
	return err
}

// records prints a zone but for its NS and SOA.
func records(w *world, zone string) string {
	var list []string
	for _, r := range w.Records(zone) {
		if r.Type != "NS" && r.Type != "SOA" {
			list = append(list, fmt.Sprintf("%s %s %d %s", r.Type, r.Name, r.TTL, strings.Join(r.Values, ",")))
		}
	}
	return strings.Join(list, "; ")
}

func TestChangeBatch(t *testing.T) {
	const a = "A a.example.org. 60 1.2.3.4"
	exists := "[Tried to create resource record set [name='a.example.org.', type='A'] but it already exists]"
	mismatch := "[Tried to delete resource record set [name='a.example.org.', type='A'] but the values provided do not match the current values]"
	tests := []struct{ name, batch, problem, after string }{
		{"create", "CREATE A b.example.org 60 1.1.1.1", "", a + "; A b.example.org. 60 1.1.1.1"},
		{"create existing", "CREATE A a.example.org 60 9.9.9.9", exists, a},
		{"create identical", "CREATE A a.example.org 60 1.2.3.4", exists, a},
		{"upsert replaces all", "UPSERT A A.Example.ORG 30 1.1.1.1,2.2.2.2", "", "A a.example.org. 30 1.1.1.1,2.2.2.2"},
		{"delete", "DELETE A a.example.org 60 1.2.3.4", "", ""},
		{"delete, other TTL", "DELETE A a.example.org 30 1.2.3.4", mismatch, a},
		{"delete, other value", "DELETE A a.example.org 60 1.2.3.5", mismatch, a},
		{"delete absent", "DELETE A b.example.org 60 1.2.3.4", "[Tried to delete resource record set [name='b.example.org.', type='A'] but it was not found]", a},
		{"compare and swap", "DELETE A a.example.org 60 1.2.3.4; CREATE A a.example.org 60 5.6.7.8", "", "A a.example.org. 60 5.6.7.8"},
		{"lost compare and swap", "DELETE A a.example.org 60 1.2.3.9; CREATE A a.example.org 60 5.6.7.8", mismatch[:len(mismatch)-1] + ", " + exists[1:], a},
		{"atomic", "CREATE A b.example.org 60 1.1.1.1; CREATE A a.example.org 60 1.1.1.1", exists, a},
		{"same set twice", "UPSERT A b.example.org 60 1.1.1.1; UPSERT A b.example.org 60 2.2.2.2", "[The request contains an invalid set of changes for a resource record set 'A b.example.org.']", a},
		{"duplicate value", "UPSERT A b.example.org 60 1.1.1.1,1.1.1.1", "[Duplicate Resource Record: '1.1.1.1']", a},
		{"bad address", "UPSERT A b.example.org 60 1.1.1", "[Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '1.1.1'']", a},
		{"other zone", "UPSERT A b.example.com 60 1.1.1.1", "[RRSet with DNS name b.example.com. is not permitted in zone example.org.]", a},
		{"bare text", "UPSERT TXT b.example.org 60 hello", "[Invalid Resource Record: 'FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) encountered with 'hello'']", a},
		{"text", `UPSERT TXT b.example.org 60 "hello"`, "", a + `; TXT b.example.org. 60 "hello"`},
		{"bad SRV", "UPSERT SRV b.example.org 60 1 1 a.example.org", "[Invalid Resource Record: 'FATAL problem: SRVRRDATAInvalid (Value is not priority, weight, port and target) encountered with '1 1 a.example.org'']", a},
		{"empty label", "UPSERT A b..example.org 60 1.1.1.1", "[FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with 'b..example.org.']", a},
		{"alias beside address", "CREATE CNAME a.example.org 60 b.example.org", "[RRSet of type CNAME with DNS name a.example.org. is not permitted as it conflicts with other records with the same DNS name in zone example.org.]", a},
		{"wildcard", "CREATE A *.example.org 60 1.1.1.1", "", `A \052.example.org. 60 1.1.1.1; ` + a},
		{"empty set", "UPSERT A a.example.org 60 ", "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Action=UPSERT, Name=a.example.org, Type=A, SetIdentifier=null]", a},
		{"reversed labels", "CREATE A z.b.example.org 1 1.1.1.1; CREATE TXT a.example.org 1 \"\"; CREATE A a-b.example.org 1 1.1.1.1; CREATE A example.org 1 1.1.1.1; CREATE A c.a.example.org 1 1.1.1.1", "",
			"A example.org. 1 1.1.1.1; A a-b.example.org. 1 1.1.1.1; " + a + "; TXT a.example.org. 1 \"\"; A c.a.example.org. 1 1.1.1.1; A z.b.example.org. 1 1.1.1.1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, 1, nil)
			zone := newZone(t, w, "Example.org", "1", false)
			must(t, apply(w, zone, "CREATE "+a))
			expect(t, "problem", message(apply(w, zone, test.batch)), test.problem)
			expect(t, "records", records(w, zone), test.after)
		})
	}
}

func TestChangeBatchLimits(t *testing.T) {
	w := newWorld(t, 1, nil)
	zone := newZone(t, w, "example.org", "1", false)
	var values []string
	for n := range 501 {
		values = append(values, fmt.Sprintf("10.0.%d.%d", n/250, n%250))
	}
	set := " A a.example.org 60 " + strings.Join(values, ",")
	expect(t, "upsert counts twice", message(apply(w, zone, "UPSERT"+set)), "[Number of records limit of 1000 exceeded.]")
	must(t, apply(w, zone, "CREATE"+set))
	expect(t, "zone", code(apply(w, "ZNONE", "CREATE"+set)), "NoSuchHostedZone")
	apex := w.Records(zone)[0]
	line := fmt.Sprintf("DELETE %s %s %d %s", apex.Type, apex.Name, apex.TTL, strings.Join(apex.Values, ","))
	expect(t, "apex", code(apply(w, zone, line)), "InvalidChangeBatch")
}

func TestListRecordsPages(t *testing.T) {
	w := newWorld(t, 1, nil)
	zone := newZone(t, w, "example.org", "1", false)
	must(t, apply(w, zone, `CREATE A a.example.org 60 1.1.1.1; CREATE TXT a.example.org 60 "x"; CREATE A c.example.org 60 1.1.1.1`))
	for _, size := range []int32{1, 2, 300} {
		in := &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: &size}
		var names []string
		for pages := route53.NewListResourceRecordSetsPaginator(w.Route53("test"), in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			must(t, err)
			for _, r := range page.ResourceRecordSets {
				names = append(names, string(r.Type)+" "+*r.Name)
			}
		}
		expect(t, "names", strings.Join(names, ", "), "NS example.org., SOA example.org., A a.example.org., TXT a.example.org., A c.example.org.")
	}
	out, err := w.Route53("test").ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: aws.Int32(1),
		StartRecordName: aws.String("b.example.org"), StartRecordType: types.RRTypeA})
	must(t, err)
	expect(t, "an absent name gives the next one", *out.ResourceRecordSets[0].Name, "c.example.org.")
	_, err = w.Route53("test").ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordType: types.RRTypeA})
	expect(t, "type without name", code(err), "InvalidInput")
}

func TestZones(t *testing.T) {
	w := newWorld(t, 1, func(o *awsfake.Options) { o.SyncDelay = time.Minute })
	public := newZone(t, w, "example.org", "1", false)
	private := newZone(t, w, "Example.Org.", "2", true)
	newZone(t, w, "example.net", "3", false)
	_, err := w.Route53("test").CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("x.org"), CallerReference: aws.String("1")})
	expect(t, "reference used", code(err), "HostedZoneAlreadyExists")
	out, err := w.Route53("test").ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String("example.org")})
	must(t, err)
	var ids []string
	for _, z := range out.HostedZones {
		ids = append(ids, *z.Id)
		expect(t, "private", z.Config.PrivateZone, *z.Id == private)
	}
	want := []string{public, private}
	slices.Sort(want)
	expect(t, "both of that name", strings.Join(ids, " "), strings.Join(want, " "))
	var pages int
	for p := route53.NewListHostedZonesPaginator(w.Route53("test"), &route53.ListHostedZonesInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); pages++ {
		_, err := p.NextPage(ctx)
		must(t, err)
	}
	expect(t, "pages", pages, 2)

	change, err := w.Route53("test").ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &public, ChangeBatch: batch("CREATE A a.example.org 60 1.1.1.1")})
	must(t, err)
	for _, want := range []types.ChangeStatus{types.ChangeStatusPending, types.ChangeStatusInsync} {
		got, err := w.Route53("test").GetChange(ctx, &route53.GetChangeInput{Id: change.ChangeInfo.Id})
		must(t, err)
		expect(t, "status", got.ChangeInfo.Status, want)
		w.sleep(time.Minute)
	}
}
