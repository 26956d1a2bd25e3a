package effects

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// TestTagIsReadWithTheGroup, in the same answer.
func TestTagIsReadWithTheGroup(t *testing.T) {
	r := newRig(t, nil)
	want := states.MinorVersion{Major: 3, Minor: 6}
	r.Install([]states.MinorVersion{want}, nil)
	_, err := r.cloud.AutoScaling("test").CreateOrUpdateTags(t.Context(), &autoscaling.CreateOrUpdateTagsInput{Tags: []asgtypes.Tag{
		{ResourceId: aws.String("etcd"), ResourceType: aws.String("auto-scaling-group"), Key: aws.String(VersionTag), Value: aws.String("3.6")},
	}})
	must(t, err)
	if r.know(); r.Observe().Wanted != want {
		t.Errorf("wants %s", r.Observe().Wanted)
	}
}

// TestTagGoesBeforeConfiguration, as far as it makes sense, for as long as it is there.
func TestTagGoesBeforeConfiguration(t *testing.T) {
	minor := func(n int) states.MinorVersion { return states.MinorVersion{Major: 3, Minor: n} }
	r := newRig(t, nil)
	r.TagEvery = 5 * time.Minute
	r.Install([]states.MinorVersion{minor(5), minor(6), minor(7)}, nil)
	r.Want(minor(5), states.Version{})
	tag := func(value string) []asgtypes.TagDescription {
		return []asgtypes.TagDescription{{Key: aws.String("Name"), Value: aws.String("3.5")}, {Key: aws.String(VersionTag), Value: aws.String(value)}}
	}
	for _, c := range []struct {
		what  string
		do    func()
		minor states.MinorVersion
		exact states.Version
		late  time.Duration // after which the others have looked too
	}{
		{"no tag", func() { r.heedTag(tag("")[:1]) }, minor(5), states.Version{}, 0},
		{"one that makes no sense", func() { r.heedTag(tag("newest")) }, minor(5), states.Version{}, 0},
		{"one of a server that is not there", func() { r.heedTag(tag("3.8")) }, minor(5), states.Version{}, 0},
		{"one", func() { r.heedTag(tag("3.6")) }, minor(6), states.Version{}, r.TagEvery},
		{"the configuration changes", func() { r.Want(minor(7), states.Version{}) }, minor(6), states.Version{}, r.TagEvery},
		{"a slip in the middle of a roll", func() { r.heedTag(tag("3,6")) }, minor(6), states.Version{}, r.TagEvery},
		{"a very version", func() { r.heedTag(tag("3.6.16")) }, minor(6), states.Version{Major: 3, Minor: 6, Patch: 16}, r.TagEvery},
		{"taken off", func() { r.heedTag(nil) }, minor(7), states.Version{}, r.TagEvery},
		{"the configuration decides", func() { r.Want(minor(6), states.Version{}) }, minor(6), states.Version{}, 0},
		{"a server is installed", func() { r.heedTag(tag("3.5")); r.Install([]states.MinorVersion{minor(5)}, nil) }, minor(5), states.Version{}, 0},
	} {
		r.pass(1)
		before := r.facts.Wanted
		c.do()
		o := r.Observe()
		if o.Wanted != c.minor || o.Exact != c.exact || (before != o.Wanted) && !o.Since.Equal(r.Now()) || o.Spread != c.late {
			t.Errorf("%s: wants %s %s since %s, all within %s", c.what, o.Wanted, o.Exact, o.Since, o.Spread)
		}
	}
}

// TestTagIsLookedForInTime whatever the rules want of the group: others count on it (see states.Observation.Spread).
func TestTagIsLookedForInTime(t *testing.T) {
	for _, c := range []struct{ needs, every, want time.Duration }{
		{0, 0, 0}, {time.Minute, 0, time.Minute}, {0, time.Minute, time.Minute}, {time.Minute, time.Second, time.Second}, {time.Second, time.Minute, time.Second},
	} {
		if got := soonest(c.needs, c.every); got != c.want {
			t.Errorf("the rules want %s, the tag %s: asks every %s", c.needs, c.every, got)
		}
	}
	r := newRig(t, func(_ *rig, o *Options) { o.TagEvery = 2 * time.Second })
	r.know()
	if n := r.asked("DescribeAutoScalingGroups", func() {
		for range 20 {
			r.pass(time.Second)
			r.turn(states.Needs{Group: time.Minute})
		}
	}); n != 10 {
		t.Errorf("asked %d times in 20 s", n)
	}
}
