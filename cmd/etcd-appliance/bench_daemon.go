package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// daemonMeasures are what is measured of a daemon beside a follower of a cluster at rest.
var daemonMeasures = []struct {
	name string
	goal time.Duration
	take func(context.Context, *daemonUnderTest) (time.Duration, error)
}{
	{"start until the first decision", 100 * time.Millisecond, startDaemon},
	{"`GET /status`", 10 * time.Millisecond, getPath("/status")},
	{"`GET /metrics`", 10 * time.Millisecond, getPath("/metrics")},
	{"the page", 10 * time.Millisecond, getPath("/")},
	{"`etcd-appliance status`", 100 * time.Millisecond, runStatus},
}

// daemonTakes is how often each is measured in a round.
const daemonTakes = 5

// daemonUnderTest is one that runs.
type daemonUnderTest struct {
	program  string
	pid      int
	instance observer.Instance
}

// daemonReport has what each measure took.
type daemonReport struct {
	begun  time.Time
	rounds int
	took   map[string][]time.Duration
}

// measureDaemon tells how soon a daemon is there, and how soon it answers.
func (b *bench) measureDaemon(ctx context.Context) (daemonReport, error) {
	report := daemonReport{begun: time.Now().UTC(), rounds: b.rounds, took: map[string][]time.Duration{}}
	err := b.cluster(ctx, "daemon", withDaemon, func(ctx context.Context, r *rig.Rig) error {
		_, view, err := runOperation(ctx, r, benchOperations[0], nil, withDaemon)
		if err != nil {
			return err
		}
		if err := restFor(ctx, calmDown); err != nil {
			return err
		}
		follower, ok := view.Follower()
		d := &daemonUnderTest{program: r.Options().Daemon, pid: r.DaemonPID(follower.ID), instance: follower}
		if !ok || d.pid == 0 {
			return errors.New("no daemon runs beside a follower")
		}
		for round := range b.rounds {
			told := fmt.Sprintf("round %d of %d, the daemon", round+1, b.rounds)
			for _, m := range daemonMeasures {
				for range daemonTakes {
					took, err := m.take(ctx, d)
					if err != nil {
						return fmt.Errorf("%s: %w", m.name, err)
					}
					report.took[m.name] = append(report.took[m.name], took)
				}
				told += fmt.Sprintf("  %s %d ms", m.name, report.took[m.name][daemonTakes*round].Milliseconds())
			}
			b.say("%s", told)
		}
		return nil
	})
	return report, err
}

// startDaemon starts a dry run beside the daemon, with its command line and environment, and waits for the first decision in its log.
func startDaemon(ctx context.Context, d *daemonUnderTest) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, lapPatience)
	defer cancel()
	args, environment, err := d.started()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, args[0], append(args[1:], "--dry-run")...)
	cmd.Env = environment
	log, err := cmd.StderrPipe()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = readDecision(log)
	took := time.Since(begun)
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_, _ = io.Copy(io.Discard, log)
	return took, errors.Join(err, cmd.Wait())
}

// started is how the daemon was started: its command line and its environment.
func (d *daemonUnderTest) started() (args, environment []string, err error) {
	var lists [2][]string
	for n, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", d.pid, name))
		if err != nil {
			return nil, nil, err
		}
		lists[n] = strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	}
	return lists[0], lists[1], nil
}

// readDecision reads a log until it tells a decision.
func readDecision(log io.Reader) error {
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var line struct{ Message string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Message == "decision" {
			return nil
		}
	}
	return errors.New("the daemon ended without a decision")
}

// getPath asks the daemon over a connection of its own.
func getPath(path string) func(context.Context, *daemonUnderTest) (time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: lapPatience}
	return func(ctx context.Context, d *daemonUnderTest) (time.Duration, error) {
		begun := time.Now()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+statusOf(&d.instance)+path, nil)
		if err != nil {
			return 0, err
		}
		response, err := client.Do(request)
		if err != nil {
			return 0, err
		}
		defer func() { _ = response.Body.Close() }()
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return 0, err
		}
		if response.StatusCode != http.StatusOK {
			return 0, errors.New(response.Status)
		}
		return time.Since(begun), nil
	}
}

// runStatus runs the command, which asks the daemons of all three.
func runStatus(ctx context.Context, d *daemonUnderTest) (time.Duration, error) {
	begun := time.Now()
	out, err := exec.CommandContext(ctx, d.program, "status", "--status-address", statusOf(&d.instance)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return time.Since(begun), nil
}

// daemonAlone is its part of the page.
func (r *benchReport) daemonAlone() string {
	var g goals
	rows := [][]string{{"what", "measured", "goal", ""}}
	for _, m := range daemonMeasures {
		took := spreadOver(r.daemon.took[m.name])
		rows = append(rows, []string{m.name, took.inTenths(), fmt.Sprintf("under %d ms", m.goal.Milliseconds()), g.judge(took.median > 0 && took.median < m.goal, m.name)})
	}
	return fmt.Sprintf("%s\nMeasured by\n\n```\nmake bench ARGS='--only daemon --rounds %d'\n```\n\non %s, with etcd-appliance %s.\n\nMachine: %s, after: %s.\n\n%s\n\n",
		daemonHeading, r.daemon.rounds, r.daemon.begun.Format("2 January 2006 15:04 UTC"), version, r.machine, r.loadAfter, g.String()) +
		fmt.Sprintf("A daemon is started beside a follower of three, a dry run with the command line and the environment of the one that is there: from the start of "+
			"its process until its log has its first decision, which is to go on with the member that it finds. Then the follower's daemon is asked, over a new connection each time; "+
			"the command is run as a process, and asks the daemons of all three. Medians of %d, in parentheses the least and the most.\n\n", daemonTakes*r.daemon.rounds) + table(rows)
}
