package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

// The canary must die: no daemon survives it. If it lives, the alarm is dead.
const (
	poison = "canary"
	breaks = "S2"
)

// A failure is found, made smaller, kept as a plan, told, and replayed by the program; and each says so with its exit code.
func TestSimCanary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"sim", "--seeds", "60", "--fault", poison, "--save", dir}, &out, &errOut)
	if code != exitFailure || !strings.Contains(errOut.String(), "breaks invariant "+breaks) {
		t.Fatalf("exit code %d\n%s%s", code, &out, &errOut)
	}
	report := out.String()
	if !strings.HasPrefix(report, breaks+" at ") || strings.Contains(report, "drawn:") { // the seed alone is another run
		t.Errorf("the report does not begin with the invariant, or leads astray:\n%s", report)
	}
	command := regexp.MustCompile(`(?m)^replay: etcd-appliance (sim replay (.+))$`).FindStringSubmatch(report)
	if command == nil || filepath.Dir(command[2]) != dir || !strings.Contains(report, "plan:   "+command[2]+"\n") {
		t.Fatalf("the report names no plan in %s:\n%s", dir, report)
	}
	plan, err := sim.ReadPlan(command[2])
	if err != nil || len(plan.Only) != 1 || plan.Only[0].Kind != sim.Canary {
		t.Errorf("the smallest plan has the faults %v (%v)", plan.Only, err)
	}
	told := regexp.MustCompile(`(?m)^ +[0-9.]+s  .*$`).FindAllString(report, -1)
	if n := len(told); n < 5 || n > 15 || !strings.Contains(told[n-1], "VIOLATION "+breaks) {
		t.Errorf("the trace has %d events:\n%s", n, strings.Join(told, "\n"))
	}

	replay, err := exec.Command(builtDaemon(t), strings.Fields(command[1])...).Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailure || !strings.Contains(string(exit.Stderr), "breaks invariant "+breaks) {
		t.Errorf("the replay ends with %v", err)
	}
	if last := told[len(told)-1]; !strings.HasSuffix(strings.TrimSpace(string(replay)), strings.TrimSpace(last)) {
		t.Errorf("the replay does not end with %q:\n%s", last, replay)
	}
}

// Ctrl-C ends a campaign with what it has seen, and it does not count as one that held.
func TestSimIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	file := filepath.Join(t.TempDir(), "sum.json")
	c := campaign{seeds: 1000, from: 1, shard: "1/1", json: file, planOf: func(seed uint64) *sim.Plan {
		if seed == 3 {
			interrupt()
		}
		plan := sim.Alone(seed, sim.DaemonRestart)
		return &plan
	}}
	var out bytes.Buffer
	err := c.run(ctx, &out, os.Stderr)
	if err == nil || !strings.HasPrefix(err.Error(), "interrupted after ") {
		t.Errorf("the campaign ends with %v", err)
	}
	sum, readErr := sim.ReadSummary(file)
	if readErr != nil || sum.Seeds == 0 || sum.Seeds == 1000 || !strings.Contains(out.String(), "seeds held every invariant") {
		t.Errorf("the summary is %+v (%v):\n%s", sum, readErr, &out)
	}

	var errOut bytes.Buffer
	if code := run(ctx, []string{"sim", "explore"}, &out, &errOut); code != exitFailure || !strings.Contains(errOut.String(), "the search was cut off at ") {
		t.Errorf("an interrupted search ends with %d: %s", code, &errOut)
	}
}
