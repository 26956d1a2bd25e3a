package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

// newSimScenariosCommand plays the scenarios with every fault at every command.
func newSimScenariosCommand() *cobra.Command {
	var many campaign
	var pairs bool
	cmd := &cobra.Command{
		Use:   "scenarios [NAMES...]",
		Short: "play the scenarios with every single fault at every command, or every pair of them",
		Long: `Play the scenarios of sim/testdata/dialogues, or those that are named, once for each
command of each daemon and each fault that can happen there: it dies before it, after
it, or after the answer; the answer is lost; the daemon stands still; its instance ends.`,
		Example: `  etcd-appliance sim scenarios
  etcd-appliance sim scenarios --pairs --for 10m --shard 3/16 --json 3.json
  etcd-appliance sim scenarios replace_leader --keep-going`,
		RunE: func(cmd *cobra.Command, names []string) error {
			all, err := sim.NewSystematic(names, pairs)
			if err != nil {
				return usageError{err}
			}
			many.sum.Of = map[bool]string{false: "single faults", true: "pairs of faults"}[pairs]
			many.from, many.seeds, many.planOf = 1, int(all.Len()), all.Plan
			return many.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&pairs, "pairs", false, "two faults instead of one")
	f.DurationVar(&many.limit, "for", 0, "stop after this long; what was played is a sample of everything")
	f.StringVar(&many.shard, "shard", "1/1", "play part i of n only, as in 3/16")
	f.StringVar(&many.save, "save", "sim/testdata/regress", "where the smallest failing plan is written")
	f.BoolVar(&many.keepGoing, "keep-going", false, "do not stop at the first violation")
	f.StringVar(&many.json, "json", "", "write a summary that sim merge adds up to this file")
	f.BoolVar(&many.coverage, "coverage", false, "print which edges were taken under which faults, and the goals")
	return cmd
}

// newSimTellCommand shows one scenario as a run is shown.
func newSimTellCommand() *cobra.Command {
	var view simView
	cmd := &cobra.Command{
		Use:     "tell NAME",
		Short:   "play a scenario without other faults and print its trace",
		Example: "  etcd-appliance sim tell replace_leader --html run.html",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := sim.Scenarios()
			if err != nil {
				return err
			}
			for i := range all {
				if all[i].Name == args[0] {
					return view.show(cmd.OutOrStdout(), sim.Options{Plan: &all[i].Plan})
				}
			}
			return usageError{fmt.Errorf("no scenario is called %q", args[0])}
		},
	}
	view.flags(cmd)
	return cmd
}
