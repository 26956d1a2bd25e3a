package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// texts are functions whose outcome is words for people, or a list for tests; no mutant is made of them.
var texts = []string{"String", "key", "splitBrain", "steady", "describeRecords", "orElse", "Diagram", "kind", "command", "halted", "Commands", "States"}

// decides are the functions of package effects that come to a decision: whether a compare-and-set holds, who owns a lock, what
// may be removed, how facts are merged, and when a source is asked. The rest of it is plumbing.
var decides = []string{
	"Effects.Observe", "Effects.Refresh", "Effects.refresh", "pauseAfter", "Effects.open", "Effects.changedBy",
	"Effects.executeLane", "Effects.start", "lane.ended", "Effects.local", "Effects.startEtcd", "Effects.action",
	"Effects.holdJoinLock", "Effects.addMember", "Effects.mayAddVoter", "Effects.removeMember", "Effects.survives",
	"claimFromRecords", "Effects.setClaim", "Effects.createClaim", "Effects.updateClaim", "Effects.putClaim", "parseClaim", "named",
	"Effects.askCluster", "Effects.setCluster", "sameMembers", "Effects.markUnhealthy", "Effects.askLocal", "Effects.askRestored",
	"Effects.askHealth", "order", "Effects.askPeers", "Effects.askPeer",
	"Effects.askGroup", "idsOf", "addressesOf", "Effects.instances", "staysInGroup", "stateOf", "absences", "Effects.memberKeys",
	"regionSeen.ask", "Effects.locate", "Effects.located", "Effects.askRegion", "Effects.noteSilent", "Region.Counterpart", "stackOf", "together", "Effects.autoScalingOf",
	"openings", "covers", "both", "Effects.authorize", "Effects.revoke", "Effects.changeRules", "soonest",
	"ParseUpgrade", "ReadUpgrade", "Effects.askUpgrade", "Effects.holdUpgradeLock", "Effects.releaseUpgradeLock", "Effects.haltUpgrade",
	"Effects.stopForUpgrade", "Effects.mayStop", "Effects.nobodyUpgrades", "Effects.askVersion", "Alarm",
	"Effects.askEnding", "Effects.confirmTermination", "Effects.askWarning", "warning", "Effects.askZone", "Effects.readZone", "Effects.change",
	"Effects.firstLook", "Effects.askHook", "Effects.setHook", "Effects.heartbeat", "Effects.completeHook", "heldNoMore", "Effects.replaceInstance",
	"Choice.choose", "Choice.isAbove", "Choice.remember", "Choice.Swap", "Choice.HoldLock", "Choice.ReleaseLock", "api.leftOf",
}

// generator makes the automatic mutants of a package.
type generator struct {
	file    *source
	where   string // file and function
	consts  map[string]bool
	events  []string
	mutants []*mutant
	seen    map[string]int // names
}

// generate makes all automatic mutants of some files of a package.
func generate(files []*source, only []string) []*mutant {
	g := &generator{seen: map[string]int{}}
	g.readConstants(files)
	for _, f := range files {
		g.file = f
		for _, d := range f.tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Body == nil || d.Type.TypeParams != nil || slices.Contains(texts, d.Name.Name) ||
					len(only) > 0 && !slices.Contains(only, funcName(d)) {
					continue
				}
				g.where = f.path + " " + funcName(d)
				g.walk(d.Body)
			case *ast.GenDecl:
				g.variables(d)
			}
		}
	}
	return g.mutants
}

// missing are the functions of a list that no file has: nothing is made of one that has another name by now.
func missing(files []*source, functions []string) []string {
	return slices.DeleteFunc(slices.Clone(functions), func(name string) bool {
		return slices.ContainsFunc(files, func(f *source) bool {
			return slices.ContainsFunc(f.tree.Decls, func(d ast.Decl) bool {
				function, ok := d.(*ast.FuncDecl)
				return ok && funcName(function) == name
			})
		})
	})
}

// readConstants notes the constants that are numbers or times, and the events.
func (g *generator) readConstants(files []*source) {
	g.consts = map[string]bool{}
	for _, f := range files {
		for _, d := range f.tree.Decls {
			decl, ok := d.(*ast.GenDecl)
			if !ok || decl.Tok != token.CONST {
				continue
			}
			for _, s := range decl.Specs {
				spec := s.(*ast.ValueSpec)
				if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Event" {
					g.events = append(g.events, spec.Names[0].Name)
				}
				if len(spec.Values) == 1 && spec.Type == nil && isNumber(spec.Values[0]) {
					g.consts[spec.Names[0].Name] = true
				}
			}
		}
	}
}

// isNumber tells whether an expression is made of whole numbers and units of time only.
func isNumber(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Kind == token.INT
	case *ast.BinaryExpr:
		return isNumber(e.X) && isNumber(e.Y)
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && x.Name == "time"
	}
	return false
}

// add makes a mutant that replaces a node.
func (g *generator) add(n ast.Node, text, how string) {
	g.addRange(n.Pos(), n.End(), text, how, g.file.textOf(n))
}

func (g *generator) addRange(begin, end token.Pos, text, how, what string) {
	name := fmt.Sprintf("%s: %s: %s", g.where, how, short(what))
	g.seen[name]++
	if n := g.seen[name]; n > 1 {
		name += fmt.Sprintf(" (%d)", n)
	}
	g.mutants = append(g.mutants, &mutant{
		Name: name, Kind: "auto", Line: g.file.set.Position(begin).Line,
		edits: []edit{{g.file, g.file.offset(begin), g.file.offset(end), text}},
	})
}

// walk makes the mutants of a function.
func (g *generator) walk(body ast.Node) {
	var path []ast.Node
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		var parent ast.Node
		if len(path) > 0 {
			parent = path[len(path)-1]
		}
		if call, ok := n.(*ast.CallExpr); ok && speaks(g.file.textOf(call.Fun)) {
			return false
		}
		g.statement(n, parent)
		g.expression(n, parent)
		path = append(path, n)
		return true
	})
}

// speaks tells whether a function makes words.
func speaks(function string) bool {
	return strings.HasPrefix(function, "fmt.") || function == "errors.New" || function == "orElse"
}

// variables makes the mutants of the table of edges, and of other tables.
func (g *generator) variables(d *ast.GenDecl) {
	if d.Tok != token.VAR {
		return
	}
	for _, s := range d.Specs {
		spec := s.(*ast.ValueSpec)
		g.where = g.file.path + " " + spec.Names[0].Name
		if len(spec.Values) != 1 {
			continue
		}
		if list, ok := spec.Values[0].(*ast.CompositeLit); ok && spec.Names[0].Name == "edges" {
			g.edges(list)
		} else {
			g.walk(spec.Values[0])
		}
	}
}

// edges makes mutants of the table: an edge that is missing, and one that leads elsewhere.
func (g *generator) edges(table *ast.CompositeLit) {
	var states []string
	for _, e := range table.Elts {
		for _, i := range []int{0, 2} {
			if s := g.file.textOf(e.(*ast.CompositeLit).Elts[i]); !slices.Contains(states, s) {
				states = append(states, s)
			}
		}
	}
	for i, e := range table.Elts {
		edge := e.(*ast.CompositeLit)
		g.addRange(edge.Pos(), edge.End()+1, "", "edge dropped", g.file.textOf(edge)) // and the comma
		from, to := g.file.textOf(edge.Elts[0]), edge.Elts[2]
		others := slices.DeleteFunc(slices.Clone(states), func(s string) bool { return s == g.file.textOf(to) || s == from })
		for k := range 2 {
			other := others[(i+k*2)%len(others)]
			g.addRange(to.Pos(), to.End(), other, "leads to "+other, g.file.textOf(edge))
		}
	}
}
