package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// equivalents are the automatic mutants that are the same program: no test can tell them from the product. Each was looked at,
// and has its reason. See the head of planted/equivalent.txt.
type equivalents struct {
	lines []equivalent
}

type equivalent struct{ name, why string }

func readEquivalents() (*equivalents, error) {
	text, err := plantedFiles.ReadFile("planted/equivalent.txt")
	if err != nil {
		return nil, err
	}
	e := &equivalents{}
	why := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			if why == "" {
				return nil, fmt.Errorf("equivalent.txt: %q has no reason", line)
			}
			e.lines = append(e.lines, equivalent{line[1:], why})
		default:
			why = line
		}
	}
	return e, nil
}

// mark notes which mutants are equivalent. A line that stands for no mutant is out of date, and an error.
func (e *equivalents) mark(all []*mutant) error {
	for _, line := range e.lines {
		prefix, many := strings.CutSuffix(line.name, "*")
		found := false
		for _, m := range all {
			if m.Name == line.name || many && strings.HasPrefix(m.Name, prefix) {
				m.same, found = line.why, true
			}
		}
		if !found {
			return fmt.Errorf("equivalent.txt: there is no mutant %q any more: look at what has taken its place", line.name)
		}
	}
	return nil
}
