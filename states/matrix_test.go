package states

import (
	"slices"
	"strings"
	"testing"
)

// TestMatrixIsTheWay: the table has every step that the rules take, and no other.
func TestMatrixIsTheWay(t *testing.T) {
	n := 0
	for at := (MinorVersion{2, 3}); at.Next().Known(); at = at.Next() {
		h, ok := HopFrom(at)
		if !ok || h.To != at.Next() {
			t.Errorf("%s leads to %s, and the matrix says to %s", at, at.Next(), h.To)
		}
		if h.Least.Known() && (h.Least.MinorOf() != h.From || h.Why == "") || h.Fit.Known() && h.Fit.MinorOf() != h.To {
			t.Errorf("%s to %s: at least %s (%q), fit from %s", h.From, h.To, h.Least, h.Why, h.Fit)
		}
		n++
	}
	if n != len(hops) {
		t.Errorf("%d steps are taken, and the matrix has %d", n, len(hops))
	}
}

func TestHopsTo(t *testing.T) {
	for _, c := range []struct {
		from, to, want string
	}{
		{"3.5", "3.7", "3.5>3.6 3.6>3.7"}, {"3.6", "3.7", "3.6>3.7"}, {"2.3", "3.1", "2.3>3.0 3.0>3.1"},
		{"3.7", "3.7", ""}, {"3.7", "3.6", ""}, {"3.6", "3.8", ""}, {"2.2", "3.0", ""}, {"2.3", "2.9", ""},
	} {
		var got []string
		for _, h := range HopsTo(minorOf(c.from), minorOf(c.to)) {
			got = append(got, h.From.String()+">"+h.To.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s to %s: %v, want %q", c.from, c.to, got, c.want)
		}
	}
}

// TestWhatMinorsDemand holds the matrix against etcd's guides, as they are read by people.
func TestWhatMinorsDemand(t *testing.T) {
	for text, want := range map[string]bool{
		"3.5 3.5.0": false, "3.5 3.5.25": false, "3.5 3.5.31": false, "3.5 3.5.32": true, "3.5 3.5.35": true, "3.5 3.6.0": true,
		"3.6 3.6.10": false, "3.6 3.6.11": true, "3.6 3.7.0": true, "3.4 3.4.0": true, "2.3 2.3.0": true,
		"3.6 3.5.35": true, // on its way to 3.7 too, and not there yet
	} {
		from, version, _ := strings.Cut(text, " ")
		h, _ := HopFrom(minorOf(from))
		v, err := ParseVersion(version)
		if err != nil {
			t.Fatal(err)
		}
		if h.Takes(v) != want {
			t.Errorf("from %s on: a member that runs %s is taken: %v", from, version, !want)
		}
	}
	demand := func(is func(*Hop) bool) (from []string) {
		for i := range hops {
			if is(&hops[i]) {
				from = append(from, hops[i].From.String())
			}
		}
		return from
	}
	for what, c := range map[string]struct {
		got  []string
		want []string
	}{
		"no authentication":       {demand(func(h *Hop) bool { return h.NoAuth }), []string{"3.4"}},
		"no v2 content":           {demand(func(h *Hop) bool { return h.NoV2 }), []string{"3.5"}},
		"a log without old tales": {demand(func(h *Hop) bool { return h.NewLog }), []string{"3.5", "3.6"}},
		"a v3 key":                {demand(func(h *Hop) bool { return h.Keyed }), []string{"3.1"}},
		"not --enable-v2":         {demand(func(h *Hop) bool { return h.Drops("enable-v2") }), []string{"3.5"}},
		"not --proxy-refresh":     {demand(func(h *Hop) bool { return h.Drops("proxy-refresh-interval") }), []string{"3.5"}},
		"no experiments":          {demand(func(h *Hop) bool { return h.Drops("experimental-corrupt-check-time") }), []string{"3.6"}},
		"not --debug":             {demand(func(h *Hop) bool { return h.Drops("debug") }), []string{"3.4"}},
		"not --log-output":        {demand(func(h *Hop) bool { return h.Drops("log-output") }), []string{"3.3"}},
		"not --log-outputs":       {demand(func(h *Hop) bool { return h.Drops("log-outputs") }), nil}, // new in 3.4
		"not --quota":             {demand(func(h *Hop) bool { return h.Drops("quota-backend-bytes") }), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s is demanded by the steps from %v, and not %v", what, c.got, c.want)
		}
	}
}

func TestVersionsAreOrdered(t *testing.T) {
	order := []Version{{}, {2, 3, 8}, {3, 5, 9}, {3, 5, 26}, {3, 6, 0}, {3, 10, 0}, {4, 0, 0}}
	for i, a := range order {
		for j, b := range order {
			if a.Less(b) != (i < j) {
				t.Errorf("%s < %s is %v", a, b, !(i < j))
			}
		}
	}
}
