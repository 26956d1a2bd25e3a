package states

import (
	"fmt"
	"strings"

	"github.com/looplab/fsm"
)

// DiagramFormat is a language that the diagram of states can be drawn in.
type DiagramFormat string

// The formats: both are what looplab/fsm draws of the machine it runs, so the picture cannot differ from the behaviour.
const (
	Mermaid  DiagramFormat = "mermaid"
	Graphviz DiagramFormat = "graphviz"
)

// Diagram draws the table of edges. It draws a fresh machine, since looplab marks the current state as the first.
func Diagram(format DiagramFormat) (string, error) {
	switch format {
	case Mermaid:
		out, err := fsm.VisualizeForMermaidWithGraphType(newFSM(), fsm.StateDiagram)
		if err != nil {
			return "", fmt.Errorf("draw the diagram: %w", err)
		}
		return strings.TrimRight(out, "\n") + "\n    Leaving --> [*]\n", nil
	case Graphviz:
		return fsm.Visualize(newFSM()), nil
	default:
		return "", fmt.Errorf("diagram format %q: want %q or %q", format, Mermaid, Graphviz)
	}
}
