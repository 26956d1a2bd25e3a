package awsfake

import (
	"context"
	"errors"
	"fmt"
	"net/http" // for the status of a refusal
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// MetadataTrouble is what is wrong with the metadata service of an instance.
type MetadataTrouble int

// Troubles, with the status of
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html.
const (
	MetadataSilent MetadataTrouble = iota + 1 // no answer: busy, or the reply to the token's PUT died of the hop limit
	TokenRefused                              // 401: the token has expired
	MetadataOff                               // 403: the service is switched off
	EmptyIdentity                             // the identity document has no fields
	NoPrivateIP                               // the identity document has no address
)

type metadataTrouble struct {
	id    string
	what  MetadataTrouble
	until time.Time
}

// slowBoot is until when booting instances have no metadata at first.
type slowBoot struct {
	first time.Duration
	until time.Time
}

// SpoilMetadata troubles the metadata service of an instance for a while; an
// empty ID stands for all of them. Of several troubles the first counts.
func (c *Cloud) SpoilMetadata(id string, what MetadataTrouble, lasts time.Duration) {
	c.troubles.metadata = append(c.troubles.metadata, metadataTrouble{id, what, c.from(lasts)})
}

// SlowMetadata keeps the metadata service of each instance that boots in a while
// silent for its first part.
func (c *Cloud) SlowMetadata(first, lasts time.Duration) {
	c.troubles.slowBoot = slowBoot{first, c.from(lasts)}
}

// boots troubles the metadata of an instance that has just booted.
func (c *Cloud) boots(i *Instance) {
	if s := c.troubles.slowBoot; c.still(s.until) {
		c.SpoilMetadata(i.ID, MetadataSilent, s.first)
	}
}

func (c *Cloud) metadataTrouble(call Call) MetadataTrouble {
	for _, t := range c.troubles.metadata {
		if call.Service == "imds" && (t.id == "" || t.id == call.Caller) && c.still(t.until) {
			return t.what
		}
	}
	return 0
}

func (c *Cloud) metadataRefusal(call Call) error {
	switch c.metadataTrouble(call) {
	case MetadataSilent:
		return fmt.Errorf("request to EC2 IMDS failed: %w", context.DeadlineExceeded)
	case TokenRefused:
		return metadataStatus(http.StatusUnauthorized)
	case MetadataOff:
		return metadataStatus(http.StatusForbidden)
	default:
		return nil
	}
}

// garbled is the change to an answer that a trouble makes, nil for none.
func (c *Cloud) garbled(call Call) func(any) {
	if call.Service != "imds" {
		return nil
	}
	what := c.metadataTrouble(call)
	if what != EmptyIdentity && what != NoPrivateIP {
		return nil
	}
	return func(out any) {
		doc, ok := out.(*imds.GetInstanceIdentityDocumentOutput)
		switch {
		case ok && what == EmptyIdentity:
			doc.InstanceIdentityDocument = imds.InstanceIdentityDocument{}
		case ok:
			doc.PrivateIP = ""
		}
	}
}

// errAbsent is what most reads of metadata end with.
var errAbsent = metadataStatus(http.StatusNotFound)

// metadataStatus is the SDK's error for an answer that is not 200.
func metadataStatus(status int) error {
	return &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}},
		Err:      errors.New("request to EC2 IMDS failed"),
	}
}
