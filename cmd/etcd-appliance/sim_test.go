package main

import (
	"bytes"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

func simulate(t *testing.T, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := run(t.Context(), append([]string{"sim"}, args...), &out, &errOut); code != exitOK {
		t.Fatalf("sim %s: exit code %d\n%s%s", strings.Join(args, " "), code, &out, &errOut)
	}
	return out.String()
}

// The shards of a campaign add up to the campaign, in all but the time that it took.
func TestSimShardsMerge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	from := []string{"--seeds", "7", "--from", "98"} // of which seed 100 is run twice
	simulate(t, append(from, "--json", file("whole"))...)
	for _, part := range []string{"1", "2", "3"} {
		simulate(t, append(from, "--shard", part+"/3", "--json", file(part))...)
	}
	printed := simulate(t, "merge", file("3"), file("1"), file("2"), "--json", file("sum"), "--coverage")
	read := func(name string) string {
		s, err := sim.ReadSummary(file(name))
		if err != nil {
			t.Fatal(err)
		}
		if s.Seeds != 7 || s.Twice != 1 || s.Hash == 0 {
			t.Errorf("%s: %d seeds, %d of them twice, hash %x", name, s.Seeds, s.Twice, s.Hash)
		}
		s.Seconds, s.Hours = 0, math.Round(s.Hours*1e6)/1e6 // a sum of parts is rounded in another order
		return string(s.JSON())
	}
	if whole, sum := read("whole"), read("sum"); whole != sum {
		t.Errorf("the shards come to %s\nthe whole to %s", sum, whole)
	}
	for _, want := range []string{"7 seeds held every invariant", "| fault | made | B>L |", "| a straggler started"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not printed:\n%s", want, printed)
		}
	}
}

func TestSimReplaysAPlanFile(t *testing.T) {
	t.Parallel()
	plans, _ := filepath.Glob("../../sim/testdata/regress/*.json")
	if len(plans) == 0 {
		t.Skip("no plan is kept")
	}
	if out := simulate(t, "replay", plans[0]); !strings.Contains(out, "held: ") {
		t.Errorf("the trace does not end with what came of the run:\n%s", out)
	}
	if out := simulate(t, "replay", plans[0], "--mermaid"); !strings.HasPrefix(out, "sequenceDiagram\n") {
		t.Errorf("no diagram: %s", out)
	}
}

// Scenarios are played with faults in shards, and told without.
func TestSimScenarios(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	simulate(t, "scenarios", "bootstrap", "--shard", "1/9", "--json", file("1"))
	simulate(t, "scenarios", "bootstrap", "reboot_all", "--pairs", "--shard", "3/999", "--for", "1m", "--json", file("2"))
	first, err := sim.ReadSummary(file("1"))
	if err != nil {
		t.Fatal(err)
	}
	if first.Seeds < 5 || first.Of != "single faults" || len(first.Violations) > 0 {
		t.Errorf("a ninth of the single faults of one scenario comes to %+v", first)
	}
	if printed := simulate(t, "merge", file("2")); !strings.Contains(printed, "pairs of faults held every invariant") {
		t.Errorf("the summary of pairs is printed as\n%s", printed)
	}
	if told := simulate(t, "tell", "bootstrap"); !strings.Contains(told, "Bootstrapping -> LeadingHousekeeping") || !strings.Contains(told, "held: ") {
		t.Errorf("the scenario is told as\n%s", told)
	}
}
