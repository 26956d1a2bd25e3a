package awsfake_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// desired is what the group's size looks like to a caller.
func desired(t *testing.T, w *world, caller string) int32 {
	t.Helper()
	out, err := w.AutoScaling(caller).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	must(t, err)
	if len(out.AutoScalingGroups) == 0 {
		return 0
	}
	return aws.ToInt32(out.AutoScalingGroups[0].DesiredCapacity)
}

// Reads come from copies of different age, so what was seen may be gone again.
func TestReplicasGoBackInTime(t *testing.T) {
	see := func(other bool) (seen []int32) {
		w := newWorld(t, 1, func(o *awsfake.Options) { o.MaxStale = 5 * time.Minute })
		w.sleep(10 * time.Minute)
		must(t, setDesired(t, w, 2))
		w.sleep(2 * time.Minute)
		must(t, setDesired(t, w, 3))
		w.Replicate("autoscaling", time.Hour, 0, time.Minute, 5*time.Minute)
		for range 40 {
			if other {
				desired(t, w, "other")
			}
			seen = append(seen, desired(t, w, "a"))
		}
		w.sleep(time.Hour)
		expect(t, "in the end", desired(t, w, "a"), 3)
		return seen
	}
	seen := see(false)
	count, back := map[int32]int{}, 0
	for n := range seen {
		count[seen[n]]++
		if n > 0 && seen[n] < seen[n-1] {
			back++
		}
	}
	if count[1] == 0 || count[2] == 0 || count[3] == 0 || back == 0 {
		t.Errorf("seen %v", seen)
	}
	for n, again := range see(true) {
		expect(t, "whatever others ask", again, seen[n])
	}
}

// EC2 and Auto Scaling lag apart: a new instance is in the group, and EC2 does
// not know it.
func TestReplicasOfOneService(t *testing.T) {
	w := newWorld(t, 1, func(o *awsfake.Options) { o.MaxStale = 5 * time.Minute })
	w.sleep(10 * time.Minute)
	must(t, setDesired(t, w, 2))
	w.sleep(time.Minute)
	w.Replicate("ec2", time.Hour, 2*time.Minute)
	expect(t, "EC2", describe(t, w, "tag:"+awsfake.GroupNameTag, "etcd"), "10.0.0.11")
	expect(t, "Auto Scaling", desired(t, w, "a"), 2)
}

// The list of a zone may be older than the change that its reader made.
func TestStaleRecords(t *testing.T) {
	w := newWorld(t, 1, func(o *awsfake.Options) { o.MaxStale = 5 * time.Minute })
	zone := newZone(t, w, "example.org", "1", false)
	w.sleep(10 * time.Minute)
	must(t, apply(w, zone, "CREATE A a.example.org 60 1.1.1.1"))
	w.Replicate("route53", time.Minute, 10*time.Second)
	w.sleep(5 * time.Second)
	expect(t, "at first", listed(t, w, zone), "")
	w.sleep(5 * time.Second)
	expect(t, "later", listed(t, w, zone), "A a.example.org.")
}
