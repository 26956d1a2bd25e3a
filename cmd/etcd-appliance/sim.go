package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/sim"
)

// newSimCommand runs the simulator: one seed with its trace, or many without.
func newSimCommand() *cobra.Command {
	var seed, from uint64
	var seeds int
	var quiet bool
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "run the simulator: many daemons over an AWS and an etcd in memory",
		Long: `Run the real daemon over an AWS and an etcd in memory, in virtual time, with faults
drawn from a seed. One seed prints its trace; many print the first that fails.`,
		Example: "  etcd-appliance sim --seed 1\n  etcd-appliance sim --seeds 1000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if seeds > 0 {
				return simMany(cmd.OutOrStdout(), from, seeds)
			}
			o := sim.Options{Seed: seed, Trace: cmd.OutOrStdout()}
			if quiet {
				o.Trace = nil
			}
			return simOutcome(cmd.OutOrStdout(), sim.Run(o))
		},
	}
	cmd.AddCommand(newSimExploreCommand())
	cmd.Flags().Uint64Var(&seed, "seed", 1, "run this seed and print its trace")
	cmd.Flags().IntVar(&seeds, "seeds", 0, "run this many seeds on all cores, without traces")
	cmd.Flags().Uint64Var(&from, "from", 1, "with --seeds: the first seed")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "with --seed: no trace")
	return cmd
}

func simOutcome(out io.Writer, r sim.Result) error {
	if r.Violation == nil {
		return nil
	}
	fmt.Fprintf(out, "\n%s\n%s\nreplay: etcd-appliance sim --seed %d\n", r.Plan, r.Violation.Error(), r.Plan.Seed)
	return fmt.Errorf("seed %d breaks invariant %s", r.Plan.Seed, r.Violation.Invariant)
}

// simMany runs a range of seeds and stops at the first violation, the lowest seed of those under way.
func simMany(out io.Writer, from uint64, seeds int) error {
	var next, events, simulated, excused atomic.Uint64
	var failed atomic.Pointer[sim.Result]
	next.Store(from)
	begun := time.Now()
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for seed := next.Add(1) - 1; seed < from+uint64(seeds) && failed.Load() == nil; seed = next.Add(1) - 1 {
				r := sim.Run(sim.Options{Seed: seed})
				events.Add(r.Events)
				simulated.Add(uint64(r.Simulated))
				if r.Excused != "" {
					excused.Add(1)
				}
				if r.Violation != nil {
					failed.CompareAndSwap(nil, &r)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(begun)
	if r := failed.Load(); r != nil {
		return simOutcome(out, *r)
	}
	hours := time.Duration(simulated.Load()).Hours()
	fmt.Fprintf(out, "%d seeds held every invariant (%d excused from converging): %.1f M events, %.0f simulated hours in %s; %.2f M events/s\n",
		seeds, excused.Load(), float64(events.Load())/1e6, hours, took.Round(time.Millisecond), float64(events.Load())/1e6/took.Seconds())
	return nil
}
