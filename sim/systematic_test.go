package sim

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSingleFaults plays every scenario with one in ten of the single faults at each command of each daemon. make test plays all
// of them, by
//
//	etcd-appliance sim scenarios
func TestSingleFaults(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	all, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for i, f := range s.Singles() {
				if i%10 != 0 {
					continue
				}
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
	s := scenario(t, "replace_follower")
	bug := func(w *world, e FaultEvent) {
		paused := slices.ContainsFunc(w.recorded, func(e FaultEvent) bool { return e.Kind == PauseAtCall && e.Site == "remove member" })
		if paused && e.Kind == CrashAfter && e.Site == "add member" {
			w.fail("T1", "planted")
		}
	}
	pick := func(kind Kind, node int, site string) FaultEvent {
		all := s.Singles()
		return all[slices.IndexFunc(all, func(e FaultEvent) bool { return e.Kind == kind && e.Node == node && e.Site == site })]
	}
	p := s.With(pick(DaemonCrash, 4, "start etcd"), pick(PauseAtCall, 1, "remove member"), pick(CrashAfter, 4, "add member"))
	r := Run(Options{Plan: p, planted: bug})
	if r.Violation == nil {
		t.Fatal("the planted bug is not found")
	}
	small := shrink(Options{planted: bug}, r).Plan
	if len(small.Only) != 2 || len(small.Script) >= len(p.Script) || !slices.Contains(small.Script, "end follower") {
		t.Errorf("shrinks to %v and %q", small.Only, small.Script)
	}
	path := filepath.Join(t.TempDir(), "plan.json")
	must(os.WriteFile(path, small.JSON(), 0o600))
	read, err := ReadPlan(path)
	if err != nil {
		t.Fatal(err)
	}
	a, b := Run(Options{Plan: &small, planted: bug}), Run(Options{Plan: &read, planted: bug})
	if a.Hash != b.Hash || b.Violation == nil {
		t.Errorf("the file is another run: %v", b.Violation)
	}
}

// A story without its steps is no plan, and one that nobody understands is refused.
func TestReadPlanRefusesAScriptItDoesNotKnow(t *testing.T) {
	t.Parallel()
	p := scenario(t, "scale").Plan
	p.Script = append(slices.Clone(p.Script), "make coffee")
	path := filepath.Join(t.TempDir(), "plan.json")
	must(os.WriteFile(path, p.JSON(), 0o600))
	if _, err := ReadPlan(path); err == nil || !strings.Contains(err.Error(), "make coffee") {
		t.Errorf("error %v", err)
	}
}

func scenario(t *testing.T, name string) *Scenario {
	t.Helper()
	all, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	t.Fatalf("no scenario is called %s", name)
	return nil
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
