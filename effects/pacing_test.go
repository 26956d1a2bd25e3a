package effects

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

const (
	groupCall = "DescribeAutoScalingGroups"
	zoneCall  = "ListResourceRecordSets"
)

// TestNothingIsAskedThatIsNotNeeded: at rest a follower costs AWS nothing. Its own metadata service tells of its end.
func TestNothingIsAskedThatIsNotNeeded(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	etcd := len(r.etcd.calls)
	for _, call := range []string{groupCall, zoneCall, "DescribeInstances", "DescribeAutoScalingInstances", "ListHostedZonesByName"} {
		n := r.asked(call, func() {
			for range 600 {
				r.turn(states.Needs{})
				r.pass(100 * time.Millisecond)
			}
		})
		if n != 0 {
			t.Errorf("%s is asked %d times in a minute, and nobody needs it", call, n)
		}
	}
	if len(r.etcd.calls) != etcd {
		t.Errorf("etcd is asked: %q", r.etcd.calls[etcd:])
	}
}

// TestEachSourceAtItsPace counts the questions of a minute.
func TestEachSourceAtItsPace(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	needs := states.Needs{Group: 10 * time.Second, Zone: time.Minute}
	minute := func() {
		for range 600 {
			r.turn(needs)
			r.pass(100 * time.Millisecond)
		}
	}
	for call, want := range map[string]int{groupCall: 6, zoneCall: 1, "GetMetadata": 2*20 + 2*2} { // a look at its end are two calls, and one for warnings
		if n := r.asked(call, minute); n != want {
			t.Errorf("%s is asked %d times in a minute, want %d", call, n, want)
		}
	}
}

// TestStoreThatIsNotConfiguredIsNotAsked, and each of both may be the only one.
func TestStoreThatIsNotConfiguredIsNotAsked(t *testing.T) {
	for what, c := range map[string]struct {
		change     func(*rig, *Options)
		asked      bool
		claim, dns states.Fact
	}{
		"neither":       {func(_ *rig, o *Options) { o.Route53 = nil }, false, states.Unknown, states.Unknown},
		"only a zone":   {nil, true, states.Yes, states.Yes},
		"only a bucket": {func(r *rig, o *Options) { inBucket(r, o); o.Route53 = nil }, true, states.Yes, states.Unknown},
		"both":          {inBucket, true, states.Yes, states.Yes},
		"a cluster without a name": {func(_ *rig, o *Options) {
			o.Named = func(string) (string, error) { return "", errors.New("no DNS label") }
		}, false, states.Unknown, states.Unknown},
	} {
		r := newRig(t, c.change)
		r.know0()
		if o := r.Observe(); o.Claim.Known != c.claim || o.DNS.Known != c.dns || r.Effects.zone.asked.IsZero() == c.asked {
			t.Errorf("%s: claim known %s, zone known %s, asked at %v", what, o.Claim.Known, o.DNS.Known, r.Effects.zone.asked)
		}
	}
}

func TestNothingIsAskedBeforeItIsKnownWho(t *testing.T) {
	r := newRig(t, nil)
	r.failing("imds")
	for range 50 {
		r.turn(states.Needs{Group: time.Second, Zone: time.Second, Peers: time.Second, Cluster: time.Second})
		r.pass(100 * time.Millisecond)
	}
	if n := r.calls("GetInstanceIdentityDocument"); n != 5 {
		t.Errorf("the metadata service is asked %d times in five seconds, want once a second", n)
	}
	if r.calls(groupCall)+r.calls(confirmCall)+r.calls(zoneCall)+r.calls("GetMetadata") != 0 || r.Observe().Self.ID != "" {
		t.Error("asks for the group of nobody")
	}
	r.healthy()
	r.pass(time.Second)
	r.turn(states.Needs{})
	if o := r.Observe(); o.Self.ID != r.ids[0] || o.Self.Address == "" {
		t.Errorf("is %+v", o.Self)
	}
}

// TestOneQuestionAtATime: a question that hangs is not asked again beside itself, and holds up no other source.
func TestOneQuestionAtATime(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.hold = true
	for range 100 {
		r.pass(time.Second)
		r.Refresh(states.Needs{Group: time.Second, Zone: time.Second})
	}
	if len(r.held) != 4 { // the group, the zone, the termination notice and the warnings
		t.Errorf("%d questions are under way", len(r.held))
	}
	for _, j := range r.held {
		if j.timeout <= 0 || j.timeout > 15*time.Second {
			t.Errorf("a question may take %v", j.timeout)
		}
	}
	r.deliver()
	r.Refresh(states.Needs{Group: time.Second, Zone: time.Second})
	if len(r.held) != 4 {
		t.Errorf("%d questions after the answers", len(r.held))
	}
}

// TestDirtyIsAskedAtOnce: a command of our own has changed it, so what is known is wrong.
func TestDirtyIsAskedAtOnce(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.Effects.zone.dirty = true
	if n := r.asked(zoneCall, func() { r.turn(states.Needs{}); r.turn(states.Needs{}) }); n != 1 {
		t.Errorf("asked %d times, want at once, and once", n)
	}
}

// TestStaleIsAskedAtOnceIfNeeded: the group has changed, so the peers are others.
func TestStaleIsAskedAtOnceIfNeeded(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.turn(states.Needs{Peers: time.Hour})
	polled := r.Observe().Polled
	r.pass(time.Second)
	r.terminate(r.ids[2])
	for range 3 { // its replacement comes; the last read is no news, and does not take back what was
		r.turn(states.Needs{Group: time.Second})
		r.pass(time.Second)
	}
	if r.Observe().Polled != polled {
		t.Error("the peers are asked, and nobody needs them")
	}
	r.turn(states.Needs{Peers: time.Hour})
	if r.Observe().Polled == polled {
		t.Error("the group has changed, and its peers are not asked")
	}
}

// TestBackOff: a source that fails is asked more and more rarely, and at its own pace again once it answers.
func TestBackOff(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.failing("autoscaling")
	var asked []time.Duration
	start := r.now
	for r.now.Sub(start) < 5*time.Minute {
		r.Effects.group.stale = true // that something else has changed does not mend what fails
		if r.asked(groupCall, func() { r.turn(states.Needs{Group: time.Second}) }) > 0 {
			asked = append(asked, r.now.Sub(start))
		}
		r.pass(250 * time.Millisecond)
	}
	for i := 1; i < len(asked); i++ {
		want := min(maxPause, time.Second<<(i-1))
		if got := asked[i] - asked[i-1]; got != want {
			t.Errorf("question %d comes %v after the one before, want %v", i+1, got, want)
		}
	}
	if r.Observe().Group.Known != states.Yes {
		t.Error("a failure has made the group unknown: what was known stays, with its age")
	}
	r.healthy()
	r.pass(maxPause)
	if n := r.asked(groupCall, func() {
		for range 10 {
			r.turn(states.Needs{Group: time.Second})
			r.pass(time.Second)
		}
	}); n != 10 {
		t.Errorf("asked %d times in ten seconds after it answers again", n)
	}
}

// TestEveryFailureIsOne: a question that fails anywhere is a failure, with its cause. One that passed for an answer would be followed
// by no pause, and half of what it has read would be believed.
func TestEveryFailureIsOne(t *testing.T) {
	action := func(name string) func(awsfake.Call) bool {
		return func(c awsfake.Call) bool { return c.Action == name }
	}
	path := func(want string) func(awsfake.Call) bool {
		return func(c awsfake.Call) bool {
			in, ok := c.Input.(*imds.GetMetadataInput)
			return ok && in.Path == want
		}
	}
	group, zone, ending := (*Effects).askGroup, (*Effects).askZone, (*Effects).askEnding
	for what, c := range map[string]struct {
		ask   func(*Effects) question
		fails func(awsfake.Call) bool
	}{
		"the group's name": {group, action(confirmCall)},
		"the group":        {group, action(groupCall)},
		"its instances":    {group, action("DescribeInstances")},
		"those without a name": {group, func(c awsfake.Call) bool {
			return c.Action == "DescribeInstances" && c.Ordinal == 2
		}},
		"the zone":              {zone, action("ListHostedZonesByName")},
		"its records":           {zone, action(zoneCall)},
		"the bucket":            {zone, action("GetObject")},
		"the target state":      {ending, path("autoscaling/target-lifecycle-state")},
		"the spot interruption": {ending, path("spot/instance-action")},
		"the confirmation":      {ending, action(confirmCall)},
	} {
		r := newRig(t, inBucket)
		r.turn(states.Needs{})
		r.facts.Name, r.facts.Cluster.Members = "etcd", []states.Member{{ID: 1, Address: "10.9.9.9"}}
		r.condemn()
		throttled := errors.New("throttled")
		r.fault = func(call awsfake.Call) awsfake.Fault {
			if c.fails(call) {
				return awsfake.Fault{Err: throttled}
			}
			return awsfake.Fault{}
		}
		if _, err := c.ask(r.Effects)(t.Context()); !errors.Is(err, throttled) {
			t.Errorf("%s cannot be read: error %v", what, err)
		}
	}
}

// TestDirtyIsAskedEvenWhileItFails: the decision waits for the answer.
func TestDirtyIsAskedEvenWhileItFails(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.failing("route53")
	for range 5 {
		r.pass(maxPause)
		r.turn(states.Needs{Zone: time.Second})
	}
	r.Effects.zone.dirty = true
	if n := r.asked(zoneCall, func() { r.turn(states.Needs{}) }); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestPauseAfter(t *testing.T) {
	for _, c := range []struct {
		failures    int
		first, want time.Duration
	}{
		{0, time.Second, 0}, {1, time.Second, time.Second}, {2, time.Second, 2 * time.Second}, {5, time.Second, 16 * time.Second},
		{6, time.Second, maxPause}, {1_000_000, time.Second, maxPause}, {100, 0, 0}, {11, 100 * time.Millisecond, maxPause},
	} {
		if got := pauseAfter(c.failures, c.first, maxPause); got != c.want {
			t.Errorf("after %d failures of first %v: pauses %v, want %v", c.failures, c.first, got, c.want)
		}
	}
}

// TestFailureTeachesNothing: after a failed answer the facts are what they were before, each of them.
func TestFailureTeachesNothing(t *testing.T) {
	for _, service := range []string{"autoscaling", "ec2", "route53"} {
		r := newRig(t, nil)
		r.failing(service)
		for range 5 {
			r.turn(states.Needs{Group: time.Second, Zone: time.Second})
			r.pass(time.Minute)
		}
		o := r.Observe()
		if service == "route53" {
			if o.Claim.Known != states.Unknown || o.Claim.Exists != states.Unknown || o.DNS.Known != states.Unknown {
				t.Errorf("%s fails, and is taken for an answer: %+v %+v", service, o.Claim, o.DNS)
			}
		} else if o.Group.Known != states.Unknown || len(o.Group.Instances) > 0 {
			t.Errorf("%s fails, and is taken for an answer: %+v", service, o.Group)
		}
	}
}
