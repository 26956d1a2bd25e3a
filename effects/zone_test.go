package effects

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

const cluster = "etcd.elephant.example.org."

// zoneNow asks for the zone afresh.
func (r *rig) zoneNow() states.Observation {
	r.pass(maxPause)
	r.turn(states.Needs{Zone: time.Second})
	return r.Observe()
}

// zones makes a rig that is given one of several hosted zones to find.
func zones(t *testing.T, asked string, others ...string) (*rig, map[string]string) {
	ids := map[string]string{}
	r := newRig(t, func(r *rig, o *Options) {
		o.HostedZone = asked
		for _, z := range others {
			name, public := strings.CutPrefix(z, "public ")
			ids[z] = r.zone(name, !public)
		}
	})
	r.know0()
	return r, ids
}

// know0 asks for all there is, whatever comes of it.
func (r *rig) know0() {
	for range 4 {
		r.turn(states.Needs{Group: time.Second, Zone: time.Second})
		r.pass(time.Second)
	}
}

func TestZoneIsFoundByItsExactName(t *testing.T) {
	r, ids := zones(t, "b.example.org", "a.example.org.", "b.example.org.", "c.example.org.")
	if r.zoneID != ids["b.example.org."] || r.Observe().DNS.Zone != "b.example.org." {
		t.Errorf("found %s (%s), want %s", r.zoneID, r.Observe().DNS.Zone, ids["b.example.org."])
	}
	// Route53 goes on with the names that follow: the first of the list need not be the one.
	for _, asked := range []string{"aa.example.org", "example.org", "b.example", "B.EXAMPLE.ORG.x"} {
		if r, _ = zones(t, asked, "a.example.org.", "b.example.org."); r.zoneID != "" || r.Observe().DNS.Known != states.Unknown {
			t.Errorf("%s: found %s", asked, r.zoneID)
		}
	}
	if r, ids = zones(t, "B.Example.Org.", "b.example.org."); r.zoneID != ids["b.example.org."] {
		t.Errorf("by a name in capitals: found %s", r.zoneID)
	}
}

// TestPrivateZoneIsMeant: members have private addresses.
func TestPrivateZoneIsMeant(t *testing.T) {
	for _, order := range [][]string{{"public b.example.org.", "b.example.org."}, {"b.example.org.", "public b.example.org."}} {
		if r, ids := zones(t, "b.example.org", order...); r.zoneID != ids["b.example.org."] {
			t.Errorf("of %q found %s", order, r.zoneID)
		}
	}
}

// TestAmbiguousZoneIsRefused, with a word on how to name it: a public zone that stands in for a missing private one would be kept
// to when that comes back, with a claim of its own.
func TestAmbiguousZoneIsRefused(t *testing.T) {
	for want, list := range map[string][]string{
		"is public, and no private one has that name": {"public b.example.org."},
		"2 private zones have the name":               {"b.example.org.", "b.example.org.", "public b.example.org."},
		"is not there":                                {"a.example.org."},
	} {
		r, _ := zones(t, "b.example.org", list...)
		_, _, err := r.findZone(t.Context())
		if r.zoneID != "" || r.Observe().DNS.Known != states.Unknown || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--hosted-zone") {
			t.Errorf("of %q found %q: %v", list, r.zoneID, err)
		}
	}
}

// TestZoneMadeAnew: a zone that was deleted and made again has another ID. Meanwhile its public namesake is not taken.
func TestZoneMadeAnew(t *testing.T) {
	r, ids := zones(t, "b.example.org", "public b.example.org.", "b.example.org.")
	first := ids["b.example.org."]
	read := r.Observe().DNS.At
	r.cloud.LoseZone(first, 100*time.Hour)
	for range 3 {
		if o := r.zoneNow(); !o.DNS.At.Equal(read) {
			t.Errorf("a zone that is not there was read at %v", o.DNS.At)
		}
	}
	if r.zoneID != first || !r.zoneGone {
		t.Errorf("took %s, without the zone %s", r.zoneID, first)
	}
	second := r.zone("b.example.org.", true)
	if r.zoneNow(); r.zoneID != second || r.zoneGone {
		t.Errorf("has %s, and the zone is now %s", r.zoneID, second)
	}
}

// TestPrivateZoneOnAnotherPage: Route53 may end a page before the private zone.
func TestPrivateZoneOnAnotherPage(t *testing.T) {
	for _, order := range [][]string{{"public b.example.org.", "b.example.org."}, {"b.example.org.", "public b.example.org."}} {
		ids := map[string]string{}
		r := newRig(t, func(r *rig, o *Options) {
			o.HostedZone = "b.example.org"
			for _, z := range order {
				name, public := strings.CutPrefix(z, "public ")
				ids[z] = r.zone(name, !public)
			}
			r.cloud.Page(1, awsfake.PagesComplete, time.Hour)
		})
		if r.know0(); r.zoneID != ids["b.example.org."] {
			t.Errorf("of %q found %s", order, r.zoneID)
		}
	}
}

func TestZoneByItsID(t *testing.T) {
	for _, prefix := range []string{"", "/hostedzone/"} {
		r := newRig(t, func(r *rig, o *Options) { o.HostedZone = prefix + r.zone("other.example.org.", false) })
		r.know0()
		if r.Observe().DNS.Zone != "other.example.org." || strings.Contains(r.zoneID, "/") || r.calls("ListHostedZonesByName") != 0 {
			t.Errorf("with %q: zone %q, ID %q", prefix, r.Observe().DNS.Zone, r.zoneID)
		}
	}
	if r := newRig(t, func(_ *rig, o *Options) { o.HostedZone = "Z0NONE" }); r.Observe().DNS.Known != states.Unknown {
		t.Error("an ID of no zone is known")
	}
	for text, want := range map[string]bool{"Z0123456789ABC": true, "/hostedzone/Z1": true, "example.org": false, "Z.example.org": false, "zone": false} {
		if isZoneID(text) != want {
			t.Errorf("%s is taken for an ID: %v", text, !want)
		}
	}
}

// TestZoneIsLookedForOnce: what it is does not change.
func TestZoneIsLookedForOnce(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	for range 5 {
		r.zoneNow()
	}
	if n := r.calls("ListHostedZonesByName"); n != 1 {
		t.Errorf("looked for %d times", n)
	}
}

// TestRecordsAreReadAtAndBelowTheName: all of them, over many pages, and none of anybody else's.
func TestRecordsAreReadAtAndBelowTheName(t *testing.T) {
	r := newRig(t, nil)
	r.put(cluster, "A", 60, "10.0.0.2", "10.0.0.1")
	r.put(cluster, "TXT", 300, `"hello"`)
	var want []string
	for i := range 9 {
		name := fmt.Sprintf("_s%d._tcp.%s", i, cluster)
		want = append(want, name)
		r.put(name, "SRV", 60, "1 1 2379 b.example.org.", "1 1 2379 a.example.org.")
	}
	for _, other := range []string{"etc", "etcd2", "xetcd", "_etcd-bootstrap.etcd2", "zzz", "a.zzz"} {
		r.put(other+".elephant.example.org.", "A", 60, "10.9.9.9")
	}
	r.know()
	r.only(zoneCall, awsfake.Fault{PageSize: 2})
	pages := 0
	var o states.Observation
	pages = r.asked(zoneCall, func() { o = r.zoneNow() })
	if pages < 6 {
		t.Fatalf("%d pages", pages)
	}
	if len(o.DNS.Records) != 11 {
		t.Errorf("%d record sets: %+v", len(o.DNS.Records), o.DNS.Records)
	}
	for _, rec := range o.DNS.Records {
		if rec.Name != cluster && !slices.Contains(want, rec.Name) || !slices.IsSorted(rec.Values) {
			t.Errorf("%+v", rec)
		}
	}
	if !slices.IsSortedFunc(o.DNS.Records, func(a, b states.Record) int { return strings.Compare(a.Name+" "+a.Type, b.Name+" "+b.Type) }) {
		t.Errorf("not sorted: %+v", o.DNS.Records)
	}
}

// TestReadingEndsWithTheSubtree: a zone may hold ten thousand record sets, and those after the cluster's are nobody's business.
func TestReadingEndsWithTheSubtree(t *testing.T) {
	r := newRig(t, nil)
	for i := range 20 {
		r.put(fmt.Sprintf("zz%02d.elephant.example.org.", i), "A", 60, "10.9.9.9")
	}
	r.put("xetcd.elephant.example.org.", "A", 60, "10.9.9.9") // comes first, and only ends with the cluster's name
	r.know()
	if o := r.Observe(); len(o.DNS.Records) != 0 {
		t.Errorf("another's records: %+v", o.DNS.Records)
	}
	r.only(zoneCall, awsfake.Fault{PageSize: 2})
	if n := r.asked(zoneCall, func() { r.zoneNow() }); n != 1 {
		t.Errorf("%d pages are read for a cluster without records", n)
	}
}

// TestHalfAZoneTeachesNothing: a set that is on the page that failed would read as deleted.
func TestHalfAZoneTeachesNothing(t *testing.T) {
	r := newRig(t, nil)
	r.put(cluster, "A", 60, "10.0.0.1")
	r.put("_etcd._tcp."+cluster, "SRV", 60, "1 1 2379 a.example.org.")
	r.put(claimName("etcd", "elephant.example.org."), "TXT", 60, quote("v=1 state=pending token=t cluster=0 members=i-a=10.0.0.1"))
	r.know()
	before := r.zoneNow()
	pages := 0
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if c.Action != zoneCall {
			return awsfake.Fault{}
		}
		if pages++; pages > 1 {
			return awsfake.Fault{Err: awsfake.Error("Throttling", "Rate exceeded")}
		}
		return awsfake.Fault{PageSize: 1}
	}
	after := r.zoneNow()
	if pages != 2 || len(before.DNS.Records) != 2 || len(after.DNS.Records) != 2 || after.DNS.At != before.DNS.At || after.Claim.Exists != states.Yes {
		t.Errorf("after %d pages: %+v %+v, before: %+v", pages, after.DNS, after.Claim, before.DNS)
	}
}

// TestChangeIsACompareAndSet: the whole batch or nothing, and only if the zone still holds what was seen.
func TestChangeIsACompareAndSet(t *testing.T) {
	a := func(ttl int64, values ...string) states.Record {
		return states.Record{Name: cluster, Type: "A", TTL: ttl, Values: values}
	}
	srv := states.Record{Name: "_etcd._tcp." + cluster, Type: "SRV", TTL: 60, Values: []string{"1 1 2379 a.example.org."}}
	for what, c := range map[string]struct {
		there, old, replacement []states.Record
		changed                 bool
	}{
		"creates":                   {nil, nil, []states.Record{a(60, "10.0.0.1"), srv}, true},
		"replaces":                  {[]states.Record{a(60, "10.0.0.1")}, []states.Record{a(60, "10.0.0.1")}, []states.Record{a(60, "10.0.0.2")}, true},
		"one has appeared":          {[]states.Record{a(60, "10.0.0.1")}, nil, []states.Record{srv, a(60, "10.0.0.1")}, false},
		"one has gone":              {nil, []states.Record{a(60, "10.0.0.1")}, []states.Record{a(60, "10.0.0.2")}, false},
		"other values":              {[]states.Record{a(60, "10.0.0.1", "10.0.0.2")}, []states.Record{a(60, "10.0.0.1")}, []states.Record{a(60, "10.0.0.3")}, false},
		"another TTL":               {[]states.Record{a(300, "10.0.0.1")}, []states.Record{a(60, "10.0.0.1")}, []states.Record{a(60, "10.0.0.3")}, false},
		"the order does not matter": {[]states.Record{a(60, "10.0.0.1", "10.0.0.2")}, []states.Record{a(60, "10.0.0.2", "10.0.0.1")}, []states.Record{a(60, "10.0.0.3")}, true},
	} {
		r := newRig(t, nil)
		for _, rec := range c.there {
			r.put(rec.Name, rec.Type, rec.TTL, rec.Values...)
		}
		r.know()
		before := r.cloud.Records(r.zoneID)
		_, err := r.action(states.PublishDNS{Old: c.old, New: c.replacement})(t.Context())
		if c.changed != (err == nil) || err != nil && !errors.Is(err, ErrChanged) {
			t.Errorf("%s: error %v", what, err)
		}
		if same := fmt.Sprint(before) == fmt.Sprint(r.cloud.Records(r.zoneID)); same == c.changed {
			t.Errorf("%s: the zone holds %v", what, r.cloud.Records(r.zoneID))
		}
	}
}

// TestOtherRefusalsAreNoRace: only what somebody else changed is ErrChanged.
func TestOtherRefusalsAreNoRace(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.only("ChangeResourceRecordSets", awsfake.Fault{Err: awsfake.Error("AccessDenied", "no")})
	_, err := r.action(states.PublishDNS{New: []states.Record{{Name: cluster, Type: "A", TTL: 60, Values: []string{"10.0.0.1"}}}})(t.Context())
	if err == nil || errors.Is(err, ErrChanged) || !hasCode(err, "AccessDenied") {
		t.Errorf("error %v", err)
	}
}

// TestRefusalIsToldWhole: the error's own text is only that the batch was refused, and not of which record.
func TestRefusalIsToldWhole(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.only("ChangeResourceRecordSets", awsfake.Fault{Err: &r53types.InvalidChangeBatch{Messages: []string{"it already exists", "its TTL is 300"}}})
	_, err := r.action(states.PublishDNS{New: []states.Record{{Name: cluster, Type: "A", TTL: 60, Values: []string{"10.0.0.1"}}}})(t.Context())
	if !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "it already exists; its TTL is 300") {
		t.Errorf("error %v", err)
	}
}

// TestReversed orders names as Route53 lists them.
func TestReversed(t *testing.T) {
	order := []string{"org.", "example.org.", "a.example.org.", "_x.a.example.org.", "z._x.a.example.org.", "b.example.org.", "example.orga."}
	for i := 1; i < len(order); i++ {
		if reversed(order[i-1]) >= reversed(order[i]) {
			t.Errorf("%s does not come before %s", order[i-1], order[i])
		}
	}
}
