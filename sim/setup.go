package sim

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// The hooks of the group, where it has them.
const launchingHook, terminatingHook = "enter", "leave"

// launch makes the account, the zone and the group.
func (w *world) launch() {
	ctx := context.Background()
	w.zoneID = w.makeZone(true)
	_, err := w.cloud.S3(nature).CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket: aws.String(bucket), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"},
	})
	must(err)
	group := &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(groupName), MinSize: aws.Int32(0), MaxSize: aws.Int32(7), DesiredCapacity: aws.Int32(int32(w.plan.sizes()[0])),
		AvailabilityZones: regions[0].zones,
	}
	if w.plan.Regions > 1 {
		group.Tags = stack
		w.launchAbroad()
	}
	_, err = w.cloud.AutoScaling(nature).CreateAutoScalingGroup(ctx, group)
	must(err)
	if w.plan.Hook {
		_, err = w.cloud.AutoScaling(nature).PutLifecycleHook(ctx, &autoscaling.PutLifecycleHookInput{
			AutoScalingGroupName: aws.String(groupName), LifecycleHookName: aws.String(terminatingHook),
			LifecycleTransition: aws.String(awsfake.Terminating), HeartbeatTimeout: aws.Int32(60), DefaultResult: aws.String("CONTINUE"),
		})
		must(err)
	}
}

// makeZone makes a zone of the cluster's name.
func (w *world) makeZone(private bool) (id string) {
	in := &route53.CreateHostedZoneInput{Name: aws.String(zoneName), CallerReference: aws.String("public")}
	if private {
		in.CallerReference, in.VPC = aws.String("sim"), &r53types.VPC{VPCId: aws.String("vpc-1"), VPCRegion: "eu-central-1"}
	}
	zone, err := w.cloud.Route53(nature).CreateHostedZone(context.Background(), in)
	must(err)
	return aws.ToString(zone.HostedZone.Id)[len("/hostedzone/"):]
}

func must(err error) {
	if err != nil {
		panic(err) // the simulator's own set-up
	}
}
