package templates

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tool finds a program that is not ours, or skips the test loudly.
func tool(t *testing.T, name, whence string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIPPED: programs of others take seconds, and -short was asked for")
	}
	path, err := exec.LookPath(name)
	if err == nil {
		// A shim on PATH need not have a program behind it. (moto_server has no --version, aws no --help.)
		if err = exec.Command(path, "--version").Run(); err != nil {
			err = exec.Command(path, "--help").Run()
		}
	}
	if err != nil {
		t.Skipf("SKIPPED: no %s (%s), so that nobody but ourselves has checked this template: %v", name, whence, err)
	}
	return path
}

const (
	fromDebian = "a package of Debian's"
	fromPyPI   = "of PyPI"
)

// say runs a program and gives its exit code and all that it printed.
func say(t *testing.T, stdin string, program string, args ...string) (code int, output string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &out
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), out.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, out.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func must(text string, err error) func(*testing.T) string {
	return func(t *testing.T) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}

// TestTemplatesPassCfnLint checks against AWS's own schemas of all resources, which cfn-lint holds.
func TestTemplatesPassCfnLint(t *testing.T) {
	t.Parallel()
	lint := tool(t, "cfn-lint", fromPyPI)
	for name, text := range map[string]string{"cloudformation.yaml": must(CloudFormation())(t), "senza.yaml": rendered(t, "vpc-0123456789abcdef0", "subnet-0a", "subnet-0b", "subnet-0c")} {
		if code, out := say(t, "", lint, write(t, name, text)); code != 0 || out != "" {
			t.Errorf("%s: cfn-lint ends with %d:\n%s", name, code, out)
		}
		// What is excused in the template is to be all that there is.
		const excuse = "ignore_checks: [E3016]"
		if !strings.Contains(text, excuse) {
			t.Fatalf("%s does not excuse E3016", name)
		}
		_, out := say(t, "", lint, "--format", "parseable", write(t, name, strings.ReplaceAll(text, excuse, "ignore_checks: []")))
		for line := range strings.Lines(out) {
			if strings.TrimSpace(line) != "" && !strings.Contains(line, "'AutoScalingInstanceRefresh' was unexpected") {
				t.Errorf("%s: %s", name, line)
			}
		}
		// And the tool is to see what is wrong.
		if code, _ := say(t, "", lint, write(t, name, strings.Replace(text, "HeartbeatTimeout: 900", "HeartbeatTimeout: soon", 1))); code == 0 {
			t.Errorf("%s: cfn-lint has nothing to say about a heartbeat of 'soon'", name)
		}
	}
}

func TestUnitsPassSystemd(t *testing.T) {
	t.Parallel()
	analyze := tool(t, "systemd-analyze", fromDebian)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	daemon := must(Unit(Values{}))(t)
	container := must(Unit(Values{Source: "registry.example.org/etcd-appliance:1.0"}))(t)
	// The programs need not be here: any that is will do. Nor need docker's unit.
	programs := regexp.MustCompile(`/usr/bin/(etcd-appliance|docker) `)
	for name, text := range map[string]string{"etcd-appliance.service": daemon, "etcd-appliance-container.service": container} {
		text = strings.ReplaceAll(programs.ReplaceAllString(text, self+" "), "Requires=docker.service\n", "")
		if code, out := say(t, "", analyze, "verify", "--man=no", write(t, name, text)); code != 0 || out != "" {
			t.Errorf("%s: systemd-analyze verify ends with %d:\n%s", name, code, out)
		}
		if _, out := say(t, "", analyze, "verify", "--man=no", write(t, name, strings.Replace(text, "RestartSec=1", "RestartSek=1", 1))); !strings.Contains(out, "RestartSek") {
			t.Errorf("%s: systemd-analyze has nothing to say about RestartSek:\n%s", name, out)
		}
	}
	// 15 of 100: what is left are the host's network and the exceptions that the unit tells of.
	code, out := say(t, "", analyze, "security", "--offline=true", "--no-pager", "--threshold=15", write(t, "etcd-appliance.service", daemon))
	if code != 0 {
		t.Errorf("systemd-analyze security ends with %d:\n%s", code, out)
	}
}

func TestUserDataPassesCloudInit(t *testing.T) {
	t.Parallel()
	cloudInit := tool(t, "cloud-init", fromDebian)
	image := whole
	image.Source, image.DataDevice = "registry.example.org/etcd-appliance:1.0", "/dev/sdf"
	for _, v := range []Values{whole, image} {
		text := must(CloudInit(v))(t)
		if code, out := say(t, "", cloudInit, "schema", "--config-file", write(t, "user-data", text)); code != 0 {
			t.Errorf("%s: cloud-init schema ends with %d:\n%s", v.Source, code, out)
		}
		if code, _ := say(t, "", cloudInit, "schema", "--config-file", write(t, "user-data", strings.Replace(text, "write_files:", "write_files: 1 #", 1))); code == 0 {
			t.Error("cloud-init has nothing to say about write_files that are no list")
		}
	}
}

// TestScriptPassesBash has bash read the script of the user data; its run needs an instance.
func TestScriptPassesBash(t *testing.T) {
	t.Parallel()
	if code, out := say(t, must(render("install.sh", whole))(t), tool(t, "bash", fromDebian), "-n"); code != 0 {
		t.Errorf("bash -n ends with %d:\n%s", code, out)
	}
}

// A request is what the daemon, or somebody who has its role, asks of AWS.
type request struct {
	Action   string         `json:"action"`
	Resource string         `json:"resource"`
	Context  map[string]any `json:"context,omitempty"`
}

// simulate asks an evaluator of IAM policies that is not ours (cmd/tools/iam).
func simulate(t *testing.T, policy string, requests []request) (answers []string) {
	t.Helper()
	node := tool(t, "node", fromDebian)
	input, err := json.Marshal(map[string]any{"policy": json.RawMessage(policy), "requests": requests})
	if err != nil {
		t.Fatal(err)
	}
	code, out := say(t, string(input), node, filepath.Join(simulator(t), "simulate.js"))
	if code != 0 {
		t.Fatalf("the simulator of IAM ends with %d:\n%s", code, out)
	}
	if err := json.Unmarshal([]byte(out), &answers); err != nil || len(answers) != len(requests) {
		t.Fatalf("the simulator of IAM answers %q: %v", out, err)
	}
	return answers
}

// simulator installs the evaluator as its lock file has it, once, into the repository's cache. @cloud-copilot/iam-simulate is under the
// AGPL-3.0: it is run here, in a process of its own, and is neither linked into what is built nor part of what is released.
func simulator(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs(filepath.Join("..", "..", "..", "tools", "iam"))
	if err != nil {
		t.Fatal(err)
	}
	installed := filepath.Join(source, "..", "..", "..", ".cache", "tools", "iam")
	names, err := filepath.Glob(filepath.Join(source, "*.js*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("nothing in %s: %v", source, err)
	}
	same := true
	for _, name := range append(names, filepath.Join(source, ".npmrc")) {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(installed, filepath.Base(name))
		if has, err := os.ReadFile(path); err == nil && bytes.Equal(has, want) {
			continue
		}
		same = false
		if err := errors.Join(os.MkdirAll(installed, 0o755), os.WriteFile(path, want, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(installed, "node_modules", ".package-lock.json")); err == nil && same {
		return installed
	}
	npm := tool(t, "npm", fromDebian)
	if code, out := say(t, "", npm, "ci", "--prefix", installed, "--no-audit", "--no-fund"); code != 0 {
		t.Skipf("SKIPPED: npm does not install the simulator of IAM, so that nobody but ourselves has checked the policy:\n%s", out)
	}
	return installed
}

func TestPolicyAllowsWhatTheDaemonDoesAndNoMore(t *testing.T) {
	t.Parallel()
	checkPolicy(t, must(IAMPolicy(whole))(t), whole)
	byName := whole
	byName.HostedZoneID = ""
	checkPolicy(t, must(IAMPolicy(byName))(t), byName)
}

// checkPolicy has the calls of the daemon allowed, and what lies next to them refused.
func checkPolicy(t *testing.T, policy string, v Values) {
	t.Helper()
	const other = "arn:aws:route53:::hostedzone/ZOTHER"
	zone := "arn:aws:route53:::hostedzone/" + v.HostedZoneID
	if v.HostedZoneID == "" {
		zone = "arn:aws:route53:::hostedzone/ZANY"
	}
	name := v.ClusterName + "." + v.HostedZone
	change := func(zone, action, kind string, names ...string) request {
		return request{"route53:ChangeResourceRecordSets", zone, map[string]any{
			"route53:ChangeResourceRecordSetsActions": []string{action}, "route53:ChangeResourceRecordSetsRecordTypes": []string{kind},
			"route53:ChangeResourceRecordSetsNormalizedRecordNames": names,
		}}
	}
	group := func(name string) string {
		return "arn:aws:autoscaling:" + v.Region + ":" + v.Account + ":autoScalingGroup:1b2c:autoScalingGroupName/" + name
	}
	ingress := func(id string) string { return "arn:aws:ec2:" + v.Region + ":" + v.Account + ":security-group/" + id }
	allowed := []request{
		{Action: "ec2:DescribeInstances", Resource: "*"},
		{Action: "autoscaling:DescribeAutoScalingGroups", Resource: "*"},
		{Action: "autoscaling:DescribeAutoScalingInstances", Resource: "*"},
		{Action: "autoscaling:DescribeLifecycleHooks", Resource: "*"},
		{Action: "autoscaling:CompleteLifecycleAction", Resource: group(v.Group)},
		{Action: "autoscaling:RecordLifecycleActionHeartbeat", Resource: group(v.Group)},
		{Action: "autoscaling:SetInstanceHealth", Resource: group(v.Group)},
		{Action: "route53:ListResourceRecordSets", Resource: zone},
		change(zone, "CREATE", "A", name), change(zone, "DELETE", "A", name),
		change(zone, "CREATE", "SRV", "_etcd._tcp."+name, "_etcd-client._tcp."+name, "_etcd-server._tcp."+name),
		change(zone, "CREATE", "SRV", "_etcd-client-ssl._tcp."+name, "_etcd-server-ssl._tcp."+name), change(zone, "DELETE", "SRV", "_etcd-client._tcp."+name),
		change(zone, "CREATE", "TXT", "_etcd-bootstrap."+name),
	}
	refused := []request{
		change(zone, "UPSERT", "A", name), change(zone, "CREATE", "CNAME", name), change(zone, "CREATE", "A", "other."+v.HostedZone),
		change(zone, "CREATE", "A", name, "other."+v.HostedZone), // one batch with a name of one's own and another
		change(zone, "DELETE", "TXT", "_etcd-bootstrap.other."+v.HostedZone),
		{Action: "route53:ChangeResourceRecordSets", Resource: zone},
		{Action: "autoscaling:CompleteLifecycleAction", Resource: group("another")},
		{Action: "autoscaling:SetInstanceHealth", Resource: group("another")},
		{Action: "autoscaling:TerminateInstanceInAutoScalingGroup", Resource: group(v.Group)},
		{Action: "autoscaling:UpdateAutoScalingGroup", Resource: group(v.Group)},
		{Action: "ec2:TerminateInstances", Resource: "arn:aws:ec2:" + v.Region + ":" + v.Account + ":instance/i-0a"},
		{Action: "route53:DeleteHostedZone", Resource: zone},
		{Action: "ec2:AuthorizeSecurityGroupIngress", Resource: ingress("sg-another")},
		{Action: "ec2:AuthorizeSecurityGroupEgress", Resource: ingress(cmp.Or(v.PeerSecurityGroup, "sg-0a"))},
		{Action: "autoscaling:SetInstanceHealth", Resource: strings.Replace(group("another"), v.Region, "eu-west-1", 1)},
	}
	if v.HostedZoneID != "" {
		allowed = append(allowed, request{Action: "route53:GetHostedZone", Resource: zone})
		refused = append(refused, change(other, "CREATE", "A", name), request{Action: "route53:ListResourceRecordSets", Resource: other})
	} else {
		allowed = append(allowed, request{Action: "route53:ListHostedZonesByName", Resource: "*"})
	}
	if bucket := "arn:aws:s3:::" + v.Bucket; v.Bucket != "" {
		claim := bucket + "/etcd-appliance/" + v.ClusterName + "/claim"
		allowed = append(allowed, request{Action: "s3:GetObject", Resource: claim}, request{Action: "s3:PutObject", Resource: claim},
			request{Action: "s3:ListBucket", Resource: bucket})
		refused = append(refused, request{Action: "s3:DeleteObject", Resource: claim},
			request{Action: "s3:PutObject", Resource: bucket + "/etcd-appliance/other/claim"}, request{Action: "s3:GetObject", Resource: bucket + "/secret"})
	}
	peers := []request{
		{Action: "ec2:DescribeSecurityGroups", Resource: "*"},
		{Action: "ec2:AuthorizeSecurityGroupIngress", Resource: ingress(cmp.Or(v.PeerSecurityGroup, "sg-0a"))},
		{Action: "ec2:RevokeSecurityGroupIngress", Resource: ingress(cmp.Or(v.PeerSecurityGroup, "sg-0a"))},
		{Action: "autoscaling:SetInstanceHealth", Resource: strings.Replace(group(v.Group), v.Region, "eu-west-1", 1)},
	}
	if v.PeerSecurityGroup != "" {
		allowed = append(allowed, peers...)
	} else {
		refused = append(refused, peers...)
	}
	for i, answer := range simulate(t, policy, append(allowed, refused...)) {
		r := append(allowed, refused...)[i]
		if want := i < len(allowed); (answer == "Allowed") != want {
			t.Errorf("%s on %s %v: %s, want allowed: %t", r.Action, r.Resource, r.Context, answer, want)
		}
	}
}
