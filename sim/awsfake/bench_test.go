package awsfake_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// The simulator's agents ask this most; it bounds simulated events a second.
func BenchmarkDescribeInstances(b *testing.B) {
	now := time.Unix(0, 0)
	w := newWorld(&testing.T{}, 5, func(o *awsfake.Options) { o.Now = func() time.Time { return now } })
	client := w.EC2("test")
	in := &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: aws.String("tag:" + awsfake.GroupNameTag), Values: []string{"etcd"}}}}
	for b.Loop() {
		client.DescribeInstances(ctx, in)
	}
}

// The simulator asks these after every event.
func BenchmarkNextEvent(b *testing.B) {
	w := newWorld(&testing.T{}, 5, nil)
	for b.Loop() {
		w.NextEvent()
	}
}

func BenchmarkTargetLifecycleState(b *testing.B) {
	w := newWorld(&testing.T{}, 5, nil)
	m := w.IMDS(w.Instances()[4].ID)
	for b.Loop() {
		m.TargetLifecycleState()
	}
}
