package sim

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// twoFaults is a planted bug: an invariant that breaks once an etcd has crashed and a daemon was restarted after it.
func twoFaults(w *world, e FaultEvent) {
	crashed := slices.ContainsFunc(w.recorded, func(e FaultEvent) bool { return e.Kind == EtcdCrash })
	if crashed && e.Kind == DaemonRestart {
		w.fail("T1", "planted")
	}
}

// failing finds a run that the planted bug breaks soon, and that has many faults: later, what broke may hang on
// every instance that was ever launched.
func failing(t *testing.T, planted func(*world, FaultEvent)) Result {
	t.Helper()
	for seed := range uint64(500) {
		if r := Run(Options{Seed: seed, planted: planted}); r.Violation != nil && len(r.Faults) > 20 && r.Violation.At < 5*time.Minute {
			return r
		}
	}
	t.Fatal("no seed breaks the invariant")
	return Result{}
}

func TestShrinksToTheFaultsThatMatter(t *testing.T) {
	t.Parallel()
	r := failing(t, twoFaults)
	small := shrink(Options{planted: twoFaults}, r)
	only := small.Plan.Only
	if len(only) != 2 || only[0].Kind != EtcdCrash || only[1].Kind != DaemonRestart {
		t.Errorf("%d faults shrink to %v", len(r.Faults), only)
	}
	if small.Violation == nil || small.Violation.Invariant != "T1" {
		t.Errorf("the small plan breaks %v", small.Violation)
	}
	again := Run(Options{Plan: &small.Plan, planted: twoFaults})
	if again.Hash != small.Hash {
		t.Errorf("the small plan's runs differ: %x and %x", small.Hash, again.Hash)
	}
}

// A bug that depends on what the world has come to, and on a fault of one call at one moment, is found as well.
func TestShrinksWhatDependsOnTheWorld(t *testing.T) {
	t.Parallel()
	bug := func(w *world, e FaultEvent) {
		if e.Kind == AWSError && e.Site == "DescribeAutoScalingGroups" && len(w.check.served) == 1 {
			w.fail("T2", "planted")
		}
	}
	r := failing(t, bug)
	small := shrink(Options{planted: bug}, r)
	if n := len(small.Plan.Only); n > 8 || small.Plan.Only[n-1].Site != "DescribeAutoScalingGroups" {
		t.Errorf("%d faults shrink to %v", len(r.Faults), small.Plan.Only)
	}
}

// What has failed once, and was mended, must hold for ever: the minimal plans of bugs that the simulator has found. One that is let off
// looks at nothing any more, unless it is of what comes after that (L7), and is to go.
func TestRegressionPlans(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/regress/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		p, err := ReadPlan(path)
		if err != nil {
			t.Error(err)
		} else if r := Run(Options{Plan: &p}); r.Violation != nil {
			t.Errorf("%s: %v", path, r.Violation)
		} else if r.Excused != "" && !strings.HasPrefix(filepath.Base(path), "L7-") {
			t.Errorf("%s is let off: %s", path, r.Excused)
		}
	}
}
