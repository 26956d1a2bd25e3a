package localcloud_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
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
	"github.com/aws/smithy-go"
)

// backend is an AWS on the wire, with the SDK's real clients.
type backend struct {
	name, url   string
	ec2         *ec2.Client
	autoscaling *autoscaling.Client
	route53     *route53.Client
	s3          *s3.Client
	template    string // launch template for new groups
	hooks       bool   // lifecycle actions can be completed
}

func newBackend(t *testing.T, name, url string) *backend {
	t.Helper()
	client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.DisableKeepAlives = name == "moto" // with kept connections one run in ten fails to read an answer
	})
	c, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client), config.WithRegion("eu-central-1"), config.WithBaseEndpoint(url),
		config.WithSharedConfigFiles(nil), config.WithSharedCredentialsFiles(nil),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("conformance", "secret", "")),
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }))
	must(t, err)
	return &backend{name: name, url: url, template: "etcd",
		ec2: ec2.NewFromConfig(c), autoscaling: autoscaling.NewFromConfig(c), route53: route53.NewFromConfig(c),
		s3: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true })}
}

// ours is the fake through its HTTP face.
func ours(t *testing.T) *backend {
	b := newBackend(t, "ours", start(t, nil).URL())
	b.hooks = true
	return b
}

// moto is the same on moto (https://github.com/getmoto/moto), an emulator that
// shares no line with ours. MOTO_ASG names a program that adds the lifecycle
// actions which moto lacks.
func moto(t *testing.T) *backend {
	if testing.Short() {
		t.Skip("moto takes seconds to start")
	}
	program, err := exec.LookPath("moto_server")
	if err != nil {
		t.Skip("SKIPPED: no moto_server on PATH, so nothing but ourselves agrees with the fake (pip install 'moto[server]')")
	}
	extension := cmp.Or(os.Getenv("MOTO_ASG"), filepath.Join("..", "..", "..", "shared", "tools", "moto_asg.py"))
	command := []string{program}
	python, err := exec.LookPath("python3")
	if _, missing := os.Stat(extension); err == nil && missing == nil {
		command = []string{python, extension}
	}
	port := freePort(t)
	cmd := exec.Command(command[0], append(command[1:], "-H", "127.0.0.1", "-p", port)...)
	cmd.Stderr = nil
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	url := "http://127.0.0.1:" + port
	eventually(t, "moto", func() bool { return status(url+"/moto-api/data.json") == http.StatusOK })

	b := newBackend(t, "moto", url)
	b.hooks = len(command) == 2
	_, err = b.ec2.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{LaunchTemplateName: &b.template,
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{ImageId: aws.String("ami-12c6146b"), InstanceType: ec2types.InstanceTypeM5Large}})
	must(t, err)
	return b
}

// freePort asks the kernel for a port that nothing else has just now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return port
}

// status asks for a page; 0 if nobody answers.
func status(url string) int {
	res, err := http.Get(url)
	if err != nil {
		return 0
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode
}

var names atomic.Int64

// unique makes names that no other case uses: the backend is shared.
func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, names.Add(1)) }

// outcome is "ok" or the API error code.
func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return err.Error()
}

// group creates a group and waits until its instances are in service.
func (b *backend) group(t *testing.T, desired int32) (name string) {
	t.Helper()
	name = unique("group")
	_, err := b.autoscaling.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, MinSize: aws.Int32(0), MaxSize: aws.Int32(5), DesiredCapacity: &desired,
		AvailabilityZones: []string{"eu-central-1a", "eu-central-1b", "eu-central-1c"},
		LaunchTemplate:    &autoscalingtypes.LaunchTemplateSpecification{LaunchTemplateName: &b.template, Version: aws.String("1")},
		Tags: []autoscalingtypes.Tag{{Key: aws.String("Cluster"), Value: aws.String("releaseetcd"), PropagateAtLaunch: aws.Bool(true),
			ResourceId: &name, ResourceType: aws.String("auto-scaling-group")}},
	})
	must(t, err)
	eventually(t, "group in service", func() bool { return len(b.members(t, name, "InService")) == int(desired) })
	return name
}

// members are the IDs of a group's instances in a lifecycle state.
func (b *backend) members(t *testing.T, group, state string) (ids []string) {
	t.Helper()
	out, err := b.autoscaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{group}})
	must(t, err)
	for _, g := range out.AutoScalingGroups {
		for _, i := range g.Instances {
			if string(i.LifecycleState) == state {
				ids = append(ids, *i.InstanceId)
			}
		}
	}
	return ids
}

// state is an instance's state, or the error's code.
func (b *backend) state(t *testing.T, id string) string {
	t.Helper()
	out, err := b.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return outcome(err)
	}
	return string(out.Reservations[0].Instances[0].State.Name)
}

// zone creates a hosted zone named example.org.
func (b *backend) zone(t *testing.T) (id string) {
	t.Helper()
	out, err := b.route53.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String("example.org"), CallerReference: aws.String(unique("zone"))})
	must(t, err)
	return *out.HostedZone.Id
}

// change applies a batch of lines such as {"CREATE", "A", "a.example.org", "1.2.3.4"},
// all with a TTL of 60 s.
func (b *backend) change(zone string, lines ...[]string) error {
	batch := &route53types.ChangeBatch{}
	for _, line := range lines {
		set := &route53types.ResourceRecordSet{Type: route53types.RRType(line[1]), Name: &line[2], TTL: aws.Int64(60), ResourceRecords: []route53types.ResourceRecord{}}
		for _, value := range line[3:] {
			set.ResourceRecords = append(set.ResourceRecords, route53types.ResourceRecord{Value: &value})
		}
		batch.Changes = append(batch.Changes, route53types.Change{Action: route53types.ChangeAction(line[0]), ResourceRecordSet: set})
	}
	_, err := b.route53.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &zone, ChangeBatch: batch})
	return err
}

// records lists a zone in pages of two, without its NS and SOA.
func (b *backend) records(t *testing.T, zone string) (list []string) {
	t.Helper()
	in := &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, MaxItems: aws.Int32(2)}
	for p := route53.NewListResourceRecordSetsPaginator(b.route53, in); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		must(t, err)
		for _, set := range page.ResourceRecordSets {
			if set.Type == "NS" || set.Type == "SOA" {
				continue
			}
			line := fmt.Sprintf("%s %s %d", set.Type, *set.Name, *set.TTL)
			for _, r := range set.ResourceRecords {
				line += " " + *r.Value
			}
			list = append(list, line)
		}
	}
	return list
}

// bucket creates a bucket.
func (b *backend) bucket(t *testing.T) (name string) {
	t.Helper()
	name = unique("bucket")
	_, err := b.s3.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"}})
	must(t, err)
	return name
}

// waited gives a slow backend a moment.
const waited = 50 * time.Millisecond
