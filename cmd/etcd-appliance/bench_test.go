package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/explore"
)

func TestSpreadOfLaps(t *testing.T) {
	laps := func(all ...time.Duration) (list []lap) {
		for _, d := range all {
			list = append(list, lap{healthy: d})
		}
		return list
	}
	for _, c := range []struct {
		laps []lap
		want spread
	}{
		{laps(), spread{}},
		{laps(3), spread{3, 3, 3}},
		{laps(9, 1, 5), spread{5, 1, 9}},
		{laps(8, 2, 4, 6), spread{5, 2, 8}},
	} {
		if got := spreadOf(c.laps, untilHealthy); got != c.want {
			t.Errorf("spread of %v is %v, want %v", c.laps, got, c.want)
		}
	}
}

func TestCallsSeldom(t *testing.T) {
	at := func(minutes int) time.Time { return time.Unix(int64(60*minutes), 0) }
	for _, c := range []struct {
		what  string
		calls []awsCall
		want  bool
	}{
		{"no call", nil, true},
		{"two actions at once", []awsCall{{"DescribeInstances", at(0)}, {"ListHostedZones", at(0)}}, true},
		{"again after five minutes", []awsCall{{"DescribeInstances", at(0)}, {"DescribeInstances", at(5)}}, true},
		{"again after four minutes", []awsCall{{"DescribeInstances", at(0)}, {"ListHostedZones", at(2)}, {"DescribeInstances", at(4)}}, false},
	} {
		if got := callsSeldom(c.calls, 5*time.Minute); got != c.want {
			t.Errorf("%s: seldom is %v, want %v", c.what, got, c.want)
		}
	}
}

func TestTableIsAligned(t *testing.T) {
	got := table([][]string{{"operation", ""}, {"größer", "met"}})
	want := "| operation |     |\n| --------- | --- |\n| größer    | met |\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestOwnProcessIsMeasured(t *testing.T) {
	memory, err := memoryOf(os.Getpid())
	if err != nil || memory.anonymous <= 0 || memory.resident < memory.anonymous {
		t.Errorf("memory is %+v (%v)", memory, err)
	}
	if started, err := startOf(os.Getpid()); err != nil || time.Since(started) < -time.Second || time.Since(started) > time.Hour {
		t.Errorf("started at %s (%v)", started, err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		spent, err := processorTime(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if spent > 0 {
			return // work for a tick of the clock is all that it takes
		}
		if time.Now().After(deadline) {
			t.Fatal("this test has had no processor")
		}
	}
}

// Some parts can be measured alone: then the rest of the page stays what it was.
func TestPartIsReplacedAlone(t *testing.T) {
	part := func(heading, text string) string { return heading + "\n" + text + "\n" }
	upgrade, simulator, last := part(upgradeHeading, "old"), part(simHeading, "old"), part(endHeading, "last")
	for _, c := range []struct{ page, new, heading, want string }{
		{"top\n" + upgrade + "\n" + simulator + "\n" + last, part(upgradeHeading, "new"), upgradeHeading, "top\n" + part(upgradeHeading, "new") + "\n" + simulator + "\n" + last},
		{"top\n" + upgrade + "\n" + simulator + "\n" + last, part(simHeading, "new"), simHeading, "top\n" + upgrade + "\n" + part(simHeading, "new") + "\n" + last},
		{"top\n" + simulator + "\n" + last, upgrade, upgradeHeading, "top\n" + upgrade + "\n" + simulator + "\n" + last},
		{"top\n" + upgrade + "\n" + simulator, part(refreshHeading, "new"), refreshHeading, "top\n" + upgrade + "\n" + part(refreshHeading, "new") + "\n" + simulator},
		{"top\n" + last, upgrade, upgradeHeading, "top\n" + upgrade + "\n" + last},
		{"top\n" + upgrade, part(daemonHeading, "new"), daemonHeading, "top\n" + part(daemonHeading, "new") + "\n" + upgrade},
		{"top\n" + simulator, part(simHeading, "new"), simHeading, "top\n" + part(simHeading, "new")},
		{"", simulator, simHeading, simulator},
	} {
		if got := replacePart(c.page, c.new, c.heading); got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
}

// A page must not be empty where a part could not be measured: the goals tell.
func TestReportNamesMissedGoals(t *testing.T) {
	r := benchReport{rest: restReport{lasted: time.Minute, daemons: []restingDaemon{{leader: true, memory: processMemory{resident: 99 << 20}}}}}
	for _, o := range benchOperations {
		r.laps.add(o.name, withDaemon, lap{healthy: 5 * time.Second, dns: 6 * time.Second})
		r.laps.add(o.name, withoutDaemon, lap{healthy: 4500 * time.Millisecond})
	}
	r.sim = simReport{
		sweep:  simSample{runs: 7, events: 1_600_000, faults: 30, took: time.Second, processor: 2 * time.Second, simulated: 300 * time.Hour},
		rich:   simSample{runs: 170, took: time.Second, processor: time.Second, simulated: time.Hour, violated: []uint64{42}},
		states: []abstractly{{seeds: 10, states: 50}, {seeds: 30, states: 90, took: time.Minute}},
		search: &explore.Result{Transitions: 9_000_000, Took: time.Second, Complete: true},
	}
	r.daemon = daemonReport{rounds: 3, took: map[string][]time.Duration{}}
	for _, m := range daemonMeasures[1:] {
		r.daemon.took[m.name] = []time.Duration{m.goal / 2}
	}
	page := r.markdown()
	for _, want := range []string{
		"Goals met: 4 of 5. Missed: start until the first decision.", "| 5.0 ms (5.0 ms to 5.0 ms) ", "Medians of 15",
		"Goals met: 12 of 13. Missed: memory at rest.", "+0.50 s", "too short to tell",
		"Goals met: 3 of 4. Missed: the search.", "broke an invariant, and ended early: [42]", "| 1 to 30 | 0.000 years | 90              | 2 ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

// The log of a daemon has other lines before its first decision, and may have none.
func TestReadDecision(t *testing.T) {
	const before = "{\"level\":\"info\",\"message\":\"etcd-appliance starts\"}\nnot JSON\n"
	log := strings.NewReader(before + "{\"message\":\"decision\",\"to\":\"Running\"}\n")
	if err := readDecision(log); err != nil {
		t.Error(err)
	}
	if err := readDecision(strings.NewReader(before)); err == nil {
		t.Error("finds a decision where there is none")
	}
}
