package templates

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// moto is an AWS that is not ours (https://github.com/getmoto/moto), asked by AWS's own command line.
type moto struct{ aws, url string }

func startMoto(t *testing.T) moto {
	t.Helper()
	server, aws := tool(t, "moto_server", fromPyPI), tool(t, "aws", fromDebian)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	process := exec.Command(server, "-H", "127.0.0.1", "-p", port)
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	m := moto{aws, "http://127.0.0.1:" + port}
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(m.url + "/moto-api/data.json")
		if err == nil {
			_ = response.Body.Close()
			return m
		}
		if time.Since(begun) > 60*time.Second {
			t.Fatalf("moto does not start: %v", err)
		}
	}
}

// call runs a command of aws and gives what its answer has under a path, such as Stacks[0].StackStatus.
func (m moto) call(t *testing.T, into any, args ...string) {
	t.Helper()
	cmd := exec.Command(m.aws, append([]string{"--endpoint-url", m.url, "--region", "eu-central-1", "--output", "json"}, args...)...)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // of exec itself
			t.Fatalf("aws %q: %v\n%s", args, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(out, into); err != nil {
			t.Fatalf("aws %q: %v in\n%s", args, err, out)
		}
	}
}

// A stack is what moto has made of a template.
type madeStack struct {
	outputs       map[string]string
	group         string
	size          int
	policy        string
	userData      string
	tokens        string
	ingress       []string // port-port source
	securityGroup string
	zones         []string
}

func (m moto) create(t *testing.T, name, template string, parameters map[string]string) madeStack {
	t.Helper()
	args := []string{"cloudformation", "create-stack", "--stack-name", name, "--template-body", "file://" + write(t, name+".yaml", template), "--capabilities", "CAPABILITY_IAM"}
	if len(parameters) > 0 {
		args = append(args, "--parameters")
	}
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		args = append(args, fmt.Sprintf("ParameterKey=%s,ParameterValue=%s", key, strings.ReplaceAll(parameters[key], ",", `\,`)))
	}
	m.call(t, nil, args...)
	var stacks struct {
		Stacks []struct {
			StackStatus, StackStatusReason string
			Outputs                        []struct{ OutputKey, OutputValue string }
		}
	}
	m.call(t, &stacks, "cloudformation", "describe-stacks", "--stack-name", name)
	if s := stacks.Stacks[0]; s.StackStatus != "CREATE_COMPLETE" {
		t.Fatalf("%s: %s %s", name, s.StackStatus, s.StackStatusReason)
	}
	made := madeStack{outputs: map[string]string{}}
	for _, o := range stacks.Stacks[0].Outputs {
		made.outputs[o.OutputKey] = o.OutputValue
	}
	var resources struct {
		StackResources []struct{ LogicalResourceId, PhysicalResourceId, ResourceType string }
	}
	m.call(t, &resources, "cloudformation", "describe-stack-resources", "--stack-name", name)
	for _, r := range resources.StackResources {
		made.read(t, m, r.ResourceType, r.PhysicalResourceId)
	}
	return made
}

// rights is one policy with the statements of all that a role has.
func (m moto) rights(t *testing.T, role string) string {
	t.Helper()
	var list struct{ PolicyNames []string }
	m.call(t, &list, "iam", "list-role-policies", "--role-name", role)
	all := struct {
		Version   string
		Statement []json.RawMessage
	}{Version: "2012-10-17"}
	for _, name := range list.PolicyNames {
		var out struct{ PolicyDocument json.RawMessage }
		m.call(t, &out, "iam", "get-role-policy", "--role-name", role, "--policy-name", name)
		text := string(out.PolicyDocument)
		if quoted := ""; json.Unmarshal(out.PolicyDocument, &quoted) == nil {
			text = strings.ReplaceAll(quoted, "'", `"`) // moto writes it as Python does
		}
		var policy struct{ Statement []json.RawMessage }
		if err := json.Unmarshal([]byte(text), &policy); err != nil {
			t.Fatalf("policy %s: %v in %s", name, err, text)
		}
		all.Statement = append(all.Statement, policy.Statement...)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (s *madeStack) read(t *testing.T, m moto, kind, id string) {
	t.Helper()
	switch kind {
	case "AWS::AutoScaling::AutoScalingGroup":
		var out struct{ AutoScalingGroups []struct{ Instances []any } }
		m.call(t, &out, "autoscaling", "describe-auto-scaling-groups", "--auto-scaling-group-names", id)
		s.group, s.size = id, len(out.AutoScalingGroups[0].Instances)
	case "AWS::IAM::Role":
		s.policy = m.rights(t, id)
	case "AWS::EC2::LaunchTemplate":
		var out struct {
			LaunchTemplateVersions []struct {
				LaunchTemplateData struct {
					UserData        string
					MetadataOptions struct{ HttpTokens string }
				}
			}
		}
		m.call(t, &out, "ec2", "describe-launch-template-versions", "--launch-template-id", id)
		data := out.LaunchTemplateVersions[0].LaunchTemplateData
		text, err := base64.StdEncoding.DecodeString(data.UserData)
		if err != nil {
			t.Fatal(err)
		}
		s.userData, s.tokens = string(text), data.MetadataOptions.HttpTokens
	case "AWS::EC2::SecurityGroup":
		s.securityGroup = id
		var out struct {
			SecurityGroups []struct {
				GroupId       string
				IpPermissions []struct {
					FromPort, ToPort int
					IpRanges         []struct{ CidrIp string }
					UserIdGroupPairs []struct{ GroupId string }
				}
			}
		}
		m.call(t, &out, "ec2", "describe-security-groups", "--filters", "Name=group-id,Values="+id)
		for _, p := range out.SecurityGroups[0].IpPermissions {
			for _, r := range p.IpRanges {
				s.ingress = append(s.ingress, fmt.Sprintf("%d-%d %s", p.FromPort, p.ToPort, r.CidrIp))
			}
			for _, g := range p.UserIdGroupPairs {
				if g.GroupId == out.SecurityGroups[0].GroupId {
					s.ingress = append(s.ingress, fmt.Sprintf("%d-%d itself", p.FromPort, p.ToPort))
				}
			}
		}
		slices.Sort(s.ingress)
	case "AWS::Route53::HostedZone":
		s.zones = append(s.zones, id)
	}
}

// TestStackIsMade has the template made by moto, and looks at what came of it: what the parameters have become in the policy
// and in the user data, too. What moto does not make of a template, hooks and the maintenance policy, cfn-lint has checked.
func TestStackIsMade(t *testing.T) {
	t.Parallel()
	m := startMoto(t)
	var vpcs struct{ Vpcs []struct{ VpcId string } }
	m.call(t, &vpcs, "ec2", "describe-vpcs")
	var subnets struct{ Subnets []struct{ SubnetId string } }
	m.call(t, &subnets, "ec2", "describe-subnets")
	subnetIDs := []string{subnets.Subnets[0].SubnetId, subnets.Subnets[1].SubnetId, subnets.Subnets[2].SubnetId}

	t.Run("cloudformation", func(t *testing.T) {
		s := m.create(t, "etcd", must(CloudFormation())(t), map[string]string{
			"StackVersion": "releaseetcd", "HostedZone": "elephant.example.org", "Source": "https://example.org/etcd-appliance.tar.gz",
			"VpcId": vpcs.Vpcs[0].VpcId, "Subnets": strings.Join(subnetIDs, ","), "ClientCidr": "10.0.0.0/16", "ClientCidr3": "10.9.0.0/16",
		})
		if len(s.zones) != 1 || s.zones[0] != s.outputs["HostedZoneId"] {
			t.Fatalf("zones %v, and the output %q", s.zones, s.outputs["HostedZoneId"])
		}
		v := whole
		v.HostedZoneID, v.Bucket, v.PeerSecurityGroup = strings.TrimPrefix(s.zones[0], "/hostedzone/"), "", ""
		s.check(t, v, "10.0.0.0/16", "10.9.0.0/16")
		s.checkUserData(t, v)
		if got := s.outputs["Endpoint"]; got != "http://releaseetcd.elephant.example.org:2379" {
			t.Errorf("endpoint %s", got)
		}
	})
	t.Run("cloudformation in a zone that is there, of a cluster that spans regions", func(t *testing.T) {
		s := m.create(t, "etcd2", must(CloudFormation())(t), map[string]string{
			"StackVersion": "secondetcd", "HostedZone": "elephant.example.org", "HostedZoneId": "Z0EXISTING", "InstanceCount": "5", "ActiveRegions": "eu-central-1,eu-west-1",
			"Source": "https://example.org/etcd-appliance.tar.gz", "VpcId": vpcs.Vpcs[0].VpcId, "Subnets": strings.Join(subnetIDs, ","), "ClientCidr": "10.0.0.0/16",
		})
		if len(s.zones) != 0 || s.size != 5 {
			t.Errorf("zones %v, %d instances", s.zones, s.size)
		}
		v := whole
		v.ClusterName, v.Group, v.HostedZoneID, v.Bucket = "secondetcd", "etcd-cluster-secondetcd", "Z0EXISTING", ""
		v.ActiveRegions, v.PeerSecurityGroup = "eu-central-1,eu-west-1", s.securityGroup
		s.checkUserData(t, v)
		checkPolicy(t, s.policy, v)
	})
	t.Run("senza", func(t *testing.T) {
		s := m.create(t, "etcd-cluster-senzaetcd", rendered(t, vpcs.Vpcs[0].VpcId, subnetIDs...), nil)
		v := whole
		v.ClusterName, v.Group, v.HostedZoneID, v.Bucket = "senzaetcd", "etcd-cluster-senzaetcd", "", ""
		v.PeerSecurityGroup = ""
		s.check(t, v, "10.0.0.0/8")
		var taupage struct {
			Source, Networking string
			Environment        map[string]string
		}
		if err := yaml.Unmarshal([]byte(s.userData), &taupage); err != nil || !strings.HasPrefix(s.userData, "#taupage-ami-config\n") {
			t.Fatalf("%v in\n%s", err, s.userData)
		}
		if taupage.Source != "registry.example.org/etcd-appliance:1.0" || taupage.Networking != "host" ||
			taupage.Environment["HOSTED_ZONE"] != "elephant.example.org" || taupage.Environment["ETCD_APPLIANCE_CLUSTER_NAME"] != "senzaetcd" {
			t.Errorf("%+v", taupage)
		}
	})
}

// check looks at what both kinds of stacks have.
func (s *madeStack) check(t *testing.T, v Values, clients ...string) {
	t.Helper()
	if s.group != v.Group || s.size != 3 {
		t.Errorf("group %s of %d instances", s.group, s.size)
	}
	if s.tokens != "required" {
		t.Errorf("tokens of the metadata service: %q", s.tokens)
	}
	want := []string{"2379-2380 itself"}
	for _, c := range clients {
		want = append(want, "2379-2379 "+c)
	}
	slices.Sort(want)
	if !slices.Equal(s.ingress, want) {
		t.Errorf("open are %q, want %q", s.ingress, want)
	}
	checkPolicy(t, s.policy, v)
}

// checkUserData holds the user data of the instances against what cloud-init takes.
func (s *madeStack) checkUserData(t *testing.T, v Values) {
	t.Helper()
	v.DataDevice = "/dev/sdf"
	var made, own map[string]any
	if err := yaml.Unmarshal([]byte(s.userData), &made); err != nil {
		t.Fatalf("%v in\n%s", err, s.userData)
	}
	if err := yaml.Unmarshal([]byte(must(CloudInit(v))(t)), &own); err != nil {
		t.Fatal(err)
	}
	files := contents(t, made)
	for path, text := range contents(t, own) {
		if files[path] != text {
			t.Errorf("%s is\n%s\nwant\n%s", path, files[path], text)
		}
	}
	if strings.Contains(strings.ReplaceAll(s.userData, v.Source, ""), "${") {
		t.Errorf("something was not replaced in\n%s", s.userData)
	}
	if len(s.userData) > 16<<10 {
		t.Errorf("EC2 takes 16 KiB of user data, not %d", len(s.userData))
	}
	if cloudInit, err := exec.LookPath("cloud-init"); err == nil {
		if code, out := say(t, "", cloudInit, "schema", "--config-file", write(t, "user-data", s.userData)); code != 0 {
			t.Errorf("cloud-init schema ends with %d:\n%s", code, out)
		}
	}
}

// contents are the files that user data writes.
func contents(t *testing.T, data map[string]any) map[string]string {
	t.Helper()
	files := map[string]string{}
	list, ok := data["write_files"].([]any)
	if !ok {
		t.Fatalf("no write_files in %v", data)
	}
	for _, entry := range list {
		file := entry.(map[string]any)
		files[file["path"].(string)] = file["content"].(string)
	}
	return files
}

// rendered is the definition file as senza hands it to CloudFormation. Senza itself, which is a program for Python only, replaces what
// stands in {{ }}, adds the mappings of Senza::StupsAutoConfiguration, and drops its own two sections. The subnets are written, not
// replaced one by one: moto's are random, and one of them may begin with the name that stands for the next.
func rendered(t *testing.T, vpc string, subnets ...string) string {
	t.Helper()
	text := must(Senza())(t)
	var definition struct {
		SenzaInfo struct {
			Parameters []map[string]struct {
				Default *string `yaml:"Default"`
			} `yaml:"Parameters"`
		} `yaml:"SenzaInfo"`
	}
	if err := yaml.Unmarshal([]byte(text), &definition); err != nil {
		t.Fatal(err)
	}
	given := map[string]string{"HostedZone": "elephant.example.org", "DockerImage": "registry.example.org/etcd-appliance:1.0"}
	pairs := []string{"{{SenzaInfo.StackVersion}}", "senzaetcd"}
	for _, parameter := range definition.SenzaInfo.Parameters {
		for name, p := range parameter {
			if p.Default == nil && given[name] == "" {
				t.Fatalf("%s has no default, and the predecessor had no such parameter", name)
			}
			if p.Default != nil {
				given[name] = *p.Default
			}
			pairs = append(pairs, "{{Arguments."+name+"}}", given[name])
		}
	}
	text = strings.NewReplacer(append(pairs, "{{AccountInfo.VpcID}}", vpc)...).Replace(text)
	if i := strings.Index(text, "{{"); i >= 0 {
		t.Fatalf("senza does not know %.40s", text[i:])
	}
	_, resources, found := strings.Cut(text, "\nResources:\n")
	if !found {
		t.Fatal("no Resources")
	}
	return fmt.Sprintf(`Mappings:
  Images:
    eu-central-1: {LatestTaupageImage: ami-12c6146b}
  ServerSubnets:
    eu-central-1: {Subnets: [%s]}
Resources:
%s`, strings.Join(subnets, ", "), resources)
}
