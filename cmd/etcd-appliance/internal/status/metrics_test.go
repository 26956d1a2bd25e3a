package status

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// own are the names of our metrics: those of a board on which everything is known.
func own(t *testing.T) []string {
	t.Helper()
	families, err := board().Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), namespace) {
			names = append(names, f.GetName())
		}
	}
	return names
}

func TestMetricsLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(board().Registry())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if n := len(own(t)); n < 25 {
		t.Errorf("%d names: where are the others?", n)
	}
}

// values gives those that are scraped, each as "name{labels} value".
func values(t *testing.T, b *Board) []string {
	t.Helper()
	return slices.DeleteFunc(strings.Split(get(t, b.Handler(), "/metrics").Body.String(), "\n"), func(line string) bool {
		return !strings.HasPrefix(line, namespace+"_")
	})
}

func TestGauges(t *testing.T) {
	ill := following()
	ill.Process.Running, ill.Process.Exits, ill.Cluster.Known = states.No, 4, states.No
	ill.Cluster.Upgrade.Lock = states.UpgradeLock{Owner: "i-b"}
	drifted := leading()
	drifted.DNS.Records[0].Values = []string{"10.0.0.9"}
	drifted.Cluster.Members[2].Health = states.No
	drifted.Wanted = states.MinorVersion{Major: 3, Minor: 6}
	drifted.Cluster.Upgrade.Halted = states.UpgradeLock{Owner: "i-b"}
	for what, c := range map[string]struct {
		facts *states.Observation
		says  []string
		not   []string // names that are not there
	}{
		"a leader": {leading(), []string{
			"ready 1", "unhealthy_seconds 0", "leader 1", "quorum 1", `members{role="voter"} 3`, `members{role="learner"} 0`, "members_healthy 3",
			`member_lag_entries{instance_id="i-c",member_id="a3"} 2`, "dns_drift 0", "upgrade_lock_held 0", "upgrade_halted 0", `cluster_info{cluster_id="c1"} 1`,
			`etcd_info{version="3.7.3",wanted="3.7"} 1`, "etcd_change_wanted 0", "group_desired_instances 3", "group_instances 3",
			`state{state="Running"} 1`, `state{state="Leaving"} 0`, `last_turn_timestamp_seconds 1.767268800005e+09`,
		}, nil},
		"a follower":     {following(), []string{"ready 1", "leader 0"}, []string{"dns_drift", "members_healthy", "member_lag_entries"}},
		"an ill one":     {ill, []string{"ready 0", "unhealthy_seconds 0.005", "quorum 0", "etcd_exits 4", "upgrade_lock_held 1", "upgrade_lock_held_here 1"}, []string{"members"}},
		"in need of DNS": {drifted, []string{"dns_drift 1", "members_healthy 2", "etcd_change_wanted 1", "upgrade_halted 1"}, nil},
		"who knows nothing": {&states.Observation{Now: noon}, []string{"ready 0"}, []string{
			"quorum", "cluster_info", "members", "group_desired_instances", "group_instances", "dns_drift", "upgrade_lock_held", "upgrade_halted",
		}},
	} {
		b := newBoard()
		b.turn(c.facts, follows)
		lines := values(t, b)
		for _, want := range c.says {
			if !slices.Contains(lines, namespace+"_"+want) {
				t.Errorf("%s: does not say %s:\n%s", what, want, strings.Join(lines, "\n"))
			}
		}
		for _, name := range c.not {
			if slices.ContainsFunc(lines, func(l string) bool { return regexp.MustCompile(`^` + namespace + "_" + name + `[ {]`).MatchString(l) }) {
				t.Errorf("%s: says %s, which is not known", what, name)
			}
		}
	}
}

func TestCounters(t *testing.T) {
	b := board()
	for name, want := range map[string]float64{
		"decisions": testutil.ToFloat64(b.counters.decisions), "found data": testutil.ToFloat64(b.counters.perEdge.WithLabelValues("Discovering", "Running", "member data found")),
		"leadership": testutil.ToFloat64(b.counters.perEdge.WithLabelValues("Running", "LeadingHousekeeping", "leadership won")),
		"calls":      testutil.ToFloat64(b.counters.aws.WithLabelValues("EC2", "DescribeInstances", "ok")),
		"throttled":  testutil.ToFloat64(b.counters.aws.WithLabelValues("EC2", "DescribeInstances", "throttled")),
	} {
		if want != 1 {
			t.Errorf("%s: %v", name, want)
		}
	}
}

// TestOddNamesDoNotBreakTheScrape: two members may have the same name, and one that is no text.
func TestOddNamesDoNotBreakTheScrape(t *testing.T) {
	o := leading()
	o.Cluster.Members[0].Name, o.Cluster.Members[1].Name = "\xff", "i-c"
	b := newBoard()
	b.turn(o, follows)
	if _, err := b.Registry().Gather(); err != nil {
		t.Error(err)
	}
}

// TestMetricsAreDocumented: the table of docs/status.md has each of them, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "status.md"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile("(?m)^\\| `("+namespace+"_[a-z_]+)").FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, m[1])
	}
	names := own(t)
	for _, name := range names {
		if !slices.Contains(listed, name) {
			t.Errorf("docs/status.md does not list %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(names, name) {
			t.Errorf("docs/status.md lists %s, which is not there", name)
		}
	}
}
