package main

import (
	"embed"
	"errors"
	"fmt"
	"go/ast"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// What is planted by hand is kept as data: see the head of planted/bugs.txt for how it is written.
//
//go:embed planted/*.txt
var plantedFiles embed.FS

// absent is a known bug that cannot be planted, and why.
type absent struct{ id, what, why string }

// plantedIn reads one of the files of what is planted.
func plantedIn(root, name, kind string) ([]*mutant, []absent, error) {
	text, err := plantedFiles.ReadFile("planted/" + name)
	if err != nil {
		return nil, nil, err
	}
	var all []*mutant
	var left []absent
	var wrong []error // all at once, for whoever has to mend them
	r := &plantReader{root: root, files: map[string]*source{}}
	for block := range strings.SplitSeq(string(text), "\n\n") {
		lines := slices.DeleteFunc(strings.Split(strings.Trim(block, "\n"), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") || l == "" })
		if len(lines) == 0 {
			continue
		}
		if why, is := strings.CutPrefix(strings.Join(lines[1:], " "), "not planted: "); is {
			id, what, _ := strings.Cut(lines[0], " ")
			left = append(left, absent{id, what, why})
			continue
		}
		m, err := r.read(lines)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %s: %w", name, lines[0], err))
			continue
		}
		m.Kind = kind
		all = append(all, m)
	}
	return all, left, errors.Join(wrong...)
}

// plantReader makes mutants of text.
type plantReader struct {
	root  string
	files map[string]*source
}

var plantHead = regexp.MustCompile(`^(\S+) \[(.*)\] (.*)$`)

func (r *plantReader) read(lines []string) (*mutant, error) {
	head := plantHead.FindStringSubmatch(lines[0])
	if head == nil {
		return nil, fmt.Errorf("want: NAME [INVARIANT] WHAT IT IS")
	}
	m := &mutant{Name: head[1], want: head[2], What: head[3]}
	var file *source
	function := ""
	var old, replacement []string
	flush := func() error {
		if len(old) == 0 {
			return nil
		}
		e, err := file.find(function, old, replacement)
		old, replacement = nil, nil
		m.edits = append(m.edits, e)
		return err
	}
	for _, line := range append(lines[1:], "@") {
		if !strings.HasPrefix(line, "+") && (!strings.HasPrefix(line, "-") || len(replacement) > 0) {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		switch line[0] {
		case '-':
			old = append(old, line[1:])
		case '+':
			replacement = append(replacement, line[1:])
		case '@':
			if line == "@" {
				break
			}
			path, f, _ := strings.Cut(strings.TrimSpace(line[1:]), " ")
			function = f
			if r.files[path] == nil {
				s, err := readSource(r.root, path)
				if err != nil {
					return nil, err
				}
				r.files[path] = s
			}
			file = r.files[path]
		default:
			return nil, fmt.Errorf("line %q: want @, - or +", line)
		}
	}
	if len(m.edits) == 0 {
		return nil, fmt.Errorf("changes nothing")
	}
	m.Line = 1 + strings.Count(m.edits[0].file.text[:m.edits[0].begin], "\n")
	return m, nil
}

// find looks for lines in a function, whatever their indentation. They must be there exactly once: a patch that no longer
// applies must not be taken for a bug that was found.
func (s *source) find(function string, old, replacement []string) (edit, error) {
	begin, end, err := s.rangeOf(function)
	if err != nil {
		return edit{}, err
	}
	var found []edit
	lines := strings.SplitAfter(s.text[begin:end], "\n")
	at := begin
	for i, line := range lines {
		length := 0
		for k, want := range old {
			if i+k >= len(lines) || strings.TrimSpace(lines[i+k]) != strings.TrimSpace(want) {
				length = -1
				break
			}
			length += len(lines[i+k])
		}
		if length >= 0 {
			found = append(found, edit{s, at, at + length, strings.Join(replacement, "\n") + "\n"})
		}
		at += len(line)
	}
	if len(found) != 1 {
		return edit{}, fmt.Errorf("the lines to replace are %d times in %s of %s, want once: %q", len(found), function, s.path, old[0])
	}
	return found[0], nil
}

// rangeOf gives where the body of a function is, or the value of a variable; without a name, the whole file.
func (s *source) rangeOf(function string) (begin, end int, err error) {
	if function == "" {
		return 0, len(s.text), nil
	}
	for _, d := range s.tree.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if funcName(d) == function && d.Body != nil {
				return s.offset(d.Body.Pos()) + 2, s.offset(d.Body.End()) - 1, nil
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].Name == function && len(v.Values) == 1 {
					return s.offset(v.Values[0].Pos()), s.offset(v.Values[0].End()), nil
				}
			}
		}
	}
	return 0, 0, fmt.Errorf("%s has no function %s", filepath.Base(s.path), function)
}
