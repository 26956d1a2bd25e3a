package localcloud_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// What the fake shows in times of trouble is read by the SDK's own decoders: odd
// content and error codes of each service.
func TestTroublesOnTheWire(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	b := newBackend(t, "ours", s.URL())
	group := b.group(t, 1)
	id := b.members(t, group, "InService")[0]
	s.Do(func(c *awsfake.Cloud) {
		c.Disguise(id, awsfake.TwoInterfaces|awsfake.UnknownState|awsfake.UnknownLifecycle|awsfake.NoTags, time.Hour)
	})
	out, err := b.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	must(t, err)
	i := out.Reservations[0].Instances[0]
	expect(t, "state", string(i.State.Name), "relocating")
	expect(t, "tags", len(i.Tags), 0)
	expect(t, "interfaces", len(i.NetworkInterfaces), 2)
	expect(t, "the primary one", aws.ToString(i.NetworkInterfaces[1].PrivateIpAddress), aws.ToString(i.PrivateIpAddress))
	expect(t, "its index", aws.ToInt32(i.NetworkInterfaces[1].Attachment.DeviceIndex), 0)
	expect(t, "lifecycle", len(b.members(t, group, "Relocating:Wait")), 1)

	for why, want := range map[awsfake.Refusal][2]string{
		awsfake.AccessDenied:       {"UnauthorizedOperation", "AccessDenied"},
		awsfake.CredentialsExpired: {"RequestExpired", "ExpiredToken"},
		awsfake.ClockSkew:          {"AuthFailure", "SignatureDoesNotMatch"},
		awsfake.Unavailable:        {"ServiceUnavailable", "ServiceUnavailable"},
	} {
		s.Do(func(c *awsfake.Cloud) { c.Refuse(why, awsfake.Who{}, time.Hour) })
		expect(t, "EC2", b.state(t, id), want[0])
		_, err := b.autoscaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
		expect(t, "Auto Scaling", outcome(err), want[1])
		s.Do((*awsfake.Cloud).Calm)
	}
	s.Do(func(c *awsfake.Cloud) { c.Limit("route53", "", awsfake.Limit{Burst: 1, Every: time.Hour}) })
	zone := b.zone(t)
	expect(t, "Route53", outcome(b.change(zone, []string{"CREATE", "A", "a.example.org", "1.1.1.1"})), "Throttling")
	s.Do(func(c *awsfake.Cloud) { c.Calm(); c.HoldZone(zone, time.Hour) })
	expect(t, "Route53, busy", outcome(b.change(zone, []string{"CREATE", "A", "a.example.org", "1.1.1.1"})), "PriorRequestNotComplete")
}
