package awsfake

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// zoneTrouble is a zone that is missing, or busy with someone's change.
type zoneTrouble struct {
	id      string
	missing bool
	until   time.Time
}

// syncDelay replaces Options.SyncDelay until then.
type syncDelay struct {
	delay time.Duration
	until time.Time
}

// slowZones is how long a change keeps its zone busy until then.
type slowZones struct {
	busy  time.Duration
	until time.Time
}

// HoldZone keeps a zone busy with another change for a while: Route53 refuses
// those that come before it is done with PriorRequestNotComplete
// (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html).
func (c *Cloud) HoldZone(id string, lasts time.Duration) {
	c.troubles.zones = slices.DeleteFunc(c.troubles.zones, func(t zoneTrouble) bool { return !c.still(t.until) })
	c.troubles.zones = append(c.troubles.zones, zoneTrouble{zoneID(id), false, c.from(lasts)})
}

// SlowChanges keeps each zone busy for so long after every change that is
// accepted in a while, so that writers who come at the same time meet.
func (c *Cloud) SlowChanges(busy, lasts time.Duration) {
	c.troubles.slowZones = slowZones{busy, c.from(lasts)}
}

// LoseZone takes a zone away for a while: no list has it, and who names it is
// told NoSuchHostedZone. It comes back as it was.
func (c *Cloud) LoseZone(id string, lasts time.Duration) {
	c.troubles.zones = append(c.troubles.zones, zoneTrouble{zoneID(id), true, c.from(lasts)})
}

// DelaySync makes the changes that are accepted in a while INSYNC only so much
// later, instead of after Options.SyncDelay. The lists show them at once.
func (c *Cloud) DelaySync(delay, lasts time.Duration) {
	c.troubles.syncDelay = syncDelay{delay, c.from(lasts)}
}

func zoneID(id string) string { return strings.TrimPrefix(id, "/hostedzone/") }

// lost tells whether a zone is missing for this request.
func (r *request) lost(id string) bool { return !r.byOperator() && r.zoneTroubled(id, true) }

func (c *Cloud) zoneTroubled(id string, missing bool) bool {
	return slices.ContainsFunc(c.troubles.zones, func(t zoneTrouble) bool { return t.id == zoneID(id) && t.missing == missing && c.still(t.until) })
}

// zoneRefusal is what a zone's trouble does to a call that names it.
func (c *Cloud) zoneRefusal(call Call) error {
	if len(c.troubles.zones) == 0 {
		return nil
	}
	var id *string
	change := false
	switch in := call.Input.(type) {
	case *route53.ChangeResourceRecordSetsInput:
		id, change = in.HostedZoneId, true
	case *route53.ListResourceRecordSetsInput:
		id = in.HostedZoneId
	case *route53.GetHostedZoneInput:
		id = in.Id
	}
	switch {
	case c.zoneTroubled(aws.ToString(id), true):
		return noZone(id)
	case change && c.zoneTroubled(aws.ToString(id), false):
		return &types.PriorRequestNotComplete{Message: aws.String("The request was rejected because Route 53 was still processing a prior request.")}
	}
	return nil
}

// Overwrite puts a record set into a zone as another writer does, who asks
// nobody and whose change is not checked. A set without values is deleted.
func (c *Cloud) Overwrite(id string, set RecordSet) {
	z := c.state.zone(id)
	if z == nil {
		return
	}
	c.touch()
	set.Name = canonical(set.Name)
	records := slices.DeleteFunc(slices.Clone(z.Records), func(r RecordSet) bool { return r.Name == set.Name && r.Type == set.Type })
	if len(set.Values) > 0 {
		records = append(records, set)
	}
	slices.SortFunc(records, listOrder)
	z.Records = records
	c.accept(z)
	c.remember()
}

// Published returns the records that the name servers of a zone answer with: as
// of the last change that is INSYNC.
func (c *Cloud) Published(id string) (records []RecordSet) {
	for _, s := range c.submissions {
		if s.zone == zoneID(id) && !s.syncAt.After(c.opt.Now()) {
			records = s.records
		}
	}
	return slices.Clone(records)
}
