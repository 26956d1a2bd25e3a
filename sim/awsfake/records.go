package awsfake

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// RecordSet is one simple resource record set.
type RecordSet struct {
	Name   string   // canonical: lower case, escaped, with a final dot
	Type   string   // A, AAAA, SRV, TXT, CNAME, ...
	TTL    int64    // seconds
	Values []string // as written, TXT with its quotes; never changed
}

// Zone is one hosted zone.
type Zone struct {
	ID              string // without /hostedzone/
	Name            string // canonical
	Private         bool
	Comment         string
	CallerReference string
	Records         []RecordSet // in list order; never changed
}

// Zones returns all hosted zones in order of creation.
func (c *Cloud) Zones() []Zone { return slices.Clone(c.state.zones) }

// Records returns the record sets of a zone in list order, with its NS and SOA.
func (c *Cloud) Records(zoneID string) []RecordSet {
	if z := c.state.zone(zoneID); z != nil {
		return slices.Clone(z.Records)
	}
	return nil
}

// zone finds a zone by its ID, with or without the prefix that the API puts
// before it and the SDK takes off.
func (s *state) zone(id string) *Zone {
	id = strings.TrimPrefix(id, "/hostedzone/")
	for n := range s.zones {
		if s.zones[n].ID == id {
			return &s.zones[n]
		}
	}
	return nil
}

// change is one line of a change batch.
type change struct {
	action string // CREATE, DELETE or UPSERT
	set    RecordSet
}

// apply returns the records after a batch, or everything that is wrong with it:
// a batch is all or nothing, its changes see the ones before them.
func (z *Zone) apply(batch []change) (records []RecordSet, problems []string) {
	records = slices.Clone(z.Records)
	seen := map[string]string{} // name and type -> actions so far
	for _, ch := range batch {
		key := ch.set.Type + " " + ch.set.Name
		seen[key] += ch.action + " "
		switch seen[key] {
		case "CREATE ", "DELETE ", "UPSERT ", "DELETE CREATE ", "DELETE UPSERT ":
		default: // the order is no help: AWS wants one wish for each set
			problems = append(problems, fmt.Sprintf("The request contains an invalid set of changes for a resource record set '%s'", key))
			continue
		}
		if found := z.check(ch); len(found) > 0 {
			problems = append(problems, found...)
			continue
		}
		var problem string
		if records, problem = applyOne(records, ch); problem != "" {
			problems = append(problems, problem)
		}
	}
	slices.SortFunc(records, listOrder)
	return records, append(problems, z.conflicts(records)...)
}

// applyOne carries out one change that is valid in itself. DELETE must repeat
// name, type, TTL and all values, which makes DELETE and CREATE in one batch a
// compare-and-swap.
func applyOne(records []RecordSet, ch change) ([]RecordSet, string) {
	at := slices.IndexFunc(records, func(r RecordSet) bool { return r.Name == ch.set.Name && r.Type == ch.set.Type })
	name := fmt.Sprintf("resource record set [name='%s', type='%s']", ch.set.Name, ch.set.Type)
	switch {
	case ch.action == "CREATE" && at >= 0:
		return records, "Tried to create " + name + " but it already exists"
	case ch.action == "DELETE" && at < 0:
		return records, "Tried to delete " + name + " but it was not found"
	case ch.action == "DELETE" && !sameSet(records[at], ch.set):
		return records, "Tried to delete " + name + " but the values provided do not match the current values"
	case ch.action == "DELETE":
		return slices.Delete(records, at, at+1), ""
	case at >= 0:
		records[at] = ch.set
		return records, ""
	}
	return append(records, ch.set), ""
}

// sameSet compares TTL and values; their order does not matter.
func sameSet(a, b RecordSet) bool {
	x, y := slices.Sorted(slices.Values(a.Values)), slices.Sorted(slices.Values(b.Values))
	return a.TTL == b.TTL && slices.Equal(x, y)
}

// check returns what is wrong with one change by itself.
func (z *Zone) check(ch change) (problems []string) {
	set := ch.set
	if p := checkName(set.Name); p != "" {
		return []string{p}
	}
	if !inZone(set.Name, z.Name) {
		return []string{fmt.Sprintf("RRSet with DNS name %s is not permitted in zone %s", set.Name, z.Name)}
	}
	if set.Type == "CNAME" && set.Name == z.Name {
		return []string{fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted at apex in zone %s", set.Name, z.Name)}
	}
	for n, v := range set.Values {
		if slices.Contains(set.Values[:n], v) {
			problems = append(problems, fmt.Sprintf("Duplicate Resource Record: '%s'", v))
		}
		if p := checkValue(set.Type, v); p != "" {
			problems = append(problems, fmt.Sprintf("Invalid Resource Record: 'FATAL problem: %s encountered with '%s''", p, v))
		}
	}
	return problems
}

// conflicts returns what is wrong with a zone as a whole.
func (z *Zone) conflicts(records []RecordSet) (problems []string) {
	apex := map[string]bool{}
	for n, r := range records {
		if r.Name == z.Name {
			apex[r.Type] = true
		}
		// Sets of one name are neighbours.
		if n > 0 && records[n-1].Name == r.Name && (r.Type == "CNAME" || records[n-1].Type == "CNAME") {
			problems = append(problems, fmt.Sprintf("RRSet of type CNAME with DNS name %s is not permitted as it conflicts with other records with the same DNS name in zone %s", r.Name, z.Name))
		}
	}
	if !apex["SOA"] {
		problems = append(problems, "A HostedZone must contain exactly one SOA record.")
	}
	if !apex["NS"] {
		problems = append(problems, "A HostedZone must contain at least one NS record for the zone itself.")
	}
	return problems
}

// checkValue returns what is wrong with one value. The wording for SRV is ours;
// the others are AWS's.
func checkValue(kind, value string) string {
	ip, err := netip.ParseAddr(value)
	fields := strings.Fields(value)
	switch kind {
	case "A":
		if err != nil || !ip.Is4() {
			return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
		}
	case "AAAA":
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
		}
	case "SRV":
		if len(fields) != 4 || !port(fields[0]) || !port(fields[1]) || !port(fields[2]) || checkName(fields[3]) != "" {
			return "SRVRRDATAInvalid (Value is not priority, weight, port and target)"
		}
	case "TXT":
		return checkText(value)
	case "CNAME", "NS", "PTR":
		if len(fields) != 1 || checkName(value) != "" {
			return "DomainNameInvalid (Value is not a domain name)"
		}
	}
	return ""
}

func port(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// checkText checks a TXT value: strings in quotes, each at most 255 characters.
func checkText(value string) string {
	texts, ok := Unquote(value)
	if !ok {
		return "InvalidCharacterString (Value should be enclosed in quotation marks)"
	}
	for _, t := range texts {
		if len(t) > 255 {
			return "CharacterStringTooLong (Value is too long)"
		}
	}
	return ""
}

// Unquote splits a TXT value into the strings that it stands for; false if it is
// not a sequence of quoted strings.
func Unquote(value string) (texts []string, ok bool) {
	rest := strings.TrimSpace(value)
	for rest != "" {
		if rest[0] != '"' {
			return nil, false
		}
		end := 1
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(rest) {
			return nil, false
		}
		texts = append(texts, unescape(rest[1:end]))
		rest = strings.TrimSpace(rest[end+1:])
	}
	return texts, len(texts) > 0
}

// unescape resolves \" \\ and \ooo.
func unescape(s string) string {
	var b strings.Builder
	for n := 0; n < len(s); n++ {
		ch := s[n]
		if code, ok := octal(s[n:]); ok {
			ch, n = code, n+3
		} else if ch == '\\' && n+1 < len(s) {
			n++
			ch = s[n]
		}
		b.WriteByte(ch)
	}
	return b.String()
}
