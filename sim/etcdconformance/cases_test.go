package etcdconformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var (
	newest = states.MinorVersion{Major: 3, Minor: 7}
	minors = []states.MinorVersion{{Major: 3, Minor: 5}, {Major: 3, Minor: 6}, newest}
)

// testCase is one script. All run on the newest minor; those whose outcome depends on the version run on every minor.
type testCase struct {
	name       string
	everyMinor bool
	run        func(s *script)
	want       string // the transcript
	fake       string // that of the fake, where it is harsher; and why:
	why        string
}

func (c testCase) wantOfFake(states.MinorVersion) string {
	if c.fake != "" {
		return strings.TrimSpace(c.fake)
	}
	return strings.TrimSpace(c.want)
}

func (c testCase) play(t *testing.T, on stage, want string) {
	s := &script{stage: on, t: t, etcd: on.etcd()}
	c.run(s)
	var lines []string
	for _, line := range strings.Split(want, "\n") {
		lines = append(lines, strings.TrimSpace(line))
	}
	if got := strings.Join(s.lines, "\n"); got != strings.Join(lines, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(lines, "\n"))
	}
}

var cases = slices.Concat(forming, joining, removing, losing, locking, upgrading)
