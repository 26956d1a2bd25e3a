package demo

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// busyScene has as much to show as ever comes together.
func busyScene() *scene {
	begun := time.Unix(1795382220, 0)
	s := &scene{name: "releaseetcd.elephant.example.org", since: 83*time.Second + 400*time.Millisecond, begun: begun, view: &observer.View{}}
	for n, a := range acts(3, "3.6", "3.7") {
		o := outcome{title: a.title}
		if n < 5 {
			o = outcome{title: a.title, begun: begun, healthy: 12340 * time.Millisecond, right: 59990 * time.Millisecond, over: true, written: rig.Progress{Lap: 1510 * time.Millisecond}}
		}
		s.outcomes = append(s.outcomes, o)
	}
	s.outcomes[5].begun, s.outcomes[5].wrong = time.Now(), "i-0362259904816818c: lists member 312476c15f0413cf (i-05de186dcba779207) that is no instance of the group"
	for n := range 7 {
		i := observer.Instance{ID: fmt.Sprintf("i-0%d6225990481681%d", n, n), Address: fmt.Sprintf("127.211.254.%d", 200+n), State: "running"}
		i.Etcd = observer.Etcd{ClusterID: 1, MemberID: uint64(n + 1), Leader: 1, Version: "3.7.3", Learner: n == 4}
		if n > 4 {
			i = observer.Instance{ID: i.ID, State: "shutting-down"}
		}
		s.view.Instances = append(s.view.Instances, i)
		s.view.DNS.A = append(s.view.DNS.A, i.Address)
		s.decisions = append(s.decisions, rig.Decision{Instance: i.ID, At: begun, From: "Running", To: "LeadingHousekeeping", Why: "its etcd leads the cluster", Commands: []string{"publish DNS"}})
	}
	s.view.DNS.A = s.view.DNS.A[:5]
	s.view.Claim.State = "formed"
	s.written = rig.Progress{Acked: 12345, Failed: 12, Longest: 1510 * time.Millisecond}
	return s
}

var escape = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

func TestFrameFits(t *testing.T) {
	for _, size := range []struct{ width, height int }{{100, 30}, {80, 24}, {200, 60}, {40, 12}, {10, 3}} {
		t.Run(fmt.Sprintf("%dx%d", size.width, size.height), func(t *testing.T) {
			for _, colour := range []bool{true, false} {
				s := screen{colour: colour}
				text := s.render(busyScene().frame(size.width, size.height), size.width, size.height)
				lines := strings.Split(escape.ReplaceAllString(text, ""), "\r\n")
				if len(lines) > size.height {
					t.Errorf("%d lines", len(lines))
				}
				for _, l := range lines {
					if utf8.RuneCountInString(l) > size.width {
						t.Errorf("too long: %q", l)
					}
				}
				if has := strings.Contains(text, string(good)); has != colour {
					t.Errorf("colour %t, and colours are there: %t", colour, has)
				}
			}
		})
	}
}

// On the two usual sizes nothing is cut off but reasons and decisions.
func TestFrameShows(t *testing.T) {
	for _, size := range []struct{ width, height int }{{99, 30}, {79, 24}} {
		s := screen{}
		text := escape.ReplaceAllString(s.render(busyScene().frame(size.width, size.height), size.width, size.height), "")
		for _, want := range []string{
			"01:23.4", "✓ scale out from 3 to 5", "▸ scale in from 5 to 3", "12.34 s", "59.99 s", "1.51 s\r\n", "leader", "learner", "shutting-down",
			"A 127.211.254.200 .201 .202 .203 .204   SRV", "claim formed", "12345 keys acknowledged", "retries 12", "i-0362259904816818c: lists member", "Running → LeadingHousekeeping",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%dx%d does not show %q:\n%s", size.width, size.height, want, text)
			}
		}
	}
}
