package states

import (
	"slices"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{
		"3.7.3": {3, 7, 3}, "3.7": {3, 7, 0}, "v3.5.26": {3, 5, 26}, " 2.3.8\n": {2, 3, 8}, "3.10.0": {3, 10, 0},
		"3.7.0-rc.1": {3, 7, 0}, "3.7.0+git": {3, 7, 0}, "3.7.1-alpha.0+build": {3, 7, 1},
	} {
		if got, err := ParseVersion(text); err != nil || got != want {
			t.Errorf("%q is read as %v, error %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "3", "v", "3.", "3.x", "x.7", "3.7.", "3.7.x", "-3.7", "3.-7", "3.7.-1", "not_decided", "3 .7", "3.7.0.1x", "3-rc.7", "3.7-rc.1", "3.7+git"} {
		if got, err := ParseVersion(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		} else if !strings.Contains(err.Error(), "MAJOR.MINOR") {
			t.Errorf("%q: the error says not what is wanted: %v", text, err)
		}
	}
}

func TestParseWanted(t *testing.T) {
	for text, want := range map[string]Version{"3.7": {}, "3.7.3": {3, 7, 3}, " v3.7.0 ": {3, 7, 0}} {
		if minor, exact, err := ParseWanted(text); err != nil || minor != minor37 || exact != want {
			t.Errorf("%q: %s, %s, %v", text, minor, exact, err)
		}
	}
	for _, text := range []string{"", "3", "newest", "0.0", "0.0.0"} {
		if minor, exact, err := ParseWanted(text); err == nil {
			t.Errorf("%q is read as %s, %s", text, minor, exact)
		}
	}
}

// TestWhatLeadsTo: each minor is led to by the one before it, the first by none.
func TestWhatLeadsTo(t *testing.T) {
	for minor, want := range map[MinorVersion]MinorVersion{{}: {}, {2, 3}: {}, {3, 0}: {2, 3}, {3, 1}: {3, 0}, {3, 7}: {3, 6}, {4, 0}: {}} {
		if got := minor.before(); got != want {
			t.Errorf("%s leads to %s, want %s", got, minor, want)
		}
	}
}

// FuzzParseVersion: what was read prints, and reads as the same.
func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"3.7.3", "v3.7.0-rc.1", "3.", "3.7.-1", "9999999999999999999.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseVersion(text)
		if err != nil {
			if v != (Version{}) {
				t.Errorf("%q: %v beside an error", text, v)
			}
			return
		}
		if v.Major < 0 || v.Minor < 0 || v.Patch < 0 {
			t.Errorf("%q: %v", text, v)
		}
		if again, err := ParseVersion(v.String()); err != nil || again != v {
			t.Errorf("%q: read as %v, printed and read again as %v, error %v", text, v, again, err)
		}
	})
}

// TestMinorsAreOrdered compares every two of a list in order.
func TestMinorsAreOrdered(t *testing.T) {
	order := []string{"2.2", "2.3", "3.0", "3.1", "3.4", "3.9", "3.10", "4.0"}
	for i, a := range order {
		for j, b := range order {
			if got := minorOf(a).Less(minorOf(b)); got != (i < j) {
				t.Errorf("%s < %s is %v", a, b, got)
			}
		}
	}
	if slices.IndexFunc(order, func(s string) bool { return minorOf(s).HasLearners() }) != slices.Index(order, "3.4") {
		t.Error("learners came with 3.4: a 3.3 member panics when one is added")
	}
}

// TestWhoCannotHandOver: up to 3.2 a leader cannot; of one that is not known nobody assumes that.
func TestWhoCannotHandOver(t *testing.T) {
	for minor, want := range map[string]bool{"2.3": false, "3.2": false, "3.3": true, "3.7": true} {
		if got := minorOf(minor).MovesLeader(); got != want {
			t.Errorf("%s: %v", minor, got)
		}
	}
	if !(MinorVersion{}).MovesLeader() {
		t.Error("an unknown version is taken for an old one")
	}
}

func TestUnknownVersions(t *testing.T) {
	if (Version{}).Known() || (MinorVersion{}).Known() {
		t.Error("the zero value says that it is known")
	}
	if v := (Version{3, 7, 3}); !v.Known() || v.MinorOf() != minor37 || minor37.String() != "3.7" {
		t.Errorf("%v: minor %v", v, v.MinorOf())
	}
}

// TestStandsIn: servers of a new cluster say 3.0, or 2.3, until each has answered their leader once. It is waited out by who sees
// that they are newer, and by nobody else: where no server tells its version, what the cluster says is all there is.
func TestStandsIn(t *testing.T) {
	for _, c := range []struct {
		level string
		runs  string // by members; - does not answer
		want  bool
	}{
		{"3.0", "3.7.1 3.7.1 3.7.1", true},
		{"3.0", "3.7.1 - -", true},
		{"2.3", "3.0.17 3.0.17", true},
		{"3.0", "3.7.1 3.0.17 3.7.1", false},
		{"2.3", "2.3.8 - 3.0.17", false},
		{"3.6", "3.7.1 3.7.1 3.7.1", false}, // no cluster begins with it
		{"3.0", "- - -", false},
		{"3.0", "", false},
	} {
		var cluster Cluster
		for v := range strings.FieldsSeq(c.runs) {
			cluster.Members = append(cluster.Members, Member{Version: exactly(v)})
		}
		if got := cluster.standsIn(minorOf(c.level)); got != c.want {
			t.Errorf("cluster version %s, and servers of %q: %v", c.level, c.runs, got)
		}
	}
}
