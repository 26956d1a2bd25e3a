package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// layer is one kind of test. They are asked in the order of their price.
type layer struct {
	name  string
	pkg   string // whose test binary is run
	steps [][]string // arguments of the test binary, one run each; the first that fails ends it
	env   []string
	cpu   int // seconds of processor time after which a mutant is taken for hung
}

// dialogues are asked first: they are quick, and see most.
const (
	dialogues = "^TestGolden$"
	// elsewhere are the tests of the other layers, of the dialogues, and those that read the package's own source, which is not
	// the mutant's.
	elsewhere = "^(TestMutant.*|TestGolden|TestPurity|TestCommandsListsEveryKind)$"
)

// layers are those that judge a mutant.
func (m *mutant) layers(seeds int) []layer {
	if m.Kind == "fake" {
		return m.fakeLayers()
	}
	var all []layer
	for _, pkg := range m.packages() {
		all = append(all, layer{"unit", pkg, [][]string{{"-test.failfast", "-test.run", dialogues}, {"-test.failfast", "-test.skip", elsewhere}}, nil, 30})
	}
	pkg := m.packages()[0]
	return append(all,
		layer{"search", pkg, [][]string{{"-test.run", "^TestMutantSearch$"}}, nil, 60},
		layer{"seeds", pkg, [][]string{{"-test.run", "^TestMutantSeeds$"}}, []string{"MUTANTS_SEEDS=" + strconv.Itoa(seeds)}, 60 + seeds},
	)
}

// conformance is the package that holds a fake to the real thing.
var conformance = map[string]string{"sim/etcdfake": "sim/etcdconformance", "sim/awsfake": "sim/localcloud"}

// fakeLayers: a fake that is too kind breaks no invariant. Its own tests must notice, the tests that hold it to the real thing,
// or the campaign, in which something that must happen sometimes never does.
func (m *mutant) fakeLayers() []layer {
	pkg := m.packages()[0]
	unit := layer{"unit", pkg, [][]string{{"-test.failfast", "-test.skip", elsewhere}}, nil, 30}
	goals := layer{"goals", pkg, [][]string{{"-test.run", "^TestMutantGoals$"}}, []string{"MUTANTS_SEEDS=1000"}, 600}
	if other := conformance[pkg]; other != "" {
		return []layer{unit, {"conformance", other, [][]string{{"-test.run", "^(TestFake|TestConformance|TestMetadataConformance)$/^([0-9.]+|ours)$"}}, nil, 120}, goals}
	}
	return []layer{unit, goals}
}

// judgedIn are the packages whose test binaries judge the mutant.
func (m *mutant) judgedIn() []string {
	var all []string
	for _, y := range m.layers(1) {
		all = append(all, y.pkg)
	}
	return all
}

// outcome is what one layer says of one mutant.
type outcome struct {
	Killed bool   `json:"killed"`
	By     string `json:"by,omitempty"` // test, or invariant
	Seeds  int    `json:"seeds,omitempty"`
	Detail string `json:"detail,omitempty"`
}

var (
	killedBy = regexp.MustCompile(`KILLED by (\S+?):? (?:at seed (\d+): )?(.*)`)
	failedIn = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
)

// ask runs a layer with some mutants switched on.
func (l *lab) ask(ctx context.Context, y layer, on ...*mutant) outcome {
	for _, args := range y.steps {
		if o := l.run(ctx, y, args, on); o.Killed {
			return o
		}
	}
	return outcome{}
}

func (l *lab) run(ctx context.Context, y layer, args []string, mutants []*mutant) outcome {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute) // of a busy machine; what hangs runs out of processor time before
	defer cancel()
	on := make([]string, len(mutants))
	for i, m := range mutants {
		on[i] = strconv.Itoa(m.id)
	}
	cmd := exec.CommandContext(ctx, l.binaries[y.pkg], append([]string{"-test.timeout=0"}, args...)...)
	cmd.Dir = filepath.Join(l.root, y.pkg)
	cmd.Env = append(os.Environ(), "MUTANTS="+strings.Join(on, ","), "MUTANTS_CPU="+strconv.Itoa(y.cpu), "GOMAXPROCS=1")
	cmd.Env = append(cmd.Env, y.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err == nil {
		return outcome{}
	}
	return verdict(out.String(), cmd.ProcessState)
}

// verdict reads what a failed test binary has said.
func verdict(said string, end *os.ProcessState) outcome {
	o := outcome{Killed: true}
	found := killedBy.FindStringSubmatch(said)
	failed := failedIn.FindAllStringSubmatch(said, -1)
	switch {
	case found != nil:
		o.By, o.Detail = found[1], found[3]
		o.Seeds, _ = strconv.Atoi(found[2])
	case strings.Contains(said, "panic: ") || strings.Contains(said, "fatal error: "):
		o.By = "panic"
		_, o.Detail, _ = strings.Cut(said, "panic: ")
		o.Detail, _, _ = strings.Cut(o.Detail, "\n")
	case len(failed) > 0:
		o.By = failed[len(failed)-1][1]
	case end != nil && end.ExitCode() == -1:
		o.By = "timeout"
	default:
		o.By, o.Detail = "end", fmt.Sprint(end)
	}
	if len(o.Detail) > 300 {
		o.Detail = o.Detail[:300]
	}
	return o
}
