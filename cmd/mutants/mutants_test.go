package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEverythingStillApplies: a planted bug whose lines are gone would plant nothing, and a mutant that is listed as the same
// program and exists no more hides what has taken its place. Both are to be written anew with the code that they are about.
func TestEverythingStillApplies(t *testing.T) {
	same, err := readEquivalents()
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	o := options{root: root, automatic: true, planted: true, equivalent: same}
	all, _, err := o.plan()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for _, m := range all {
		if names[m.Name]++; names[m.Name] > 1 {
			t.Errorf("two mutants are called %q", m.Name)
		}
	}
}

const small = `package small

var delays = []int{1, 2}

type box struct{ n int }

func (b *box) fits(n int, more ...int) (bool, string) {
	if n < b.n && len(more) == 0 {
		return true, "it fits"
	}
	return false, "it does not"
}
`

func readSmall(t *testing.T) *source {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "small.go"), []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := readSource(dir, "small.go")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGenerate names the mutants of a small function, so that a change of the operators is seen in what they make.
func TestGenerate(t *testing.T) {
	var names []string
	for _, m := range generate([]*source{readSmall(t)}, nil) {
		names = append(names, strings.TrimPrefix(m.Name, "small.go box.fits: "))
	}
	want := []string{
		"always: n < b.n && len(more) == 0", "never: n < b.n && len(more) == 0", "&& is ||: n < b.n && len(more) == 0",
		"without: n < b.n", "without: len(more) == 0", "< is <=: n < b.n", "== is !=: len(more) == 0",
		"off by one in len(more) == 0: 0", "is false: true", "is true: false",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
}

// TestWeave: the function becomes a switch over its copies, and a mutant is found again by its lines.
func TestWeave(t *testing.T) {
	mutants := generate([]*source{readSmall(t)}, nil)
	for i, m := range mutants {
		m.id = i + 1
	}
	w := weave(mutants[0].edits[0].file, mutants)
	if _, err := parser.ParseFile(token.NewFileSet(), "small.go", w.text, 0); err != nil {
		t.Fatalf("%v\n%s", err, w.text)
	}
	for _, want := range []string{
		"func (p0 *box) fits(p1 int, p2 ...int) (bool, string) {", "return p0.fits_m3(p1, p2...)", "return p0.fits_m0(p1, p2...)",
		"func (b *box) fits_m0(n int, more ...int) (bool, string) {",
	} {
		if !strings.Contains(w.text, want) {
			t.Errorf("%q is not in\n%s", want, w.text)
		}
	}
	for i, line := range strings.Split(w.text, "\n") {
		if m := w.mutantOf(i + 1); strings.Contains(line, "fits_m3(n int") && (m == nil || m.id != 3) {
			t.Errorf("line %d belongs to %v", i+1, m)
		}
	}
}

// TestPatchMustApplyOnce: neither nowhere nor anywhere.
func TestPatchMustApplyOnce(t *testing.T) {
	s := readSmall(t)
	for line, fine := range map[string]bool{`return true, "it fits"`: true, `return nil`: false, `}`: false} {
		if _, err := s.find("", []string{line}, nil); (err == nil) != fine {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := s.find("box.holds", []string{`return true, "it fits"`}, nil); err == nil {
		t.Error("it is found in a function that is not there")
	}
}

func TestVerdicts(t *testing.T) {
	for said, want := range map[string]outcome{
		"x_test.go:1: KILLED by C1 at seed 17: C1 at 5m: costs":        {Killed: true, By: "C1", Seeds: 17, Detail: "C1 at 5m: costs"},
		"x_test.go:1: KILLED by L6 in \"roll\": 7 states":              {Killed: true, By: "L6", Detail: "in \"roll\": 7 states"},
		"--- FAIL: TestGolden (0.1s)\n    --- FAIL: TestGolden/x (0s)": {Killed: true, By: "TestGolden/x"},
		"--- FAIL: TestA (0.1s)\npanic: oh dear [recovered]":           {Killed: true, By: "panic", Detail: "oh dear [recovered]"},
	} {
		if got := verdict(said, nil); got != want {
			t.Errorf("%q: %+v", said, got)
		}
	}
}
