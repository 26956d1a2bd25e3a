package main

import (
	"go/ast"
	"slices"
	"strings"
)

// call makes the mutants of some calls: what is appended is dropped, given twice, or comes first; a move is not made, or is
// another one.
func (g *generator) call(n *ast.CallExpr) {
	function := g.file.textOf(n.Fun)
	switch {
	case function == "min" || function == "max":
		g.add(n.Fun, map[string]string{"min": "max", "max": "min"}[function], "is the other of min and max")
	case function == "move" && len(n.Args) == 2:
		g.add(n, "verdict{why: "+g.file.textOf(n.Args[1])+"}", "stays")
		if i := slices.Index(g.events, g.file.textOf(n.Args[0])); i >= 0 {
			other := g.events[(i+1)%len(g.events)]
			g.addRange(n.Args[0].Pos(), n.Args[0].End(), other, "is "+other, g.file.textOf(n))
		}
	case function == "append" && len(n.Args) == 2 && !strings.HasSuffix(g.file.textOf(n.Args[0]), "reports"):
		g.appended(n)
	}
}

func (g *generator) appended(n *ast.CallExpr) {
	list, what := g.file.textOf(n.Args[0]), g.file.textOf(n.Args[1])
	g.add(n, list, "not appended")
	if n.Ellipsis.IsValid() {
		return
	}
	if strings.HasSuffix(list, "commands") {
		g.add(n, "append("+list+", "+what+", "+what+")", "appended twice")
		g.add(n, "append([]Command{"+what+"}, "+list+"...)", "comes first")
	}
}

// composite makes the mutants of literals: lists of commands, and fields left out.
func (g *generator) composite(n *ast.CompositeLit) {
	if n.Type == nil {
		return
	}
	if t := g.file.textOf(n.Type); t == "[]Command" {
		g.commands(n)
		return
	}
	for _, e := range n.Elts {
		field, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return
		}
		name := g.file.textOf(field.Key)
		if !slices.Contains([]string{"Why", "why", "reports", "Detail", "name", "timeout"}, name) {
			g.without(n.Elts, e, "field left out")
		}
	}
}

func (g *generator) commands(n *ast.CompositeLit) {
	for i, e := range n.Elts {
		text := g.file.textOf(e)
		g.without(n.Elts, e, "command dropped")
		g.add(e, text+", "+text, "command given twice")
		if i > 0 {
			before := n.Elts[i-1]
			g.addRange(before.Pos(), e.End(), text+", "+g.file.textOf(before), "commands exchanged", g.file.textOf(n))
		}
	}
}
