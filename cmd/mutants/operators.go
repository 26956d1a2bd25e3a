package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

var swapped = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.EQL: "!=", token.NEQ: "==", token.LAND: "||", token.LOR: "&&",
}

// statement makes the mutants of statements: guards that always or never hold, what is left undone, exits that are not taken.
func (g *generator) statement(n, parent ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		g.guard(n.Cond)
	case *ast.CaseClause:
		g.caseClause(n)
	case *ast.BranchStmt:
		if n.Label == nil && n.Tok != token.FALLTHROUGH {
			g.add(n, "{}", "exit removed")
		}
	case *ast.ReturnStmt:
		g.returns(n)
	case *ast.IncDecStmt:
		if _, loop := parent.(*ast.ForStmt); !loop {
			g.add(n, "{}", "left undone")
		}
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE && !g.onlyWords(n) && !isInit(parent, n) {
			g.add(n, "{}", "left undone")
		}
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); ok && !strings.HasPrefix(g.file.textOf(call.Fun), "e.complaint") {
			g.add(n, "{}", "left undone")
		}
	}
}

// isInit tells whether a statement is the first part of an if or a for.
func isInit(parent ast.Node, n ast.Stmt) bool {
	switch p := parent.(type) {
	case *ast.IfStmt:
		return p.Init == n
	case *ast.ForStmt:
		return p.Init == n || p.Post == n
	case *ast.RangeStmt:
		return true
	}
	return false
}

// onlyWords tells whether an assignment only says something.
func (g *generator) onlyWords(n *ast.AssignStmt) bool {
	for _, left := range n.Lhs {
		if t := g.file.textOf(left); t != "_" && t != "why" && t != "reason" && !strings.HasSuffix(t, ".why") && !strings.HasSuffix(t, ".reports") && !strings.HasSuffix(t, ".Foreign") {
			return false
		}
	}
	return true
}

// guard makes a condition hold always, never, and the wrong way round.
func (g *generator) guard(cond ast.Expr) {
	text := g.file.textOf(cond)
	g.add(cond, "(("+text+") || true)", "always")
	g.add(cond, "(("+text+") && false)", "never")
	if _, ok := cond.(*ast.BinaryExpr); ok {
		return // its operator is exchanged
	}
	g.add(cond, "!("+text+")", "negated")
}

func (g *generator) caseClause(n *ast.CaseClause) {
	for _, e := range n.List {
		switch e.(type) {
		case *ast.BinaryExpr, *ast.UnaryExpr, *ast.CallExpr:
			g.guard(e)
		case *ast.Ident, *ast.SelectorExpr: // a value of a switch, or a condition: only one of the two compiles
			g.add(e, "("+g.file.textOf(e)+" && false)", "never")
			if len(n.List) > 1 {
				g.without(n.List, e, "case dropped")
			}
		}
	}
}

// without leaves an element of a list out, with its comma.
func (g *generator) without(list []ast.Expr, e ast.Expr, how string) {
	i := slices.Index(list, e)
	begin, end := e.Pos(), e.End()
	switch {
	case i+1 < len(list):
		end = list[i+1].Pos()
	case i > 0:
		begin = list[i-1].End()
	}
	g.addRange(begin, end, "", how, g.file.textOf(e))
}

// returns swallows errors.
func (g *generator) returns(n *ast.ReturnStmt) {
	if len(n.Results) == 0 {
		g.add(n, "{}", "exit removed")
		return
	}
	last := n.Results[len(n.Results)-1]
	if t := g.file.textOf(last); t == "err" || strings.HasPrefix(t, "fmt.Errorf") || strings.HasPrefix(t, "errors.New") {
		g.addRange(last.Pos(), last.End(), "nil", "error swallowed", t)
	}
}

// expression makes the mutants of expressions.
func (g *generator) expression(n, parent ast.Node) {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		g.binary(n, parent)
	case *ast.BasicLit:
		if p, ok := parent.(*ast.BinaryExpr); ok && n.Kind == token.INT && !isNumber(p) {
			if value, err := strconv.Atoi(n.Value); err == nil {
				g.add(n, strconv.Itoa(value+1), "off by one in "+short(g.file.textOf(p)))
			}
		}
	case *ast.Ident:
		g.ident(n, parent)
	case *ast.SelectorExpr:
		if x, ok := n.X.(*ast.Ident); ok && x.Name == "states" {
			g.fact(n, n.Sel.Name, "states.", parent)
		}
	case *ast.CallExpr:
		g.call(n)
	case *ast.CompositeLit:
		g.composite(n)
	}
}

func (g *generator) binary(n *ast.BinaryExpr, parent ast.Node) {
	if isNumber(n) {
		if !strings.Contains(g.file.textOf(n), "time.") {
			return
		}
		g.add(n, "(2*("+g.file.textOf(n)+"))", "doubled")
		g.add(n, "(("+g.file.textOf(n)+")/2)", "halved")
		return
	}
	op := swapped[n.Op]
	if op == "" {
		return
	}
	if g.factCompared(n) {
		return
	}
	// The node is written anew: the place of the operator alone would be enough, but not for its name.
	x, y := g.file.textOf(n.X), g.file.textOf(n.Y)
	if outer, ok := parent.(*ast.BinaryExpr); !ok || outer.Op != n.Op { // of a chain, the last link
		g.add(n, "(("+x+") "+op+" ("+y+"))", n.Op.String()+" is "+op)
	}
	neutral := map[token.Token]string{token.LAND: " || true", token.LOR: " && false"}[n.Op]
	for _, operand := range []ast.Expr{n.X, n.Y} {
		if same, ok := operand.(*ast.BinaryExpr); neutral != "" && (!ok || same.Op != n.Op) {
			g.add(operand, "(("+g.file.textOf(operand)+")"+neutral+")", "without")
		}
	}
}

// factCompared exchanges what is asked of a fact: "is Yes" becomes "is not No", so that unknown is taken for it.
func (g *generator) factCompared(n *ast.BinaryExpr) bool {
	y := g.file.textOf(n.Y)
	prefix, value := "", y
	if rest, ok := strings.CutPrefix(y, "states."); ok {
		prefix, value = "states.", rest
	}
	op := swapped[n.Op]
	others := map[string][]string{"Yes": {"No"}, "No": {"Yes"}, "Unknown": {"Yes", "No"}}[value]
	for _, other := range others {
		g.add(n, g.file.textOf(n.X)+" "+op+" "+prefix+other, "unknown is taken for it")
	}
	return others != nil
}

func (g *generator) ident(n *ast.Ident, parent ast.Node) {
	if key, ok := parent.(*ast.KeyValueExpr); ok && key.Key == n {
		return
	}
	if s, ok := parent.(*ast.SelectorExpr); ok && s.Sel == n {
		return
	}
	switch n.Name {
	case "true":
		g.add(n, "false", "is false")
	case "false":
		g.add(n, "true", "is true")
	case "Yes", "No", "Unknown":
		g.fact(n, n.Name, "", parent)
	default:
		if g.consts[n.Name] {
			g.add(n, "(2*"+n.Name+")", "doubled")
			g.add(n, "("+n.Name+"/2)", "halved")
		}
	}
}

// fact exchanges a fact that is given, not asked.
func (g *generator) fact(n ast.Node, name, prefix string, parent ast.Node) {
	if p, ok := parent.(*ast.BinaryExpr); ok && (p.Op == token.EQL || p.Op == token.NEQ) {
		return
	}
	for _, other := range map[string][]string{"Yes": {"No", "Unknown"}, "No": {"Yes", "Unknown"}, "Unknown": {"No"}}[name] {
		g.add(n, prefix+other, "is "+other)
	}
}
