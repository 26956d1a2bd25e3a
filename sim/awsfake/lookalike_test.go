package awsfake_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

// Another group may have a name that begins with ours, the same tags, and record
// sets in the same zone. Only the exact name of the group tells them apart.
func TestGroupsThatLookAlike(t *testing.T) {
	w := newWorld(t, 1, nil)
	_, err := w.AutoScaling("test").CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("etcd-2"), MinSize: aws.Int32(1), MaxSize: aws.Int32(1),
		Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("etcd-node"), PropagateAtLaunch: aws.Bool(true)}},
	})
	must(t, err)
	w.sleep(time.Minute)
	expect(t, "by name", describe(t, w, "tag:Name", "etcd-node"), "10.0.0.11 10.0.0.12")
	expect(t, "by pattern", describe(t, w, "tag:aws:autoscaling:groupName", "etcd*"), "10.0.0.11 10.0.0.12")
	expect(t, "by group", describe(t, w, "tag:aws:autoscaling:groupName", "etcd"), "10.0.0.11")
	expect(t, "the group", grouped(t, w), "InService")
	all, err := w.AutoScaling("test").DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{})
	must(t, err)
	expect(t, "instances of any group", len(all.AutoScalingInstances), 2)

	// What happens to the one leaves the other alone.
	must(t, refresh(w, nil))
	w.sleep(10 * time.Minute)
	other := w.Instances()[1]
	expect(t, "the other", other.Group+" "+other.Lifecycle, "etcd-2 InService")
	expect(t, "size", describe(t, w, "tag:aws:autoscaling:groupName", "etcd-2"), "10.0.0.12")
}
