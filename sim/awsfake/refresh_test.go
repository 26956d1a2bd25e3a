package awsfake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

func refresh(w *world, p *types.RefreshPreferences) error {
	_, err := w.AutoScaling("test").StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("etcd"), Preferences: p})
	return err
}

// progress prints the newest refresh.
func progress(t *testing.T, w *world) string {
	t.Helper()
	out, err := w.AutoScaling("test").DescribeInstanceRefreshes(ctx, &autoscaling.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("etcd")})
	must(t, err)
	r := out.InstanceRefreshes[0]
	return fmt.Sprintf("%s %d %% %d left", r.Status, *r.PercentageComplete, *r.InstancesToUpdate)
}

// preferences are percentages, of which a negative one is left out.
func preferences(low, high int32) *types.RefreshPreferences {
	p := &types.RefreshPreferences{MinHealthyPercentage: &low}
	if high >= 0 {
		p.MaxHealthyPercentage = &high
	}
	return p
}

func TestInstanceRefresh(t *testing.T) {
	tests := []struct {
		name        string
		size        int
		preferences *types.RefreshPreferences
		counts      string // lowest in service, highest in all
		minutes     int    // until it is done
	}{
		{"by default one after the other, terminated first", 3, nil, "2-3", 3},
		{"90 and no maximum", 3, preferences(90, -1), "2-3", 3},
		{"100 and no maximum", 3, preferences(100, -1), "2-3", 3},
		{"100 and 100: launched first", 3, preferences(100, 100), "3-4", 3},
		{"100 and 134", 3, preferences(100, 134), "3-4", 3},
		{"100 and 200: all at once, launched first", 3, preferences(100, 200), "3-6", 1},
		{"60 of five: two at a time", 5, preferences(60, -1), "3-5", 3},
		{"50 of three: two stay", 3, preferences(50, -1), "2-3", 3},
		{"0: all at once", 3, preferences(0, -1), "0-3", 1},
		{"a single one", 1, nil, "0-1", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, test.size, nil)
			w.sleep(time.Minute)
			old := w.Instances()
			must(t, refresh(w, test.preferences))
			expect(t, "another one", code(refresh(w, nil)), "InstanceRefreshInProgress")
			serving := strings.Count(w.lifecycle(), "InService")
			got := counts(w, time.Duration(test.minutes)*time.Minute)
			var lowest, highest int
			fmt.Sscanf(got, "%d-%d", &lowest, &highest)
			expect(t, "counts", fmt.Sprintf("%d-%d", min(lowest, serving), highest), test.counts)
			expect(t, "progress", progress(t, w), "Successful 100 % 0 left")
			expect(t, "size", strings.Count(w.lifecycle(), "InService"), test.size)
			for _, i := range old {
				now, _ := w.Instance(i.ID)
				expect(t, "replaced", now.Lifecycle == "InService", false)
			}
		})
	}
}

// The next one goes only when the replacement has passed its hook and is warm.
func TestInstanceRefreshWaits(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.sleep(time.Minute)
	hook(t, w, "join", awsfake.Launching, 600, "ABANDON")
	must(t, refresh(w, &types.RefreshPreferences{InstanceWarmup: aws.Int32(120)}))
	w.sleep(5 * time.Minute)
	expect(t, "held", w.lifecycle(), "InService InService Pending:Wait")
	expect(t, "progress", progress(t, w), "InProgress 33 % 2 left")
	must(t, complete(w, "join", w.Instances()[3].ID, "CONTINUE"))
	w.sleep(119 * time.Second)
	expect(t, "not warm", w.lifecycle(), "InService InService InService")
	w.sleep(time.Second)
	expect(t, "warm", strings.Count(w.lifecycle(), "InService"), 2)

	// A replacement that is abandoned is replaced itself.
	w.sleep(time.Minute)
	must(t, complete(w, "join", w.Instances()[4].ID, "ABANDON"))
	w.sleep(time.Minute)
	expect(t, "again", w.lifecycle(), "InService InService Pending:Wait")
}

// An unhealthy instance does not count among those that serve.
func TestInstanceRefreshCountsTheHealthy(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.sleep(time.Minute)
	suspend(t, w, "ReplaceUnhealthy")
	w.FailHealthCheck(w.Instances()[2].ID, time.Hour)
	must(t, refresh(w, nil))
	w.sleep(10 * time.Minute)
	expect(t, "one is enough", progress(t, w), "InProgress 0 % 3 left")
	resume(t, w)
	w.sleep(10 * time.Minute)
	expect(t, "replaced", progress(t, w), "Successful 100 % 0 left")
}

func TestInstanceRefreshCancelled(t *testing.T) {
	w := newWorld(t, 3, nil)
	cancel := func() error {
		_, err := w.AutoScaling("test").CancelInstanceRefresh(ctx, &autoscaling.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String("etcd")})
		return err
	}
	w.sleep(time.Minute)
	expect(t, "nothing to cancel", code(cancel()), "ActiveInstanceRefreshNotFound")
	must(t, refresh(w, nil))
	must(t, cancel())
	w.sleep(2 * time.Hour)
	expect(t, "progress", progress(t, w), "Cancelled 33 % 2 left")
	expect(t, "one was replaced", len(w.Instances()), 3)
	expect(t, "which left", w.Instances()[0].PrivateIP+" "+w.lifecycle(), "10.0.0.12 InService InService InService")
}

// The replacements get the new template version, and what has it is skipped.
func TestInstanceRefreshToVersion(t *testing.T) {
	w := newWorld(t, 2, nil)
	w.sleep(time.Minute)
	to := func(version string) {
		_, err := w.AutoScaling("test").StartInstanceRefresh(ctx, &autoscaling.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("etcd"),
			DesiredConfiguration: &types.DesiredConfiguration{LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("t"), Version: &version}},
			Preferences:          &types.RefreshPreferences{SkipMatching: aws.Bool(true)}})
		must(t, err)
	}
	to("7")
	w.sleep(10 * time.Minute)
	for _, i := range w.Instances()[2:] {
		expect(t, "version", i.TemplateVersion, "7")
	}
	g, _ := w.Group("etcd")
	expect(t, "group's version", g.TemplateVersion, "7")
	to("7")
	w.sleep(time.Minute)
	expect(t, "nothing to do", progress(t, w)+" "+w.lifecycle(), "Successful 100 % 0 left InService InService")
}

func TestInstanceRefreshSuspended(t *testing.T) {
	for _, process := range []string{"InstanceRefresh", "Launch", "Terminate"} {
		w := newWorld(t, 3, nil)
		w.sleep(time.Minute)
		suspend(t, w, process)
		must(t, refresh(w, nil))
		w.sleep(time.Hour)
		expect(t, "without "+process, w.lifecycle(), "InService InService InService")
		expect(t, "progress", progress(t, w), "InProgress 0 % 3 left")
		resume(t, w)
		w.sleep(time.Hour)
		expect(t, "resumed", progress(t, w), "Successful 100 % 0 left")
	}
}

// All instances are told to go within an instant.
func TestMassTermination(t *testing.T) {
	w := newWorld(t, 3, nil)
	w.sleep(time.Minute)
	hook(t, w, "leave", awsfake.Terminating, 60, "CONTINUE")
	for _, i := range w.Instances() {
		must(t, terminateMember(w, i.ID, false))
	}
	expect(t, "held", w.lifecycle(), "Terminating:Wait Terminating:Wait Terminating:Wait Pending Pending Pending")
	w.sleep(3 * time.Minute)
	expect(t, "replaced", w.lifecycle(), "InService InService InService")
}
