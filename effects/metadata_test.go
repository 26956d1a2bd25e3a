package effects

import (
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

const confirmCall = "DescribeAutoScalingInstances"

// endingNow asks for the termination notice afresh.
func (r *rig) endingNow() states.Ending {
	r.pass(10 * time.Second)
	r.turn(states.Needs{})
	return r.Observe().Ending
}

// condemn lets the group terminate the daemon's instance, which a lifecycle hook holds in Terminating:Wait.
func (r *rig) condemn() {
	_, err := r.cloud.AutoScaling("test").PutLifecycleHook(r.t.Context(), &autoscaling.PutLifecycleHookInput{
		AutoScalingGroupName: aws.String("etcd"), LifecycleHookName: aws.String("leave"), LifecycleTransition: aws.String(awsfake.Terminating), HeartbeatTimeout: aws.Int32(7200),
	})
	must(r.t, err)
	_, err = r.cloud.AutoScaling("test").TerminateInstanceInAutoScalingGroup(r.t.Context(), &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: aws.String(r.ids[0]), ShouldDecrementDesiredCapacity: aws.Bool(true),
	})
	must(r.t, err)
}

// TestAbsentMetadataIsAnAnswer: 404 means that there is nothing to tell. On most days that is all there is.
func TestAbsentMetadataIsAnAnswer(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	e := r.endingNow()
	if e.Announced != states.No || e.Terminating != states.Unknown || e.Asked.IsZero() || r.calls(confirmCall) > 1 { // one, to find the group
		t.Errorf("%+v", e)
	}
	if text, err := r.metadata(t.Context(), "nothing/here"); err != nil || text != "" {
		t.Errorf("an absent path: %q, error %v", text, err)
	}
}

func TestFailingMetadataIsNoAnswer(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.condemn()
	r.failing("imds")
	if _, err := r.metadata(t.Context(), "spot/instance-action"); err == nil {
		t.Error("no error")
	}
	before := r.Observe().Ending
	if e := r.endingNow(); e != before {
		t.Errorf("%+v, was %+v", e, before)
	}
}

// TestTerminationIsConfirmedOnce: announced by the metadata, confirmed by Auto Scaling, and never asked about again.
func TestTerminationIsConfirmedOnce(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.condemn()
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if in, ok := c.Input.(*autoscaling.DescribeAutoScalingInstancesInput); ok && !slices.Equal(in.InstanceIds, r.ids[:1]) {
			t.Errorf("asks for %q: without its ID, every instance of the account is listed, on pages", in.InstanceIds)
		}
		return awsfake.Fault{}
	}
	n := r.asked(confirmCall, func() {
		e := r.endingNow()
		if e.Announced != states.Yes || e.Terminating != states.Yes || !strings.Contains(e.Reason, "Auto Scaling") {
			t.Errorf("%+v", e)
		}
		for range 5 {
			r.endingNow()
		}
	})
	if n != 1 {
		t.Errorf("confirmed %d times", n)
	}
	r.cloud.InterruptSpot(r.ids[0], 2*time.Minute)
	if e := r.endingNow(); !strings.Contains(e.Reason, "Auto Scaling") {
		t.Errorf("what has begun its end is said to be: %s", e.Reason)
	}
}

// TestAnnouncedIsNotProven: until Auto Scaling confirms it, the member stays.
func TestAnnouncedIsNotProven(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.condemn()
	r.failing("autoscaling")
	if e := r.endingNow(); e.Announced != states.Yes || e.Terminating != states.Unknown {
		t.Errorf("Auto Scaling does not answer: %+v", e)
	}
	for what, edit := range map[string]func(*asgtypes.AutoScalingInstanceDetails){
		"it is in service":   func(in *asgtypes.AutoScalingInstanceDetails) { in.LifecycleState = aws.String("InService") },
		"another one leaves": func(in *asgtypes.AutoScalingInstanceDetails) { in.InstanceId = aws.String(r.ids[1]) },
	} {
		r.only(confirmCall, awsfake.Fault{Edit: func(out any) {
			for i := range out.(*autoscaling.DescribeAutoScalingInstancesOutput).AutoScalingInstances {
				edit(&out.(*autoscaling.DescribeAutoScalingInstancesOutput).AutoScalingInstances[i])
			}
		}})
		if e := r.endingNow(); e.Announced != states.Yes || e.Terminating != states.Unknown {
			t.Errorf("Auto Scaling says that %s: %+v", what, e)
		}
	}
	r.healthy()
	if e := r.endingNow(); e.Terminating != states.Yes {
		t.Errorf("Auto Scaling confirms: %+v", e)
	}
}

// TestSpotNoticeNeedsNoConfirmation: it has two minutes.
func TestSpotNoticeNeedsNoConfirmation(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.cloud.InterruptSpot(r.ids[0], 2*time.Minute)
	if n := r.asked(confirmCall, func() {
		if e := r.endingNow(); e.Terminating != states.Yes || !strings.Contains(e.Reason, "spot") {
			t.Errorf("%+v", e)
		}
	}); n != 0 {
		t.Errorf("confirmed %d times", n)
	}
	r = newRig(t, nil)
	r.know()
	r.condemn()
	r.cloud.InterruptSpot(r.ids[0], 2*time.Minute)
	r.failing("autoscaling")
	if e := r.endingNow(); e.Terminating != states.Yes || !strings.Contains(e.Reason, "spot") {
		t.Errorf("announced as well, and Auto Scaling does not answer: %+v", e)
	}
}

// TestSpotStopIsNoTermination: an instance that is stopped or hibernated comes back with its data.
func TestSpotStopIsNoTermination(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.cloud.InterruptSpot(r.ids[0], 2*time.Minute)
	r.only("GetMetadata", awsfake.Fault{Edit: func(out any) {
		body := `{"action":"stop","time":"2026-01-01T12:00:00Z"}`
		out.(*imds.GetMetadataOutput).Content = readCloser(body)
	}})
	if e := r.endingNow(); e.Terminating != states.Unknown {
		t.Errorf("%+v", e)
	}
}

// TestRequestedShutdown asks at once whether it is the operating system's last word.
func TestRequestedShutdown(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.turn(states.Needs{})
	r.pass(time.Millisecond)
	r.RequestShutdown("SIGTERM")
	at := r.now
	r.turn(states.Needs{})
	e := r.Observe().Ending
	if e.Shutdown != states.Yes || e.Reason != "SIGTERM" || !e.Requested.Equal(at) || e.Asked.Before(at) {
		t.Errorf("%+v", e)
	}
	r.pass(time.Second)
	r.RequestShutdown("SIGINT")
	if e := r.Observe().Ending; e.Reason != "SIGTERM" || !e.Requested.Equal(at) {
		t.Errorf("a second signal: %+v", e)
	}
}

// TestIdentityFromTheRecord: while the metadata service is silent, a record beside the data says who this is, if this machine wrote
// it. One that came with a disk of another instance would make this one that other.
func TestIdentityFromTheRecord(t *testing.T) {
	r := newRig(t, nil)
	r.failing("imds")
	for what, record := range map[string]states.Disk{
		"a foreign record":            {State: states.DiskMember, Name: "i-other", Address: "10.9.9.9"},
		"a record without an address": {State: states.DiskMember, Name: "i-other", Own: true},
	} {
		r.disk.state = record
		if o := r.turn(states.Needs{}); o.Self != (states.Self{}) {
			t.Errorf("goes by %s: %+v", what, o.Self)
		}
	}
	r.disk.state = states.Disk{State: states.DiskMember, Name: "i-other", Address: "10.9.9.9", Own: true}
	if o := r.turn(states.Needs{}); o.Self.ID != "i-other" || o.Self.Address != "10.9.9.9" {
		t.Errorf("does not go by its own record: %+v", o.Self)
	}
	r.healthy()
	for range 3 {
		r.pass(10 * time.Second)
		r.turn(states.Needs{})
	}
	if o := r.Observe(); o.Self.ID != r.ids[0] {
		t.Errorf("the metadata service is not believed: %+v", o.Self)
	}
}
