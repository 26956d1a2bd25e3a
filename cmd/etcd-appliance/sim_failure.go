package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

// explain shrinks a failure, keeps the smallest plan, and prints what an engineer needs: the invariant, the plan, the command
// that replays it, and the trace in short.
func explain(out io.Writer, r *sim.Result, dir string) sim.Broken {
	small := sim.Shrink(*r)
	b := sim.Broken{
		Seed: r.Plan.Seed, Invariant: r.Violation.Invariant, Detail: small.Violation.Detail, At: sim.Span(small.Violation.At), Faults: len(small.Faults),
	}
	fmt.Fprintf(out, "%s\n%s\n%d faults happened, of which %d are enough\n", small.Violation.Error(), r.Plan, len(r.Faults), len(small.Faults))
	path := filepath.Join(dir, fmt.Sprintf("%s-%d.json", b.Invariant, b.Seed))
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
	fmt.Fprintf(out, "drawn:  etcd-appliance sim --seed %d\n\n", b.Seed)
	var entries []sim.Entry
	sim.Run(sim.Options{Plan: &small.Plan, Watch: func(e *sim.Entry) { entries = append(entries, *e) }})
	last, left := sim.Last(entries, 40)
	if left > 0 {
		fmt.Fprintf(out, "  (%d earlier events are left out)\n", left)
	}
	for i := range last {
		fmt.Fprintln(out, last[i].Line())
	}
	fmt.Fprintln(out)
	return b
}

// newSimMergeCommand adds up the summaries of shards.
func newSimMergeCommand() *cobra.Command {
	var coverage bool
	var to string
	cmd := &cobra.Command{
		Use:     "merge FILES...",
		Short:   "add up the summaries of several runs",
		Example: "  etcd-appliance sim merge 1.json 2.json --coverage",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			sum := &sim.Summary{}
			for _, path := range args {
				s, err := sim.ReadSummary(path)
				if err != nil {
					return usageError{err}
				}
				sum.Merge(s)
			}
			if to != "" {
				if err := os.WriteFile(to, sum.JSON(), 0o644); err != nil {
					return err
				}
			}
			return summarize(cmd.OutOrStdout(), sum, coverage)
		},
	}
	cmd.Flags().BoolVar(&coverage, "coverage", false, "print which edges were taken under which faults, and the goals")
	cmd.Flags().StringVar(&to, "json", "", "write the sum to this file")
	return cmd
}
