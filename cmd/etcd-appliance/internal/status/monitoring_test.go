package status

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/status/monitoring"
)

// rule is an alert of the file.
type rule struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(monitoring.Alerts, &file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatalf("%v: %+v", err, file)
	}
	return file.Groups[0].Rules
}

// existing fails for a metric in an expression that no daemon has. A part of a histogram goes by the name of the whole.
func existing(t *testing.T, names []string, where, expr string) {
	t.Helper()
	for _, name := range regexp.MustCompile(namespace+`_[a-z_]+`).FindAllString(expr, -1) {
		whole := regexp.MustCompile(`_(bucket|count|sum)$`).ReplaceAllString(name, "")
		if !slices.Contains(names, name) && !slices.Contains(names, whole) {
			t.Errorf("%s asks for %s, which is not there", where, name)
		}
	}
}

func TestAlerts(t *testing.T) {
	names := own(t)
	runbook, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "docs", "alerts.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join("monitoring", "testdata", "alerts_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const book = "https://github.com/etcd-appliance/etcd-appliance/blob/main/docs/alerts.md#"
	for _, a := range alerts(t) {
		existing(t, names, a.Alert, a.Expr)
		if !strings.Contains(string(runbook), "\n## "+a.Alert+"\n") {
			t.Errorf("%s: docs/alerts.md has no section of that name", a.Alert)
		}
		if !strings.Contains(string(tests), "alertname=\""+a.Alert+"\"") {
			t.Errorf("%s: no test makes it fire", a.Alert)
		}
		if a.Annotations["runbook_url"] != book+strings.ToLower(a.Alert) || a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s: annotations %v", a.Alert, a.Annotations)
		}
		if s := a.Labels["severity"]; s != "warning" && s != "critical" {
			t.Errorf("%s: severity %q", a.Alert, s)
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^## (EtcdAppliance\w+)$`).FindAllStringSubmatch(string(runbook), -1) {
		if !slices.ContainsFunc(alerts(t), func(a rule) bool { return a.Alert == heading[1] }) {
			t.Errorf("docs/alerts.md explains %s, which is no alert", heading[1])
		}
	}
}

// TestAlertsWithPromtool: Prometheus' own tool takes the rules, and what is to make each of them fire does.
func TestAlertsWithPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("SKIPPED: no promtool on PATH (Debian: prometheus), so nobody but ourselves has read the alerts")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", filepath.Join("testdata", "alerts_test.yaml")}} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = "monitoring"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

func TestDashboard(t *testing.T) {
	var board struct {
		Title, UID string
		Panels     []struct {
			ID          int
			Title, Type string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(monitoring.Dashboard, &board); err != nil {
		t.Fatal(err)
	}
	names, asked := own(t), 0
	taken := map[[2]int]string{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			asked++
			existing(t, names, p.Title, target.Expr)
			if !strings.Contains(target.Expr, `cluster=~"$cluster"`) {
				t.Errorf("%s: shows every cluster: %s", p.Title, target.Expr)
			}
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies over %s, or beyond the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
	if board.UID == "" || asked < 15 {
		t.Errorf("%d expressions", asked)
	}
}
