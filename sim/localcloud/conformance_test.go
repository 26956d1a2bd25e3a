package localcloud_test

import (
	"slices"
	"testing"
)

// conformance is one thing that AWS does, as seen through the SDK's real clients.
type conformance struct {
	name string
	// run does it and returns what came of it.
	run func(*testing.T, *backend) string
	// want is what AWS gives, by its documentation or by reports from its users.
	want string
	// StricterThanMoto says why moto gives something else, and wantMoto what; a
	// difference that is not written down here fails, as does one that is gone.
	StricterThanMoto string
	wantMoto         string
}

// TestConformance runs one suite against the fake through its HTTP face and
// against moto: what we believe about AWS is checked by something that is not ours.
func TestConformance(t *testing.T) {
	t.Parallel()
	suites := map[string][]conformance{"ec2": slices.Concat(ec2Cases, securityGroupCases), "autoscaling": slices.Concat(autoScalingCases, replaceCases), "route53": route53Cases, "s3": s3Cases}
	for _, open := range []struct {
		name string
		open func(*testing.T) *backend
	}{{"ours", ours}, {"moto", moto}} {
		t.Run(open.name, func(t *testing.T) {
			b := open.open(t)
			for _, service := range []string{"ec2", "autoscaling", "route53", "s3"} {
				for _, c := range suites[service] {
					t.Run(service+"/"+c.name, func(t *testing.T) { c.check(t, b) })
				}
			}
		})
	}
}

func (c conformance) check(t *testing.T, b *backend) {
	want := c.want
	if b.name == "moto" && c.StricterThanMoto != "" {
		want = c.wantMoto
		t.Logf("moto differs: %s", c.StricterThanMoto)
	}
	expect(t, c.name, c.run(t, b), want)
}
