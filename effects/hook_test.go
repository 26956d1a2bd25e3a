package effects

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// hooked is a rig whose instance the terminating hook "leave" holds.
func hooked(t *testing.T, launching, terminating string) *rig {
	r := newRig(t, func(_ *rig, o *Options) { o.LaunchingHook, o.TerminatingHook = launching, terminating })
	r.know()
	r.condemn()
	return r
}

func (r *rig) hookNow() states.Hook {
	r.pass(time.Second)
	r.turn(states.Needs{Group: time.Second})
	return r.Observe().Group.Hook
}

// fails executes a command and tells how it failed; empty when it did not.
func (r *rig) fails(c states.Command) string {
	r.Execute([]states.Command{c})
	return r.complaint[kind(c)]
}

// lifecycle is the state of the rig's instance in its group.
func (r *rig) lifecycle() string {
	in, _ := r.cloud.Instance(r.ids[0])
	return in.Lifecycle
}

func TestHookOfOursIsSeen(t *testing.T) {
	r := hooked(t, "enter", "leave")
	h := r.hookNow()
	if h.Holds != states.Terminating || h.Timeout != 2*time.Hour || !h.Since.Equal(r.now) || !h.Beat.IsZero() {
		t.Errorf("%+v", h)
	}
	since := h.Since
	if h = r.hookNow(); !h.Since.Equal(since) {
		t.Errorf("a second look begins anew: %+v", h)
	}
	for what, r := range map[string]*rig{"somebody else's": hooked(t, "enter", "other"), "none that is completed": hooked(t, "enter", "")} {
		if h := r.hookNow(); h != (states.Hook{}) {
			t.Errorf("%s: %+v", what, h)
		}
	}
	r = newRig(t, func(_ *rig, o *Options) { o.LaunchingHook, o.TerminatingHook = "enter", "leave" })
	r.know()
	if h := r.hookNow(); h != (states.Hook{}) || r.calls("DescribeLifecycleHooks") != 0 {
		t.Errorf("an instance that nothing holds: %+v, after %d questions", h, r.calls("DescribeLifecycleHooks"))
	}
}

// TestHookOfAnotherInstance holds that one.
func TestHookOfAnotherInstance(t *testing.T) {
	r := newRig(t, func(r *rig, o *Options) {
		slices.Sort(r.ids) // AWS lists the others behind it
		o.IMDS, o.AutoScaling, o.LaunchingHook, o.TerminatingHook = r.cloud.IMDS(r.ids[0]), r.cloud.AutoScaling(r.ids[0]), "enter", "leave"
	})
	r.know()
	me := r.ids[0]
	for _, r.ids[0] = range r.ids[1:3] {
		r.condemn()
	}
	r.ids[0] = me
	if h := r.hookNow(); h != (states.Hook{}) || r.Observe().Group.Known != states.Yes {
		t.Errorf("%+v", h)
	}
}

// TestFirstLook: a daemon that has just started looks once whether a hook holds it, where it completes launches.
func TestFirstLook(t *testing.T) {
	for hook, want := range map[string]int{"enter": 1, "": 0} {
		r := newRig(t, func(_ *rig, o *Options) { o.LaunchingHook = hook })
		if n := r.asked(groupCall, func() {
			for range 60 {
				r.turn(states.Needs{})
				r.pass(time.Second)
			}
		}); n != want {
			t.Errorf("hook %q: the group is asked %d times, want %d", hook, n, want)
		}
	}
}

// TestUnreadHookHidesNoGroup: the role may lack the permission. What was known of the hook stays.
func TestUnreadHookHidesNoGroup(t *testing.T) {
	r := hooked(t, "enter", "leave")
	before := r.hookNow()
	r.only("DescribeLifecycleHooks", awsfake.Fault{Err: awsfake.Error("AccessDenied", "no")})
	if h := r.hookNow(); h != before || r.Observe().Group.Known != states.Yes || !r.Observe().Group.At.Equal(r.now) {
		t.Errorf("%+v, the group is %+v", h, r.Observe().Group)
	}
}

func TestHeartbeat(t *testing.T) {
	r := hooked(t, "enter", "leave")
	r.hookNow()
	r.pass(time.Hour + 59*time.Minute)
	if failed := r.fails(states.HookHeartbeat{Hook: states.Terminating}); failed != "" {
		t.Fatal(failed)
	}
	if beat := r.Observe().Group.Hook.Beat; !beat.Equal(r.now) {
		t.Errorf("AWS has heard of it at %v, noted is %v", r.now, beat)
	}
	r.pass(time.Hour)
	if h := r.hookNow(); h.Holds != states.Terminating || r.lifecycle() != "Terminating:Wait" {
		t.Errorf("after three hours in all it is %s, %+v", r.lifecycle(), h)
	}
	r.failing("autoscaling")
	beat := r.Observe().Group.Hook.Beat
	if failed := r.fails(states.HookHeartbeat{Hook: states.Terminating}); failed == "" || !r.Observe().Group.Hook.Beat.Equal(beat) {
		t.Errorf("a heartbeat that failed: %q, noted %v", failed, r.Observe().Group.Hook.Beat)
	}
}

func TestCompleteHook(t *testing.T) {
	r := hooked(t, "enter", "leave")
	r.hookNow()
	for range 2 { // the answer to the first may be lost
		if !r.open(states.LaneGroup) {
			t.Fatal("the command is not carried out")
		}
		if failed := r.fails(states.CompleteHook{Hook: states.Terminating, Why: "test"}); failed != "" {
			t.Fatal(failed)
		}
		r.hookNow() // what the command has changed is looked at first
	}
	if r.lifecycle() == "Terminating:Wait" {
		t.Error("it is held still")
	}
	if h := r.hookNow(); h != (states.Hook{}) {
		t.Errorf("seems held still: %+v", h)
	}
	r.failing("autoscaling")
	if failed := r.fails(states.CompleteHook{Hook: states.Terminating, Why: "test"}); failed == "" || !strings.Contains(failed, "complete the terminating hook: test") {
		t.Errorf("failures %q", failed)
	}
}

// TestLaunchIsCompletedOrGivenUp: a launch that is given up ends the instance.
func TestLaunchIsCompletedOrGivenUp(t *testing.T) {
	for abandon, want := range map[bool]string{false: "InService", true: "Terminat"} {
		r := newRig(t, func(r *rig, o *Options) {
			_, err := r.cloud.AutoScaling("test").PutLifecycleHook(r.t.Context(), &autoscaling.PutLifecycleHookInput{
				AutoScalingGroupName: aws.String("etcd"), LifecycleHookName: aws.String("enter"), LifecycleTransition: aws.String(awsfake.Launching), HeartbeatTimeout: aws.Int32(600),
			})
			must(r.t, err)
			r.terminate(r.ids[0]) // its replacement is held
			r.pass(time.Minute)
			for _, in := range r.cloud.Instances() {
				if in.Lifecycle == "Pending:Wait" {
					r.ids[0] = in.ID
				}
			}
			o.IMDS, o.AutoScaling, o.LaunchingHook, o.TerminatingHook = r.cloud.IMDS(r.ids[0]), r.cloud.AutoScaling(r.ids[0]), "enter", "leave"
		})
		r.know()
		if h := r.hookNow(); h.Holds != states.Launching || h.Timeout != 10*time.Minute {
			t.Fatalf("%s: %+v", r.lifecycle(), h)
		}
		if failed := r.fails(states.CompleteHook{Hook: states.Launching, Abandon: abandon, Why: "test"}); failed != "" {
			t.Fatal(failed)
		}
		if got := r.lifecycle(); !strings.HasPrefix(got, want) {
			t.Errorf("given up: %v, and it is %q", abandon, got)
		}
	}
}

func TestReplaceInstance(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	graced := false
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if in, ok := c.Input.(*autoscaling.SetInstanceHealthInput); ok {
			graced = aws.ToBool(in.ShouldRespectGracePeriod)
		}
		return awsfake.Fault{}
	}
	if failed := r.fails(states.ReplaceInstance{ID: r.ids[1], Why: "test"}); failed != "" {
		t.Fatal(failed)
	}
	if !graced {
		t.Error("an instance in its grace period is not left alone")
	}
	if in, _ := r.cloud.Instance(r.ids[1]); in.Health != "Unhealthy" && !strings.HasPrefix(in.Lifecycle, "Terminat") {
		t.Errorf("%+v", in)
	}
	r.hookNow() // what the command has changed is looked at first
	r.failing("autoscaling")
	if failed := r.fails(states.ReplaceInstance{ID: r.ids[1], Why: "test"}); failed == "" {
		t.Errorf("while AWS does not answer: %q", failed)
	}
}
