package localcloud_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// changed applies batches to a new zone, of which all but the last must succeed,
// and returns the outcome of the last and the records after it.
func changed(batches ...[][]string) func(*testing.T, *backend) string {
	return func(t *testing.T, b *backend) string {
		zone, last := b.zone(t), len(batches)-1
		for _, batch := range batches[:last] {
			must(t, b.change(zone, batch...))
		}
		err := b.change(zone, batches[last]...)
		return outcome(err) + ": " + strings.Join(b.records(t, zone), ", ")
	}
}

type lines = [][]string

var route53Cases = []conformance{
	{name: "create", want: `ok: SRV _etcd._tcp.example.org. 60 0 0 2379 a.example.org., A a.example.org. 60 1.2.3.4 1.2.3.5, TXT a.example.org. 60 "claim=1"`,
		run: changed(lines{{"CREATE", "A", "a.example.org", "1.2.3.4", "1.2.3.5"}, {"CREATE", "SRV", "_etcd._tcp.example.org", "0 0 2379 a.example.org."}, {"CREATE", "TXT", "a.example.org.", `"claim=1"`}})},
	{name: "capitals", want: "ok: A a.example.org. 60 1.2.3.4", run: changed(lines{{"CREATE", "A", "A.Example.ORG", "1.2.3.4"}}),
		StricterThanMoto: "it compares names with the zone's before it folds them", wantMoto: "InvalidChangeBatch: "},
	{name: "create what exists, other value", want: "InvalidChangeBatch: A a.example.org. 60 1.2.3.4",
		run:              changed(lines{{"CREATE", "A", "a.example.org", "1.2.3.4"}}, lines{{"CREATE", "A", "a.example.org", "9.9.9.9"}}),
		StricterThanMoto: "it keeps both sets unless they are the same byte for byte, so a claim could be made twice", wantMoto: "ok: A a.example.org. 60 1.2.3.4, A a.example.org. 60 9.9.9.9"},
	{name: "create what exists, same value", want: "InvalidChangeBatch: A a.example.org. 60 1.2.3.4",
		run: changed(lines{{"CREATE", "A", "a.example.org", "1.2.3.4"}}, lines{{"CREATE", "A", "a.example.org", "1.2.3.4"}})},
	{name: "upsert", want: "ok: A a.example.org. 60 5.6.7.8",
		run: changed(lines{{"CREATE", "A", "a.example.org", "1.2.3.4", "1.2.3.5"}}, lines{{"UPSERT", "A", "a.example.org", "5.6.7.8"}})},
	{name: "upsert of nothing", want: "InvalidInput: ", run: changed(lines{{"UPSERT", "A", "a.example.org"}}),
		StricterThanMoto: "it makes an empty set", wantMoto: "ok: A a.example.org. 60"},
	{name: "duplicate value", want: "InvalidChangeBatch: ", run: changed(lines{{"CREATE", "A", "a.example.org", "1.1.1.1", "1.1.1.1"}}),
		StricterThanMoto: "it keeps both", wantMoto: "ok: A a.example.org. 60 1.1.1.1 1.1.1.1"},
	{name: "bad address", want: "InvalidChangeBatch: ", run: changed(lines{{"CREATE", "A", "a.example.org", "1.1.1"}}),
		StricterThanMoto: "it does not read values", wantMoto: "ok: A a.example.org. 60 1.1.1"},
	{name: "bare text", want: "InvalidChangeBatch: ", run: changed(lines{{"CREATE", "TXT", "a.example.org", "hello"}}),
		StricterThanMoto: "it does not read values", wantMoto: "ok: TXT a.example.org. 60 hello"},
	{name: "delete", want: "ok: ", run: changed(lines{{"CREATE", "A", "a.example.org", "1.2.3.4"}}, lines{{"DELETE", "A", "a.example.org", "1.2.3.4"}})},
	{name: "delete the absent", want: "InvalidChangeBatch: ", run: changed(lines{{"DELETE", "A", "a.example.org", "1.2.3.4"}}),
		StricterThanMoto: "it has another code for it", wantMoto: "InvalidInput: "},
	{name: "delete with another value", want: "InvalidChangeBatch: A a.example.org. 60 1.2.3.4",
		run:              changed(lines{{"CREATE", "A", "a.example.org", "1.2.3.4"}}, lines{{"DELETE", "A", "a.example.org", "1.2.3.5"}}),
		StricterThanMoto: "it has another code for it", wantMoto: "InvalidInput: A a.example.org. 60 1.2.3.4"},
	{name: "compare and swap", want: "ok: A a.example.org. 60 5.6.7.8",
		run: changed(lines{{"CREATE", "A", "a.example.org", "1.2.3.4"}}, lines{{"DELETE", "A", "a.example.org", "1.2.3.4"}, {"CREATE", "A", "a.example.org", "5.6.7.8"}})},
	{name: "same set twice", want: "InvalidChangeBatch: ",
		run:              changed(lines{{"UPSERT", "A", "a.example.org", "1.1.1.1"}, {"UPSERT", "A", "a.example.org", "2.2.2.2"}}),
		StricterThanMoto: "the last one wins", wantMoto: "ok: A a.example.org. 60 2.2.2.2"},
	{name: "another zone's name", want: "InvalidChangeBatch: ", run: changed(lines{{"CREATE", "A", "a.example.com", "1.1.1.1"}})},
	{name: "wildcard", want: `ok: A \052.example.org. 60 1.1.1.1`, run: changed(lines{{"CREATE", "A", "*.example.org", "1.1.1.1"}}),
		StricterThanMoto: "it does not escape names", wantMoto: "ok: A *.example.org. 60 1.1.1.1"},
	{name: "order", want: "ok: A a-b.example.org. 60 1.1.1.1, A a.example.org. 60 1.1.1.1, A z.a.example.org. 60 1.1.1.1, A b.example.org. 60 1.1.1.1",
		run:              changed(lines{{"CREATE", "A", "z.a.example.org", "1.1.1.1"}, {"CREATE", "A", "b.example.org", "1.1.1.1"}, {"CREATE", "A", "a.example.org", "1.1.1.1"}, {"CREATE", "A", "a-b.example.org", "1.1.1.1"}}),
		StricterThanMoto: "it compares label by label, AWS compares the reversed name with its final dot",
		wantMoto:         "ok: A a.example.org. 60 1.1.1.1, A a-b.example.org. 60 1.1.1.1, A z.a.example.org. 60 1.1.1.1, A b.example.org. 60 1.1.1.1"},
	{name: "unknown zone", want: "NoSuchHostedZone", run: func(t *testing.T, b *backend) string {
		return outcome(b.change("ZNONE", []string{"CREATE", "A", "a.example.org", "1.1.1.1"}))
	}},
	{name: "get zone, get change", want: "example.org. 2 INSYNC", run: func(t *testing.T, b *backend) string {
		created, err := b.route53.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("example.org"), CallerReference: aws.String(unique("zone"))})
		must(t, err)
		zone, err := b.route53.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: created.HostedZone.Id})
		must(t, err)
		change, err := b.route53.GetChange(ctx, &route53.GetChangeInput{Id: created.ChangeInfo.Id})
		must(t, err)
		return fmt.Sprintf("%s %d %s", *zone.HostedZone.Name, *zone.HostedZone.ResourceRecordSetCount, change.ChangeInfo.Status)
	}},
	{name: "public and private zone of one name", want: "false true", run: func(t *testing.T, b *backend) string {
		name := unique("n") + ".net."
		for _, vpc := range []*route53types.VPC{nil, {VPCId: aws.String("vpc-12345678"), VPCRegion: "eu-central-1"}} {
			in := &route53.CreateHostedZoneInput{Name: &name, CallerReference: aws.String(unique("zone")), VPC: vpc}
			if vpc != nil {
				in.HostedZoneConfig = &route53types.HostedZoneConfig{PrivateZone: true}
			}
			_, err := b.route53.CreateHostedZone(ctx, in)
			must(t, err)
		}
		out, err := b.route53.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: &name})
		must(t, err)
		private := map[bool]bool{}
		for _, z := range out.HostedZones {
			if *z.Name == name {
				private[z.Config.PrivateZone] = true
			}
		}
		return fmt.Sprint(!private[false], private[true])
	}},
	{name: "zones in pages", want: "true", run: func(t *testing.T, b *backend) string {
		wanted := map[string]bool{b.zone(t): true, b.zone(t): true, b.zone(t): true}
		for p := route53.NewListHostedZonesPaginator(b.route53, &route53.ListHostedZonesInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			must(t, err)
			for _, z := range page.HostedZones {
				delete(wanted, *z.Id)
			}
		}
		return fmt.Sprint(len(wanted) == 0)
	}},
	{name: "list from an absent name", want: "c.example.org.", run: func(t *testing.T, b *backend) string {
		zone := b.zone(t)
		must(t, b.change(zone, []string{"CREATE", "A", "a.example.org", "1.1.1.1"}, []string{"CREATE", "A", "c.example.org", "1.1.1.1"}))
		out, err := b.route53.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: aws.String("b.example.org"), StartRecordType: "A", MaxItems: aws.Int32(1)})
		must(t, err)
		return *out.ResourceRecordSets[0].Name
	}},
}

var s3Cases = []conformance{
	{name: "put, get, head, delete", want: "hello 5 5 NoSuchKey NotFound", run: func(t *testing.T, b *backend) string {
		bucket, key := b.bucket(t), aws.String("a/b c")
		_, err := b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: key, Body: strings.NewReader("hello")})
		must(t, err)
		got, err := b.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key})
		must(t, err)
		body, err := io.ReadAll(got.Body)
		must(t, err)
		head, err := b.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: key})
		must(t, err)
		for range 2 { // deleting what is not there is no error
			_, err = b.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: key})
			must(t, err)
		}
		_, noGet := b.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key})
		_, noHead := b.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: key})
		return fmt.Sprintf("%s %d %d %s %s", body, *got.ContentLength, *head.ContentLength, outcome(noGet), outcome(noHead))
	}},
	{name: "create once", want: "ok PreconditionFailed", run: func(t *testing.T, b *backend) string {
		bucket := b.bucket(t)
		put := func() string {
			_, err := b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("claim"), Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
			return outcome(err)
		}
		return put() + " " + put()
	}},
	{name: "compare and swap", want: "ok PreconditionFailed NoSuchKey", run: func(t *testing.T, b *backend) string {
		bucket := b.bucket(t)
		first, err := b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("k"), Body: strings.NewReader("1")})
		must(t, err)
		put := func(key, body string) string {
			_, err := b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body), IfMatch: first.ETag})
			return outcome(err)
		}
		return put("k", "2") + " " + put("k", "3") + " " + put("other", "1")
	}},
	{name: "list in pages", want: "s/1 s/2 s/3", run: func(t *testing.T, b *backend) string {
		bucket := b.bucket(t)
		for _, key := range []string{"s/2", "s/3", "other", "s/1"} {
			_, err := b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")})
			must(t, err)
		}
		var keys []string
		for p := s3.NewListObjectsV2Paginator(b.s3, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String("s/"), MaxKeys: aws.Int32(2)}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			must(t, err)
			for _, o := range page.Contents {
				keys = append(keys, *o.Key)
			}
		}
		return strings.Join(keys, " ")
	}},
	{name: "bucket in a region that is not named", want: "IllegalLocationConstraintException", run: func(t *testing.T, b *backend) string {
		_, err := b.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(unique("bucket"))})
		return outcome(err)
	}},
	{name: "no bucket", want: "NoSuchBucket", run: func(t *testing.T, b *backend) string {
		_, err := b.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("none"), Key: aws.String("k"), Body: strings.NewReader("x")})
		return outcome(err)
	}},
}
