package observer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// The services that a cluster publishes, and the port of each. "_etcd" is what the predecessor's users look up, the other two
// are what etcd and its clients do, with ssl behind them where they lead to https URLs.
var services = []struct {
	Name string
	Port int
}{{"_etcd-server", 2380}, {"_etcd-client", 2379}, {"_etcd", 2379}}

const ssl = "-ssl"

// DNS is what the name server says of a cluster.
type DNS struct {
	A   []string            // addresses, sorted
	SRV map[string][]string // service -> addresses and ports that its targets resolve to, sorted
}

// DNSRight tells whether the A and the SRV records list just the members, where the cluster is published; or else what is wrong.
func (v *View) DNSRight() error {
	if v.Unpublished {
		return nil
	}
	var addresses []string
	for _, i := range v.InService() {
		addresses = append(addresses, i.Address)
	}
	if got := v.DNS.A; !sameSet(got, addresses) {
		return fmt.Errorf("the A records are %v, members are %v", got, addresses)
	}
	for _, s := range services {
		var want []string
		for _, address := range addresses {
			want = append(want, net.JoinHostPort(address, strconv.Itoa(s.Port)))
		}
		right, wrong := s.Name, s.Name+ssl
		if s.Name != "_etcd" && v.overTLS(s.Port) {
			right, wrong = wrong, right
		}
		if got := v.DNS.SRV[right]; !sameSet(got, want) {
			return fmt.Errorf("the SRV records of %s lead to %v, members are %v", right, got, want)
		}
		if got := v.DNS.SRV[wrong]; len(got) > 0 {
			return fmt.Errorf("there are SRV records of %s, and they mislead: %v", wrong, got)
		}
	}
	return nil
}

// overTLS tells whether members say that they serve TLS on a port.
func (v *View) overTLS(port int) bool {
	secure := func(link string) bool {
		return strings.HasPrefix(link, "https://") && strings.HasSuffix(link, ":"+strconv.Itoa(port))
	}
	for _, i := range v.Instances {
		for _, m := range i.Etcd.Members {
			if slices.ContainsFunc(m.PeerURLs, secure) || slices.ContainsFunc(m.ClientURLs, secure) {
				return true
			}
		}
	}
	return false
}

func sameSet(sorted, other []string) bool {
	return slices.Equal(sorted, slices.Sorted(slices.Values(other)))
}

// resolver asks one name server.
type resolver struct{ address string }

var errNoName = errors.New("there is no such name")

// ask asks over UDP, and over TCP when the answer did not fit, as every resolver does.
func (r resolver) ask(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	q := new(dns.Msg)
	q.SetQuestion(dns.Fqdn(name), kind)
	q.SetEdns0(1232, false) // as much as Go's resolver takes
	for _, network := range []string{"udp", "tcp"} {
		client := dns.Client{Net: network}
		answer, _, err := client.ExchangeContext(ctx, q, r.address)
		switch {
		case err != nil:
			return nil, fmt.Errorf("ask for %s %s: %w", dns.TypeToString[kind], name, err)
		case answer.Truncated && network == "udp":
			continue
		case answer.Rcode == dns.RcodeNameError:
			return nil, errNoName
		case answer.Rcode != dns.RcodeSuccess:
			return nil, fmt.Errorf("ask for %s %s: %s", dns.TypeToString[kind], name, dns.RcodeToString[answer.Rcode])
		}
		return answer.Answer, nil
	}
	return nil, fmt.Errorf("ask for %s %s: truncated over TCP", dns.TypeToString[kind], name)
}

// addresses gives the A records of a name, sorted; none when there is no such name.
func (r resolver) addresses(ctx context.Context, name string) ([]string, error) {
	records, err := r.ask(ctx, name, dns.TypeA)
	var list []string
	for _, rr := range records {
		if a, ok := rr.(*dns.A); ok {
			list = append(list, a.A.String())
		}
	}
	slices.Sort(list)
	return list, ignoreNoName(err)
}

// endpoints gives the addresses and ports that the SRV records of a name lead to, sorted.
func (r resolver) endpoints(ctx context.Context, name string) ([]string, error) {
	records, err := r.ask(ctx, name, dns.TypeSRV)
	var list []string
	for _, rr := range records {
		srv, ok := rr.(*dns.SRV)
		if !ok {
			continue
		}
		addresses, err := r.addresses(ctx, srv.Target)
		if err != nil {
			return nil, err
		}
		for _, a := range addresses {
			list = append(list, net.JoinHostPort(a, strconv.Itoa(int(srv.Port))))
		}
	}
	slices.Sort(list)
	return list, ignoreNoName(err)
}

func ignoreNoName(err error) error {
	if errors.Is(err, errNoName) {
		return nil
	}
	return err
}

// text gives the values of the TXT records of a name; none when there is no such name.
func (r resolver) text(ctx context.Context, name string) (values []string, err error) {
	records, err := r.ask(ctx, name, dns.TypeTXT)
	for _, rr := range records {
		if txt, ok := rr.(*dns.TXT); ok {
			values = append(values, strings.Join(txt.Txt, ""))
		}
	}
	return values, ignoreNoName(err)
}
