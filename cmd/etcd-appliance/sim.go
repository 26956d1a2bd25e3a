package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

// newSimCommand runs the simulator: one seed with its trace, or many without.
func newSimCommand() *cobra.Command {
	var seed uint64
	var view simView
	var many campaign
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "run the simulator: many daemons over an AWS and an etcd in memory",
		Long: `Run the real daemon over an AWS and an etcd in memory, in virtual time, with faults
drawn from a seed. One seed prints its trace; many print the first that fails, with
the smallest plan that breaks the same invariant.`,
		Example: `  etcd-appliance sim --seed 1 --html run.html
  etcd-appliance sim --seeds 1000
  etcd-appliance sim --seeds 1000000 --shard 3/16 --json 3.json
  etcd-appliance sim replay sim/testdata/regress/L1-99.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if many.seeds > 0 {
				return many.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			return view.show(cmd.OutOrStdout(), sim.Options{Seed: seed})
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&seed, "seed", 1, "run this seed and print its trace")
	view.flags(cmd)
	f.IntVar(&many.seeds, "seeds", 0, "run this many seeds on all cores, without traces")
	f.Uint64Var(&many.from, "from", 1, "with --seeds: the first seed")
	f.StringVar(&many.shard, "shard", "1/1", "with --seeds: run part i of n only, as in 3/16")
	f.StringVar(&many.save, "save", "sim/testdata/regress", "with --seeds: where the smallest failing plan is written")
	f.BoolVar(&many.keepGoing, "keep-going", false, "with --seeds: do not stop at the first violation")
	f.StringVar(&many.fault, "fault", "", "with --seeds: make faults of this class only")
	f.StringVar(&many.json, "json", "", "with --seeds: write a summary that sim merge adds up to this file")
	f.BoolVar(&many.coverage, "coverage", false, "with --seeds: print which edges were taken under which faults, and the goals")
	cmd.AddCommand(newSimReplayCommand(), newSimFaultsCommand(), newSimMergeCommand(), newSimExploreCommand(), newSimScenariosCommand(),
		newSimTellCommand())
	return cmd
}

// newSimFaultsCommand lists the classes of faults.
func newSimFaultsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "faults",
		Short: "list the faults that the simulator makes",
		Args:  cobra.NoArgs,
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprint(cmd.OutOrStdout(), sim.FaultTable()) },
	}
}

// newSimReplayCommand runs a plan that was kept.
func newSimReplayCommand() *cobra.Command {
	var view simView
	cmd := &cobra.Command{
		Use:     "replay FILE",
		Short:   "run a plan file and print its trace",
		Example: "  etcd-appliance sim replay sim/testdata/regress/L1-99.json --html run.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := sim.ReadPlan(args[0])
			if err != nil {
				return usageError{err}
			}
			return view.show(cmd.OutOrStdout(), sim.Options{Seed: plan.Seed, Plan: &plan})
		},
	}
	view.flags(cmd)
	return cmd
}

// simView is how one run is shown.
type simView struct {
	quiet, mermaid bool
	html           string
}

func (v *simView) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&v.quiet, "quiet", false, "no trace")
	cmd.Flags().BoolVar(&v.mermaid, "mermaid", false, "the last events as a Mermaid sequence diagram instead of lines")
	cmd.Flags().StringVar(&v.html, "html", "", "write the trace to this file too, as a page for a browser")
}

// show makes one run and draws it.
func (v *simView) show(out io.Writer, o sim.Options) error {
	var entries []sim.Entry
	if v.mermaid || v.html != "" {
		o.Watch = func(e *sim.Entry) { entries = append(entries, *e) }
	}
	if !v.quiet && !v.mermaid {
		o.Trace = out
	}
	r := sim.Run(o)
	if v.mermaid {
		fmt.Fprint(out, sim.Mermaid(entries))
	}
	if v.html != "" {
		page, err := os.Create(v.html)
		if err != nil {
			return err
		}
		defer page.Close()
		if err := sim.HTML(page, &r, entries); err != nil {
			return err
		}
		if err := page.Close(); err != nil {
			return err
		}
	}
	if r.Violation == nil {
		return nil
	}
	return fmt.Errorf("seed %d breaks invariant %s", r.Plan.Seed, r.Violation.Invariant)
}
