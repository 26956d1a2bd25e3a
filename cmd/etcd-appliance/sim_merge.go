package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

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
