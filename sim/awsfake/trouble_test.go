package awsfake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// only makes one fault strike one action.
func only(action string, f *awsfake.Fault) func(*awsfake.Options) {
	return func(o *awsfake.Options) {
		o.Fault = func(c awsfake.Call) awsfake.Fault {
			if c.Action == action {
				return *f
			}
			return awsfake.Fault{}
		}
	}
}

func TestRequestArrivesLate(t *testing.T) {
	fault := awsfake.Fault{Err: context.DeadlineExceeded, ApplyAfter: time.Minute}
	var log []string
	w := newWorld(t, 1, func(o *awsfake.Options) {
		only("ChangeResourceRecordSets", &fault)(o)
		o.Log = func(c awsfake.Call, err error) {
			if c.Late {
				log = append(log, c.Action+": "+code(err))
			}
		}
	})
	zone := newZone(t, w, "example.org", "1", false)
	err := apply(w, zone, "CREATE A a.example.org 60 1.1.1.1")
	expect(t, "given up", errors.Is(err, context.DeadlineExceeded), true)
	w.sleep(59 * time.Second)
	expect(t, "before", records(w, zone), "")
	fault = awsfake.Fault{}
	must(t, apply(w, zone, "CREATE A b.example.org 60 1.1.1.1"))
	w.sleep(time.Second)
	expect(t, "after", records(w, zone), "A a.example.org. 60 1.1.1.1; A b.example.org. 60 1.1.1.1")
	expect(t, "told", len(log) == 1 && log[0] == "ChangeResourceRecordSets: ", true)

	// One that has lost its race by then does nothing.
	fault = awsfake.Fault{Err: context.DeadlineExceeded, ApplyAfter: time.Minute}
	_ = apply(w, zone, "DELETE A a.example.org 60 1.1.1.1; CREATE A a.example.org 60 2.2.2.2")
	fault = awsfake.Fault{}
	must(t, apply(w, zone, "UPSERT A a.example.org 60 3.3.3.3"))
	w.sleep(time.Hour)
	expect(t, "lost", records(w, zone), "A a.example.org. 60 3.3.3.3; A b.example.org. 60 1.1.1.1")
}

func TestRequestArrivesTwice(t *testing.T) {
	fault := awsfake.Fault{Again: true}
	w := newWorld(t, 1, only("ChangeResourceRecordSets", &fault))
	zone := newZone(t, w, "example.org", "1", false)
	err := apply(w, zone, "CREATE A a.example.org 60 1.1.1.1")
	expect(t, "the second one's answer", code(err), "InvalidChangeBatch")
	expect(t, "the first one's effect", records(w, zone), "A a.example.org. 60 1.1.1.1")
}

func TestOperatorAndCalm(t *testing.T) {
	w := newWorld(t, 1, func(o *awsfake.Options) { o.Operator = "nature" })
	w.Refuse(awsfake.Unavailable, awsfake.Who{}, time.Hour)
	_, err := w.AutoScaling("nature").DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})
	must(t, err)
	expect(t, "others", code(setDesired(t, w, 2)), "ServiceUnavailable")
	w.Calm()
	must(t, setDesired(t, w, 2))
}
