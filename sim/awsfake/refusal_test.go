package awsfake_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// ask makes one read of a service and returns the code of its answer.
func ask(w *world, caller, service string) string {
	var err error
	switch service {
	case "ec2":
		_, err = w.EC2(caller).DescribeInstances(ctx, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(100)})
	case "autoscaling":
		_, err = w.AutoScaling(caller).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	case "route53":
		_, err = w.Route53(caller).ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{})
	case "s3":
		if _, err = w.S3(caller).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("b")}); code(err) == "NoSuchBucket" {
			err = nil
		}
	}
	return code(err)
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		why  awsfake.Refusal
		want [4]string // ec2, autoscaling, route53, s3
	}{
		{awsfake.AccessDenied, [4]string{"UnauthorizedOperation", "AccessDenied", "AccessDenied", "AccessDenied"}},
		{awsfake.CredentialsExpired, [4]string{"RequestExpired", "ExpiredToken", "ExpiredToken", "ExpiredToken"}},
		{awsfake.ClockSkew, [4]string{"AuthFailure", "SignatureDoesNotMatch", "SignatureDoesNotMatch", "RequestTimeTooSkewed"}},
		{awsfake.Unavailable, [4]string{"ServiceUnavailable", "ServiceUnavailable", "ServiceUnavailable", "ServiceUnavailable"}},
	}
	for _, test := range tests {
		w := newWorld(t, 1, nil)
		w.Refuse(test.why, awsfake.Who{}, time.Minute)
		for n, service := range []string{"ec2", "autoscaling", "route53", "s3"} {
			expect(t, service, ask(w, "a", service), test.want[n])
		}
		w.sleep(time.Minute)
		expect(t, "over", ask(w, "a", "ec2"), "")
	}
}

// One action of one caller may fail while all else goes on.
func TestRefusalIsNarrow(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.Refuse(awsfake.AccessDenied, awsfake.Who{Caller: "a", Service: "autoscaling", Action: "DescribeAutoScalingGroups"}, time.Minute)
	expect(t, "it", ask(w, "a", "autoscaling"), "AccessDenied")
	expect(t, "another caller", ask(w, "b", "autoscaling"), "")
	expect(t, "another service", ask(w, "a", "ec2"), "")
	_, err := w.AutoScaling("a").DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{})
	must(t, err)
	// Nothing happens when a change is refused.
	w.Refuse(awsfake.CredentialsExpired, awsfake.Who{Action: "SetDesiredCapacity"}, time.Minute)
	expect(t, "change", code(setDesired(t, w, 3)), "ExpiredToken")
	expect(t, "instances", len(w.Instances()), 1)
}

// A regional outage leaves the metadata service alone: it is on the instance.
func TestOutageSparesMetadata(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	w.Refuse(awsfake.Silence, awsfake.Who{}, time.Hour)
	expect(t, "identity", identity(w), w.Instances()[0].ID)
	expect(t, "group", ask(w, "a", "autoscaling"), "not an API error: DescribeAutoScalingGroups: context deadline exceeded")
}
