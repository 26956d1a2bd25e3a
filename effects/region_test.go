package effects

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// spanning is a rig in eu-central-1 whose cluster spans eu-west-1 too, where the stack has a group of two.
func spanning(t *testing.T, change func(*rig, *Options)) *rig {
	r := newRig(t, func(r *rig, o *Options) {
		o.Regions = []Region{
			{"eu-central-1", r.cloud.EC2(r.ids[0]).In("eu-central-1"), r.cloud.AutoScaling(r.ids[0]).In("eu-central-1")},
			{"eu-west-1", r.cloud.EC2(r.ids[0]).In("eu-west-1"), r.cloud.AutoScaling(r.ids[0]).In("eu-west-1")},
		}
		o.EC2, o.AutoScaling, o.ClusterName = o.Regions[0].EC2, o.Regions[0].AutoScaling, "etcd"
		if change != nil {
			change(r, o)
		}
	})
	r.stack("etcd")
	r.launchAbroad("etcd-west", 2)
	return r
}

var stack = map[string]string{"aws:cloudformation:stack-name": "etcd-v1", "aws:cloudformation:logical-id": "Group"}

// stack ties a group to the stack.
func (r *rig) stack(group string) {
	tags := awsfake.StackTags("etcd-v1", "Group")
	for i := range tags {
		tags[i].ResourceId = aws.String(group)
	}
	_, err := r.cloud.AutoScaling("test").CreateOrUpdateTags(r.t.Context(), &autoscaling.CreateOrUpdateTagsInput{Tags: tags})
	must(r.t, err)
}

func (r *rig) launchAbroad(name string, n int32) {
	_, err := r.cloud.AutoScaling("test").CreateAutoScalingGroup(r.t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(name), MinSize: aws.Int32(0), MaxSize: aws.Int32(9), DesiredCapacity: aws.Int32(n), AvailabilityZones: []string{"eu-west-1a"},
	})
	must(r.t, err)
	r.stack(name)
	r.pass(time.Minute)
}

// silence makes the services of a region fail.
func (r *rig) silence(region string) {
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if c.Region == region {
			return awsfake.Fault{Err: awsfake.Error("ServiceUnavailable", "Service is unavailable")}
		}
		return awsfake.Fault{}
	}
}

func (r *rig) look() states.Group {
	r.pass(time.Second)
	r.turn(states.Needs{Group: time.Second})
	return r.Observe().Group
}

// in lists the instances of a region, by ID.
func in(r *rig, region string) (ids []string) {
	for _, i := range r.cloud.Instances() {
		if i.Region() == region {
			ids = append(ids, i.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// TestGroupOfAllRegions is one group to the rules.
func TestGroupOfAllRegions(t *testing.T) {
	r := spanning(t, nil)
	r.know()
	g := r.look()
	if g.Desired != 5 || len(g.Instances) != 5 || len(g.Silent) != 0 || !g.At.Equal(r.now) || !slices.IsSortedFunc(g.Instances, func(a, b states.Instance) int { return strings.Compare(a.ID, b.ID) }) {
		t.Fatalf("%+v", g)
	}
	for _, i := range g.Instances {
		if i.Abroad != slices.Contains(in(r, "eu-west-1"), i.ID) || !i.InGroup || !i.Up() {
			t.Errorf("%+v", i)
		}
	}
}

// TestSilentRegionIsNotGone: what it last told stays, and its age is that of the whole.
func TestSilentRegionIsNotGone(t *testing.T) {
	r := spanning(t, nil)
	r.know()
	told := r.look().At
	r.silence("eu-west-1")
	r.pass(time.Minute)
	g := r.look()
	if g.Known != states.Yes || g.Desired != 5 || len(g.Instances) != 5 || !slices.Equal(g.Silent, []string{"eu-west-1"}) || !g.At.Equal(told) {
		t.Errorf("%+v", g)
	}
	if why := r.complaint["auto-scaling group in eu-west-1"]; !strings.Contains(why, "unavailable") {
		t.Errorf("complains %q", why)
	}
	r.healthy()
	r.pass(time.Minute)
	if g = r.look(); len(g.Silent) != 0 || !g.At.Equal(r.now) {
		t.Errorf("it answers again: %+v", g)
	}
}

// TestRegionThatNeverTold: the own one is known, and nothing can be decided from the whole of it, which is as old as can be.
func TestRegionThatNeverTold(t *testing.T) {
	r := spanning(t, nil)
	r.silence("eu-west-1")
	r.know()
	if g := r.look(); g.Known != states.Yes || g.Desired != 3 || !g.At.IsZero() || !slices.Equal(g.Silent, []string{"eu-west-1"}) {
		t.Errorf("%+v", g)
	}
}

// TestOwnRegionThatIsSilent teaches nothing at first, since it says which group is meant; and later no more than another one.
func TestOwnRegionThatIsSilent(t *testing.T) {
	r := spanning(t, nil)
	r.silence("eu-central-1")
	r.look()
	if g := r.look(); g.Known != states.Unknown || g.Desired != 0 {
		t.Errorf("%+v", g)
	}
	r = spanning(t, nil)
	r.know()
	told := r.look().At
	r.silence("eu-central-1")
	far := in(r, "eu-west-1")[0]
	r.facts.Cluster.Members = []states.Member{{ID: 1, Name: far, ClientURL: "http://10.9.9.9:2379"}}
	r.terminate(far)
	r.pass(time.Minute)
	if g := r.look(); g.Gone(far) != states.Yes || !g.At.Equal(told) || !slices.Equal(g.Silent, []string{"eu-central-1"}) || g.Desired != 5 {
		t.Errorf("%+v", g)
	}
}

// TestSilentRegionRests: others are asked as often as the rules want, and this one ever more rarely.
func TestSilentRegionRests(t *testing.T) {
	r := spanning(t, nil)
	r.know()
	failed, answered := 0, 0
	r.fault = func(c awsfake.Call) awsfake.Fault {
		switch {
		case c.Action != "DescribeAutoScalingGroups":
		case c.Region == "eu-west-1":
			failed++
			return awsfake.Fault{Err: awsfake.Error("ServiceUnavailable", "Service is unavailable")}
		default:
			answered++
		}
		return awsfake.Fault{}
	}
	for range 120 {
		r.look()
	}
	if answered != 120 || failed < 6 || failed > 10 {
		t.Errorf("asked the silent region %d times, and the other %d times, in 2 minutes", failed, answered)
	}
}

// TestAbsenceNeedsEveryRegion: who is not shown may be where nobody answers.
func TestAbsenceNeedsEveryRegion(t *testing.T) {
	r := spanning(t, nil)
	r.know()
	r.facts.Cluster.Members = []states.Member{{ID: 1, Name: "i-gone", ClientURL: "http://10.9.9.9:2379"}}
	reads := func() int {
		for _, a := range r.look().Absent {
			if a.Key == "i-gone" {
				return a.Reads
			}
		}
		return 0
	}
	r.silence("eu-west-1")
	if reads(); len(r.facts.Group.Absent) != 0 {
		t.Errorf("absence begins while a region is silent: %+v", r.facts.Group.Absent)
	}
	r.healthy()
	r.pass(time.Minute)
	before := reads()
	r.silence("eu-west-1")
	r.pass(time.Minute)
	if n := reads(); before == 0 || n != before {
		t.Errorf("%d reads count after %d", n, before)
	}
}

// TestEndAbroadIsSeen: EC2 there tells it by the ID of a member that no group lists any more.
func TestEndAbroadIsSeen(t *testing.T) {
	r := spanning(t, nil)
	r.know()
	far := in(r, "eu-west-1")[0]
	r.facts.Cluster.Members = []states.Member{{ID: 1, Name: far, ClientURL: "http://10.9.9.9:2379"}}
	r.terminate(far)
	r.pass(5 * time.Minute)
	if g := r.look(); g.Gone(far) != states.Yes {
		t.Errorf("%+v", g)
	}
}

// TestCounterpart is found by the stack, whose groups have made-up names, or else by its own name; and never guessed.
func TestCounterpart(t *testing.T) {
	r := newRig(t, nil)
	r.launchAbroad("etcd-west", 1)
	west := Region{"eu-west-1", r.cloud.EC2("test").In("eu-west-1"), r.cloud.AutoScaling("test").In("eu-west-1")}
	group := func(name string, tags map[string]string) *asgtypes.AutoScalingGroup {
		g := &asgtypes.AutoScalingGroup{AutoScalingGroupName: aws.String(name)}
		for _, key := range []string{"aws:cloudformation:logical-id", "aws:cloudformation:stack-name", "name"} {
			if value, ok := tags[key]; ok {
				g.Tags = append(g.Tags, asgtypes.TagDescription{Key: aws.String(key), Value: aws.String(value)})
			}
		}
		return g
	}
	for what, c := range map[string]struct {
		here    *asgtypes.AutoScalingGroup
		refuses string
	}{
		"of the stack":               {group("any", stack), ""},
		"of the stack, tagged":       {group("any", map[string]string{stackTags[0]: "etcd-v1", stackTags[1]: "Group", "name": "x"}), ""},
		"of the name":                {group("etcd-west", map[string]string{"name": "x"}), ""},
		"of the name, another stack": {group("etcd-west", map[string]string{stackTags[0]: "other", stackTags[1]: "Group"}), ""},
		"of half a stack":            {group("any", map[string]string{stackTags[0]: "etcd-v1"}), "auto-scaling group any is not there"},
		"of another stack":           {group("any", map[string]string{stackTags[0]: "other", stackTags[1]: "Group"}), "auto-scaling group any is not there"},
		"of another logical ID":      {group("any", map[string]string{stackTags[0]: "etcd-v1", stackTags[1]: "Other"}), "auto-scaling group any is not there"},
		"of the name in this region": {group("etcd", nil), "auto-scaling group etcd is not there"},
	} {
		found, err := west.Counterpart(t.Context(), c.here)
		if c.refuses == "" && (err != nil || *found.AutoScalingGroupName != "etcd-west") || c.refuses != "" && (err == nil || !strings.Contains(err.Error(), c.refuses)) {
			t.Errorf("%s: %v", what, err)
		}
	}
	r.launchAbroad("etcd-west-2", 1)
	if _, err := west.Counterpart(t.Context(), group("any", stack)); err == nil || !strings.HasPrefix(err.Error(), "2 auto-scaling groups") {
		t.Errorf("two of them: %v", err)
	}
}

// TestRegionMustBeNamed: an instance that takes its own region for another would count the same group twice, or one too few.
func TestRegionMustBeNamed(t *testing.T) {
	r := spanning(t, func(_ *rig, o *Options) { o.Regions = o.Regions[1:] })
	r.look()
	r.look()
	if why := r.complaint["auto-scaling group"]; !strings.Contains(why, "this instance is in eu-central-1, which --active-regions does not name") || r.calls("DescribeAutoScalingGroups") != 0 {
		t.Errorf("%q", why)
	}
	r = spanning(t, nil)
	r.disk.state = states.Disk{State: states.DiskMember, Own: true, Name: r.ids[0], Address: "10.0.0.10"}
	r.only("GetInstanceIdentityDocument", awsfake.Fault{Err: awsfake.Error("Unavailable", "no")})
	r.look()
	r.look()
	if why := r.complaint["auto-scaling group"]; !strings.Contains(why, "has not told the region yet") || r.calls("DescribeAutoScalingGroups") != 0 {
		t.Errorf("%q", why)
	}
}

// TestInstanceAbroadIsReplacedThere: Auto Scaling of one region knows no instance of another.
func TestInstanceAbroadIsReplacedThere(t *testing.T) {
	r := spanning(t, nil)
	r.know()
	r.look()
	for _, id := range []string{r.ids[1], in(r, "eu-west-1")[0]} {
		if failed := r.fails(states.ReplaceInstance{ID: id, Why: "test"}); failed != "" {
			t.Errorf("%s: %s", id, failed)
		}
		if in, _ := r.cloud.Instance(id); in.Health != "Unhealthy" {
			t.Errorf("%s is %s", id, in.Health)
		}
		r.look()
	}
}

// TestPublicAddresses are what instances are known by, where members meet at them.
func TestPublicAddresses(t *testing.T) {
	r := newRig(t, func(_ *rig, o *Options) { o.Public, o.HostedZone = true, "public.example.org" })
	r.zone("public.example.org.", false)
	r.zone("public.example.org.", true)
	r.know()
	me, _ := r.cloud.Instance(r.ids[0])
	if self := r.Observe().Self; self.Address != me.PublicIP || !strings.HasPrefix(self.Address, "198.51.") {
		t.Errorf("%+v", self)
	}
	r.facts.Cluster.Members = []states.Member{{ID: 1, Address: me.PublicIP}} // it has not started
	for _, i := range r.look().Instances {
		in, _ := r.cloud.Instance(i.ID)
		if i.Address != in.PublicIP || !strings.HasPrefix(i.DNSName, "ec2-198-51-") {
			t.Errorf("%+v", i)
		}
	}
	if g := r.look(); g.Gone(me.PublicIP) != states.No || len(g.Absent) != 0 {
		t.Errorf("%+v", g)
	}
}

// TestNoPublicAddress is no address at all: the instance waits for one.
func TestNoPublicAddress(t *testing.T) {
	r := newRig(t, func(_ *rig, o *Options) { o.Public = true })
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if c.Action == "GetMetadata" {
			return awsfake.Fault{Edit: func(out any) { out.(*imds.GetMetadataOutput).Content = io.NopCloser(strings.NewReader("")) }}
		}
		return awsfake.Fault{}
	}
	r.look()
	if self := r.Observe().Self; self.ID != "" || !strings.Contains(r.complaint["instance metadata"], "no address of it") {
		t.Errorf("%+v, complains %q", self, r.complaint["instance metadata"])
	}
}

// TestStrangerIsLookedUpByItsAddress: a member that has not started has no name, and its instance may be of no group of ours.
func TestStrangerIsLookedUpByItsAddress(t *testing.T) {
	for _, public := range []bool{false, true} {
		r := newRig(t, func(_ *rig, o *Options) { o.Public = public })
		if public {
			r.zone("elephant.example.org.", false)
		}
		r.know()
		_, err := r.cloud.AutoScaling("test").CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
			AutoScalingGroupName: aws.String("other"), MinSize: aws.Int32(0), MaxSize: aws.Int32(1), DesiredCapacity: aws.Int32(1),
		})
		must(t, err)
		r.pass(time.Minute)
		all := r.cloud.Instances()
		stranger := all[len(all)-1]
		address := map[bool]string{false: stranger.PrivateIP, true: stranger.PublicIP}[public]
		r.facts.Cluster.Members = []states.Member{{ID: 1, Address: address}}
		if g := r.look(); g.Gone(address) != states.No {
			t.Errorf("public %v: %s is gone: %v", public, address, g.Gone(address))
		}
	}
}

// TestInstanceAbroadThatOnlyItsGroupKnows is abroad all the same.
func TestInstanceAbroadThatOnlyItsGroupKnows(t *testing.T) {
	r := spanning(t, nil)
	r.know()
	far := in(r, "eu-west-1")[0]
	r.cloud.Disguise(far, awsfake.Unlisted, time.Hour)
	g := r.look()
	if i, ok := g.Instance(far); !ok || !i.Abroad || i.Address != "" {
		t.Errorf("%+v", i)
	}
}
