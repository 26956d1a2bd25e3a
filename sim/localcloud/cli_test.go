package localcloud_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// TestCommandLine drives the local cloud with the aws command line, a client
// that parses strictly by AWS's own service model and that users have at hand.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("aws")
	if err != nil {
		t.Log("SKIPPED: no aws command line on PATH: nobody but the Go SDK has read our XML")
		t.Skip()
	}
	if testing.Short() {
		t.Skip("the command line takes a second a call")
	}
	s := start(t, nil)
	dir := t.TempDir()
	aws := func(arguments ...string) string {
		t.Helper()
		cmd := exec.Command(program, append(arguments, "--output", "text")...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), s.Env("operator", "")...)
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "An error occurred (") {
			t.Fatalf("aws %s: %v\n%s", strings.Join(arguments, " "), err, out)
		}
		return strings.Join(strings.Fields(string(out)), " ")
	}
	createGroup(t, s, "etcd", 3)
	list := running(t, s, 3)
	group := func(query string) []string {
		return []string{"autoscaling", "describe-auto-scaling-groups", "--auto-scaling-group-names", "etcd", "--query", query}
	}

	expect(t, "who", aws("sts", "get-caller-identity", "--query", "Account"), awsfake.AccountID)
	expect(t, "addresses", aws("ec2", "describe-instances", "--filters", "Name=tag:aws:autoscaling:groupName,Values=etcd", "--query", "Reservations[].Instances[].PrivateIpAddress"),
		list[0].PrivateIP+" "+list[1].PrivateIP+" "+list[2].PrivateIP)
	expect(t, "states", aws(group("AutoScalingGroups[0].Instances[].LifecycleState")...), "InService InService InService")
	expect(t, "unknown instance", aws("ec2", "describe-instances", "--instance-ids", "i-0123456789abcdef0"),
		"An error occurred (InvalidInstanceID.NotFound) when calling the DescribeInstances operation: The instance ID 'i-0123456789abcdef0' does not exist")
	aws("autoscaling", "set-desired-capacity", "--auto-scaling-group-name", "etcd", "--desired-capacity", "2")
	expect(t, "desired", aws(group("AutoScalingGroups[0].DesiredCapacity")...), "2")
	left := running(t, s, 2)
	aws("autoscaling", "terminate-instance-in-auto-scaling-group", "--instance-id", left[0].ID, "--no-should-decrement-desired-capacity")
	expect(t, "replaced", running(t, s, 2)[0].ID, left[1].ID)

	zone := aws("route53", "create-hosted-zone", "--name", "example.org", "--caller-reference", "1", "--query", "HostedZone.Id")
	expect(t, "zones", aws("route53", "list-hosted-zones", "--query", "HostedZones[].Name"), "example.org.")
	claim := `{"Changes":[{"Action":"CREATE","ResourceRecordSet":{"Name":"_etcd-bootstrap.example.org","Type":"TXT","TTL":60,"ResourceRecords":[{"Value":"\"token=1\""}]}}]}`
	change := []string{"route53", "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", claim, "--query", "ChangeInfo.Status"}
	expect(t, "claim", aws(change...), "PENDING")
	expect(t, "second claim", aws(change...), "An error occurred (InvalidChangeBatch) when calling the ChangeResourceRecordSets operation: [Tried to create resource record set [name='_etcd-bootstrap.example.org.', type='TXT'] but it already exists]")
	expect(t, "records", aws("route53", "list-resource-record-sets", "--hosted-zone-id", zone, "--query", "ResourceRecordSets[?Type=='TXT'].ResourceRecords[0].Value"), `"token=1"`)

	must(t, os.WriteFile(filepath.Join(dir, "in"), []byte("snapshot"), 0o600))
	aws("s3api", "create-bucket", "--bucket", "b", "--create-bucket-configuration", "LocationConstraint=eu-central-1")
	put := []string{"s3api", "put-object", "--bucket", "b", "--key", "k", "--body", "in", "--if-none-match", "*", "--query", "ETag"}
	expect(t, "put", aws(put...), `"c322d3de29d2b0c5e2e011dad5e77df2"`)
	expect(t, "put again", strings.Contains(aws(put...), "(PreconditionFailed)"), true)
	aws("s3api", "get-object", "--bucket", "b", "--key", "k", "out")
	body, err := os.ReadFile(filepath.Join(dir, "out"))
	must(t, err)
	expect(t, "got", string(body), "snapshot")
}
