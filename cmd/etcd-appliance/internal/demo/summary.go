package demo

import (
	"fmt"
	"io"
	"time"
)

// summarize tells how it went.
func (p *play) summarize(out io.Writer, checks []check, failure error) {
	outcomes := p.outcomesNow()
	fmt.Fprintf(out, "\n%-48s %9s %9s %10s\n", "", "healthy", "DNS", "write gap")
	for _, o := range outcomes {
		healthy, right, longest := "-", "-", "-"
		if o.healthy > 0 {
			healthy = seconds(o.healthy)
		}
		if o.over {
			right, longest = seconds(o.right), gap(o.written.Lap)
		}
		fmt.Fprintf(out, "%-48s %9s %9s %10s\n", o.title, healthy, right, longest)
	}
	fmt.Fprintln(out)
	failed := 0
	for _, c := range checks {
		if c.err == nil {
			fmt.Fprintf(out, "ok      %s\n", c.what)
			continue
		}
		failed++
		fmt.Fprintf(out, "FAILED  %s:\n        %v\n", c.what, c.err)
	}
	took := time.Since(p.begun).Round(100 * time.Millisecond)
	switch {
	case failure != nil:
		fmt.Fprintf(out, "FAILED  after %s: %v\n", took, failure)
	case failed > 0:
		fmt.Fprintf(out, "\n%d of %d checks failed, after %s.\n", failed, len(checks), took)
	default:
		fmt.Fprintf(out, "\nEverything held. It took %s.\n", took)
	}
}
