package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// edit replaces a part of a file.
type edit struct {
	file       *source
	begin, end int // offsets
	text       string
}

// mutant is a small change of the product that some test should notice. Its name is its identity: it says where it is without
// a line number, so that it outlives changes elsewhere in the file.
type mutant struct {
	Name  string `json:"name"`
	Kind  string `json:"kind"` // auto, bug, fake or oracle
	What  string `json:"what"` // of a planted one: what the bug is
	Line  int    `json:"line"`
	edits []edit
	want  string // of a planted one: the invariant that is there to find it
	id    int    // what switches it on
	same  string // why it is the same program, if it is
}

// packages are those that it changes.
func (m *mutant) packages() []string {
	var all []string
	for _, e := range m.edits {
		if !slices.Contains(all, e.file.pkg) {
			all = append(all, e.file.pkg)
		}
	}
	return all
}

// source is one file of the product.
type source struct {
	pkg  string // folder, below the root
	path string // below the root
	text string
	set  *token.FileSet
	tree *ast.File
}

func readSource(root, path string) (*source, error) {
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return nil, err
	}
	s := &source{pkg: filepath.ToSlash(filepath.Dir(path)), path: path, text: string(text), set: token.NewFileSet()}
	s.tree, err = parser.ParseFile(s.set, path, text, parser.SkipObjectResolution)
	return s, err
}

// readPackage reads the files of a package, without its tests.
func readPackage(root, pkg string) ([]*source, error) {
	files, err := filepath.Glob(filepath.Join(root, pkg, "*.go"))
	if err != nil {
		return nil, err
	}
	var all []*source
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		s, err := readSource(root, filepath.Join(pkg, filepath.Base(file)))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (s *source) offset(p token.Pos) int { return s.set.Position(p).Offset }

func (s *source) textOf(n ast.Node) string { return s.text[s.offset(n.Pos()):s.offset(n.End())] }

// declOf finds the function, or the variable, that an offset is in.
func (s *source) declOf(offset int) ast.Decl {
	for _, d := range s.tree.Decls {
		if s.offset(d.Pos()) <= offset && offset < s.offset(d.End()) {
			return d
		}
	}
	return nil
}

// apply gives a part of the file with the edits that are in it.
func (s *source) apply(begin, end int, edits []edit) string {
	edits = slices.DeleteFunc(slices.Clone(edits), func(e edit) bool { return e.file != s || e.begin < begin || e.end > end })
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.begin, b.begin) })
	var out strings.Builder
	for _, e := range edits {
		out.WriteString(s.text[begin:e.begin] + e.text)
		begin = e.end
	}
	return out.String() + s.text[begin:end]
}

// funcName is how people call a function: "join", "Cluster.Member".
func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if name, ok := receiver.(*ast.Ident); ok && name.Name != "turn" {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

// short makes a piece of source fit for a name: one line, and not too long.
func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > 70 {
		text = fmt.Sprintf("%s…%s", string(r[:45]), string(r[len(r)-24:]))
	}
	return text
}
