package templates

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// whole are values with which every statement of the policy is there, but for the one of a zone without an ID.
var whole = Values{
	ClusterName: "releaseetcd", HostedZone: "elephant.example.org", HostedZoneID: "Z3M3LMPEXAMPLE", Bucket: "my-etcd-claims",
	Group: "etcd-cluster-releaseetcd", Partition: "aws", Region: "eu-central-1", Account: "123456789012",
	PeerSecurityGroup: "sg-0123456789abcdef0",
	EtcdVersion:       "3.7", Source: "https://example.org/etcd-appliance.tar.gz",
}

// notCalled are rights that the policy gives although the code has no such call.
var notCalled = map[string]string{
	"s3:ListBucket": "without it S3 answers a claim that is not there with 'access denied'",
}

// TestPolicyIsTheCallsOfTheCode compares the policy with all that the daemon can call: the methods of the interfaces that it
// knows AWS by.
func TestPolicyIsTheCallsOfTheCode(t *testing.T) {
	t.Parallel()
	calls := map[string]bool{}
	for service, face := range map[string]reflect.Type{
		"ec2": reflect.TypeFor[effects.EC2](), "autoscaling": reflect.TypeFor[effects.AutoScaling](),
		"route53": reflect.TypeFor[effects.Route53](), "s3": reflect.TypeFor[effects.S3](),
	} {
		for i := range face.NumMethod() {
			calls[service+":"+face.Method(i).Name] = true
		}
	}
	allowed := map[string]bool{}
	byName := whole
	byName.HostedZoneID = ""
	for _, v := range []Values{whole, byName} {
		for _, action := range actions(t, v) {
			allowed[action] = true
		}
	}
	for _, action := range slices.Sorted(maps.Keys(calls)) {
		if why := notCalled[action]; why != "" {
			t.Errorf("%s is called now: strike it from notCalled", action)
		}
		if !allowed[action] {
			t.Errorf("%s is called, and no policy allows it", action)
		}
	}
	for _, action := range slices.Sorted(maps.Keys(allowed)) {
		if !calls[action] && notCalled[action] == "" {
			t.Errorf("%s is allowed, and nothing calls it", action)
		}
	}
}

func TestPolicyLeavesOutWhatIsNotUsed(t *testing.T) {
	t.Parallel()
	has := func(v Values, action string) bool { return slices.Contains(actions(t, v), action) }
	noBucket, noZone, byName := whole, whole, whole
	noBucket.Bucket = ""
	noZone.HostedZone, noZone.HostedZoneID = "", ""
	byName.HostedZoneID = ""
	for _, c := range []struct {
		what   string
		v      Values
		action string
		want   bool
	}{
		{"a zone by its ID", whole, "route53:GetHostedZone", true},
		{"a zone by its ID", whole, "route53:ListHostedZonesByName", false},
		{"a zone by its name", byName, "route53:GetHostedZone", false},
		{"a zone by its name", byName, "route53:ListHostedZonesByName", true},
		{"no zone", noZone, "route53:ChangeResourceRecordSets", false},
		{"no zone", noZone, "s3:PutObject", true},
		{"no bucket", noBucket, "s3:PutObject", false},
		{"no bucket", noBucket, "route53:ChangeResourceRecordSets", true},
	} {
		if got := has(c.v, c.action); got != c.want {
			t.Errorf("%s: allows %s: %t, want %t", c.what, c.action, got, c.want)
		}
	}
}

func actions(t *testing.T, v Values) (all []string) {
	t.Helper()
	text, err := IAMPolicy(v)
	if err != nil {
		t.Fatal(err)
	}
	var policy struct{ Statement []struct{ Action any } }
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, s := range policy.Statement {
		switch a := s.Action.(type) {
		case string:
			all = append(all, a)
		case []any:
			for _, one := range a {
				all = append(all, one.(string))
			}
		}
	}
	return all
}
