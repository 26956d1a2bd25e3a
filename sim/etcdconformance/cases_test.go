package etcdconformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var (
	newest = states.MinorVersion{Major: 3, Minor: 7}
	v23    = states.MinorVersion{Major: 2, Minor: 3}
	v30    = states.MinorVersion{Major: 3}
	minors = []states.MinorVersion{v23, {Major: 3, Minor: 5}, {Major: 3, Minor: 6}, newest}
)

// testCase is one script. All run on the newest minor; those whose outcome depends on the version run on every minor that has v3.
type testCase struct {
	name       string
	everyMinor bool
	v2         bool   // runs on 2.3 and nothing else
	snapshots  uint64 // --snapshot-count, where it matters
	run        func(s *script)
	want       string // the transcript
}

// on tells whether the script runs on a minor.
func (c testCase) on(minor states.MinorVersion) bool {
	if c.v2 || minor == v23 {
		return c.v2 && minor == v23
	}
	return c.everyMinor || minor == newest
}

// differs plays the script, and tells how the transcript differs from what is wanted; empty if it does not.
func (c testCase) differs(t *testing.T, on stage) string {
	s := &script{stage: on, t: t, etcd: on.etcd(), again: true}
	s.play(c.run)
	got, want := strings.Join(s.lines, "\n"), strings.Join(trimmed(c.want), "\n")
	if got == want {
		return ""
	}
	return "got\n" + got + "\nwant\n" + want
}

// play runs the script to its end, or to where it waits in vain, which it notes.
func (s *script) play(run func(s *script)) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case inVain:
			s.note("%s", r)
		default:
			panic(r)
		}
	}()
	run(s)
}

// trimmed is the text by lines, without the indentation of the source.
func trimmed(text string) []string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return lines
}

var cases = slices.Concat(forming, joining, removing, losing, locking, swapping, upgrading, operating, old)
