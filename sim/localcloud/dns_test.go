package localcloud_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/miekg/dns"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud"
)

// publish creates a hosted zone with records, each "TYPE name ttl value".
func publish(t *testing.T, s *localcloud.Server, name string, private bool, records ...string) {
	t.Helper()
	in := &route53.CreateHostedZoneInput{Name: &name, CallerReference: aws.String(unique("zone"))}
	if private {
		in.VPC = &route53types.VPC{VPCId: aws.String("vpc-1"), VPCRegion: "eu-central-1"}
	}
	batch := &route53types.ChangeBatch{}
	for _, r := range records {
		f := strings.SplitN(r, " ", 4)
		ttl, err := time.ParseDuration(f[2] + "s")
		must(t, err)
		batch.Changes = append(batch.Changes, route53types.Change{Action: "CREATE", ResourceRecordSet: &route53types.ResourceRecordSet{
			Type: route53types.RRType(f[0]), Name: &f[1], TTL: aws.Int64(int64(ttl.Seconds())), ResourceRecords: []route53types.ResourceRecord{{Value: &f[3]}}}})
	}
	s.Do(func(c *awsfake.Cloud) {
		out, err := c.Route53("test").CreateHostedZone(ctx, in)
		must(t, err)
		_, err = c.Route53("test").ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: out.HostedZone.Id, ChangeBatch: batch})
		must(t, err)
	})
}

func TestNameServer(t *testing.T) {
	s := start(t, nil)
	createGroup(t, s, "etcd", 1)
	i := running(t, s, 1)[0]
	target := i.PrivateDNSName + "."
	publish(t, s, "example.org", false,
		"A a.example.org 30 10.0.0.1", "SRV _etcd._tcp.example.org 60 0 0 2379 "+target, `TXT t.example.org 60 "two words" "second"`,
		"CNAME alias.example.org 60 a.example.org", "A *.wild.example.org 60 10.0.0.9", "A x.wild.example.org 60 10.0.0.8", "A deep.down.example.org 60 10.0.0.7")
	publish(t, s, "example.org", true, "A a.example.org 30 10.9.9.9")
	publish(t, s, "sub.example.net", false, "A a.sub.example.net 60 10.0.0.2")
	// The private zone hides the public one of the same name, as it does in a VPC.
	tests := []struct{ kind, name, rcode, answer string }{
		{"A", "a.example.org.", "NOERROR", "a.example.org.\t30\tIN\tA\t10.9.9.9"},
		{"A", "alias.example.org.", "NXDOMAIN", ""},
		{"A", "A.Sub.Example.net.", "NOERROR", "a.sub.example.net.\t60\tIN\tA\t10.0.0.2"},
		{"AAAA", "a.sub.example.net.", "NOERROR", ""},
		{"A", "b.sub.example.net.", "NXDOMAIN", ""},
		{"A", "unknown.test.", "NXDOMAIN", ""},
		{"A", target, "NOERROR", target + "\t60\tIN\tA\t" + i.PrivateIP},
		{"AAAA", target, "NOERROR", ""},
	}
	for _, test := range tests {
		for _, network := range []string{"udp", "tcp"} {
			m := ask(t, s, network, test.kind, test.name)
			expect(t, test.kind+" "+test.name, dns.RcodeToString[m.Rcode], test.rcode)
			expect(t, test.kind+" "+test.name, print(m.Answer), test.answer)
		}
	}
}

func TestNameServerZone(t *testing.T) {
	s := start(t, nil)
	createGroup(t, s, "etcd", 1)
	i := running(t, s, 1)[0]
	target := i.PrivateDNSName + "."
	publish(t, s, "example.org", false,
		"SRV _etcd._tcp.example.org 60 0 0 2379 "+target, `TXT t.example.org 60 "two words" "second"`,
		"CNAME alias.example.org 60 b.example.org", "A b.example.org 60 10.0.0.3",
		"A *.wild.example.org 60 10.0.0.9", "A x.wild.example.org 60 10.0.0.8", "A deep.down.example.org 60 10.0.0.7")
	srv := ask(t, s, "udp", "SRV", "_etcd._tcp.example.org.")
	expect(t, "SRV", print(srv.Answer), "_etcd._tcp.example.org.\t60\tIN\tSRV\t0 0 2379 "+target)
	expect(t, "its address", print(srv.Extra), target+"\t60\tIN\tA\t"+i.PrivateIP)
	expect(t, "TXT", print(ask(t, s, "udp", "TXT", "t.example.org.").Answer), "t.example.org.\t60\tIN\tTXT\t\"two words\" \"second\"")
	expect(t, "alias", print(ask(t, s, "udp", "A", "alias.example.org.").Answer), "alias.example.org.\t60\tIN\tCNAME\tb.example.org. b.example.org.\t60\tIN\tA\t10.0.0.3")
	for name, want := range map[string]string{"y.wild.example.org.": "10.0.0.9", "x.wild.example.org.": "10.0.0.8", "z.y.wild.example.org.": "10.0.0.9"} {
		expect(t, name, print(ask(t, s, "udp", "A", name).Answer), name+"\t60\tIN\tA\t"+want)
	}
	between := ask(t, s, "udp", "A", "down.example.org.")
	expect(t, "a name with names below it exists", dns.RcodeToString[between.Rcode], "NOERROR")
	absent := ask(t, s, "udp", "A", "none.example.org.")
	expect(t, "negative answers carry the SOA", len(absent.Ns) == 1 && absent.Ns[0].Header().Rrtype == dns.TypeSOA, true)

	// And Go's own resolver, which etcd uses.
	resolver := &net.Resolver{PreferGo: true, Dial: func(c context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(c, network, s.DNS())
	}}
	_, list, err := resolver.LookupSRV(ctx, "etcd", "tcp", "example.org")
	must(t, err)
	expect(t, "port", list[0].Port, 2379)
	hosts, err := resolver.LookupHost(ctx, list[0].Target)
	must(t, err)
	expect(t, "host", strings.Join(hosts, " "), i.PrivateIP)
}

func ask(t *testing.T, s *localcloud.Server, network, kind, name string) *dns.Msg {
	t.Helper()
	m, _, err := (&dns.Client{Net: network}).Exchange(new(dns.Msg).SetQuestion(name, dns.StringToType[kind]), s.DNS())
	must(t, err)
	return m
}

func print(list []dns.RR) string {
	var lines []string
	for _, rr := range list {
		lines = append(lines, rr.String())
	}
	slices.Sort(lines)
	return strings.Join(lines, " ")
}
