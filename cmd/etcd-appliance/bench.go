package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// newBenchCommand measures the daemon against what etcd itself takes.
func newBenchCommand() *cobra.Command {
	b := &bench{}
	var c cloudFlags
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "measure the daemon and print tables",
		Long: `Measure, on real etcd processes in an AWS on loopback, how long a cluster takes to
form, to restart a server, to replace an instance, and to be upgraded, also by an
instance refresh: with the daemon, and, in the same rounds, with the bare operations of
etcd (the floor). Then the daemon beside a cluster at rest, how soon it is there and
answers, the simulator and the exhaustive search. Ten rounds take more than an hour;
the simulator alone takes two minutes, and needs no etcd.`,
		Example: "  etcd-appliance bench --rounds 3\n  etcd-appliance bench --write docs/performance.md\n  etcd-appliance bench --only simulator --write docs/performance.md",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, release := holdSignals(cmd.Context())
			defer release()
			b.progress = cmd.ErrOrStderr()
			at := slices.IndexFunc(benchParts, func(p benchPart) bool { return p.name == b.only })
			switch {
			case b.only == onlySimulator:
				return b.alone(ctx, &benchParts[at], cmd.OutOrStdout())
			case b.only != "" && at < 0:
				return usageError{fmt.Errorf("--only %s: want %s", b.only, partNames())}
			}
			c.size = benchSize
			options, err := c.rigOptions(cmd)
			if err != nil {
				return err
			}
			options.Look = 24 * time.Hour // it looks by itself, and only when it measures
			// Not the path of this binary: someone may be building a new one there.
			options.Daemon = fmt.Sprintf("/proc/%d/exe", os.Getpid())
			b.rig = options
			if at >= 0 {
				return b.alone(ctx, &benchParts[at], cmd.OutOrStdout())
			}
			return b.runAndReport(ctx, cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	c.add(flags)
	addSetting(flags, "rounds", &b.rounds, "10", parseCount).Usage = "how often each operation is measured"
	addSetting(flags, "rest", &b.rest, "60s", parseDuration).Usage = "how long the daemons are watched beside a cluster at rest"
	addSetting(flags, "seeds", &b.seeds, "200", parseCount).Usage = "how many clusters are simulated"
	flags.StringVar(&b.only, "only", "", "measure this part alone: "+partNames())
	flags.StringVar(&b.page, "write", "", "write the tables to this Markdown page too; with --only, in the place of that part")
	return cmd
}

// benchPart can be measured alone.
type benchPart struct {
	name, heading string
	measure       func(*bench, context.Context, *benchReport) error
	tell          func(*benchReport) string
}

// benchParts are in their order on the page.
var benchParts = []benchPart{
	{"daemon", daemonHeading, func(b *bench, ctx context.Context, r *benchReport) (err error) {
		r.daemon, err = b.measureDaemon(ctx)
		return err
	}, (*benchReport).daemonAlone},
	{"upgrade", upgradeHeading, func(b *bench, ctx context.Context, r *benchReport) (err error) {
		r.upgrade, err = b.measureUpgrade(ctx)
		return err
	}, (*benchReport).upgrades},
	{"refresh", refreshHeading, func(b *bench, ctx context.Context, r *benchReport) (err error) {
		r.refresh, err = b.measureRefresh(ctx)
		return err
	}, (*benchReport).refreshes},
	{onlySimulator, simHeading, func(b *bench, ctx context.Context, r *benchReport) (err error) {
		r.simBegun = time.Now().UTC()
		r.sim, err = b.measureSim(ctx)
		return err
	}, (*benchReport).simulator},
}

// onlySimulator is the part that needs no servers.
const onlySimulator = "simulator"

func partNames() string {
	var names []string
	for i := range benchParts {
		names = append(names, benchParts[i].name)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// benchSize is how many instances a cluster has.
const benchSize = 3

// bench is one run of the benchmark.
type bench struct {
	rig      rig.Options
	rounds   int
	rest     time.Duration
	seeds    int
	only     string
	page     string
	progress io.Writer
}

func (b *bench) runAndReport(ctx context.Context, out io.Writer) error {
	report, err := b.run(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	if _, err := io.WriteString(out, report.markdown()); err != nil || b.page == "" {
		return err
	}
	return os.WriteFile(b.page, []byte(report.markdown()), 0o644)
}

// alone measures one part, and writes it in its place on the page.
func (b *bench) alone(ctx context.Context, part *benchPart, out io.Writer) error {
	r := &benchReport{machine: thisMachine()}
	err := part.measure(b, ctx, r)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	r.loadAfter = loadAverage()
	if _, err := io.WriteString(out, part.tell(r)); err != nil || b.page == "" {
		return err
	}
	return writePart(b.page, part.tell(r), part.heading)
}

// run measures everything, one after the other.
func (b *bench) run(ctx context.Context) (*benchReport, error) {
	r := &benchReport{command: b.commandLine(), machine: thisMachine(), begun: time.Now().UTC()}
	var err error
	for round := range b.rounds {
		if err = b.round(ctx, round, &r.laps); err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	if r.rest, err = b.measureRest(ctx); err != nil {
		return nil, fmt.Errorf("at rest: %w", err)
	}
	for i := range benchParts {
		if err = benchParts[i].measure(b, ctx, r); err != nil {
			return nil, fmt.Errorf("%s: %w", benchParts[i].name, err)
		}
	}
	r.etcd, r.took = r.rest.etcd, time.Since(r.begun)
	r.loadAfter = loadAverage()
	return r, nil
}

// round runs clusters with the daemon and without, so that both see the same machine; which comes first alternates.
func (b *bench) round(ctx context.Context, round int, laps *benchLaps) error {
	order := []bool{withDaemon, withoutDaemon}
	if round%2 == 1 {
		order = []bool{withoutDaemon, withDaemon}
	}
	for n := range bootstrapsPerRound {
		operations := benchOperations
		if n > 0 {
			operations = benchOperations[:1]
		}
		for _, daemon := range order {
			name := map[bool]string{withDaemon: "daemon", withoutDaemon: "floor"}[daemon]
			told := fmt.Sprintf("round %d of %d, %-6s", round+1, b.rounds, name)
			err := b.cluster(ctx, fmt.Sprintf("%02d-%s-%d", round+1, name, n+1), daemon, func(ctx context.Context, r *rig.Rig) error {
				return runOperations(ctx, r, operations, daemon, func(o benchOperation, l lap) {
					laps.add(o.name, daemon, l)
					told += fmt.Sprintf("  %s %.2f", o.short, l.healthy.Seconds())
				})
			})
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			b.say("%s", told)
		}
	}
	return nil
}

const (
	withDaemon    = true
	withoutDaemon = false
)

// cluster brings up a cloud, uses it, and ends every process in it. After a failure it leaves the logs.
func (b *bench) cluster(ctx context.Context, name string, daemon bool, use func(context.Context, *rig.Rig) error) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := b.rig
	if o.Dir != "" {
		o.Dir = filepath.Join(o.Dir, name)
	}
	start := rig.StartBare
	if daemon {
		start = rig.Start
	}
	r, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			r.KeepDir()
			b.say("the logs of the instances are %s/i-*.log", r.Dir())
		}
		cancel()
		if closed := r.Close(); err == nil {
			err = closed
		}
	}()
	return use(ctx, r)
}

// say tells those who wait how far it has come.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

func (b *bench) commandLine() string {
	args := fmt.Sprintf("--rounds %d --rest %s --seeds %d", b.rounds, b.rest, b.seeds)
	if b.page != "" {
		args += " --write " + b.page
	}
	return fmt.Sprintf("make bench ARGS='%s'", args)
}
