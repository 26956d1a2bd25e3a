package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The architecture of the house (docs/architecture.md), as far as imports can show it. Each rule has its reason: who wants to
// break it should first show that the reason is gone.

const (
	root   = "../.."
	module = "github.com/etcd-appliance/etcd-appliance/"
)

// may lists all that a package may import.
var may = []struct {
	who     string
	imports []string
	why     string
}{
	{
		"states", []string{"cmp", "context", "errors", "fmt", "crypto/sha1", "encoding/binary", "hash/fnv", "net/netip", "slices", "strconv", "strings", "time", "github.com/looplab/fsm"},
		"states decides and does nothing else: what it imports is all that it could do",
	},
	{
		"agent", []string{"cmp", "context", "errors", "fmt", "slices", "strings", "time", "github.com/rs/zerolog", module + "states"},
		"agent is the turn and its only timer; the outside comes to it as an Observer and an Executor",
	},
	{
		// encoding/json, os and path read stories, plans and summaries and write them, and embed holds stories and the page that a
		// trace is shown in: before a run and after it. sync makes the table of edges once, for runs on several cores. iter
		// makes a daemon a coroutine, which is entered and left at fixed points.
		"sim", []string{"bytes", "cmp", "context", "embed", "encoding/json", "errors", "fmt", "crypto/sha1", "encoding/binary", "hash/fnv", "html/template", "io", "iter", "maps", "math", "math/bits",
			"math/rand/v2", "os", "path", "path/filepath", "regexp", "slices", "sort", "strconv", "strings", "sync", "time",
			"github.com/aws/...", "github.com/rs/zerolog", module + "agent", module + "effects", module + "states", module + "sim/awsfake", module + "sim/etcdfake"},
		"the simulator runs the real states, agent and effects over fakes, and a seed must be all that its outcome depends on",
	},
}

// mayNot lists the arrows that must not be drawn.
var mayNot = []struct {
	who, imports, why string
	except            []string
}{
	{"...", module + "cmd/...", "cmd wires the others together; whoever needs something of it has found something that belongs elsewhere", []string{"cmd/..."}},
	{"effects/...", module + "agent", "effects knows the types of states only: the agent calls it, through interfaces of its own", nil},
	{"effects/...", module + "sim/...", "the fakes fit the real interfaces, and not the other way round", nil},
	{"effects/...", "github.com/looplab/fsm", "nothing in effects decides", nil},
	{"effects", module + "effects/...", "adapters are handed in as interfaces; else the simulator would link what they link", nil},
	{"effects", "go.etcd.io/...", "the simulator links effects, and would link gRPC with it", nil},
	{"effects", "google.golang.org/...", "the simulator links effects, and would link gRPC with it", nil},
	{"effects", "os/...", "processes and files are behind interfaces, so that the simulator can do without", nil},
	{"effects/etcdproc", "github.com/aws/...", "restart is local, and must not depend on AWS", nil},
	{"effects/datadir", "github.com/aws/...", "restart is local, and must not depend on AWS", nil},
	{"effects/etcdproc", "go.etcd.io/...", "a server is a process like any other here: a binary, flags, an exit status", nil},
	{"cmd/etcd-appliance/internal/roll", module + "sim/...", "an operator's command works on what is real", nil},
	{"cmd/etcd-appliance/internal/preflight", module + "sim/...", "an operator's command works on what is real", nil},
	{"sim/awsfake", module + "...", "it fakes AWS and knows nothing of us, or it would fake what we hope for", nil},
	{"sim/etcdfake", module + "agent", "it fakes etcd for effects; who decides is not its business", nil},
	// sim reads plans and summaries, and nothing in a run.
	{"sim/...", "os/...", "a run is in memory, and leaves nothing behind", append(slices.Clone(simOutside), "sim")},
	{"sim/...", "net", "a run opens no socket", simOutside},
	// awsfake needs the status 404 for an error of the SDK's, and addresses as values.
	{"sim/...", "net/...", "a run opens no socket", append(slices.Clone(simOutside), "sim/awsfake")},
	{"sim/...", "go.etcd.io/...", "etcd is faked at the interface of effects", simOutside},
	{"sim/...", "crypto/rand", "chance comes from the seed", simOutside},
	{"sim/...", "hash/maphash", "its seed is another in each process", nil},
	{"sim/...", "unsafe", "addresses are others in each process", append(slices.Clone(simOutside), "sim/explore")},
	{"sim/...", "math/rand", "its generator is shared, and the algorithm may change with Go; math/rand/v2 with a seed", nil},
	// explore searches on all cores, and sim makes its table of edges once for all runs.
	{"sim/...", "sync/...", "a run is one goroutine", append(slices.Clone(simOutside), "sim/explore", "sim")},
	{"...", "log", "zerolog is the log", nil},
	{"...", "log/slog", "zerolog is the log", nil},
}

// simOutside are the parts of sim that are there to meet the outside: the local cloud, and the tests of the fake against real
// servers.
var simOutside = []string{"sim/localcloud/...", "sim/etcdconformance"}

func TestImports(t *testing.T) {
	for pkg, imports := range packages(t, false) {
		for _, rule := range may {
			for _, i := range imports {
				if rule.who == pkg && !slices.ContainsFunc(rule.imports, func(allowed string) bool { return covers(allowed, i) }) {
					t.Errorf("%s imports %s: %s", pkg, i, rule.why)
				}
			}
		}
		for _, rule := range mayNot {
			if !covers(rule.who, pkg) || slices.ContainsFunc(rule.except, func(e string) bool { return covers(e, pkg) }) {
				continue
			}
			for _, i := range imports {
				if covers(rule.imports, i) && i != module+pkg {
					t.Errorf("%s imports %s: %s", pkg, i, rule.why)
				}
			}
		}
	}
}

// TestRulesHaveSomebodyToRule: a package that was renamed would otherwise be free of its rules.
func TestRulesHaveSomebodyToRule(t *testing.T) {
	all := packages(t, false)
	exists := func(who string) bool {
		for pkg := range all {
			if covers(who, pkg) {
				return true
			}
		}
		return false
	}
	for _, rule := range may {
		if !exists(rule.who) {
			t.Errorf("there is no package %s", rule.who)
		}
	}
	for _, rule := range mayNot {
		for _, who := range append(slices.Clone(rule.except), rule.who) {
			if !exists(who) {
				t.Errorf("there is no package %s", who)
			}
		}
	}
}

// TestNobodyElseImportsCmd, not even in a test.
func TestNobodyElseImportsCmd(t *testing.T) {
	for pkg, imports := range packages(t, true) {
		for _, i := range imports {
			if strings.HasPrefix(i, module+"cmd/") && !strings.HasPrefix(pkg, "cmd/") {
				t.Errorf("%s imports %s in a test", pkg, i)
			}
		}
	}
}

// uses are the names that a package must not take from another.
var uses = []struct {
	who, of string
	names   []string
	why     string
	except  []string
}{
	{
		"sim/...", "time", []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTicker", "NewTimer"},
		// explore has no runs: it tells how long its search took.
		"the clock of a run is virtual: with the wall clock in it, a seed would not repeat", append(slices.Clone(simOutside), "sim/explore"),
	},
	{
		// A new floating-point function may be another in its last bit on another processor: sim/random.go has its own.
		"sim", "math", []string{"Log", "Log1p", "Log2", "Log10", "Exp", "Exp2", "Expm1", "Pow", "Sin", "Cos", "FMA"},
		"a seed is the same run on every processor", nil,
	},
	{"sim/...", "sync", []string{"Pool"}, "what a pool gives back depends on the collector", nil},
	{"sim/...", "os", []string{"Getenv", "LookupEnv", "Environ", "Hostname", "Getpid"}, "a run depends on its seed, and on nothing of the machine", simOutside},
	{
		"effects", "time", []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTicker", "NewTimer"},
		"effects is handed its clock (Options.Now), since the simulator runs it in virtual time", nil,
	},
	{
		"effects/...", module + "states", []string{"New", "Machine", "Decision", "Diagram"},
		"effects uses the types of states; what is done is decided in states alone", nil,
	},
	{
		"agent", "time", []string{"Now", "Since", "Sleep", "After", "Tick"},
		"the agent's only timer is the one in Run; the time of a turn is in its observation", nil,
	},
}

func TestNames(t *testing.T) {
	eachFile(t, func(pkg, file string, tree *ast.File) {
		for _, rule := range uses {
			if strings.HasSuffix(file, "_test.go") || !covers(rule.who, pkg) || slices.ContainsFunc(rule.except, func(e string) bool { return covers(e, pkg) }) {
				continue
			}
			as := importedAs(tree, rule.of)
			ast.Inspect(tree, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := s.X.(*ast.Ident); ok && as != "" && x.Name == as && slices.Contains(rule.names, s.Sel.Name) {
					t.Errorf("%s uses %s.%s: %s", file, as, s.Sel.Name, rule.why)
				}
				return true
			})
		}
	})
}

// TestTopLevel: the top of the house is fixed, so that everybody finds everything.
func TestTopLevel(t *testing.T) {
	want := []string{
		"agent", "states", "effects", "sim", "cmd", "docs",
		"Dockerfile", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md",
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		name := e.Name()
		have = append(have, name)
		left := slices.ContainsFunc(strings.Fields(string(ignored)), func(pattern string) bool {
			match, _ := path.Match(strings.Trim(pattern, "/"), name)
			return match
		})
		if !slices.Contains(want, name) && !strings.HasPrefix(name, ".") && !left {
			t.Errorf("%s: nothing else is added at the top; find its place below", name)
		}
	}
	for _, name := range want {
		if !slices.Contains(have, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// covers tells whether a pattern of the tables stands for a package: "x/..." is x and all below it, "..." is everything.
func covers(pattern, pkg string) bool {
	prefix, all := strings.CutSuffix(pattern, "...")
	if !all {
		return pkg == pattern
	}
	return strings.HasPrefix(pkg+"/", prefix)
}

// packages gives what each package of this module imports, by its folder; of its tests instead, if they are asked for.
func packages(t *testing.T, tests bool) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	eachFile(t, func(pkg, file string, tree *ast.File) {
		if strings.HasSuffix(file, "_test.go") != tests {
			return
		}
		all[pkg] = append(all[pkg], "")[:len(all[pkg])] // known, even if it imports nothing
		for _, i := range tree.Imports {
			imported, _ := strconv.Unquote(i.Path.Value)
			all[pkg] = append(all[pkg], imported)
		}
	})
	return all
}

// eachFile gives every Go file of this module, whatever it is built for; what has a go.mod of its own is another module.
func eachFile(t *testing.T, f func(pkg, file string, tree *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			name := e.Name()
			_, other := os.Stat(filepath.Join(file, "go.mod"))
			if file != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin" || other == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg, err := filepath.Rel(root, filepath.Dir(file))
		f(filepath.ToSlash(pkg), file, tree)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// importedAs is the name that a file gives to a package; empty when it does not import it.
func importedAs(tree *ast.File, of string) string {
	for _, i := range tree.Imports {
		if imported, _ := strconv.Unquote(i.Path.Value); imported == of {
			if i.Name != nil {
				return i.Name.Name
			}
			return path.Base(of)
		}
	}
	return ""
}
