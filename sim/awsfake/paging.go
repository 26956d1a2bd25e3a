package awsfake

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Pages is what becomes of pages after the first.
type Pages int

// What becomes of them.
const (
	PagesComplete Pages = iota // all come
	PagesFail                  // none is answered
	PagesExpire                // their tokens are no longer valid
)

type paging struct {
	size  int
	next  Pages
	until time.Time
}

// Page bounds every page for a while (0 leaves the size as it is), and says what
// becomes of those after the first.
func (c *Cloud) Page(size int, next Pages, lasts time.Duration) {
	c.troubles.paging = paging{size, next, c.from(lasts)}
}

// pageBound is the bound that is in force, 0 for none.
func (r *request) pageBound() int {
	if p := &r.troubles.paging; p.size > 0 && r.still(p.until) && !r.byOperator() {
		return p.size
	}
	return 0
}

func (c *Cloud) pageRefusal(call Call) error {
	p := &c.troubles.paging
	if p.next == PagesComplete || !c.still(p.until) || !continues(call.Input) {
		return nil
	}
	if p.next == PagesFail {
		return fmt.Errorf("%s, next page: %w", call.Action, context.DeadlineExceeded)
	}
	switch call.Service {
	case "ec2", "autoscaling":
		return Error("InvalidNextToken", "The token is invalid")
	case "s3":
		return Error("InvalidArgument", "The continuation token provided is incorrect")
	}
	return Error("InvalidInput", "The marker is invalid")
}

// continues tells whether a request is for a page after the first. Route53 has
// no token for record sets: a start with a type is how the next page is asked
// for, and sometimes a first one too.
func continues(in any) bool {
	switch in := in.(type) {
	case *ec2.DescribeInstancesInput:
		return in.NextToken != nil
	case *autoscaling.DescribeAutoScalingGroupsInput:
		return in.NextToken != nil
	case *autoscaling.DescribeAutoScalingInstancesInput:
		return in.NextToken != nil
	case *autoscaling.DescribeInstanceRefreshesInput:
		return in.NextToken != nil
	case *route53.ListHostedZonesInput:
		return in.Marker != nil
	case *route53.ListHostedZonesByNameInput:
		return in.HostedZoneId != nil
	case *route53.ListResourceRecordSetsInput:
		return in.StartRecordType != ""
	case *s3.ListObjectsV2Input:
		return in.ContinuationToken != nil
	}
	return false
}
