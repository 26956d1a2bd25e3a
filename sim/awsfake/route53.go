package awsfake

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
)

// Route53Client is Route53 as one caller sees it.
type Route53Client struct {
	c      *Cloud
	caller string
}

// Route53 returns the Route53 API for a caller, whose name Options.Fault sees.
func (c *Cloud) Route53(caller string) *Route53Client { return &Route53Client{c, caller} }

func (d *Route53Client) call(action string) Call {
	return Call{Caller: d.caller, Service: "route53", Action: action}
}

func noZone(id *string) error {
	return &types.NoSuchHostedZone{Message: aws.String("No hosted zone found with ID: " + strings.TrimPrefix(aws.ToString(id), "/hostedzone/"))}
}

// submission is an accepted change, for GetChange and Published.
type submission struct {
	id      string
	at      time.Time
	syncAt  time.Time // when the name servers have it
	zone    string
	records []RecordSet // of the zone after it
}

// accept records a change of a zone.
func (c *Cloud) accept(z *Zone) submission {
	delay := c.opt.SyncDelay
	if d := c.troubles.syncDelay; c.still(d.until) {
		delay = d.delay
	}
	s := submission{"C" + strings.ToUpper(c.newID()), c.opt.Now(), c.from(delay), z.ID, z.Records}
	c.submissions = append(c.submissions, s)
	if len(c.submissions) > 1000 { // nobody waits for one that old
		c.submissions = c.submissions[500:]
	}
	return s
}

// submit records a change and describes it, always PENDING at first.
func (r *request) submit(z *Zone) *types.ChangeInfo {
	return r.accept(z).info(types.ChangeStatusPending)
}

func (s submission) info(status types.ChangeStatus) *types.ChangeInfo {
	return &types.ChangeInfo{Id: aws.String("/change/" + s.id), Status: status, SubmittedAt: aws.Time(s.at.UTC())}
}

// GetChange tells whether a change has reached the name servers. The list calls
// show it before that.
func (d *Route53Client) GetChange(ctx context.Context, in *route53.GetChangeInput, _ ...func(*route53.Options)) (*route53.GetChangeOutput, error) {
	return serve(ctx, d.c, d.call("GetChange"), in, func(r *request, in *route53.GetChangeInput) (*route53.GetChangeOutput, error) {
		id := strings.TrimPrefix(aws.ToString(in.Id), "/change/")
		for _, s := range r.submissions {
			if s.id != id {
				continue
			}
			status := types.ChangeStatusPending
			if !r.still(s.syncAt) {
				status = types.ChangeStatusInsync
			}
			return &route53.GetChangeOutput{ChangeInfo: s.info(status)}, nil
		}
		return nil, &types.NoSuchChange{Message: aws.String("Could not find resource with ID: " + id)}
	})
}

// Limits of one change batch; UPSERT counts twice
// (https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html).
const (
	maxBatchRecords    = 1000
	maxBatchCharacters = 32000
)

// ChangeResourceRecordSets applies a batch as a whole or not at all. Only simple
// record sets are known: no alias, no routing policy.
func (d *Route53Client) ChangeResourceRecordSets(ctx context.Context, in *route53.ChangeResourceRecordSetsInput, _ ...func(*route53.Options)) (*route53.ChangeResourceRecordSetsOutput, error) {
	return serve(ctx, d.c, d.call("ChangeResourceRecordSets"), in, changeRecords)
}

func changeRecords(r *request, in *route53.ChangeResourceRecordSetsInput) (*route53.ChangeResourceRecordSetsOutput, error) {
	z := r.state.zone(aws.ToString(in.HostedZoneId))
	if z == nil {
		return nil, noZone(in.HostedZoneId)
	}
	batch, err := readBatch(in.ChangeBatch)
	if err != nil {
		return nil, err
	}
	records, problems := z.apply(batch)
	if len(problems) > 0 {
		return nil, &types.InvalidChangeBatch{Message: aws.String("[" + strings.Join(problems, ", ") + "]"), Messages: problems}
	}
	r.touch()
	z.Records = records
	if s := r.troubles.slowZones; r.still(s.until) {
		r.HoldZone(z.ID, s.busy)
	}
	return &route53.ChangeResourceRecordSetsOutput{ChangeInfo: r.submit(z)}, nil
}

// readBatch turns the SDK's batch into ours and refuses what is no valid request.
func readBatch(in *types.ChangeBatch) ([]change, error) {
	if in == nil || len(in.Changes) == 0 {
		return nil, &types.InvalidInput{Message: aws.String("1 validation error detected: Value '[]' at 'changeBatch.changes' failed to satisfy constraint: Member must have length greater than or equal to 1")}
	}
	var batch []change
	records, characters := 0, 0
	for _, ch := range in.Changes {
		c, err := readChange(ch)
		if err != nil {
			return nil, err
		}
		weight := 1
		if c.action == "UPSERT" {
			weight = 2
		}
		records += weight * len(c.set.Values)
		characters += weight * len(strings.Join(c.set.Values, ""))
		batch = append(batch, c)
	}
	if records > maxBatchRecords {
		return nil, tooMuch("records", maxBatchRecords)
	}
	if characters > maxBatchCharacters {
		return nil, tooMuch("characters", maxBatchCharacters)
	}
	return batch, nil
}

func tooMuch(what string, limit int) error {
	problem := fmt.Sprintf("Number of %s limit of %d exceeded.", what, limit)
	return &types.InvalidChangeBatch{Message: aws.String("[" + problem + "]"), Messages: []string{problem}}
}

func readChange(ch types.Change) (change, error) {
	set := ch.ResourceRecordSet
	if set == nil {
		return change{}, &types.InvalidInput{Message: aws.String("Invalid request: missing ResourceRecordSet")}
	}
	where := fmt.Sprintf("in Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]", ch.Action, aws.ToString(set.Name), set.Type, or0(set.SetIdentifier))
	switch {
	case ch.Action != types.ChangeActionCreate && ch.Action != types.ChangeActionDelete && ch.Action != types.ChangeActionUpsert:
		return change{}, &types.InvalidInput{Message: aws.String("Invalid request: unknown action " + where)}
	case set.AliasTarget != nil || set.SetIdentifier != nil:
		return change{}, &types.InvalidInput{Message: aws.String("This fake knows simple record sets only, found another " + where)}
	case set.TTL == nil || len(set.ResourceRecords) == 0:
		return change{}, &types.InvalidInput{Message: aws.String("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none " + where)}
	case *set.TTL < 0 || *set.TTL > 1<<31-1:
		return change{}, &types.InvalidInput{Message: aws.String("Invalid TTL " + where)}
	}
	c := change{string(ch.Action), RecordSet{Name: canonical(aws.ToString(set.Name)), Type: string(set.Type), TTL: *set.TTL}}
	for _, v := range set.ResourceRecords {
		c.set.Values = append(c.set.Values, aws.ToString(v.Value))
	}
	return c, nil
}

// or0 prints an optional text as Java does.
func or0(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}
