package awsfake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

var ctx = context.Background()

// world is a cloud with a clock that the test moves.
type world struct {
	*awsfake.Cloud
	now    time.Time
	events []string // what the hooks were told: "+" and "-" and the address
}

// newWorld returns a cloud with one group "etcd", launches taking 60 s and
// shutdowns 30 s.
func newWorld(t *testing.T, desired int, change func(*awsfake.Options)) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	o := awsfake.Options{
		Now:         func() time.Time { return w.now },
		LaunchDelay: time.Minute, ShutdownDelay: 30 * time.Second,
		OnRunning:   func(i awsfake.Instance) { w.events = append(w.events, "+"+i.PrivateIP) },
		OnTerminate: func(i awsfake.Instance) { w.events = append(w.events, "-"+i.PrivateIP) },
	}
	if change != nil {
		change(&o)
	}
	w.Cloud = awsfake.New(o)
	_, err := w.AutoScaling("test").CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("etcd"), MinSize: aws.Int32(1), MaxSize: aws.Int32(5), DesiredCapacity: aws.Int32(int32(desired)),
		Tags: []autoscalingtypes.Tag{{Key: aws.String("Name"), Value: aws.String("etcd-node"), PropagateAtLaunch: aws.Bool(true)}, {Key: aws.String("Own"), Value: aws.String("x")}},
	})
	must(t, err)
	return w
}

// sleep moves the clock by d, event by event, as a simulator does.
func (w *world) sleep(d time.Duration) {
	end := w.now.Add(d)
	for {
		at, ok := w.NextEvent()
		if !ok || at.After(end) {
			w.now = end
			return
		}
		if at.After(w.now) {
			w.now = at
		}
		w.Advance()
	}
}

// lifecycle prints the group's members, in order of launch.
func (w *world) lifecycle() string {
	var list []string
	for _, i := range w.Instances() {
		if i.Lifecycle != "" {
			list = append(list, i.Lifecycle)
		}
	}
	return strings.Join(list, " ")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// code is the API error code, empty for success.
func code(err error) string {
	if err == nil {
		return ""
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "not an API error: " + err.Error()
}

func message(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorMessage()
	}
	return ""
}

func expect[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n got %v\nwant %v", what, got, want)
	}
}

func TestSameCallsSameWorld(t *testing.T) {
	run := func() []awsfake.Instance {
		w := newWorld(t, 3, nil)
		w.sleep(time.Hour)
		return w.Instances()
	}
	a, b := run(), run()
	for n := range a {
		expect(t, "ID", a[n].ID, b[n].ID)
		expect(t, "address", a[n].PrivateIP, b[n].PrivateIP)
	}
	expect(t, "length of an ID", len(a[0].ID), len("i-0123456789abcdef0"))
	expect(t, "host name", a[0].PrivateDNSName, "ip-10-0-0-11.eu-central-1.compute.internal")
}
