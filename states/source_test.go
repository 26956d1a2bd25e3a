package states

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// source is this package's own source, read and type-checked, for the tests that are about how it is written.
type source struct {
	set    *token.FileSet
	files  []*ast.File
	info   types.Info
	events []Event
	states []State
	funcs  map[string]*ast.FuncDecl // by name; the package has no two of one name that matter here
}

var loadSource = sync.OnceValues(readSource)

func sourceOf(t *testing.T) *source {
	t.Helper()
	s, err := loadSource()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readSource() (*source, error) {
	s := &source{set: token.NewFileSet(), funcs: map[string]*ast.FuncDecl{}, info: types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
	}}
	names, err := filepath.Glob("*.go")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(s.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.files = append(s.files, file)
	}
	exports, err := exportData()
	if err != nil {
		return nil, err
	}
	config := types.Config{Importer: importer.ForCompiler(s.set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	pkg, err := config.Check("states", s.set, s.files, &s.info)
	if err != nil {
		return nil, err
	}
	s.readConstants(pkg)
	s.readFuncs()
	return s, nil
}

// exportData tells where the compiler keeps what it knows of each package that this one imports.
func exportData() (map[string]string, error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", ".").Output()
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	return exports, nil
}

func (s *source) readConstants(pkg *types.Package) {
	for _, name := range pkg.Scope().Names() {
		c, ok := pkg.Scope().Lookup(name).(*types.Const)
		if !ok {
			continue
		}
		switch value, _ := strconv.Unquote(c.Val().ExactString()); c.Type().String() {
		case "states.Event":
			s.events = append(s.events, Event(value))
		case "states.State":
			s.states = append(s.states, State(value))
		}
	}
}

func (s *source) readFuncs() {
	for _, file := range s.files {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				s.funcs[f.Name.Name] = f
			}
		}
	}
}

// given lists the events that a function, or whatever of this package it calls, hands to move.
func (s *source) given(function string) []Event {
	var events []Event
	called := []string{function}
	for i := 0; i < len(called); i++ {
		f := s.funcs[called[i]]
		if f == nil || f.Body == nil {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := calledName(call)
			if name == "move" && len(call.Args) > 0 {
				value, _ := strconv.Unquote(s.info.Types[call.Args[0]].Value.ExactString())
				events = append(events, Event(value))
			} else if !slices.Contains(called, name) {
				called = append(called, name)
			}
			return true
		})
	}
	return events
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
