package states

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"testing"
)

// allowedImports is the whole world of the rules.
var allowedImports = []string{
	"cmp", "context", "crypto/sha1", "encoding/binary", "errors", "fmt", "hash/fnv", "net/netip", "slices", "strconv", "strings", "time", "unicode", "github.com/looplab/fsm",
}

// forbiddenCalls are what an allowed package offers and a decision must not use.
var forbiddenCalls = map[string]string{}

func init() {
	const clock = "the time of a decision is Observation.Now: with a clock of its own, a replay would decide differently"
	const waiting = "a turn never waits: what is to happen later is derived again in a later turn"
	for _, name := range []string{"Now", "Since", "Until"} {
		forbiddenCalls["time."+name] = clock
	}
	for _, name := range []string{"After", "AfterFunc", "Sleep", "Tick", "NewTicker", "NewTimer"} {
		forbiddenCalls["time."+name] = waiting
	}
	for _, name := range []string{"Print", "Printf", "Println", "Fprint", "Fprintf", "Fprintln", "Scan", "Scanf", "Scanln"} {
		forbiddenCalls["fmt."+name] = "rules neither read nor write: what they have to say is in the Decision"
	}
	for _, name := range []string{"WithTimeout", "WithDeadline", "WithCancel", "AfterFunc"} {
		forbiddenCalls["context."+name] = "a cancelled context wedges looplab/fsm for good (its issue 115)"
	}
}

// reasons says why each construct is refused.
const (
	whyImport = "states decides and does nothing else (design.md section 2, rule 1): what it imports is all that it could do"
	whyGo     = "one goroutine owns the machine; a second one would make the order of decisions chance"
	whyChan   = "no decision waits for another: facts come in by the Observation, commands go out by the Decision"
	whyMap    = "Go gives the elements of a map in random order, and the same observation must give the same decision: keep a sorted slice"
	whyGlobal = "what outlives a turn is Memory, which a search can copy and hash; a package variable is shared by every machine of a simulation"
)

func TestPurity(t *testing.T) {
	s := sourceOf(t)
	for _, file := range s.files {
		for _, i := range file.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); !slices.Contains(allowedImports, path) {
				t.Errorf("%s: imports %s: %s", s.set.Position(i.Pos()), path, whyImport)
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if why := s.impure(n); why != "" {
				t.Errorf("%s: %s", s.set.Position(n.Pos()), why)
			}
			return true
		})
	}
}

// impure gives the reason why a node has no place in this package; empty when it has.
func (s *source) impure(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "go statement: " + whyGo
	case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
		return "channel or select: " + whyChan
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "receives from a channel: " + whyChan
		}
	case *ast.RangeStmt:
		switch s.info.Types[n.X].Type.Underlying().(type) {
		case *types.Map:
			return "range over a map: " + whyMap
		case *types.Chan:
			return "range over a channel: " + whyChan
		}
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			if s.isGlobal(left) {
				return "assigns to a package variable: " + whyGlobal
			}
		}
	case *ast.SelectorExpr:
		if f, ok := s.info.Uses[n.Sel].(*types.Func); ok && f.Pkg() != nil && f.Signature().Recv() == nil {
			if why := forbiddenCalls[f.Pkg().Path()+"."+f.Name()]; why != "" {
				return "calls " + f.Pkg().Path() + "." + f.Name() + ": " + why
			}
		}
	}
	return ""
}

// isGlobal tells whether an expression names a variable of the package.
func (s *source) isGlobal(e ast.Expr) bool {
	for {
		switch x := e.(type) {
		case *ast.IndexExpr:
			e = x.X
			continue
		case *ast.SelectorExpr:
			e = x.X
			continue
		case *ast.Ident:
			v, ok := s.info.Uses[x].(*types.Var)
			return ok && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
		}
		return false
	}
}

// Memory must stay comparable: the exhaustive search keeps it as the key of a map.
func TestMemoryIsComparable(t *testing.T) {
	seen := map[Memory]bool{{}: true}
	if !seen[Memory{}] {
		t.Error("a Memory is not found again")
	}
}
