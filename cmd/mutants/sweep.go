package main

import (
	"bufio"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A process for each mutant costs more than most unit tests do. So the quick ones are first run in one process for many mutants,
// one after the other; only what outlives them is asked by itself.

// sweeper is the test file that does that.
const sweeper = `package %s

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestMutantSweep(t *testing.T) {
	all := []testing.InternalTest{%s}
	every := func(_, _ string) (bool, error) { return true, nil }
	for _, id := range strings.Split(os.Getenv("MUTANTS_SWEEP"), ",") {
		mutantOn, _ = strconv.Atoi(id)
		fmt.Printf("\nSWEEP %%s\n", id)
		by := ""
		for i := range all {
			if by == "" && !testing.RunTests(every, all[i:i+1]) {
				by = all[i].Name
			}
		}
		fmt.Printf("\nSWEPT %%s %%s\n", id, by)
	}
}
`

// quickTests lists the tests of a package that a sweep runs: the dialogues where there are any, else all.
func quickTests(root, pkg string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && tree.Name.Name == filepath.Base(pkg) && f.Name.Name != "TestMain" {
				names = append(names, f.Name.Name)
			}
		}
	}
	if slices.Contains(names, "TestGolden") {
		names = []string{"TestGolden"}
	}
	return names, nil
}

func sweeperOf(root, pkg string) (string, error) {
	names, err := quickTests(root, pkg)
	for i, name := range names {
		names[i] = fmt.Sprintf("{Name: %q, F: %s}", name, name)
	}
	return fmt.Sprintf(sweeper, filepath.Base(pkg), strings.Join(names, ", ")), err
}

// sweep asks the quick tests about all automatic mutants that were not asked yet, and keeps whom they kill.
func (c *court) sweep(ctx context.Context) {
	byPackage := map[string][]*mutant{}
	for _, m := range c.mutants {
		if m.Kind != "auto" {
			continue
		}
		unit := m.layers(c.seeds)[0]
		if _, known := c.cache.get(key(c.judges["unit "+unit.pkg], unit, m)); !known {
			byPackage[unit.pkg] = append(byPackage[unit.pkg], m)
		}
	}
	var all sync.WaitGroup
	free := make(chan struct{}, c.workers)
	for pkg, mutants := range byPackage {
		for part := range slices.Chunk(mutants, 100) {
			all.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				for len(part) > 0 && ctx.Err() == nil {
					part = c.sweepSome(ctx, pkg, part)
				}
			})
		}
	}
	all.Wait()
}

// sweepPatience is how long one mutant may take, on a busy machine.
const sweepPatience = 30 * time.Second

// sweepSome sweeps until something ends the process, and gives the mutants that are left. The one under which it ended is killed.
func (c *court) sweepSome(ctx context.Context, pkg string, mutants []*mutant) (left []*mutant) {
	ids := make([]string, len(mutants))
	for i, m := range mutants {
		ids[i] = strconv.Itoa(m.id)
	}
	cmd := exec.CommandContext(ctx, c.binaries[pkg], "-test.timeout=0", "-test.run", "^TestMutantSweep$")
	cmd.Dir = filepath.Join(c.lab.root, pkg)
	cmd.Env = append(os.Environ(), "MUTANTS_SWEEP="+strings.Join(ids, ","), "GOMAXPROCS=1", "MUTANTS_CPU=600")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.fail(err)
		return nil
	}
	late := time.AfterFunc(sweepPatience, func() { _ = cmd.Process.Kill() })
	begun := 0
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 0:
		case words[0] == "SWEEP":
			begun++
			late.Reset(sweepPatience)
		case words[0] == "SWEPT" && len(words) == 3:
			c.keep(mutants[begun-1], outcome{Killed: true, By: words[2]})
		}
	}
	hung := !late.Stop()
	if err := cmd.Wait(); err == nil || begun == 0 || ctx.Err() != nil || cmd.ProcessState.ExitCode() == 1 {
		return nil // all were swept: it exits with 1 because tests have failed in it
	}
	by := "panic"
	if hung {
		by = "timeout"
	}
	c.keep(mutants[begun-1], outcome{Killed: true, By: by})
	return mutants[begun:]
}

// keep notes what the unit tests say of a mutant.
func (c *court) keep(m *mutant, o outcome) {
	unit := m.layers(c.seeds)[0]
	if err := c.cache.put(key(c.judges["unit "+unit.pkg], unit, m), o); err != nil {
		c.fail(err)
	}
}

func (c *court) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}
