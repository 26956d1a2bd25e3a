package main_test

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ordered are the packages that a seed goes through: nothing in them may depend on the order in which a map is walked.
var ordered = []string{"./states", "./agent", "./effects/...", "./sim", "./sim/awsfake", "./sim/etcdfake", "./sim/explore"}

// anyOrder begins the comment, on the line or above it, that tells why the order of a walk does not matter.
const anyOrder = "// in any order: "

// TestMapsAreWalkedInOrder: Go walks a map in another order each time. A walk is right where what was collected is sorted in the
// next statement, where maps.Keys and its like are handed to a slices.Sorted, or where a comment tells why any order will do.
func TestMapsAreWalkedInOrder(t *testing.T) {
	t.Parallel()
	exports, dirs := exported(t)
	for pkg, dir := range dirs {
		fset := token.NewFileSet()
		files := sources(t, fset, dir)
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		config := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
		if _, err := config.Check(pkg, fset, files, info); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			w := walks{fset: fset, info: info, excused: excused(fset, file), fine: map[ast.Node]bool{}}
			ast.Inspect(file, w.see)
			for _, at := range w.found {
				t.Errorf("%s: a map is walked in an order that is another each time: sort, or tell why any order will do (%q)", fset.Position(at), anyOrder)
			}
		}
	}
}

// walks finds the walks over maps of a file.
type walks struct {
	fset    *token.FileSet
	info    *types.Info
	excused map[int]bool      // lines
	fine    map[ast.Node]bool // walks whose result is sorted
	found   []token.Pos
}

func (w *walks) see(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BlockStmt:
		w.sortedAfter(n.List)
	case *ast.CaseClause:
		w.sortedAfter(n.Body)
	case *ast.CallExpr:
		if strings.HasPrefix(w.called(n), "slices.Sorted") && len(n.Args) > 0 {
			w.fine[n.Args[0]] = true
		}
		if slices.Contains([]string{"maps.Keys", "maps.Values", "maps.All"}, w.called(n)) {
			w.walk(n)
		}
	case *ast.RangeStmt:
		if _, isMap := w.info.Types[n.X].Type.Underlying().(*types.Map); isMap {
			w.walk(n)
		}
	}
	return true
}

func (w *walks) walk(n ast.Node) {
	if !w.fine[n] && !w.excused[w.fset.Position(n.Pos()).Line] {
		w.found = append(w.found, n.Pos())
	}
}

// sortedAfter notes the walks that a sort comes right after.
func (w *walks) sortedAfter(list []ast.Stmt) {
	for i := 1; i < len(list); i++ {
		if s, ok := list[i].(*ast.ExprStmt); ok {
			if call, ok := s.X.(*ast.CallExpr); ok && (strings.HasPrefix(w.called(call), "slices.Sort") || strings.HasPrefix(w.called(call), "sort.")) {
				w.fine[list[i-1]] = true
			}
		}
	}
}

// called is the function that is called, with its package, if it is of one.
func (w *walks) called(call *ast.CallExpr) string {
	if s, ok := call.Fun.(*ast.SelectorExpr); ok {
		if f, ok := w.info.Uses[s.Sel].(*types.Func); ok && f.Pkg() != nil {
			return f.Pkg().Name() + "." + f.Name()
		}
	}
	return ""
}

// excused are the lines that a comment excuses: its own, and the one after the comment has ended.
func excused(fset *token.FileSet, file *ast.File) map[int]bool {
	lines := map[int]bool{}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if why, ok := strings.CutPrefix(c.Text, anyOrder); ok && len(strings.Fields(why)) > 1 {
				lines[fset.Position(c.Pos()).Line] = true
				lines[fset.Position(group.End()).Line+1] = true
			}
		}
	}
	return lines
}

// exported gives the files with the types of all that the packages import, and the folders of the packages themselves.
func exported(t *testing.T) (exports, dirs map[string]string) {
	t.Helper()
	list := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}\t{{if .DepOnly}}{{else}}{{.Dir}}{{end}}"}, ordered...)...)
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports, dirs = map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		exports[f[0]] = f[1]
		if f[2] != "" {
			dirs[f[0]] = f[2]
		}
	}
	return exports, dirs
}

// sources are the files of a package that are built here, without its tests.
func sources(t *testing.T, fset *token.FileSet, dir string) (files []*ast.File) {
	t.Helper()
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pkg.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// TestARunIsOneGoroutine: what goes on at once goes on in another order each time. The agent waits in a select, but not in a run,
// which calls its turns; explore searches on all cores, and demands the same of any number of them.
func TestARunIsOneGoroutine(t *testing.T) {
	t.Parallel()
	eachFile(t, func(pkg, file string, tree *ast.File) {
		if strings.HasSuffix(file, "_test.go") || !slices.Contains([]string{"states", "effects", "sim", "sim/awsfake", "sim/etcdfake"}, pkg) {
			return
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType:
				t.Errorf("%s has goroutines or channels, of which a run knows nothing", file)
			}
			return true
		})
	})
}
