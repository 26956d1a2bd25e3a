package awsfake_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// describe returns the addresses that a filter finds, page by page.
func describe(t *testing.T, w *world, name string, values ...string) string {
	t.Helper()
	pages := ec2.NewDescribeInstancesPaginator(w.EC2("test"), &ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: &name, Values: values}}})
	var list []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		must(t, err)
		for _, r := range page.Reservations {
			list = append(list, aws.ToString(r.Instances[0].PrivateIpAddress))
		}
	}
	return strings.Join(list, " ")
}

func TestDescribeInstances(t *testing.T) {
	for _, pageSize := range []int{0, 1, 2} {
		w := newWorld(t, 3, func(o *awsfake.Options) { o.PageSize = pageSize })
		w.sleep(time.Minute)
		expect(t, "by group", describe(t, w, "tag:aws:autoscaling:groupName", "etcd"), "10.0.0.11 10.0.0.12 10.0.0.13")
		expect(t, "by other group", describe(t, w, "tag:aws:autoscaling:groupName", "other"), "")
		expect(t, "by absent tag", describe(t, w, "tag:Absent", "*"), "")
		expect(t, "by wildcard", describe(t, w, "tag:Name", "etcd-*"), "10.0.0.11 10.0.0.12 10.0.0.13")
		expect(t, "by state", describe(t, w, "instance-state-name", "pending"), "")
		expect(t, "by ID", describe(t, w, "instance-id", w.Instances()[1].ID), "10.0.0.12")
	}
}

func TestDescribeInstancesErrors(t *testing.T) {
	w := newWorld(t, 1, nil)
	tests := []struct {
		in   ec2.DescribeInstancesInput
		want string
	}{
		{ec2.DescribeInstancesInput{InstanceIds: []string{"i-0123456789abcdef0"}}, "InvalidInstanceID.NotFound"},
		{ec2.DescribeInstancesInput{InstanceIds: []string{"mine"}}, "InvalidInstanceID.Malformed"},
		{ec2.DescribeInstancesInput{InstanceIds: []string{w.Instances()[0].ID}, MaxResults: aws.Int32(5)}, "InvalidParameterCombination"},
		{ec2.DescribeInstancesInput{MaxResults: aws.Int32(1)}, "InvalidParameterValue"},
		{ec2.DescribeInstancesInput{NextToken: aws.String("x")}, "InvalidNextToken"},
		{ec2.DescribeInstancesInput{Filters: []ec2types.Filter{{Name: aws.String("shoe-size")}}}, "InvalidParameterValue"},
	}
	for _, test := range tests {
		_, err := w.EC2("test").DescribeInstances(ctx, &test.in)
		expect(t, "error", code(err), test.want)
	}
}

func TestStaleAndPartialReads(t *testing.T) {
	var fault awsfake.Fault
	w := newWorld(t, 2, func(o *awsfake.Options) {
		o.MaxStale = 5 * time.Minute
		o.Fault = func(c awsfake.Call) awsfake.Fault {
			if strings.HasPrefix(c.Action, "Describe") {
				return fault
			}
			return awsfake.Fault{}
		}
	})
	w.sleep(10 * time.Minute)
	must(t, terminateMember(w, w.Instances()[0].ID, false))
	w.sleep(2 * time.Minute)
	const old, present = "10.0.0.11 10.0.0.12", "10.0.0.12 10.0.0.13"
	tests := []struct {
		fault awsfake.Fault
		want  string
	}{
		{awsfake.Fault{}, present},
		{awsfake.Fault{Stale: time.Second}, present},
		{awsfake.Fault{Stale: 3 * time.Minute}, old},
		{awsfake.Fault{Stale: time.Hour}, old}, // as old as is kept
		{awsfake.Fault{OmitNewest: true}, "10.0.0.12"},
		{awsfake.Fault{Omit: []string{w.Instances()[1].ID}}, "10.0.0.13"},
		{awsfake.Fault{Edit: func(out any) { out.(*ec2.DescribeInstancesOutput).Reservations[0].Instances[0].PrivateIpAddress = nil }}, " 10.0.0.13"},
	}
	for _, test := range tests {
		fault = test.fault
		expect(t, "seen", describe(t, w, "instance-state-name", "running"), test.want)
	}
	fault = awsfake.Fault{Stale: 3 * time.Minute}
	out, err := w.AutoScaling("test").DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	must(t, err)
	expect(t, "group's view", len(out.AutoScalingGroups[0].Instances), 2)
	fault = awsfake.Fault{Omit: []string{w.Instances()[1].ID}}
	_, err = w.EC2("test").DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: fault.Omit})
	expect(t, "a live one, by ID", code(err), "InvalidInstanceID.NotFound")
}

func TestDescribeMembersPages(t *testing.T) {
	w := newWorld(t, 3, func(o *awsfake.Options) { o.PageSize = 2 })
	pages := autoscaling.NewDescribeAutoScalingInstancesPaginator(w.AutoScaling("test"), &autoscaling.DescribeAutoScalingInstancesInput{})
	var sizes []int
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		must(t, err)
		sizes = append(sizes, len(page.AutoScalingInstances))
	}
	expect(t, "pages", len(sizes), 2)
	expect(t, "last page", sizes[1], 1)
}

func TestMetadata(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	i := w.Instances()[0]
	out, err := w.IMDS(i.ID).GetInstanceIdentityDocument(ctx, &imds.GetInstanceIdentityDocumentInput{})
	must(t, err)
	expect(t, "identity", out.InstanceID+" "+out.PrivateIP+" "+out.Region+" "+out.AvailabilityZone, i.ID+" 10.0.0.11 eu-central-1 eu-central-1a")
	for path, want := range map[string]string{
		"meta-data/instance-id": i.ID, "meta-data/autoscaling/target-lifecycle-state": "InService", "meta-data/tags/instance/Name": "etcd-node",
		"meta-data/spot/instance-action": "", "meta-data/nonsense": "",
	} {
		got, found := w.IMDS(i.ID).Get(path)
		expect(t, path, got, want)
		expect(t, path, found, want != "")
	}
}
