package awsfake

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// IMDS is the metadata service of one instance
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html).
type IMDS struct {
	c  *Cloud
	id string
}

// IMDS returns the metadata service as that instance sees it.
func (c *Cloud) IMDS(instanceID string) *IMDS { return &IMDS{c, instanceID} }

func (m *IMDS) instance() Instance {
	i, _ := m.c.Instance(m.id)
	return i
}

// InstanceID, PrivateIP, Region and AvailabilityZone are the identity document's
// fields; empty for an instance that is forgotten.
func (m *IMDS) InstanceID() string       { return m.instance().ID }
func (m *IMDS) PrivateIP() string        { return m.instance().PrivateIP }
func (m *IMDS) Region() string           { return regionOf(m.instance().Zone) }
func (m *IMDS) AvailabilityZone() string { return m.instance().Zone }

// TargetLifecycleState is where the instance is going to, InService, Standby or
// Terminated; false while it is in no group.
func (m *IMDS) TargetLifecycleState() (string, bool) {
	i := m.instance()
	switch {
	case i.Lifecycle == "":
		return "", false
	case strings.HasPrefix(i.Lifecycle, "Terminating"):
		return "Terminated", true
	case i.Lifecycle == Standby:
		return Standby, true
	}
	return "InService", true
}

// SpotAction is the interruption notice, JSON with action and time; false
// unless there is one.
func (m *IMDS) SpotAction() (string, bool) {
	at := m.instance().spotAt
	if at.IsZero() {
		return "", false
	}
	return `{"action":"terminate","time":"` + at.UTC().Format(time.RFC3339) + `"}`, true
}

// Document is the instance identity document, JSON.
func (m *IMDS) Document() string {
	i := m.instance()
	body, _ := json.MarshalIndent(map[string]string{ // keys come out sorted
		"accountId": AccountID, "architecture": "x86_64", "availabilityZone": i.Zone, "imageId": "ami-00000000000000001",
		"instanceId": i.ID, "instanceType": "m5.large", "pendingTime": i.LaunchedAt.UTC().Format(time.RFC3339),
		"privateIp": i.PrivateIP, "region": regionOf(i.Zone), "version": "2017-09-30",
	}, "", "  ")
	return string(body)
}

// Role is the name of every instance's role.
const Role = "etcd-appliance"

// credentials are those of the instance's role, the access key ID being the
// instance's own: that is the caller whom Options.Fault sees.
func (m *IMDS) credentials() string {
	now := m.c.opt.Now().UTC()
	body, _ := json.Marshal(map[string]string{
		"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": m.id, "SecretAccessKey": "none", "Token": "none",
		"LastUpdated": now.Format(time.RFC3339), "Expiration": now.Add(6 * time.Hour).Format(time.RFC3339),
	})
	return string(body)
}

// Get returns what is at a path below /latest/; false stands for a 404.
func (m *IMDS) Get(path string) (string, bool) {
	i := m.instance()
	switch path {
	case "dynamic/instance-identity/document":
		return m.Document(), true
	case "meta-data/instance-id":
		return i.ID, true
	case "meta-data/local-ipv4":
		return i.PrivateIP, true
	case "meta-data/public-ipv4":
		return i.PublicIP, i.PublicIP != ""
	case "meta-data/local-hostname", "meta-data/hostname":
		return i.PrivateDNSName, true
	case "meta-data/placement/availability-zone":
		return i.Zone, true
	case "meta-data/placement/region":
		return m.Region(), true
	case "meta-data/autoscaling/target-lifecycle-state":
		return m.TargetLifecycleState()
	case "meta-data/spot/instance-action":
		return m.SpotAction()
	case "meta-data/events/recommendations/rebalance":
		return m.Rebalance()
	case "meta-data/events/maintenance/scheduled":
		return m.Scheduled(), true
	case "meta-data/iam/security-credentials":
		return Role, true
	case "meta-data/iam/security-credentials/" + Role:
		return m.credentials(), true
	case "meta-data/tags/instance":
		var keys []string
		for _, t := range i.Tags {
			keys = append(keys, t.Key)
		}
		return strings.Join(keys, "\n"), true
	}
	if key, ok := strings.CutPrefix(path, "meta-data/tags/instance/"); ok {
		return i.Tag(key)
	}
	return "", false
}

// GetInstanceIdentityDocument has the signature of the SDK's imds.Client.
func (m *IMDS) GetInstanceIdentityDocument(ctx context.Context, in *imds.GetInstanceIdentityDocumentInput, _ ...func(*imds.Options)) (*imds.GetInstanceIdentityDocumentOutput, error) {
	call := Call{Caller: m.id, Service: "imds", Action: "GetInstanceIdentityDocument"}
	return serve(ctx, m.c, call, in, func(*request, *imds.GetInstanceIdentityDocumentInput) (*imds.GetInstanceIdentityDocumentOutput, error) {
		out := &imds.GetInstanceIdentityDocumentOutput{}
		return out, json.Unmarshal([]byte(m.Document()), &out.InstanceIdentityDocument)
	})
}

// GetMetadata has the signature of the SDK's imds.Client; an absent path is a
// *smithyhttp.ResponseError with status 404.
func (m *IMDS) GetMetadata(ctx context.Context, in *imds.GetMetadataInput, _ ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	call := Call{Caller: m.id, Service: "imds", Action: "GetMetadata"}
	return serve(ctx, m.c, call, in, func(_ *request, in *imds.GetMetadataInput) (*imds.GetMetadataOutput, error) {
		body, ok := m.Get("meta-data/" + strings.Trim(in.Path, "/"))
		if !ok {
			return nil, errAbsent
		}
		return &imds.GetMetadataOutput{Content: io.NopCloser(strings.NewReader(body))}, nil
	})
}
