package effects

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// warned asks for the warnings afresh.
func (r *rig) warned() string {
	r.pass(warningPace)
	r.turn(states.Needs{})
	return r.Observe().Ending.Warned
}

func TestWarningsAreRead(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	if got := r.warned(); got != "" {
		t.Errorf("of nothing: %q", got)
	}
	r.cloud.ScheduleEvent(r.ids[0], "system-reboot", 7*24*time.Hour)
	reboot := "system-reboot not before " + r.now.Add(7*24*time.Hour).Format("2 Jan 2006 15:04:05") + " GMT"
	if got := r.warned(); got != reboot {
		t.Errorf("of a reboot: %q, want %q", got, reboot)
	}
	r.cloud.RecommendRebalance(r.ids[0])
	both := "it recommended to rebalance at " + r.now.Format(time.RFC3339) + "; " + reboot
	if got := r.warned(); got != both {
		t.Errorf("of both: %q, want %q", got, both)
	}
	r.failing("imds")
	if got := r.warned(); got != both {
		t.Errorf("the metadata fails, and the warning is %q", got)
	}
	r.healthy()
	r.cloud.ScheduleEvent(r.ids[0], "", 0)
	r.pass(maxPause)
	if got, want := r.warned(), both[:len(both)-len("; "+reboot)]; got != want {
		t.Errorf("the reboot was taken back: %q, want %q", got, want)
	}
	if e := r.Observe().Ending; e.Terminating != states.Unknown || e.Announced != states.No {
		t.Errorf("a warning is no end: %+v", e)
	}
}

// TestHalfAWarningIsNone: it is handed to the rules whole or not at all, and who has failed to read it is told so.
func TestHalfAWarningIsNone(t *testing.T) {
	for _, path := range []string{"events/recommendations/rebalance", "events/maintenance/scheduled"} {
		r := newRig(t, nil)
		r.know()
		refused := errors.New("refused")
		r.fault = func(c awsfake.Call) awsfake.Fault {
			if in, ok := c.Input.(*imds.GetMetadataInput); ok && in.Path == path {
				return awsfake.Fault{Err: refused}
			}
			return awsfake.Fault{}
		}
		if deliver, err := r.askWarning()(t.Context()); deliver != nil || !errors.Is(err, refused) {
			t.Errorf("%s cannot be read: error %v, something to deliver: %v", path, err, deliver != nil)
		}
	}
	r := newRig(t, nil)
	r.know()
	r.IMDS = garbled{r.IMDS}
	if deliver, err := r.askWarning()(t.Context()); deliver != nil || err == nil {
		t.Errorf("it is no JSON: error %v, something to deliver: %v", err, deliver != nil)
	}
}

// garbled is a metadata service behind a proxy that answers for it.
type garbled struct{ IMDS }

func (garbled) GetMetadata(context.Context, *imds.GetMetadataInput, ...func(*imds.Options)) (*imds.GetMetadataOutput, error) {
	return &imds.GetMetadataOutput{Content: io.NopCloser(strings.NewReader("<html>"))}, nil
}

// TestOldWarningsDoNotCount: an event stays in the list for a while after it.
func TestOldWarningsDoNotCount(t *testing.T) {
	for text, want := range map[string]string{
		"":   "",
		"[]": "",
		`[{"NotBefore":"21 Jan 2019 09:00:43 GMT","Code":"system-reboot","Description":"[Completed] scheduled reboot","State":"completed"}]`:                                          "",
		`[{"Code":"instance-retirement","NotBefore":"a","State":"canceled"},{"Code":"instance-stop","NotBefore":"b","State":"active"},{"Code":"x","NotBefore":"c","State":"active"}]`: "instance-stop not before b; x not before c",
	} {
		if got, err := warning("", text); got != want || err != nil {
			t.Errorf("%s: %q, error %v", text, got, err)
		}
	}
	for _, garbled := range [][2]string{{"<html>", ""}, {"", "<html>"}} {
		if got, err := warning(garbled[0], garbled[1]); err == nil || got != "" {
			t.Errorf("%q: %q", garbled, got)
		}
	}
}

// TestYieldIsTriedOnce for a warning, whatever comes of it; and what is done for something else is not it.
func TestYieldIsTriedOnce(t *testing.T) {
	for _, c := range []struct {
		command states.MoveLeader
		err     error
		want    string
	}{
		{states.MoveLeader{To: 0xb2, At: "reboot"}, nil, "reboot"},
		{states.MoveLeader{To: 0xb2, At: "reboot"}, ErrNotLeader, "reboot"},
		{states.MoveLeader{To: 0xb2, At: "reboot"}, ErrUnhealthy, "reboot"},
		{states.MoveLeader{To: 0xb2}, nil, "before"},
	} {
		r := newRig(t, nil)
		r.know()
		r.facts.Ending.Yielded = "before"
		r.etcd.err = c.err
		r.Execute([]states.Command{c.command})
		if got := r.Observe().Ending.Yielded; got != c.want {
			t.Errorf("%+v answered with %v: %q", c.command, c.err, got)
		}
	}
}
