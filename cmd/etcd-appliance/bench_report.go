package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// benchReport is the outcome of a run.
type benchReport struct {
	command, machine, loadAfter, etcd string

	begun time.Time
	took  time.Duration
	laps  benchLaps
	rest  restReport

	daemon  daemonReport
	upgrade upgradeReport
	refresh refreshReport

	simBegun time.Time
	sim      simReport
}

// markdown is the whole page. It is also what the terminal gets, so the columns are aligned.
func (r *benchReport) markdown() string {
	var g goals
	sections := []string{r.operations(&g), r.starts(), r.dns(&g), r.atRest(&g)}
	var b strings.Builder
	fmt.Fprintf(&b, "# Performance\n\nMeasured by\n\n```\n%s\n```\n\n", r.command)
	fmt.Fprintf(&b, "on %s (in %s), with etcd-appliance %s and etcd %s.\n\nMachine: %s, after: %s.\n\n",
		r.begun.Format("2 January 2006 15:04 UTC"), r.took.Round(time.Second), version, r.etcd, r.machine, r.loadAfter)
	b.WriteString(g.String() + "\n\n" + strings.Join(sections, "\n") + "\n" + r.daemonAlone() + "\n" + r.upgrades() + "\n" + r.refreshes() + "\n" + r.simulator() + "\n" + r.howToRead())
	return b.String()
}

func (r *benchReport) operations(g *goals) string {
	rows := [][]string{{"operation", "daemon", "floor", "difference", "ratio", "goal", ""}}
	for _, o := range benchOperations {
		daemon, floor := spreadOf(r.laps.daemon[o.name], untilHealthy), spreadOf(r.laps.floor[o.name], untilHealthy)
		longer := daemon.median - floor.median
		rows = append(rows, []string{
			o.name, daemon.String(), floor.String(), signedSeconds(longer),
			fmt.Sprintf("%.1f", daemon.median.Seconds()/floor.median.Seconds()),
			fmt.Sprintf("floor + %g s", o.goal.Seconds()), g.judge(longer <= o.goal, o.name),
		})
	}
	return "## Until the cluster is whole and healthy\n\n" +
		"From the trigger until all three instances are started voters that serve, follow one leader, and are the only members. " +
		"Medians, in parentheses the least and the most; difference and ratio are those of the medians. The floor is the bare " +
		"operations of etcd, done at once by a script that need not find anything out: static start; start; remove, add a learner, start, promote.\n\n" +
		table(rows)
}

func (r *benchReport) starts() string {
	rows := [][]string{{"operation", "daemon", "floor", "difference"}}
	for _, o := range benchOperations {
		daemon, floor := spreadOf(r.laps.daemon[o.name], untilStarted), spreadOf(r.laps.floor[o.name], untilStarted)
		rows = append(rows, []string{o.name, daemon.String(), floor.String(), signedSeconds(daemon.median - floor.median)})
	}
	return "## Until the last server is started\n\nFrom the same trigger until the last etcd process began, as Linux tells it. What comes after is " +
		"mostly etcd's own: where no election has to come first, this is what the daemon adds, without the chance in what follows.\n\n" + table(rows)
}

func (r *benchReport) dns(g *goals) string {
	rows := [][]string{{"operation", "DNS is right", "after the cluster is healthy", "goal", ""}}
	for _, o := range benchOperations {
		laps := r.laps.daemon[o.name]
		after := spreadOf(laps, fromHealthToDNS)
		rows = append(rows, []string{
			o.name, spreadOf(laps, untilDNS).String(), after.String(), fmt.Sprintf("within %g s", dnsGoal.Seconds()),
			g.judge(after.median <= dnsGoal, "DNS after "+o.name),
		})
	}
	return "## Until DNS is right\n\nFrom the same trigger until the name server's A and SRV records list the members, all of them and no others.\n\n" + table(rows)
}

func (r *benchReport) atRest(g *goals) string {
	rows := [][]string{{"daemon", "resident memory", "of it anonymous", "processor", "AWS calls", "an hour"}}
	memory, processor, calls := true, true, true
	minutes := r.rest.lasted.Minutes()
	for _, d := range r.rest.daemons {
		role, seldom := "follower", callsSeldom(d.calls, followerCallGap)
		if d.leader {
			role, seldom = "leader", float64(len(d.calls)) <= leaderCalls*max(1, minutes)
		}
		memory = memory && d.memory.resident < memoryGoal
		processor = processor && d.processor < processorGoal
		calls = calls && seldom
		rows = append(rows, []string{
			role, fmt.Sprintf("%.1f MiB", d.memory.resident/(1<<20)), fmt.Sprintf("%.1f MiB", d.memory.anonymous/(1<<20)),
			fmt.Sprintf("%.2f %% of a core", d.processor), fmt.Sprint(len(d.calls)), fmt.Sprintf("%.0f", float64(len(d.calls))*60/minutes),
		})
	}
	verdicts := [][]string{
		{"goal", ""},
		{"resident memory under 40 MiB", g.judge(memory, "memory at rest")},
		{"processor under 0.3 % of a core", g.judge(processor, "processor at rest")},
		{"a follower makes no AWS call twice within 5 minutes, the leader at most 4 a minute", g.judge(calls, "AWS calls at rest")},
	}
	text := fmt.Sprintf("## At rest\n\nThe daemons beside a cluster of three that nothing happens to and nobody asks, watched for %s. "+
		"AWS calls are those to EC2, Auto Scaling and Route53.", r.rest.lasted.Round(time.Second))
	if r.rest.lasted < 2*followerCallGap {
		text += " That is too short to tell how seldom a follower calls: see --rest."
	}
	return text + "\n\n" + table(rows) + "\n" + table(verdicts)
}

func (r *benchReport) howToRead() string {
	n := len(r.laps.daemon[benchOperations[1].name])
	return endHeading + fmt.Sprintf(`
The times are medians of %d rounds (%d for the bootstrap) on one machine that other things may have run on, with all processes of a cluster on the
same cores and the same disk and no network between them; another machine gives others. So compare the daemon with the floor, which ran in
the same rounds, and not a number with one from another page. The bootstrap contains a wait of etcd's own of 0, 1 or 2 s, by chance: new servers ask
each other first whether the cluster exists, for up to 1 s each, and those that start at the same moment do not answer yet. The loss of a leader contains
an election of about 1 s. So medians differ by chance too, and a negative difference does not mean that the daemon is
faster than etcd. The start of the last server tells what the daemon adds before it. Both sides are
judged by the same observer, which looks every 10 ms and adds a few milliseconds to both. Between two operations a cluster
has %g s, because etcd refuses changes of the membership through a member that has been connected to the others for less than 5 s.
The cloud launches and ends instances at once, and answers in a millisecond; EC2 takes a minute. A replacement
contains the start of the new instance's daemon, since a real one contains it. Resident memory that is not anonymous is pages of the
program itself, which daemons on one machine share and the kernel drops when it needs the room.
`, n, n*bootstrapsPerRound, betweenOperations.Seconds())
}

// table aligns the columns of a Markdown table, the first row being its head.
func table(rows [][]string) string {
	width := make([]int, len(rows[0]))
	for _, row := range rows {
		for n, cell := range row {
			width[n] = max(width[n], 3, utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	line := func(row []string) {
		for n, cell := range row {
			fmt.Fprintf(&b, "| %s%s ", cell, strings.Repeat(" ", width[n]-utf8.RuneCountInString(cell)))
		}
		b.WriteString("|\n")
	}
	for n, row := range rows {
		line(row)
		if n == 0 {
			rule := make([]string, len(row))
			for n := range rule {
				rule[n] = strings.Repeat("-", width[n])
			}
			line(rule)
		}
	}
	return b.String()
}
