package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// All mutants of a package are woven into one copy of it: a function with mutants becomes a switch over copies of itself, and
// the environment says which one is on. So there is one build for hundreds of mutants. The compiler gets the copy by its flag
// -overlay; the product's own files know nothing of it.

// woven is a file with its mutants in it.
type woven struct {
	file *source
	text string
	at   []span // which mutant a line belongs to
}

type span struct {
	first, last int
	of          *mutant
}

// weave puts the mutants of one file into it.
func weave(file *source, mutants []*mutant) *woven {
	w := &woven{file: file}
	byDecl := map[ast.Decl][]*mutant{}
	for _, m := range mutants {
		for _, e := range m.edits {
			if d := file.declOf(e.begin); e.file == file && d != nil && !slices.Contains(byDecl[d], m) {
				byDecl[d] = append(byDecl[d], m)
			}
		}
	}
	var names []edit
	var tail strings.Builder
	line := strings.Count(file.text, "\n") + 1
	add := func(text string, of *mutant) {
		n := strings.Count(text, "\n") + 1
		if of != nil {
			w.at = append(w.at, span{line + 1, line + n, of})
		}
		line += n
		tail.WriteString("\n" + text)
	}
	for _, d := range file.tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if len(byDecl[d]) == 0 {
				continue
			}
			names = append(names, edit{file, file.offset(d.Name.Pos()), file.offset(d.Name.End()), d.Name.Name + "_m0"})
			add(file.chooser(d, byDecl[d]), nil)
			for _, m := range byDecl[d] {
				name := edit{file, file.offset(d.Name.Pos()), file.offset(d.Name.End()), fmt.Sprintf("%s_m%d", d.Name.Name, m.id)}
				add(file.apply(file.offset(d.Pos()), file.offset(d.End()), append(slices.Clone(m.edits), name)), m)
			}
		case *ast.GenDecl:
			for _, m := range byDecl[d] {
				add(file.reassign(d, m), m)
			}
		}
	}
	w.text = file.apply(0, len(file.text), names) + tail.String() + "\n"
	return w
}

// chooser is the function that takes the place of one with mutants.
func (s *source) chooser(f *ast.FuncDecl, mutants []*mutant) string {
	n := 0
	named := func(fields *ast.FieldList) (declared, passed string) {
		var d, p []string
		for _, field := range fields.List {
			for range max(1, len(field.Names)) {
				name := fmt.Sprintf("p%d", n)
				n++
				d = append(d, name+" "+s.textOf(field.Type))
				if _, variadic := field.Type.(*ast.Ellipsis); variadic {
					name += "..."
				}
				p = append(p, name)
			}
		}
		return strings.Join(d, ", "), strings.Join(p, ", ")
	}
	receiver, prefix := "", ""
	if f.Recv != nil {
		declared, passed := named(f.Recv)
		receiver, prefix = "("+declared+") ", passed+"."
	}
	params, args := named(f.Type.Params)
	generic := ""
	if t := f.Type.TypeParams; t != nil {
		generic = s.textOf(t)
	}
	results, give := "", ""
	if f.Type.Results != nil {
		results, give = s.textOf(f.Type.Results), "return "
	}
	var b strings.Builder
	fmt.Fprintf(&b, "func %s%s%s(%s) %s {\n", receiver, f.Name.Name, generic, params, results)
	b.WriteString("\tswitch mutantOn {\n")
	for _, m := range mutants {
		fmt.Fprintf(&b, "\tcase %d:\n\t\t%s%s%s_m%d(%s)\n", m.id, give, prefix, f.Name.Name, m.id, args)
		if give == "" {
			b.WriteString("\t\treturn\n")
		}
	}
	fmt.Fprintf(&b, "\t}\n\t%s%s%s_m0(%s)\n}\n", give, prefix, f.Name.Name, args)
	return b.String()
}

// reassign gives a variable its changed value, before anything runs.
func (s *source) reassign(d *ast.GenDecl, m *mutant) string {
	for _, spec := range d.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if ok && len(v.Values) == 1 && v.Pos() <= d.End() && s.offset(v.Pos()) <= m.edits[0].begin && m.edits[0].begin < s.offset(v.End()) {
			value := s.apply(s.offset(v.Values[0].Pos()), s.offset(v.Values[0].End()), m.edits)
			return fmt.Sprintf("func init() {\n\tif mutantOn == %d {\n\t\t%s = %s\n\t}\n}\n", m.id, v.Names[0].Name, value)
		}
	}
	return "mutant outside a value" // does not compile, and so the mutant is dropped
}

// mutantOf tells the mutant that a line of the woven file belongs to.
func (w *woven) mutantOf(line int) *mutant {
	for _, s := range w.at {
		if s.first <= line && line <= s.last {
			return s.of
		}
	}
	return nil
}

// switches is the file that tells a package which of its mutants is on. More than one may be on, if they are of different
// packages.
const switches = `package %s

import (
	"os"
	"strconv"
	"strings"
)

var mutantOn = func() int {
	for _, s := range strings.Split(os.Getenv("MUTANTS"), ",") {
		switch n, _ := strconv.Atoi(s); n {
		case %s:
			return n
		}
	}
	return 0
}()
`

// judges is the test file that links the search and the simulator into the test binary of a package.
const judges = `package %s_test

import (
	"testing"

	"github.com/etcd-appliance/etcd-appliance/cmd/mutants/driver"
)

func TestMutantSearch(t *testing.T) { driver.Search(t) }
func TestMutantSeeds(t *testing.T)  { driver.Seeds(t) }
func TestMutantGoals(t *testing.T)  { driver.Goals(t) }
`

// overlay collects the files that the compiler sees instead of the real ones.
type overlay struct {
	root, dir string
	replace   map[string]string
}

func (o *overlay) put(path, text string) error {
	at := filepath.Join(o.dir, strings.ReplaceAll(path, "/", "__"))
	o.replace[filepath.Join(o.root, path)] = at
	if old, err := os.ReadFile(at); err == nil && string(old) == text {
		return nil
	}
	return os.WriteFile(at, []byte(text), 0o644)
}

func (o *overlay) write() (string, error) {
	text, err := json.Marshal(map[string]any{"Replace": o.replace})
	if err != nil {
		return "", err
	}
	at := filepath.Join(o.dir, "overlay.json")
	return at, os.WriteFile(at, text, 0o644)
}
