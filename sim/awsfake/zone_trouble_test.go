package awsfake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// listed prints what the API lists of a zone but for its NS and SOA.
func listed(t *testing.T, w *world, zone string) string {
	t.Helper()
	out, err := w.Route53("test").ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
	must(t, err)
	var list []string
	for _, r := range out.ResourceRecordSets {
		if r.Type != types.RRTypeNs && r.Type != types.RRTypeSoa {
			list = append(list, fmt.Sprintf("%s %s", r.Type, *r.Name))
		}
	}
	return strings.Join(list, "; ")
}

func TestBusyZone(t *testing.T) {
	w := newWorld(t, 1, nil)
	zone, other := newZone(t, w, "example.org", "1", false), newZone(t, w, "example.net", "2", false)
	w.HoldZone(zone, time.Minute)
	expect(t, "busy", code(apply(w, zone, "CREATE A a.example.org 60 1.1.1.1")), "PriorRequestNotComplete")
	expect(t, "nothing happened", records(w, zone), "")
	must(t, apply(w, other, "CREATE A a.example.net 60 1.1.1.1"))
	expect(t, "reading goes on", listed(t, w, zone), "")
	w.HoldZone(other, time.Second)
	expect(t, "still busy", code(apply(w, zone, "CREATE A a.example.org 60 1.1.1.1")), "PriorRequestNotComplete")
	w.sleep(time.Minute)
	must(t, apply(w, zone, "CREATE A a.example.org 60 1.1.1.1"))
}

// Two writers at once: the second is told to wait.
func TestSlowChanges(t *testing.T) {
	w := newWorld(t, 1, nil)
	zone := newZone(t, w, "example.org", "1", false)
	w.SlowChanges(2*time.Second, time.Minute)
	must(t, apply(w, zone, "CREATE A a.example.org 60 1.1.1.1"))
	expect(t, "at the same time", code(apply(w, zone, "CREATE A b.example.org 60 1.1.1.1")), "PriorRequestNotComplete")
	w.sleep(2 * time.Second)
	must(t, apply(w, zone, "CREATE A b.example.org 60 1.1.1.1"))
	w.sleep(time.Minute)
	must(t, apply(w, zone, "CREATE A c.example.org 60 1.1.1.1"))
	must(t, apply(w, zone, "CREATE A d.example.org 60 1.1.1.1"))
}

func TestLostZone(t *testing.T) {
	w := newWorld(t, 1, nil)
	zone := newZone(t, w, "example.org", "1", true)
	must(t, apply(w, zone, "CREATE A a.example.org 60 1.1.1.1"))
	zones := func() int {
		out, err := w.Route53("test").ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String("example.org")})
		must(t, err)
		return len(out.HostedZones)
	}
	w.LoseZone(zone, time.Minute)
	expect(t, "listed", zones(), 0)
	_, err := w.Route53("test").GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: &zone})
	expect(t, "get", code(err), "NoSuchHostedZone")
	_, err = w.Route53("test").ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
	expect(t, "list", code(err), "NoSuchHostedZone")
	expect(t, "change", code(apply(w, zone, "DELETE A a.example.org 60 1.1.1.1")), "NoSuchHostedZone")
	w.sleep(time.Minute)
	expect(t, "back", fmt.Sprint(zones(), listed(t, w, zone)), "1A a.example.org.")
}

// Someone else writes between two calls, or right before a change arrives.
func TestAnotherWriter(t *testing.T) {
	var w *world
	var zone string
	strike := func() {}
	w = newWorld(t, 1, func(o *awsfake.Options) {
		o.Fault = func(c awsfake.Call) awsfake.Fault {
			if c.Action == "ChangeResourceRecordSets" {
				strike()
			}
			return awsfake.Fault{}
		}
	})
	zone = newZone(t, w, "example.org", "1", false)
	must(t, apply(w, zone, "CREATE A a.example.org 60 1.1.1.1; CREATE A b.example.org 60 1.1.1.1"))
	w.Overwrite(zone, awsfake.RecordSet{Name: "A.example.org", Type: "A", TTL: 5, Values: []string{"9.9.9.9"}})
	w.Overwrite(zone, awsfake.RecordSet{Name: "b.example.org", Type: "A"})
	expect(t, "records", records(w, zone), "A a.example.org. 5 9.9.9.9")
	strike = func() {
		w.Overwrite(zone, awsfake.RecordSet{Name: "a.example.org", Type: "A", TTL: 5, Values: []string{"8.8.8.8"}})
	}
	err := apply(w, zone, "DELETE A a.example.org 5 9.9.9.9; CREATE A a.example.org 60 1.1.1.1")
	expect(t, "the compare and swap sees it", code(err), "InvalidChangeBatch")
	must(t, apply(w, zone, "UPSERT A a.example.org 60 1.1.1.1"))
	expect(t, "the last writer wins", records(w, zone), "A a.example.org. 60 1.1.1.1")
}

func TestSlowSync(t *testing.T) {
	w := newWorld(t, 1, func(o *awsfake.Options) { o.SyncDelay = time.Minute })
	zone := newZone(t, w, "example.org", "1", false)
	w.sleep(time.Minute)
	change := func(value string) string {
		out, err := w.Route53("test").ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: batch("UPSERT A a.example.org 60 " + value)})
		must(t, err)
		return *out.ChangeInfo.Id
	}
	status := func(id string) string {
		out, err := w.Route53("test").GetChange(ctx, &route53.GetChangeInput{Id: &id})
		must(t, err)
		return string(out.ChangeInfo.Status)
	}
	published := func() string {
		for _, r := range w.Published(zone) {
			if r.Type == "A" {
				return strings.Join(r.Values, " ")
			}
		}
		return ""
	}
	w.DelaySync(time.Hour, time.Minute)
	id := change("1.1.1.1")
	w.sleep(59 * time.Minute)
	expect(t, "accepted, not in sync", status(id)+" "+listed(t, w, zone)+" "+published(), "PENDING A a.example.org. ")
	w.sleep(time.Minute)
	expect(t, "late", status(id)+" "+published(), "INSYNC 1.1.1.1")
	id = change("2.2.2.2")
	w.sleep(time.Minute)
	expect(t, "as ever", status(id)+" "+published(), "INSYNC 2.2.2.2")
}
