package states

import (
	"slices"
	"strconv"
)

// keepDNS publishes the healthy started voters when the zone says otherwise, whoever made it say so. The zone was read since this
// member leads.
func (t *turn) keepDNS(v *verdict) {
	if !t.DNS.Configured || !t.claimIsOurs() {
		return
	}
	voters := t.publishable(v)
	if len(voters) == 0 {
		return // never nothing: an empty answer would be worse than an old one
	}
	old, changed := t.recordChanges(t.wantedRecords(voters))
	old = append(old, t.misleading()...)
	if len(old) == 0 && len(changed) == 0 {
		return
	}
	v.commands = append(v.commands, PublishDNS{Old: old, New: changed})
	v.needs.Zone = brisk
}

// publishable are the instances of the voters that clients should be sent to: healthy ones, and those published already
// that have only been unhealthy for as long as a restart may take. A voter that AWS was never asked about is asked about first,
// and one that is published, or that a single answer leaves out, stops every change meanwhile: its DNS name is not known.
func (t *turn) publishable(v *verdict) []Instance {
	list := make([]Instance, 0, len(t.Cluster.Members))
	for i := range t.Cluster.Members {
		m := &t.Cluster.Members[i]
		if m.Learner || !m.Started() {
			continue
		}
		in, ok := t.Group.Instance(m.Key())
		if !ok && t.Group.Gone(m.Key()) != Yes {
			v.needs.Group = min(v.needs.Group, brisk)
			if t.published(m.Address) || t.Group.missing(m.Key()) {
				return nil
			}
			continue
		}
		in.Address = m.Address // a member that is no instance of ours still serves clients
		if m.Health == Yes || t.published(m.Address) && !t.drained(m) {
			list = append(list, in)
		}
	}
	return list
}

// Drift tells whether the zone holds other records than the rules would publish now, and which those are. It is known only where the
// facts are those that a leader acts on: of every member, and fresh.
func (o *Observation) Drift(c *Config) (Fact, []Record) {
	t := turn{Observation: o, Config: c}
	switch {
	case !t.DNS.Configured || t.Name == "" || t.DNS.Known != Yes || t.Group.Known != Yes || t.Cluster.Known != Yes:
		return Unknown, nil
	case t.Now.Sub(t.Cluster.Asked) > expired || t.Now.Sub(t.DNS.At) > 2*restZone || !t.claimIsOurs():
		return Unknown, nil
	}
	voters := t.publishable(&verdict{})
	if len(voters) == 0 {
		return Unknown, nil
	}
	_, changed := t.recordChanges(t.wantedRecords(voters))
	return Is(len(changed) > 0), changed
}

func (t *turn) drained(m *Member) bool {
	return t.Group.Gone(m.Key()) == Yes || m.Health == No && t.Now.Sub(m.Unhealthy) >= drainGrace
}

func (t *turn) published(address string) bool {
	a := t.record(t.recordName(), "A")
	return a != nil && slices.Contains(a.Values, address)
}

// recordName is the name that clients resolve. What is below it need not all be the cluster's.
func (t *turn) recordName() string { return t.Name + "." + t.DNS.Zone }

// clientService and peerService are the names that etcd and its clients look up (client/pkg/srv/srv.go): of the one with -ssl they
// make https URLs, and of the other http ones.
func clientService(tls bool) string { return "_etcd-client" + ssl(tls) }
func peerService(tls bool) string   { return "_etcd-server" + ssl(tls) }

func ssl(tls bool) string {
	if tls {
		return "-ssl"
	}
	return ""
}

// misleading are the SRV records that lead to a port for TLS under the name for none, or the reverse: those of before TLS.
func (t *turn) misleading() (records []Record) {
	for _, service := range []string{clientService(!t.ClientTLS), peerService(!t.PeerTLS)} {
		if r := t.record(t.serviceName(service), "SRV"); r != nil {
			records = append(records, *r)
		}
	}
	return records
}

func (t *turn) serviceName(service string) string { return service + "._tcp." + t.recordName() }

// wantedRecords are the record sets of the cluster. "_etcd" is the name the predecessor's users look up, with TLS and without.
func (t *turn) wantedRecords(voters []Instance) []Record {
	name := t.recordName()
	a := Record{Name: name, Type: "A", TTL: recordTTL}
	peer, client := "1 1 "+strconv.Itoa(t.PeerPort)+" ", "1 1 "+strconv.Itoa(t.ClientPort)+" " // priority, weight, port
	peers, clients := make([]string, 0, len(voters)), make([]string, 0, len(voters))
	for _, in := range voters {
		a.Values = append(a.Values, in.Address)
		if in.DNSName == "" {
			continue // an SRV target must be a name, and this VPC gives none
		}
		peers = append(peers, peer+in.DNSName+".")
		clients = append(clients, client+in.DNSName+".")
	}
	slices.Sort(a.Values)
	slices.Sort(peers)
	slices.Sort(clients)
	records := append(make([]Record, 0, 4), a)
	for _, srv := range []struct {
		service string
		values  []string
	}{{"_etcd", clients}, {clientService(t.ClientTLS), clients}, {peerService(t.PeerTLS), peers}} {
		if len(srv.values) > 0 {
			records = append(records, Record{Name: t.serviceName(srv.service), Type: "SRV", TTL: recordTTL, Values: srv.values})
		}
	}
	return records
}

// recordChanges gives the record sets that differ, as they are (those that exist) and as they should be.
func (t *turn) recordChanges(want []Record) (old, changed []Record) {
	for _, w := range want {
		have := t.record(w.Name, w.Type)
		if have != nil && have.Equal(&w) {
			continue
		}
		if have != nil {
			old = append(old, *have)
		}
		changed = append(changed, w)
	}
	return old, changed
}

func (t *turn) record(name, kind string) *Record {
	for i := range t.DNS.Records {
		if r := &t.DNS.Records[i]; r.Name == name && r.Type == kind {
			return r
		}
	}
	return nil
}
