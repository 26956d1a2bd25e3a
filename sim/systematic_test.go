package sim

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEverySingleFault plays every scenario with each single fault at each command of each daemon. What it finds is explained,
// with the plan file to keep, by
//
//	etcd-appliance sim scenarios NAME
func TestEverySingleFault(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a minute")
	}
	all, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for _, f := range s.Singles() {
				r := Run(Options{Plan: s.With(f)})
				if r.Violation != nil {
					var told strings.Builder
					Explain(&told, &r, filepath.Join("testdata", "regress"))
					t.Errorf("%s", &told)
					return
				}
				if !slices.ContainsFunc(r.Faults, func(o FaultEvent) bool { return o.Kind == f.Kind && o.Site == f.Site && o.Command == f.Command }) {
					t.Errorf("%v did not happen", f)
				}
			}
		})
	}
}

// A combination that breaks something is an ordinary plan: it shrinks to what matters, it is written to a file, and the file
// breaks the same.
func TestCombinationIsAPlan(t *testing.T) {
	t.Parallel()
	c, err := NewSystematic([]string{"replace_follower"}, true)
	if err != nil {
		t.Fatal(err)
	}
	bug := func(w *world, e FaultEvent) {
		paused := slices.ContainsFunc(w.recorded, func(e FaultEvent) bool { return e.Kind == PauseAtCall && e.Site == "remove member" })
		if paused && e.Kind == CrashAfter && e.Site == "add member" {
			w.fail("T1", "planted")
		}
	}
	for i := range c.Len() {
		r := Run(Options{Plan: c.Plan(i + 1), planted: bug})
		if r.Violation == nil {
			continue
		}
		small := shrink(Options{planted: bug}, r)
		p := small.Plan
		if len(p.Only) != 2 || !slices.Equal(p.Script, []string{"wait whole", "end follower", "wait d is learner", "stabilize"}) && len(p.Script) > 4 {
			t.Errorf("shrinks to %v and %q", p.Only, p.Script)
		}
		path := filepath.Join(t.TempDir(), "plan.json")
		must(os.WriteFile(path, p.JSON(), 0o600))
		read, err := ReadPlan(path)
		if err != nil {
			t.Fatal(err)
		}
		if again := Run(Options{Plan: &read, planted: bug}); again.Hash != small.Hash || again.Violation == nil {
			t.Errorf("the file is another run: %v", again.Violation)
		}
		return
	}
	t.Error("no pair is the planted one")
}

// Every number is another combination, and together they are all.
func TestCombinationsAreCountedOnce(t *testing.T) {
	t.Parallel()
	for _, pairs := range []bool{false, true} {
		c, err := NewSystematic([]string{"bootstrap", "reboot_all"}, pairs)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i := range c.Len() {
			seen[string(c.Plan(i+1).JSON())] = true
		}
		if uint64(len(seen)) != c.Len() {
			t.Errorf("%d plans of %d combinations", len(seen), c.Len())
		}
	}
}
