package awsfake_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// grouped prints the lifecycle states that the group shows.
func grouped(t *testing.T, w *world) string {
	t.Helper()
	out, err := w.AutoScaling("test").DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"etcd"}})
	must(t, err)
	var list []string
	for _, i := range out.AutoScalingGroups[0].Instances {
		list = append(list, string(i.LifecycleState))
	}
	return strings.Join(list, " ")
}

// member asks Auto Scaling about one instance, empty if it is in no group.
func member(t *testing.T, w *world, id string) string {
	t.Helper()
	out, err := w.AutoScaling("test").DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: []string{id}})
	must(t, err)
	if len(out.AutoScalingInstances) == 0 {
		return ""
	}
	return aws.ToString(out.AutoScalingInstances[0].LifecycleState)
}

func described(w *world, id string) (ec2types.Instance, error) {
	out, err := w.EC2("test").DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return ec2types.Instance{}, err
	}
	return out.Reservations[0].Instances[0], nil
}

func TestDisguises(t *testing.T) {
	const all, tag = "10.0.0.11 10.0.0.12", "tag:" + awsfake.GroupNameTag
	tests := []struct {
		name                     string
		look                     awsfake.Look
		byTag, byState, byID     string
		groups, single, metadata string
	}{
		{"as it is", 0, all, all, "running 2", "InService InService", "InService", "etcd-node"},
		{"unlisted", awsfake.Unlisted, "10.0.0.11", "10.0.0.11", "InvalidInstanceID.NotFound", "InService InService", "InService", "etcd-node"},
		{"ungrouped", awsfake.Ungrouped, all, all, "running 2", "InService", "", "etcd-node"},
		{"no group tag", awsfake.NoGroupTag, "10.0.0.11", all, "running 1", "InService InService", "InService", "etcd-node"},
		{"no tags", awsfake.NoTags, "10.0.0.11", all, "running 0", "InService InService", "InService", "etcd-node"},
		{"no address", awsfake.NoAddress, "10.0.0.11 ", "10.0.0.11 ", "running 2", "InService InService", "InService", "etcd-node"},
		{"unknown state", awsfake.UnknownState, all, "10.0.0.11", "relocating 2", "InService InService", "InService", "etcd-node"},
		{"unknown lifecycle", awsfake.UnknownLifecycle, all, all, "running 2", "InService Relocating:Wait", "Relocating:Wait", "etcd-node"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, 2, nil)
			w.sleep(time.Minute)
			id := w.Instances()[1].ID
			w.Disguise(id, test.look, time.Minute)
			for _, lasts := range []bool{true, false} {
				if !lasts {
					w.sleep(time.Minute)
					test = tests[0]
				}
				expect(t, "by tag", describe(t, w, tag, "etcd"), test.byTag)
				expect(t, "by state", describe(t, w, "instance-state-name", "running"), test.byState)
				got, err := described(w, id)
				answer := code(err)
				if err == nil {
					answer = string(got.State.Name) + " " + string(rune('0'+len(got.Tags)))
				}
				expect(t, "by ID", answer, test.byID)
				expect(t, "group", grouped(t, w), test.groups)
				expect(t, "itself", member(t, w, id), test.single)
				name, _ := w.IMDS(id).Get("meta-data/tags/instance/Name")
				expect(t, "metadata", name, test.metadata)
			}
		})
	}
}

// New instances are missing, or have no tags yet, for their first minute.
func TestNewInstancesAreDisguised(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	w.DisguiseNew(awsfake.Unlisted|awsfake.Ungrouped, 2*time.Minute, time.Hour)
	must(t, setDesired(t, w, 2))
	w.sleep(90 * time.Second)
	expect(t, "it runs", w.lifecycle(), "InService InService")
	expect(t, "EC2", describe(t, w, "tag:"+awsfake.GroupNameTag, "etcd"), "10.0.0.11")
	id := w.Instances()[1].ID
	_, err := described(w, id)
	expect(t, "by ID", code(err), "InvalidInstanceID.NotFound")
	_, err = w.EC2("test").RebootInstances(ctx, &ec2.RebootInstancesInput{InstanceIds: []string{id}})
	expect(t, "changed", code(err), "InvalidInstanceID.NotFound")
	expect(t, "group", grouped(t, w), "InService")
	w.sleep(30 * time.Second)
	expect(t, "later", describe(t, w, "tag:"+awsfake.GroupNameTag, "etcd"), "10.0.0.11 10.0.0.12")
	expect(t, "group, later", grouped(t, w), "InService InService")
}

// A terminated instance is listed as if it ran, even when EC2 has forgotten it.
func TestGhost(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	id := w.Instances()[0].ID
	w.Disguise(id, awsfake.Frozen, 3*time.Hour)
	must(t, terminateMember(w, id, false))
	for range 2 { // terminated, then forgotten
		w.sleep(80 * time.Minute)
		got, err := described(w, id)
		must(t, err)
		expect(t, "state", got.State.Name, ec2types.InstanceStateNameRunning)
		expect(t, "address", aws.ToString(got.PrivateIpAddress), "10.0.0.11")
		expect(t, "itself", member(t, w, id), "InService")
	}
	w.sleep(time.Hour)
	_, err := described(w, id)
	expect(t, "in the end", code(err), "InvalidInstanceID.NotFound")
}

func TestTwoInterfaces(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	id := w.Instances()[0].ID
	w.Disguise(id, awsfake.TwoInterfaces, time.Hour)
	got, err := described(w, id)
	must(t, err)
	expect(t, "address of the instance", aws.ToString(got.PrivateIpAddress), "10.0.0.11")
	expect(t, "first interface", aws.ToString(got.NetworkInterfaces[0].PrivateIpAddress), "172.0.0.11")
	expect(t, "second, primary", aws.ToString(got.NetworkInterfaces[1].PrivateIpAddress), "10.0.0.11")
}

func TestIPv6Only(t *testing.T) {
	w := newWorld(t, 1, nil)
	w.sleep(time.Minute)
	id := w.Instances()[0].ID
	w.Disguise(id, awsfake.IPv6Only, time.Hour)
	got, err := described(w, id)
	must(t, err)
	expect(t, "IPv4", got.PrivateIpAddress == nil, true)
	expect(t, "IPv6", aws.ToString(got.Ipv6Address), "2001:db8::"+id[len(id)-4:])
}

// Each caller may see another order, and pages keep to it.
func TestShuffle(t *testing.T) {
	w := newWorld(t, 5, nil)
	w.sleep(time.Minute)
	w.Shuffle(time.Hour)
	w.Page(2, awsfake.PagesComplete, time.Hour)
	orders := map[string]bool{}
	for _, caller := range []string{"a", "b", "c", "d"} {
		p := ec2.NewDescribeInstancesPaginator(w.EC2(caller), &ec2.DescribeInstancesInput{})
		var list []string
		for p.HasMorePages() {
			page, err := p.NextPage(ctx)
			must(t, err)
			for _, r := range page.Reservations {
				list = append(list, aws.ToString(r.Instances[0].PrivateIpAddress))
			}
		}
		expect(t, "all of them", len(list), 5)
		orders[strings.Join(list, " ")] = true
	}
	if len(orders) < 3 {
		t.Error("orders", orders)
	}
}
