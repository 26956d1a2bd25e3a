package localcloud

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// resolver builds one answer.
type resolver struct {
	cloud  *awsfake.Cloud
	answer *dns.Msg
}

// resolve answers a question, following aliases within the hosted zones.
func (r *resolver) resolve(name string, kind uint16) {
	name = strings.ToLower(name)
	for range 8 { // longer chains of aliases are loops
		zone := r.zone(name)
		if zone == nil {
			r.instance(name, kind)
			return
		}
		r.answer.Authoritative = true
		sets, exists := lookup(zone, name)
		r.answer.Answer = append(r.answer.Answer, records(sets, name, kind)...)
		alias := records(sets, name, dns.TypeCNAME)
		if len(alias) == 0 || kind == dns.TypeCNAME {
			r.finish(zone, exists)
			return
		}
		r.answer.Answer = append(r.answer.Answer, alias...)
		name = alias[0].(*dns.CNAME).Target
	}
	r.answer.Rcode = dns.RcodeServerFailure
}

// finish adds what goes with an answer: the zone's SOA if it is empty
// (https://www.rfc-editor.org/rfc/rfc2308), the addresses of an SRV's targets if not.
func (r *resolver) finish(zone *awsfake.Zone, exists bool) {
	if len(r.answer.Answer) == 0 {
		if !exists {
			r.answer.Rcode = dns.RcodeNameError
		}
		apex, _ := lookup(zone, zone.Name)
		r.answer.Ns = records(apex, zone.Name, dns.TypeSOA)
		return
	}
	for _, rr := range r.answer.Answer {
		srv, ok := rr.(*dns.SRV)
		if !ok {
			continue
		}
		target := resolver{r.cloud, new(dns.Msg)}
		target.resolve(srv.Target, dns.TypeA)
		r.answer.Extra = append(r.answer.Extra, target.answer.Answer...)
	}
}

// zone returns the closest hosted zone around a name, private before public.
func (r *resolver) zone(name string) (best *awsfake.Zone) {
	for _, z := range r.cloud.Zones() {
		if dns.IsSubDomain(z.Name, name) && (best == nil || len(z.Name) > len(best.Name) || len(z.Name) == len(best.Name) && z.Private && !best.Private) {
			best = &z
		}
	}
	return best
}

// lookup returns the sets at a name, or of the wildcard that covers it, and
// whether the name exists, if only because there are names below it.
func lookup(z *awsfake.Zone, name string) (sets []awsfake.RecordSet, exists bool) {
	at := func(name string) (sets []awsfake.RecordSet, exists bool) {
		for _, set := range z.Records {
			if set.Name == name {
				sets, exists = append(sets, set), true
			} else if strings.HasSuffix(set.Name, "."+name) {
				exists = true
			}
		}
		return sets, exists
	}
	if sets, exists = at(name); exists {
		return sets, true
	}
	// The closest name above that exists is the only one whose wildcard counts
	// (https://www.rfc-editor.org/rfc/rfc4592).
	for parent := name; parent != z.Name; {
		_, parent, _ = strings.Cut(parent, ".")
		if _, exists := at(parent); exists {
			return at(`\052.` + parent)
		}
	}
	return nil, false
}

// records turns the sets of one type into resource records of that name. A
// Route53 value is what a zone file has.
func records(sets []awsfake.RecordSet, name string, kind uint16) (list []dns.RR) {
	for _, set := range sets {
		if set.Type != dns.TypeToString[kind] && kind != dns.TypeANY {
			continue
		}
		for _, value := range set.Values {
			if set.Type == "SRV" || set.Type == "CNAME" {
				value = dns.Fqdn(value)
			}
			rr, err := dns.NewRR(". 0 IN " + set.Type + " " + value)
			if err != nil {
				continue // a type that this server does not know
			}
			rr.Header().Name, rr.Header().Ttl = name, uint32(set.TTL)
			list = append(list, rr)
		}
	}
	return list
}

// instance answers for ip-a-b-c-d.<region>.compute.internal.
func (r *resolver) instance(name string, kind uint16) {
	for _, i := range r.cloud.Instances() {
		if dns.Fqdn(i.PrivateDNSName) != name || i.State == awsfake.Terminated {
			continue
		}
		if kind == dns.TypeA {
			set := awsfake.RecordSet{Name: name, Type: "A", TTL: 60, Values: []string{i.PrivateIP}}
			r.answer.Answer = append(r.answer.Answer, records([]awsfake.RecordSet{set}, name, kind)...)
		}
		return
	}
	if len(r.answer.Answer) == 0 {
		r.answer.Rcode = dns.RcodeNameError
	}
}
