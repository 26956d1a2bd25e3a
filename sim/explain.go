package sim

import (
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
)

// explained is how many events are told of a failure: the command that replays it tells the others.
const explained = 15

// Explain shrinks a failure, keeps the smallest plan in a directory, and prints what an engineer needs: the invariant, the plan,
// the command that replays it, and the trace in short.
func Explain(out io.Writer, r *Result, dir string) Broken {
	small := Shrink(*r)
	b := Broken{
		Seed: r.Plan.Seed, Scenario: r.Plan.Scenario, Invariant: r.Violation.Invariant, Detail: small.Violation.Detail,
		At: Span(small.Violation.At), Faults: len(small.Faults),
	}
	fmt.Fprintf(out, "%s\n%s\n%d faults happened, of which %d are enough\n", small.Violation.Error(), r.Plan, len(r.Faults), len(small.Faults))
	path := filepath.Join(dir, b.Invariant+"-"+r.Plan.name()+".json")
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(path, small.Plan.JSON(), 0o644)
	}
	switch {
	case err != nil:
		fmt.Fprintf(out, "the plan could not be kept: %v\n%s", err, small.Plan.JSON())
	default:
		b.File = path
		fmt.Fprintf(out, "%splan:   %s\nreplay: etcd-appliance sim replay %s\n", small.Plan.JSON(), path, path)
	}
	if drawn := newPlan(b.Seed); b.Scenario == "" && drawn.String() == r.Plan.String() { // else it was made with --fault
		fmt.Fprintf(out, "drawn:  etcd-appliance sim --seed %d\n", b.Seed)
	}
	fmt.Fprintln(out)
	var entries []Entry
	Run(Options{Plan: &small.Plan, Watch: func(e *Entry) { entries = append(entries, *e) }})
	last, left := Last(entries, explained)
	if left > 0 {
		fmt.Fprintf(out, "  (%d earlier events are left out)\n", left)
	}
	for i := range last {
		fmt.Fprintln(out, last[i].Line())
	}
	fmt.Fprintln(out)
	return b
}

// name tells the plan from others in the name of a file: by its seed, or by its scenario and what was added to it.
func (p *Plan) name() string {
	if p.Scenario == "" {
		return fmt.Sprint(p.Seed)
	}
	h := fnv.New32a()
	_, _ = h.Write(p.JSON())
	return fmt.Sprintf("%s-%08x", p.Scenario, h.Sum32())
}
