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
	pkg   string     // whose test binary is run
	steps [][]string // arguments of the test binary, one run each; the first that fails ends it
	seeds int        // how many, if it runs seeds
	from  int        // the first of them
	cpu   int        // seconds of processor time after which a mutant is taken for hung; 0: no bound, which real servers would inherit
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
	pkg := m.packages()[0]
	if m.Kind == "fake" || conformance[pkg].pkg != "" {
		return m.outerLayers()
	}
	var all []layer
	for _, pkg := range m.packages() {
		all = append(all, layer{"unit", pkg, [][]string{{"-test.failfast", "-test.run", dialogues}, {"-test.failfast", "-test.skip", elsewhere}}, 0, 0, 30})
	}
	return append(all,
		layer{"search", pkg, [][]string{{"-test.run", "^TestMutantSearch$"}}, 0, 0, 60},
		layer{"seeds", pkg, [][]string{{"-test.run", "^TestMutantSeeds$"}}, seeds, 1, 60 + seeds},
	)
}

// conformance are the tests that compare with the real thing what stands between the rules and it: the fakes, and the client.
var conformance = map[string]struct{ pkg, run string }{
	"sim/etcdfake":   {"sim/etcdconformance", "^TestFake$"},
	"sim/awsfake":    {"sim/localcloud", "^(TestConformance|TestMetadataConformance)$/^ours$"},
	"effects/etcdv2": {"sim/etcdconformance", "^TestReal$/^2.3$/^2.3:"},
	"effects/etcdv3": {"sim/etcdconformance", "^TestReal$/^3.7$/^(a_lock_has_one_owner|a_lock_that_is_not_kept_alive|a_key_is_changed_only)"},
}

// outerLayers judge what no invariant can see. A fake that is too kind breaks none: its own tests must notice, the tests that
// hold it to the real thing, or the campaign, in which something that must happen sometimes never does. And the real client is
// not in the simulator at all.
func (m *mutant) outerLayers() []layer {
	pkg := m.packages()[0]
	all := []layer{{"unit", pkg, [][]string{{"-test.failfast", "-test.skip", elsewhere}}, 0, 0, 60}}
	if other, ok := conformance[pkg]; ok {
		all = append(all, layer{"conformance", other.pkg, [][]string{{"-test.run", other.run}}, 0, 0, 0})
	}
	if m.Kind == "fake" {
		all = append(all, layer{"goals", pkg, [][]string{{"-test.run", "^TestMutantGoals$"}}, 1000, 1, 600})
	}
	return all
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
	By     string `json:"by,omitempty"`    // test, or invariant
	Seeds  int    `json:"seeds,omitempty"` // the one that killed it, or how many it has outlived
	Detail string `json:"detail,omitempty"`
}

var (
	killedBy = regexp.MustCompile(`KILLED by (\S+?):? (?:at seed (\d+): )?(.*)`)
	failedIn = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
)

// ask runs a layer with some mutants switched on.
func (l *lab) ask(ctx context.Context, y layer, on ...*mutant) outcome {
	for _, args := range y.steps {
		o := l.run(ctx, y, args, on)
		if o.Killed && y.name == "conformance" {
			o = l.run(ctx, y, args, on) // real servers keep real time, which a busy machine does not
		}
		if o.Killed {
			return o
		}
	}
	return outcome{Seeds: y.seeds}
}

// after is the layer without the seeds that a mutant has outlived before.
func (y layer) after(seeds int) layer {
	if y.name == "seeds" {
		y.from = seeds + 1
	}
	return y
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
	cmd.Env = append(os.Environ(), "MUTANTS="+strings.Join(on, ","), "GOMAXPROCS=1", "MUTANTS_FROM="+strconv.Itoa(y.from), "MUTANTS_SEEDS="+strconv.Itoa(y.seeds))
	if y.cpu > 0 {
		cmd.Env = append(cmd.Env, "MUTANTS_CPU="+strconv.Itoa(y.cpu))
	}
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
