package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// tell writes the tables, and fails if a planted bug lives.
func tell(o *options, results []*result, left []absent, dropped int) error {
	if o.json != "" {
		text, err := json.MarshalIndent(results, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.json, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	var out io.Writer = os.Stdout
	if o.report != "" {
		f, err := os.Create(o.report)
		if err != nil {
			return err
		}
		defer f.Close()
		out = f
		fmt.Fprint(out, "# Mutants\n\nWritten by `make mutants`. What it means: [simulator.md](simulator.md#mutants).\n"+
			"A layer with \"-\" has noticed nothing; one with an empty cell was not asked.\n")
	}
	t := &table{out: out, options: o, results: results}
	t.automatics(dropped)
	t.bugs(left)
	t.fakes()
	t.oracles()
	return t.verdict()
}

type table struct {
	*options
	out     io.Writer
	results []*result
}

func (t *table) of(kind string) []*result {
	return slices.DeleteFunc(slices.Clone(t.results), func(r *result) bool { return r == nil || r.Kind != kind })
}

func (t *table) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// tally counts automatic mutants.
type tally struct{ made, same, unit, search, seeds, alive int }

func (t *tally) add(r *result) {
	t.made++
	switch by := r.killed(); {
	case r.Equivalent != "":
		t.same++
	case len(by) == 0:
		t.alive++
	case by[0] == "unit":
		t.unit++
	case by[0] == "search":
		t.search++
	default:
		t.seeds++
	}
}

func (t *tally) score() string {
	if t.made == t.same {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100-100*float64(t.alive)/float64(t.made-t.same))
}

func (t *table) automatics(dropped int) {
	all := t.of("auto")
	if len(all) == 0 {
		return
	}
	var files []string
	by, sum := map[string]*tally{}, &tally{}
	for _, r := range all {
		file := r.edits[0].file.path
		if by[file] == nil {
			files, by[file] = append(files, file), &tally{}
		}
		by[file].add(r)
		sum.add(r)
	}
	what := "All of them"
	if t.sample > 0 && t.sample < t.made {
		what = fmt.Sprintf("A sample of %d of %d", t.sample, t.made)
	}
	t.say("\n## Automatic mutants\n\n%s. %d compile, of which %d are the same program; %d of the others are killed: **%s**. (%d do not compile.)\n",
		what, sum.made, sum.same, sum.made-sum.same-sum.alive, sum.score(), dropped)
	t.say("| file | mutants | equivalent | killed by unit tests | by the search | by %d seeds | alive | score |\n|---|---:|---:|---:|---:|---:|---:|---:|", t.seeds)
	row := func(name string, n *tally) {
		t.say("| %s | %d | %d | %d | %d | %d | %d | %s |", name, n.made, n.same, n.unit, n.search, n.seeds, n.alive, n.score())
	}
	for _, f := range files {
		row(f, by[f])
	}
	row("**all**", sum)
	if sum.alive > 0 {
		t.say("\nAlive:\n")
	}
	for _, r := range all {
		if r.Equivalent == "" && len(r.killed()) == 0 {
			t.say("- line %d of %s", r.Line, r.Name)
		}
	}
}

func (t *table) bugs(left []absent) {
	all := t.of("bug")
	if len(all) == 0 {
		return
	}
	once, twice := 0, 0
	for _, r := range all {
		if n := len(r.killed()); n > 1 {
			twice++
		} else if n == 1 {
			once++
		}
	}
	t.say("\n## Known bugs\n\n%d are planted: **%d killed**, %d of them by two layers or more.\n", len(all), once+twice, twice)
	t.say("| | bug | there to find it | unit tests | search | seeds | real etcd |\n|---|---|---|---|---|---|---|")
	for _, r := range all {
		t.say("| %s | %s | %s | %s | %s | %s | %s |", r.Name, r.What, r.want, cell(r, "unit"), cell(r, "search"), cell(r, "seeds"), cell(r, "conformance"))
	}
	if len(left) > 0 {
		t.say("\nNot planted, since this design has no place for them:\n\n| | bug | why |\n|---|---|---|")
	}
	for _, a := range left {
		t.say("| %s | %s | %s |", a.id, a.what, a.why)
	}
}

// cell tells what a layer has found.
func cell(r *result, layer string) string {
	o, asked := r.Layers[layer]
	switch {
	case !asked:
		return ""
	case !o.Killed:
		return "-"
	case o.Seeds > 0:
		return fmt.Sprintf("%s, %d", o.By, o.Seeds)
	default:
		return strings.TrimPrefix(o.By, "Test")
	}
}

func (t *table) fakes() {
	all := t.of("fake")
	if len(all) == 0 {
		return
	}
	t.say("\n## Fakes that are too kind\n\n| | what it no longer does | its unit tests | conformance | goals of the campaign |\n|---|---|---|---|---|")
	for _, r := range all {
		goal := cell(r, "goals")
		if r.Layers["goals"].Killed {
			goal = r.Layers["goals"].Detail
		}
		t.say("| %s | %s | %s | %s | %s |", r.Name, r.What, cell(r, "unit"), cell(r, "conformance"), goal)
	}
}

func (t *table) oracles() {
	all := t.of("oracle")
	if len(all) == 0 {
		return
	}
	t.say("\n## Invariants switched off\n\n| | what is off | what lives then |\n|---|---|---|")
	for _, r := range all {
		lives := strings.Join(r.Needed, "; ")
		if lives == "" {
			lives = "nothing"
		}
		t.say("| %s | %s | %s |", r.Name, r.What, lives)
	}
}

// verdict fails if something lives that must not.
func (t *table) verdict() error {
	for _, kind := range []string{"bug", "fake"} {
		for _, r := range t.of(kind) {
			if len(r.killed()) == 0 {
				return fmt.Errorf("%s lives: %s", r.Name, r.What)
			}
		}
	}
	return nil
}
