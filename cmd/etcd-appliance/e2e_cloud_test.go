package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
)

const (
	motoRegion      = "eu-central-1"
	motoZone        = "elephant.example.org"
	motoEtcd        = "3.7"
	motoMockVersion = "v1.13.0"
)

// motoCloud is moto with a network whose addresses are loopback's, and the programs that run on its instances.
type motoCloud struct {
	url, gate   string // all services, and Route53 and S3 as strict as AWS
	asg         *motoEar
	lifecycle   bool // Auto Scaling has lifecycle actions, which plain moto has not
	ec2         *ec2.Client
	autoscaling *autoscaling.Client
	route53     *route53.Client
	s3          *s3.Client
	region      string
	vpc, subnet string

	daemon, etcdDir, mock string
}

// startMoto skips the test loudly when a program is missing.
func startMoto(t *testing.T) *motoCloud {
	if testing.Short() {
		t.Skip("SKIPPED: a real cluster takes ten seconds, and -short was asked for")
	}
	cloud := &motoCloud{region: motoRegion, etcdDir: motoAbs(t, motoEnv("ETCD_DIR", filepath.Join("..", "..", ".cache", "etcd")))}
	if _, err := os.Stat(filepath.Join(cloud.etcdDir, motoEtcd, "etcd")); err != nil {
		t.Skipf("SKIPPED: no etcd %s (make etcd builds it): %v", motoEtcd, err)
	}
	server, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("SKIPPED: no moto_server on PATH, so nobody but ourselves has seen the daemon work (pip install 'moto[server]')")
	}
	cloud.mock = motoMetadataMock(t)
	cloud.daemon = motoDaemon(t)

	command := []string{server}
	extension := motoEnv("MOTO_ASG", filepath.Join("..", "..", "..", "shared", "tools", "moto_asg.py"))
	if python, err := exec.LookPath("python3"); err == nil {
		if _, err := os.Stat(extension); err == nil {
			command, cloud.lifecycle = []string{python, extension}, true
		}
	}
	port := motoFreePort(t)
	process := exec.Command(command[0], append(command[1:], "-H", "127.0.0.1", "-p", port)...)
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
	cloud.url = "http://127.0.0.1:" + port
	motoUntil(t, 30*time.Second, "moto starts", func() error { return motoAnswers(cloud.url+"/moto-api/data.json", http.StatusOK) })
	cloud.connect(t)
	cloud.createNetwork(t)
	return cloud
}

// abroad is the same moto in another region, with a network of its own.
func (cloud *motoCloud) abroad(t *testing.T, region string) *motoCloud {
	other := *cloud
	other.region = region
	other.connect(t)
	other.createNetwork(t)
	return &other
}

func (cloud *motoCloud) connect(t *testing.T) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) { tr.DisableKeepAlives = true })
	c, err := config.LoadDefaultConfig(t.Context(), config.WithHTTPClient(client), config.WithRegion(cloud.region), config.WithBaseEndpoint(cloud.url),
		config.WithSharedConfigFiles(nil), config.WithSharedCredentialsFiles(nil), config.WithLogger(logging.Nop{}),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("test", "test", "")))
	if err != nil {
		t.Fatal(err)
	}
	cloud.ec2, cloud.autoscaling, cloud.route53 = ec2.NewFromConfig(c), autoscaling.NewFromConfig(c), route53.NewFromConfig(c)
	cloud.s3 = s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })
	moto, err := url.Parse(cloud.url)
	if err != nil {
		t.Fatal(err)
	}
	gate := httptest.NewServer(newMotoGate(moto, cloud.route53))
	t.Cleanup(gate.Close)
	cloud.gate = gate.URL
	cloud.asg = listenToMoto(t, moto)
}

// createNetwork makes a VPC out of loopback addresses, since moto gives its instances whatever their subnet has: 127.240.0.0
// and up, where no other test of ours is, and by process ID so that two runs of this one do not meet.
func (cloud *motoCloud) createNetwork(t *testing.T) {
	second, third := 240+os.Getpid()%15, os.Getpid()/15%256
	if cloud.region != motoRegion {
		third = (third + 128) % 256
	}
	vpc, err := cloud.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String(fmt.Sprintf("127.%d.0.0/16", second))})
	if err != nil {
		t.Fatal(err)
	}
	subnet, err := cloud.ec2.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{
		VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String(fmt.Sprintf("127.%d.%d.0/24", second, third)),
	})
	if err != nil {
		t.Fatal(err)
	}
	cloud.vpc, cloud.subnet = *vpc.Vpc.VpcId, *subnet.Subnet.SubnetId
	_, err = cloud.ec2.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("etcd"),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12c6146b"), InstanceType: ec2types.InstanceTypeM5Large},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// createCluster makes a group of three, and no daemon yet.
func (cloud *motoCloud) createCluster(t *testing.T, group string, args ...string) *motoCluster {
	return cloud.createClusterWith(t, group, 3, nil, args...)
}

// createClusterWith has as many instances, and lifecycle hooks.
func (cloud *motoCloud) createClusterWith(t *testing.T, group string, n int32, hooks []autoscalingtypes.LifecycleHookSpecification, args ...string) *motoCluster {
	_, err := cloud.autoscaling.CreateAutoScalingGroup(t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		LifecycleHookSpecificationList: hooks,
		AutoScalingGroupName:           &group, MinSize: aws.Int32(0), MaxSize: aws.Int32(5), DesiredCapacity: aws.Int32(n),
		VPCZoneIdentifier: aws.String(cloud.subnet),
		LaunchTemplate:    &autoscalingtypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("etcd"), Version: aws.String("1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &motoCluster{t: t, cloud: cloud, group: group, args: args, dir: t.TempDir(), booted: map[string]*motoInstance{}}
}

func (cloud *motoCloud) createZone(t *testing.T, private bool) (id string) {
	in := &route53.CreateHostedZoneInput{Name: aws.String(motoZone), CallerReference: aws.String(fmt.Sprintf("private %t", private))}
	if private {
		in.HostedZoneConfig = &route53types.HostedZoneConfig{PrivateZone: true}
		in.VPC = &route53types.VPC{VPCId: &cloud.vpc, VPCRegion: motoRegion}
	}
	out, err := cloud.route53.CreateHostedZone(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.HostedZone.Id
}

// records are the record sets of a zone without those that belong to every zone: "A name" to the values, one a line.
func (cloud *motoCloud) records(t *testing.T, zone string) map[string]string {
	sets := map[string]string{}
	pages := route53.NewListResourceRecordSetsPaginator(cloud.route53, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range page.ResourceRecordSets {
			if set.Type == route53types.RRTypeNs || set.Type == route53types.RRTypeSoa {
				continue
			}
			key := string(set.Type) + " " + *set.Name
			if _, twice := sets[key]; twice {
				t.Fatalf("the zone holds two sets %s", key)
			}
			var values []string
			for _, r := range set.ResourceRecords {
				values = append(values, *r.Value)
			}
			sets[key] = strings.Join(values, "\n")
		}
	}
	return sets
}

func (cloud *motoCloud) createBucket(t *testing.T, name string) string {
	_, err := cloud.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: motoRegion},
	})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// objects is what a bucket holds.
func (cloud *motoCloud) objects(t *testing.T, bucket string) map[string]string {
	list, err := cloud.s3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]string{}
	for _, o := range list.Contents {
		out, err := cloud.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(out.Body)
		_ = out.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		objects[*o.Key] = string(body)
	}
	return objects
}

// motoMetadataMock builds AWS's mock of the metadata service (https://github.com/aws/amazon-ec2-metadata-mock) once, into the
// repository's cache.
func motoMetadataMock(t *testing.T) string {
	tools := motoAbs(t, filepath.Join("..", "..", ".cache", "tools"))
	program := filepath.Join(tools, "ec2-metadata-mock")
	if _, err := os.Stat(program); err == nil {
		return program
	}
	build := exec.Command("go", "install", "github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock@"+motoMockVersion)
	build.Env = append(os.Environ(), "GOBIN="+tools, "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: no metadata mock: %v\n%s", err, out)
	}
	return program
}

// motoDaemon is the binary to test: the one that EA_BIN names, or one built of this package.
func motoDaemon(t *testing.T) string {
	if named := os.Getenv("EA_BIN"); named != "" {
		return motoAbs(t, named)
	}
	program := filepath.Join(t.TempDir(), "etcd-appliance")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func motoAbs(t *testing.T, path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}

// motoFreePort asks the kernel for a port that nothing else has just now.
func motoFreePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// motoAnswers asks for a page.
func motoAnswers(url string, status int) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != status {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}

// motoUntil waits until a check passes, and ends the test when that takes too long.
func motoUntil(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	begun := time.Now()
	for {
		err := check()
		took := time.Since(begun)
		if err == nil {
			if took >= time.Second {
				t.Logf("%s: %.1f s", what, took.Seconds())
			}
			return
		}
		if took > limit {
			t.Fatalf("%s: not after %s: %v", what, limit, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
