package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// JSON writes the plan with all its fields, each fault on a line of its own.
func (p Plan) JSON() []byte {
	only := p.Only
	p.Only = nil
	head, err := json.MarshalIndent(p, "", "  ")
	must(err)
	if only == nil {
		return append(head, '\n')
	}
	var list bytes.Buffer
	list.WriteString(`"only": [`)
	for i, e := range only {
		line, err := json.Marshal(e)
		must(err)
		if i > 0 {
			list.WriteString(",")
		}
		fmt.Fprintf(&list, "\n    %s", line)
	}
	list.WriteString("\n  ]")
	return append(bytes.Replace(head, []byte(`"only": null`), list.Bytes(), 1), '\n')
}

// ReadPlan reads a plan file. A field that it does not know is an error: the plan would not mean what its writer meant.
func ReadPlan(path string) (Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Plan{}, err
	}
	var p Plan
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Plan{}, fmt.Errorf("%s: %w", path, err)
	}
	for _, line := range p.Script {
		if _, err := parseStep(strings.Fields(line)); err != nil {
			return Plan{}, fmt.Errorf("%s: %q: %w", path, line, err)
		}
	}
	return p, nil
}
