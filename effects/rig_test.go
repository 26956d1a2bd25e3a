package effects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// rig is the effects of one daemon, on the first instance of a group of three in an in-memory AWS. Work that is spawned runs
// and delivers at once, unless it is held.
type rig struct {
	*Effects
	t     *testing.T
	now   time.Time
	cloud *awsfake.Cloud
	fault func(awsfake.Call) awsfake.Fault
	ids   []string // of the instances, sorted

	etcd    *stubEtcd
	peers   stubPeers
	process *stubProcess
	disk    *stubDisk

	hold bool
	held []job
}

type job struct {
	timeout time.Duration
	work    func(context.Context) func()
}

// newRig launches the group "etcd", a private zone and a bucket. change edits the options before the daemon starts.
func newRig(t *testing.T, change func(*rig, *Options)) *rig {
	t.Helper()
	r := &rig{
		t: t, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), etcd: &stubEtcd{status: map[string]EtcdStatus{}}, peers: stubPeers{},
		process: &stubProcess{state: states.Process{Running: states.No}}, disk: &stubDisk{state: states.Disk{State: states.DiskEmpty}},
		fault: func(awsfake.Call) awsfake.Fault { return awsfake.Fault{} },
	}
	r.cloud = awsfake.New(awsfake.Options{
		Now: func() time.Time { return r.now }, Fault: func(c awsfake.Call) awsfake.Fault { return r.fault(c) }, MaxStale: time.Hour,
		ShutdownDelay: 30 * time.Second, Public: true,
	})
	r.launch(3)
	r.zone("elephant.example.org.", true)
	_, err := r.cloud.S3("test").CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("claims"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"}})
	must(t, err)
	me := r.ids[0]
	o := Options{
		IMDS: r.cloud.IMDS(me), EC2: r.cloud.EC2(me), AutoScaling: r.cloud.AutoScaling(me), Route53: r.cloud.Route53(me),
		Etcd: r.etcd, Peers: r.peers, Process: r.process, Disk: r.disk,
		Now: func() time.Time { return r.now }, Spawn: r.spawn, Within: context.WithTimeout, Parallel: oneByOne, Log: zerolog.Nop(),
		Named: func(group string) (string, error) { return group, nil }, HostedZone: "elephant.example.org",
		ClientPort: 2379, PeerPort: 2380, Wanted: states.MinorVersion{Major: 3, Minor: 7},
	}
	if change != nil {
		change(r, &o)
	}
	r.Effects = New(o)
	return r
}

// inBucket keeps the claim in S3.
func inBucket(r *rig, o *Options) { o.S3, o.Bucket = r.cloud.S3(r.ids[0]), "claims" }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func oneByOne(n int, f func(int)) {
	for i := range n {
		f(i)
	}
}

func (r *rig) spawn(timeout time.Duration, work func(context.Context) func()) {
	r.held = append(r.held, job{timeout, work})
	if !r.hold {
		r.deliver()
	}
}

// deliver runs what is held, and hands over what came of it.
func (r *rig) deliver() {
	jobs := r.held
	r.held = nil
	for _, j := range jobs {
		j.work(context.Background())()
	}
}

// pass lets time pass; AWS goes on meanwhile.
func (r *rig) pass(d time.Duration) {
	for end := r.now.Add(d); ; {
		at, ok := r.cloud.NextEvent()
		if !ok || at.After(end) {
			r.now = end
			return
		}
		r.now = at
		r.cloud.Advance()
	}
}

func (r *rig) launch(n int32) {
	_, err := r.cloud.AutoScaling("test").CreateAutoScalingGroup(r.t.Context(), &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("etcd"), MinSize: aws.Int32(0), MaxSize: aws.Int32(300), DesiredCapacity: aws.Int32(n),
	})
	must(r.t, err)
	r.pass(time.Minute)
	for _, in := range r.cloud.Instances() {
		r.ids = append(r.ids, in.ID)
	}
	slices.Sort(r.ids)
}

func (r *rig) zone(name string, private bool) string {
	in := &route53.CreateHostedZoneInput{Name: aws.String(name), CallerReference: aws.String(fmt.Sprint(len(r.cloud.Zones())))}
	if private {
		in.VPC = &r53types.VPC{VPCId: aws.String("vpc-1"), VPCRegion: r53types.VPCRegionEuCentral1}
	}
	out, err := r.cloud.Route53("test").CreateHostedZone(r.t.Context(), in)
	must(r.t, err)
	return zoneIDOf(out.HostedZone)
}

// put writes a record set as somebody else would.
func (r *rig) put(name, kind string, ttl int64, values ...string) {
	set := setOf(&states.Record{Name: name, Type: kind, TTL: ttl, Values: values})
	_, err := r.cloud.Route53("test").ChangeResourceRecordSets(r.t.Context(), &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(r.cloud.Zones()[0].ID),
		ChangeBatch:  &r53types.ChangeBatch{Changes: []r53types.Change{{Action: r53types.ChangeActionUpsert, ResourceRecordSet: set}}},
	})
	must(r.t, err)
}

// terminate ends an instance as somebody else would.
func (r *rig) terminate(id string) {
	r.t.Helper()
	_, err := r.cloud.EC2("test").TerminateInstances(r.t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	must(r.t, err)
}

// failing makes every call of the daemon's to a service fail.
func (r *rig) failing(service string) {
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if c.Service == service && c.Caller == r.ids[0] {
			return awsfake.Fault{Err: errors.New("throttled")}
		}
		return awsfake.Fault{}
	}
}

func (r *rig) healthy() { r.fault = func(awsfake.Call) awsfake.Fault { return awsfake.Fault{} } }

// turn is what the agent does, without decisions: observe, and ask for what is needed.
func (r *rig) turn(needs states.Needs) states.Observation {
	o := r.Observe()
	r.Refresh(needs)
	return o
}

// know makes the daemon know its group and zone.
func (r *rig) know() {
	r.t.Helper()
	for range 3 {
		r.turn(states.Needs{Group: time.Second, Zone: time.Second})
		r.pass(time.Second)
	}
	if o := r.Observe(); o.Self.ID != r.ids[0] || o.Name != "etcd" || o.Group.Known != states.Yes || o.Claim.Known != states.Yes {
		r.t.Fatalf("knows too little: %+v", o)
	}
}

// calls counts what the daemon has asked of AWS.
func (r *rig) calls(action string) int { return r.cloud.CallCount(r.ids[0], action) }

// asked counts the calls of a function.
func (r *rig) asked(action string, f func()) int {
	before := r.calls(action)
	f()
	return r.calls(action) - before
}
