package awsfake_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// granted counts how many calls of a burst are answered.
func granted(t *testing.T, w *world, service, refused string) (n int) {
	t.Helper()
	for {
		switch got := ask(w, "caller", service); got {
		case "":
			n++
		case refused:
			return n
		default:
			t.Fatal(got)
		}
		if n > 1000 {
			return n
		}
	}
}

func TestThrottling(t *testing.T) {
	tests := []struct {
		service, code    string
		burst, perSecond int
	}{
		{"ec2", "RequestLimitExceeded", 100, 20},
		{"autoscaling", "Throttling", 20, 5},
		{"route53", "Throttling", 50, 10},
	}
	for _, test := range tests {
		w := newWorld(t, 1, nil)
		w.LimitLikeAWS()
		expect(t, test.service+" at once", granted(t, w, test.service, test.code), test.burst)
		w.sleep(time.Second)
		expect(t, test.service+" a second later", granted(t, w, test.service, test.code), test.perSecond)
		w.sleep(time.Hour)
		expect(t, test.service+" after a pause", granted(t, w, test.service, test.code), test.burst)
	}
}

// The SDK's own retryer takes all of these for throttling.
func TestThrottlingCodesAreTheSDKs(t *testing.T) {
	for _, code := range []string{"RequestLimitExceeded", "Throttling", "SlowDown", "PriorRequestNotComplete"} {
		if _, ok := retry.DefaultThrottleErrorCodes[code]; !ok {
			t.Error(code)
		}
	}
}

// Callers share a bucket; of Route53's actions one may be dry and the others not,
// and a request that names nothing costs EC2 double.
func TestThrottlingIsShared(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.Limit("route53", "", awsfake.Limit{Burst: 3, Every: time.Minute})
	w.Limit("route53", "ListHostedZonesByName", awsfake.Limit{Burst: 2, Every: time.Minute})
	expect(t, "first", ask(w, "a", "route53"), "")
	expect(t, "second", ask(w, "b", "route53"), "")
	expect(t, "third", ask(w, "c", "route53"), "Throttling")
	// What one bucket refuses takes nothing from the other.
	_, err := w.Route53("c").ListHostedZones(ctx, &route53.ListHostedZonesInput{})
	must(t, err)
	_, err = w.Route53("c").ListHostedZones(ctx, &route53.ListHostedZonesInput{})
	expect(t, "refused for the account", code(err), "Throttling")

	w.Limit("ec2", "DescribeInstances", awsfake.Limit{Burst: 2, Every: time.Minute})
	_, err = w.EC2("a").DescribeInstances(ctx, &ec2.DescribeInstancesInput{})
	must(t, err)
	expect(t, "used up", ask(w, "a", "ec2"), "RequestLimitExceeded")
	w.Limit("ec2", "DescribeInstances", awsfake.Limit{})
	expect(t, "without limit", granted(t, w, "ec2", "none"), 1001)
}

func TestNoisyNeighbour(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.LimitLikeAWS()
	w.Neighbour(50, time.Hour)
	w.sleep(time.Minute)
	expect(t, "half leaves the burst", granted(t, w, "route53", "Throttling"), 50)
	w.sleep(time.Second)
	expect(t, "and half of the rate", granted(t, w, "route53", "Throttling"), 5)
	w.Neighbour(200, 10*time.Minute)
	w.sleep(9 * time.Minute)
	expect(t, "a loud one leaves nothing", granted(t, w, "route53", "Throttling"), 0)
	w.sleep(61 * time.Second)
	expect(t, "until it stops", granted(t, w, "route53", "Throttling"), 10)
	w.sleep(time.Hour)
	w.Drain()
	expect(t, "drained", ask(w, "a", "ec2"), "RequestLimitExceeded")
}
