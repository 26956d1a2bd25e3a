package sim

import (
	"context"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// The faults of this file are troubles of the account (package awsfake), which know themselves when they are over; the quiet
// phase ends all of them.

// trouble is a fault that AWS makes for as long as it lasts, and that one of its class does not join.
func trouble(make func(w *world, n *node, e *FaultEvent, lasts time.Duration)) func(*world, *node, FaultEvent) {
	return func(w *world, n *node, e FaultEvent) {
		until := &w.until
		if n != nil {
			until = &n.host.until
		}
		if w.begin(until, e, nil) {
			make(w, n, &e, time.Duration(e.For))
		}
	}
}

// oneOf draws which form a fault has.
func oneOf(forms ...string) func(*world, *stream, *FaultEvent) bool {
	return func(_ *world, s *stream, e *FaultEvent) bool {
		e.What = forms[s.below(len(forms))]
		return true
	}
}

// limit leaves the account almost no calls: its buckets are those of AWS, and others drain them.
func limit(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.LimitLikeAWS()
	w.cloud.Drain()
	w.cloud.Neighbour(e.Size, lasts)
}

func drawShare(_ *world, s *stream, e *FaultEvent) bool {
	e.Size = 50 + s.below(51)
	return true
}

// replicate serves reads from copies of different age.
func replicate(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.Replicate(e.What, lasts, 0, maxStale/5, maxStale)
}

// refusals are why calls of daemons are turned away.
var refusals = map[string]awsfake.Refusal{
	"access denied": awsfake.AccessDenied, "credentials expired": awsfake.CredentialsExpired, "clock skew": awsfake.ClockSkew,
}

// refuse turns away the calls of one daemon to one service.
func refuse(w *world, n *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.Refuse(refusals[e.What], awsfake.Who{Caller: n.id}, lasts)
}

// refuseAction takes one permission from the role, for all.
func refuseAction(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.Refuse(awsfake.AccessDenied, awsfake.Who{Action: e.What}, lasts)
}

// cutFromAWS is a route table, or an endpoint, that is wrong: this instance alone reaches no service.
func cutFromAWS(w *world, n *node, _ *FaultEvent, lasts time.Duration) {
	w.cloud.Refuse(awsfake.Silence, awsfake.Who{Caller: n.id}, lasts)
}

func serviceOutage(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.Refuse(awsfake.Unavailable, awsfake.Who{Service: e.What}, lasts)
}

var pagings = map[string]awsfake.Pages{"complete": awsfake.PagesComplete, "failing": awsfake.PagesFail, "expired": awsfake.PagesExpire}

// shortPages makes pages short, and those after the first fail or not come in time.
func shortPages(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.Page(e.Size, pagings[e.What], lasts)
}

func drawPages(w *world, s *stream, e *FaultEvent) bool {
	e.Size = 1 + s.below(2)
	return oneOf("complete", "failing", "expired")(w, s, e)
}

// looks are ways in which the describe calls show an instance that are not how it is.
var looks = map[string]awsfake.Look{
	"unlisted": awsfake.Unlisted, "ungrouped": awsfake.Ungrouped, "unlisted, ungrouped": awsfake.Unlisted | awsfake.Ungrouped,
	"no group tag": awsfake.NoGroupTag, "no tags": awsfake.NoTags, "no address": awsfake.NoAddress,
	"two interfaces": awsfake.TwoInterfaces, "unknown state": awsfake.UnknownState, "unknown lifecycle": awsfake.UnknownLifecycle, "frozen": awsfake.Frozen,
}

func disguise(w *world, n *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.Disguise(n.id, looks[e.What], lasts)
}

// disguiseNew shows what is launched in a while so for a part of its life.
func disguiseNew(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.DisguiseNew(looks[e.What], lasts/2, lasts)
}

func shuffle(w *world, _ *node, _ *FaultEvent, lasts time.Duration) { w.cloud.Shuffle(lasts) }

// metadataTroubles are what is wrong with the metadata service of an instance.
var metadataTroubles = map[string]awsfake.MetadataTrouble{
	"silent": awsfake.MetadataSilent, "token refused": awsfake.TokenRefused, "off": awsfake.MetadataOff,
	"empty identity": awsfake.EmptyIdentity, "no address": awsfake.NoPrivateIP,
}

func spoilMetadata(w *world, n *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.SpoilMetadata(n.id, metadataTroubles[e.What], lasts)
}

func slowMetadata(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.SlowMetadata(time.Duration(e.Size)*time.Second, lasts)
}

func drawSeconds(_ *world, s *stream, e *FaultEvent) bool {
	e.Size = 1 + s.below(60)
	return true
}

// late is a request that takes effect after its caller gave up, when the caller may long have done something else.
func late(_ *node, e *FaultEvent) awsfake.Fault {
	return awsfake.Fault{Err: context.DeadlineExceeded, ApplyAfter: time.Duration(e.For)}
}

func holdZone(w *world, _ *node, _ *FaultEvent, lasts time.Duration) {
	w.cloud.HoldZone(w.zoneID, lasts)
}

// loseZone takes the zone away for a while, maybe beside another of its name.
func (w *world) loseZone(_ *node, e FaultEvent) {
	if w.begin(&w.until, e, nil) {
		w.cloud.LoseZone(w.zoneID, time.Duration(e.For))
	}
}
func slowChanges(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.SlowChanges(time.Duration(e.Size)*time.Second, lasts)
}

func delaySync(w *world, _ *node, e *FaultEvent, lasts time.Duration) {
	w.cloud.DelaySync(time.Duration(e.Size)*time.Minute, lasts)
}

// overwriteDNS is another writer, who knows better what a record of the cluster should be.
func (w *world) overwriteDNS(_ *node, e FaultEvent) {
	for _, r := range w.tamperable() {
		if r.Type+" "+r.Name == e.What && r.Type == "A" {
			w.record(e)
			w.tampered = e.What
			r.Values = []string{"10.9.9.9"}
			w.cloud.Overwrite(w.zoneID, r)
			return
		}
	}
}

func drawAddressRecord(w *world, s *stream, e *FaultEvent) bool {
	for _, r := range w.tamperable() {
		if r.Type == "A" {
			e.What = r.Type + " " + r.Name
		}
	}
	return e.What != ""
}

// twinZone makes a public zone of the same name as the cluster's, as people have who publish some names outside too.
func (w *world) twinZone(_ *node, e FaultEvent) {
	if w.until[e.Kind] > 0 {
		return
	}
	w.until[e.Kind] = w.now
	w.record(e)
	w.makeZone(false)
}
