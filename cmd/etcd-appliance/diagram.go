package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// The diagram stands in docs/states.md between these lines, so that the prose around it stays hand-written.
const (
	diagramBegins = "<!-- diagram begins: made by `make golden`, do not edit -->\n```mermaid\n"
	diagramEnds   = "```\n<!-- diagram ends -->\n"
)

// newDiagramCommand draws the states from the table that the daemon runs.
func newDiagramCommand() *cobra.Command {
	var format, check, write string
	cmd := &cobra.Command{
		Use:     "diagram",
		Short:   "draw the states of the daemon, from the table that it runs",
		Example: "  etcd-appliance diagram\n  etcd-appliance diagram --format graphviz | dot -Tsvg > states.svg",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			drawn, err := states.Diagram(states.DiagramFormat(format))
			if err != nil {
				return usageError{err}
			}
			switch {
			case write != "":
				return replaceDiagram(write, drawn, true)
			case check != "":
				return replaceDiagram(check, drawn, false)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), drawn)
			return err
		},
	}
	cmd.Flags().StringVar(&format, "format", string(states.Mermaid), "mermaid or graphviz")
	cmd.Flags().StringVar(&check, "check", "", "fail unless the diagram in this Markdown file is up to date")
	cmd.Flags().StringVar(&write, "write", "", "put the diagram into this Markdown file")
	return cmd
}

// replaceDiagram puts the diagram between its two lines, or only tells whether it stands there already.
func replaceDiagram(path, drawn string, write bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), diagramBegins)
	_, after, ends := strings.Cut(rest, diagramEnds)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for the diagram: it must contain the lines\n%s%s", path, diagramBegins, diagramEnds)
	}
	updated := before + diagramBegins + drawn + diagramEnds + after
	switch {
	case updated == string(text):
		return nil
	case write:
		return os.WriteFile(path, []byte(updated), 0o644)
	default:
		return errorWithHint(errors.New(path+" does not show the states as they are"), "run: make golden")
	}
}
