package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// lab is where mutants are made and judged.
type lab struct {
	root     string // of the checkout
	dir      string // for what is built
	mutants  []*mutant
	dropped  []*mutant // do not compile
	binaries map[string]string
}

// compileError is how the compiler names a line.
var compileError = regexp.MustCompile(`(?m)^(?:.*/)?(\S+\.go):(\d+):\d+: (.*)$`)

// build weaves the mutants of every package and compiles the test binary of each. A mutant that does not compile is dropped,
// and all others are woven anew: it takes a few rounds, since the compiler checks some things only when all else is right.
func (l *lab) build(ctx context.Context) error {
	o := &overlay{root: l.root, dir: filepath.Join(l.dir, "overlay"), replace: map[string]string{}}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	var woven, tested []string
	for _, m := range l.mutants {
		for _, pkg := range m.packages() {
			if !slices.Contains(woven, pkg) {
				woven = append(woven, pkg)
			}
		}
	}
	for _, pkg := range woven {
		if err := l.weavePackage(ctx, o, pkg); err != nil {
			return err
		}
	}
	for _, m := range l.mutants {
		for _, pkg := range m.judgedIn() {
			if !slices.Contains(tested, pkg) {
				tested = append(tested, pkg)
			}
		}
	}
	for _, pkg := range tested {
		if err := l.link(ctx, o, pkg); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) of(pkg string) []*mutant {
	return slices.DeleteFunc(slices.Clone(l.mutants), func(m *mutant) bool { return !slices.Contains(m.packages(), pkg) })
}

func (l *lab) weavePackage(ctx context.Context, o *overlay, pkg string) error {
	for {
		mine := l.of(pkg)
		all, err := l.put(o, pkg, mine)
		if err != nil || len(mine) == 0 {
			return err
		}
		said, err := l.compile(ctx, o, pkg)
		if err == nil {
			return nil
		}
		bad := culprits(all, said)
		if len(bad) == 0 {
			return fmt.Errorf("%s does not compile with its mutants:\n%s", pkg, said)
		}
		for _, m := range bad {
			if m.Kind != "auto" {
				return fmt.Errorf("%s does not compile:\n%s", m.Name, said)
			}
		}
		l.mutants = slices.DeleteFunc(l.mutants, func(m *mutant) bool { return slices.Contains(bad, m) })
		l.dropped = append(l.dropped, bad...)
	}
}

// put writes the files of a package with its mutants.
func (l *lab) put(o *overlay, pkg string, mutants []*mutant) ([]*woven, error) {
	var files []*source
	for _, m := range mutants {
		for _, e := range m.edits {
			if e.file.pkg == pkg && !slices.Contains(files, e.file) {
				files = append(files, e.file)
			}
		}
	}
	var all []*woven
	for _, f := range files {
		w := weave(f, mutants)
		all = append(all, w)
		if err := o.put(f.path, w.text); err != nil {
			return nil, err
		}
	}
	ids := make([]string, len(mutants))
	for i, m := range mutants {
		ids[i] = strconv.Itoa(m.id)
	}
	if len(mutants) == 0 {
		return nil, nil
	}
	return all, o.put(pkg+"/mutant_switch.go", fmt.Sprintf(switches, filepath.Base(pkg), strings.Join(ids, ", ")))
}

func (l *lab) compile(ctx context.Context, o *overlay, pkg string) (string, error) {
	at, err := o.write()
	if err != nil {
		return "", err
	}
	return l.tool(ctx, "build", "-gcflags=-e", "-overlay", at, "./"+pkg)
}

func (l *lab) link(ctx context.Context, o *overlay, pkg string) error {
	if err := o.put(pkg+"/mutant_judges_test.go", fmt.Sprintf(judges, filepath.Base(pkg))); err != nil {
		return err
	}
	if len(l.of(pkg)) > 0 {
		text, err := sweeperOf(l.root, pkg)
		if err != nil {
			return err
		}
		if err := o.put(pkg+"/mutant_sweep_test.go", text); err != nil {
			return err
		}
	}
	at, err := o.write()
	if err != nil {
		return err
	}
	binary := filepath.Join(l.dir, strings.ReplaceAll(pkg, "/", "_")+".test")
	if said, err := l.tool(ctx, "test", "-c", "-vet=off", "-trimpath", "-overlay", at, "-o", binary, "./"+pkg); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	delete(o.replace, filepath.Join(l.root, pkg, "mutant_judges_test.go"))
	delete(o.replace, filepath.Join(l.root, pkg, "mutant_sweep_test.go"))
	l.binaries[pkg] = binary
	return nil
}

func (l *lab) tool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = l.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	return said.String(), err
}

// culprits are the mutants that the compiler complains about.
func culprits(all []*woven, said string) []*mutant {
	var bad []*mutant
	for _, found := range compileError.FindAllStringSubmatch(said, -1) {
		line, _ := strconv.Atoi(found[2])
		for _, w := range all {
			name := filepath.Base(w.file.path)
			if found[1] != name && !strings.HasSuffix(found[1], "__"+name) {
				continue
			}
			if m := w.mutantOf(line); m != nil && !slices.Contains(bad, m) {
				bad = append(bad, m)
			}
		}
	}
	return bad
}
