package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/sim/explore"
)

// newSimExploreCommand searches all interleavings of a small world.
func newSimExploreCommand() *cobra.Command {
	var o explore.Options
	var scope string
	cmd := &cobra.Command{
		Use:   "explore",
		Short: "search every interleaving of a small cluster",
		Long: `Search, breadth first, every interleaving of the daemon's real decisions on a small
abstract world: turns, commands in flight, crashes and lost answers within budgets.
Safety is checked in every state, and that every state can still reach the goal.
The shortest trace of what is wrong is printed.`,
		Example: `  etcd-appliance sim explore --scope join --terminate 1 --crashes 1 --lost 1
  etcd-appliance sim explore --scope upgrade --terminate 1 --crashes 0 --lost 0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Scope = explore.Scope(scope)
			r, err := watchSearch(cmd.Context(), cmd.ErrOrStderr(), o)
			if err != nil {
				return usageError{err}
			}
			return exploreOutcome(cmd.OutOrStdout(), r)
		},
	}
	f := cmd.Flags()
	f.StringVar(&scope, "scope", "join", "the world to begin with: bootstrap, join, upgrade (every instance wants the next minor) or roll (replacements want it)")
	f.IntVar(&o.Nodes, "nodes", 3, "instances of the group")
	f.IntVar(&o.Crashes, "crashes", 1, "how often a daemon may crash")
	f.IntVar(&o.Lost, "lost", 1, "how many answers or requests may be lost")
	f.IntVar(&o.EtcdCrashes, "etcd-crashes", 0, "how often a server may crash")
	f.IntVar(&o.Terminate, "terminate", 1, "how many instances may be terminated; as many replacements are launched, up to 5 instances in all")
	f.IntVar(&o.Stale, "stale", 0, "how many answers of AWS may be from before its last change")
	f.IntVar(&o.Disks, "disks", 0, "how many disks may be lost")
	f.BoolVar(&o.One, "one", false, "in scope upgrade only the first instance wants the next minor")
	f.BoolVar(&o.Unfit, "unfit", false, "the first instance cannot run the next minor")
	f.IntVar(&o.Workers, "workers", 0, "how many cores to use; 0 for all")
	f.Uint32Var(&o.MaxStates, "max-states", 30_000_000, "give up at this many states (about 100 bytes each); 0 for no limit")
	f.BoolVar(&o.SafetyOnly, "safety-only", false, "do not ask whether the goal stays reachable: less memory")
	return cmd
}

// watchSearch searches, and tells how far it is. A signal cuts the search off.
func watchSearch(ctx context.Context, errOut io.Writer, o explore.Options) (*explore.Result, error) {
	var now atomic.Pointer[explore.Progress]
	now.Store(&explore.Progress{})
	o.Watch = func(p explore.Progress) bool {
		now.Store(&p)
		return ctx.Err() == nil
	}
	bar := startProgress(errOut, func(took time.Duration) string {
		p := now.Load()
		return fmt.Sprintf("%d states, %.1f M transitions, depth %d, %.2f M transitions/s, %s", p.States, float64(p.Transitions)/1e6, p.Depth,
			float64(p.Transitions)/1e6/took.Seconds(), took.Round(time.Second))
	})
	defer bar.stop()
	return explore.Run(o)
}

func exploreOutcome(out io.Writer, r *explore.Result) error {
	for _, line := range r.Trace {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintf(out, "%d states, %d transitions, depth %d in %s; %.2f M transitions/s\n",
		r.States, r.Transitions, r.Depth, r.Took.Round(time.Millisecond), float64(r.Transitions)/1e6/r.Took.Seconds())
	if err := r.Err(); err != nil {
		return err
	}
	fmt.Fprintf(out, "every invariant held, and every state can reach one of %d in which all is well (%d excused)\n", r.Goals, r.Excused)
	return nil
}
