package localcloud_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// metadataBackend is a metadata service and what it should say of its instance.
type metadataBackend struct{ url, id, ip, zone string }

// ourMetadata is the service of one instance of a local cloud.
func ourMetadata(t *testing.T) metadataBackend {
	var r recorder
	s := start(t, &r)
	createGroup(t, s, "etcd", 1)
	i := r.instance(t, running(t, s, 1)[0].ID)
	return metadataBackend{i.IMDS, i.ID, i.PrivateIP, i.Zone}
}

const mockVersion = "v1.13.0"

// mockMetadata is AWS's own mock of the service
// (https://github.com/aws/amazon-ec2-metadata-mock), told to be such an instance.
func mockMetadata(t *testing.T) metadataBackend {
	if testing.Short() {
		t.Skip("the mock may have to be built")
	}
	b := metadataBackend{id: "i-0123456789abcdef0", ip: "172.31.0.7", zone: "eu-central-1a"}
	file := filepath.Join(t.TempDir(), "mock.json")
	body, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"values": map[string]string{"instance-id": b.id, "local-ipv4": b.ip, "placement-availability-zone": b.zone, "placement-region": "eu-central-1"}},
		"dynamic":  map[string]any{"values": map[string]any{"instance-identity-document": map[string]string{"instanceId": b.id, "privateIp": b.ip, "availabilityZone": b.zone, "region": "eu-central-1"}}},
	})
	must(t, err)
	must(t, os.WriteFile(file, body, 0o600))
	port := freePort(t)
	// Only the long delay keeps it from announcing the instance's end at once.
	cmd := exec.Command(mockProgram(t), "-n", "127.0.0.1", "-p", port, "-I", "-c", file, "-d", "100000", "--rebalance-delay-sec", "100000", "--asg-termination-delay-sec", "100000")
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	b.url = "http://127.0.0.1:" + port
	eventually(t, "metadata mock", func() bool { return status(b.url+"/latest/meta-data/instance-id") == 401 })
	return b
}

// mockProgram builds the mock once, into the repository's cache.
func mockProgram(t *testing.T) string {
	tools, err := filepath.Abs(filepath.Join("..", "..", ".cache", "tools"))
	must(t, err)
	program := filepath.Join(tools, "ec2-metadata-mock")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	build := exec.Command("go", "install", "github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock@"+mockVersion)
	build.Env = append(os.Environ(), "GOBIN="+tools, "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no metadata mock, so nothing but ourselves agrees with the fake: %v\n%s", err, out)
	}
	return program
}

// TestMetadataConformance holds our metadata service and AWS's mock to one
// description of IMDSv2.
func TestMetadataConformance(t *testing.T) {
	for _, open := range []struct {
		name string
		open func(*testing.T) metadataBackend
	}{{"ours", ourMetadata}, {"mock", mockMetadata}} {
		t.Run(open.name, func(t *testing.T) {
			b := open.open(t)
			const ttl, tokenHeader = "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
			put := func(headers map[string]string) response { return call(t, "PUT", b.url+"/latest/api/token", headers) }
			expect(t, "token without TTL", put(nil).status, 400)
			expect(t, "token for no time", put(map[string]string{ttl: "0"}).status, 400)
			expect(t, "token for too long", put(map[string]string{ttl: "21601"}).status, 400)
			token := put(map[string]string{ttl: "60"})
			expect(t, "token", token.status, 200)
			get := func(path, token string) response {
				return call(t, "GET", b.url+"/latest/"+path, map[string]string{tokenHeader: token})
			}
			for path, want := range map[string]response{
				"meta-data/instance-id":                        {200, b.id},
				"meta-data/local-ipv4":                         {200, b.ip},
				"meta-data/placement/availability-zone":        {200, b.zone},
				"meta-data/placement/region":                   {200, "eu-central-1"},
				"meta-data/autoscaling/target-lifecycle-state": {200, "InService"},
			} {
				expect(t, path, get(path, token.body), want)
				expect(t, path+" without token", call(t, "GET", b.url+"/latest/"+path, nil).status, 401)
				expect(t, path+" with a bad token", get(path, "bad").status, 401)
			}
			for _, path := range []string{"meta-data/spot/instance-action", "meta-data/no-such-thing"} {
				expect(t, path, get(path, token.body).status, 404)
			}
			expect(t, "through the SDK", throughSDK(t, b.url), fmt.Sprintf("%s %s %s eu-central-1, then 404", b.id, b.ip, b.zone))
		})
	}
}

// throughSDK asks with the SDK's client, as the daemon does.
func throughSDK(t *testing.T, url string) string {
	client := imds.New(imds.Options{Endpoint: url, EnableFallback: aws.FalseTernary})
	doc, err := client.GetInstanceIdentityDocument(ctx, &imds.GetInstanceIdentityDocumentInput{})
	must(t, err)
	_, err = client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "spot/instance-action"})
	var absent *smithyhttp.ResponseError
	if !errors.As(err, &absent) {
		t.Fatalf("error of an absent path: %v", err)
	}
	return fmt.Sprintf("%s %s %s %s, then %d", doc.InstanceID, doc.PrivateIP, doc.AvailabilityZone, doc.Region, absent.HTTPStatusCode())
}
