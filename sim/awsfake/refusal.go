package awsfake

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/smithy-go"
)

// Refusal is why a service turns a caller away.
type Refusal int

// Reasons, each with the code and status of the service that is asked.
const (
	AccessDenied Refusal = iota + 1 // the role lacks the permission
	CredentialsExpired
	ClockSkew   // the caller's clock is off by more than the service allows, 15 minutes on S3
	Unavailable // the service has an outage
	Silence     // no answer until the caller gives up
)

// Who picks calls. An empty field matches everything but the metadata service,
// which is on the instance and not of the account.
type Who struct{ Caller, Service, Action, Region string }

func (w Who) matches(c Call) bool {
	return (w.Caller == "" || w.Caller == c.Caller) && (w.Action == "" || w.Action == c.Action) && (w.Region == "" || w.Region == c.Region) &&
		(w.Service == c.Service || w.Service == "" && c.Service != "imds")
}

type refusal struct {
	why   Refusal
	who   Who
	until time.Time
}

// Refuse makes calls fail without effect for a while. The first refusal that
// matches counts.
func (c *Cloud) Refuse(why Refusal, who Who, lasts time.Duration) {
	c.troubles.refusals = append(c.troubles.refusals, refusal{why, who, c.from(lasts)})
}

// refusal is what keeps a call from taking place, nil if nothing does: troubles
// of the caller come before throttling, which comes before those of the object.
func (c *Cloud) refusal(call Call) error {
	for _, r := range c.troubles.refusals {
		if r.who.matches(call) && c.still(r.until) {
			return r.why.err(call)
		}
	}
	if call.Service == "imds" {
		return c.metadataRefusal(call)
	}
	if err := c.throttle(call); err != nil {
		return err
	}
	if err := c.pageRefusal(call); err != nil {
		return err
	}
	return c.zoneRefusal(call)
}

// err is the error that the called service gives. Codes and texts are those that
// users report, such as https://repost.aws/knowledge-center/iam-ec2-resource-tags
// (UnauthorizedOperation) and, for the clock,
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// and https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html.
func (r Refusal) err(call Call) error {
	who, action := call.Caller, call.Service+":"+call.Action
	switch {
	case r == Silence:
		return fmt.Errorf("%s: %w", call.Action, context.DeadlineExceeded)
	case r == Unavailable:
		return &smithy.GenericAPIError{Code: "ServiceUnavailable", Message: "Service is unavailable", Fault: smithy.FaultServer}
	case r == AccessDenied && call.Service == "ec2":
		return Error("UnauthorizedOperation", "You are not authorized to perform this operation.")
	case r == AccessDenied && call.Service == "s3":
		return Error("AccessDenied", "Access Denied")
	case r == AccessDenied:
		return Error("AccessDenied", "User: arn:aws:sts::"+AccountID+":assumed-role/"+Role+"/"+who+" is not authorized to perform: "+action)
	case r == CredentialsExpired && call.Service == "ec2":
		return Error("RequestExpired", "Request has expired.")
	case r == CredentialsExpired && call.Service == "s3":
		return Error("ExpiredToken", "The provided token has expired.")
	case r == CredentialsExpired:
		return Error("ExpiredToken", "The security token included in the request is expired")
	case call.Service == "ec2":
		return Error("AuthFailure", "AWS was not able to validate the provided access credentials")
	case call.Service == "s3":
		return Error("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}

	return Error("SignatureDoesNotMatch", "Signature expired: it is now earlier than 15 minutes ago.")
}
