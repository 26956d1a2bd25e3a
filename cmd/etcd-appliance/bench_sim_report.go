package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Headings of the page. The parts under all but the last can be measured and written alone.
const (
	daemonHeading  = "## The daemon by itself\n"
	upgradeHeading = "## Upgrade\n"
	refreshHeading = "## Instance refresh\n"
	simHeading     = "## The simulator\n"
	endHeading     = "## How to read this\n"
)

// simulator is the part of the page that needs no etcd.
func (r *benchReport) simulator() string {
	s, g := &r.sim, goals{}
	rows := s.goals(&g)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nMeasured by\n\n```\nmake bench ARGS='--only simulator --seeds %d'\n```\n\non %s, with etcd-appliance %s, on %d cores, without a trace.\n\nMachine: %s, after: %s.\n\n%s\n\n%s\n",
		simHeading, s.sweep.runs, r.simBegun.Format("2 January 2006 15:04 UTC"), version, simCores, r.machine, r.loadAfter, g.String(), table(rows))
	b.WriteString(s.samples() + "\n" + s.abstract() + "\n" + s.searched())
	return b.String()
}

func (s *simReport) goals(g *goals) [][]string {
	return [][]string{
		{"what", "measured", "goal", ""},
		{
			"events of sweeps", fmt.Sprintf("%.2f M a second", s.sweep.eventsPerSecond()/1e6), fmt.Sprintf("%g M a second", eventsGoal/1e6),
			g.judge(s.sweep.eventsPerSecond() >= eventsGoal, "events of sweeps"),
		},
		{
			"clusters of five for two hours", fmt.Sprintf("%.0f a minute", s.rich.runsPerMinute()), fmt.Sprintf("%d a minute", richGoal),
			g.judge(s.rich.runsPerMinute() >= richGoal, "clusters of five for two hours"),
		},
		{
			"cluster-years of sweeps", fmt.Sprintf("%.2f a minute", s.sweep.yearsPerMinute()), fmt.Sprintf("%d a minute", yearsGoal),
			g.judge(s.sweep.yearsPerMinute() >= yearsGoal, "cluster-years"),
		},
		{
			"exhaustive search", fmt.Sprintf("%.1f M transitions in %.1f s", float64(s.search.Transitions)/1e6, s.search.Took.Seconds()),
			fmt.Sprintf("%d M within %g s", int(searchGoal/1e6), searchWithin.Seconds()),
			g.judge(s.search.Err() == nil && s.search.Transitions >= searchGoal && s.search.Took <= searchWithin, "the search"),
		},
	}
}

// samples tells of the runs. Years without their faults say nothing, so each stands beside the other.
func (s *simReport) samples() string {
	rows := [][]string{{"runs", "events", "simulated", "faults", "faults a run", "faults an hour", "took", "events a second", "of the processor", "cluster-years a minute"}}
	violated := ""
	for _, of := range []struct {
		what string
		*simSample
	}{{"seeds 1 to %d", &s.sweep}, {"%d times five instances for two hours, most classes of faults", &s.rich}} {
		rows = append(rows, []string{
			fmt.Sprintf(of.what, of.runs), fmt.Sprintf("%.1f M", float64(of.events)/1e6), fmt.Sprintf("%.0f h", of.simulated.Hours()),
			fmt.Sprint(of.faults), fmt.Sprintf("%.0f", float64(of.faults)/float64(max(of.runs, 1))), fmt.Sprintf("%.0f", of.faultsPerHour()),
			fmt.Sprintf("%.1f s (%.1f s of the processor)", of.took.Seconds(), of.processor.Seconds()),
			fmt.Sprintf("%.2f M", of.eventsPerSecond()/1e6), fmt.Sprintf("%.2f M", of.perCore()/1e6),
			fmt.Sprintf("%.2f, with %.0f faults", of.yearsPerMinute(), float64(of.faults)/of.took.Minutes()),
		})
		if len(of.violated) > 0 {
			violated += fmt.Sprintf("\nSeeds of "+of.what+" that broke an invariant, and ended early: %v.\n", of.runs, of.violated)
		}
	}
	return table(rows) + violated
}

// abstract tells how many different situations the runs were in.
func (s *simReport) abstract() string {
	rows := [][]string{{"seeds", "simulated", "abstract states", "new ones a seed", "took"}}
	before := abstractly{}
	for _, c := range s.states {
		rows = append(rows, []string{
			fmt.Sprintf("1 to %d", c.seeds), fmt.Sprintf("%.3f years", float64(c.simulated)/float64(year)), fmt.Sprint(c.states),
			fmt.Sprintf("%.0f", float64(c.states-before.states)/float64(max(c.seeds-before.seeds, 1))), fmt.Sprintf("%.1f s", c.took.Seconds()),
		})
		before = c
	}
	return fmt.Sprintf("An abstract state is, of each instance, its state, its server, its disk and its place among the members; of the cluster, its size, "+
		"whether it has a quorum and a leader, and its locks; and the claim. They came at %.0f different ones a minute.\n\n",
		float64(before.states)/max(before.took.Minutes(), 1e-9)) + table(rows)
}

func (s *simReport) searched() string {
	r := s.search
	rows := [][]string{
		{"scope", "states", "transitions", "longest way", "took", "transitions a minute"},
		{
			"upgrade of 3, one termination", fmt.Sprintf("%.1f M", float64(r.States)/1e6), fmt.Sprintf("%.1f M", float64(r.Transitions)/1e6),
			fmt.Sprintf("%d events", r.Depth), fmt.Sprintf("%.1f s", r.Took.Seconds()), fmt.Sprintf("%.0f M", float64(r.Transitions)/1e6/r.Took.Minutes()),
		},
	}
	text := "The exhaustive search: every interleaving, with the question whether every state can still reach one in which all is well.\n\n" + table(rows)
	if err := r.Err(); err != nil {
		text += "\nIt failed: " + err.Error() + ".\n"
	}
	return text
}

// writePart puts a part in the place of the one that the page has, or makes the page of it.
func writePart(page, part, heading string) error {
	text, err := os.ReadFile(page)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.WriteFile(page, []byte(replacePart(string(text), part, heading)), 0o644)
}

// replacePart puts a part where the page has that heading; else before the first that comes after it, or at the end.
func replacePart(text, part, heading string) string {
	headings := []string{daemonHeading, upgradeHeading, refreshHeading, simHeading, endHeading}
	before, rest := text, ""
	for _, next := range headings[slices.Index(headings, heading):] {
		at := strings.Index(text, next)
		if at < 0 {
			continue
		}
		if next == heading {
			before, text = text[:at], text[:at]+text[at+len(heading):]
			continue
		}
		before, rest = text[:min(at, len(before))], text[at:]
		break
	}
	if rest != "" {
		part += "\n"
	}
	return before + part + rest
}
