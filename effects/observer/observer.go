// Package observer looks at a cluster from outside, as an operator does: it asks AWS for the instances, the name server for what is
// published, and every server for itself. It only reads.
package observer

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Target is a cluster to look at, and where to ask for it.
type Target struct {
	Groups  []Group     // one in each region
	DNS     string      // name server, host and port
	Cluster string      // name in DNS
	Zone    string      // hosted zone; empty where the cluster is published in none
	Bucket  string      // of the bootstrap claim; empty where the claim is a record of the zone
	S3      S3          // asked for it
	TLS     *tls.Config // for the client ports, where they serve TLS; the peer ports are not asked then
	V2      bool        // its servers may be of 2.3, and are asked over v2 then
}

// S3 is what is asked of S3; see [s3.Client.GetObject].
type S3 interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Group is an auto-scaling group, and where to ask for it.
type Group struct {
	Name        string
	AutoScaling *autoscaling.Client
	EC2         *ec2.Client
}

// Observer looks at a cluster from outside.
type Observer struct {
	target  Target
	dns     resolver
	servers *servers

	mu       sync.Mutex
	latest   *View
	renewed  chan struct{}   // closed when latest is replaced
	clusters map[uint64]bool // every cluster ID ever seen
}

// New gives an observer that has not looked yet.
func New(t Target) *Observer {
	return &Observer{
		target: t, dns: resolver{t.DNS}, servers: newServers(t.V2, t.TLS),
		latest: &View{}, renewed: make(chan struct{}), clusters: map[uint64]bool{},
	}
}

// Close closes the connections. Nobody must be looking any more.
func (o *Observer) Close() {
	o.servers.forget(func(string) bool { return false })
	o.servers.http.CloseIdleConnections()
}

// Watch looks again and again, until ctx ends.
func (o *Observer) Watch(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		v := o.Look(ctx)
		if ctx.Err() != nil {
			return // half a look
		}
		o.publish(v)
		timer.Reset(pause)
	}
}

func (o *Observer) publish(v *View) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.latest = v
	for _, id := range v.ClusterIDs() {
		o.clusters[id] = true
	}
	close(o.renewed)
	o.renewed = make(chan struct{})
}

// Latest is the last view that [Observer.Watch] got, not to be changed.
func (o *Observer) Latest() *View {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.latest
}

// OneCluster fails unless all servers ever seen were of one cluster.
func (o *Observer) OneCluster() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.clusters) != 1 {
		ids := make([]string, 0, len(o.clusters))
		for id := range o.clusters {
			ids = append(ids, fmt.Sprintf("%x", id))
		}
		slices.Sort(ids)
		return fmt.Errorf("%d cluster IDs were seen, and there is to be one: %v", len(ids), ids)
	}
	return nil
}

// Wait waits for a view that suits, out of those that Watch begins from now on. When ctx ends it gives the last view, and an
// error that says what was wrong with it.
func (o *Observer) Wait(ctx context.Context, suits func(*View) error) (*View, error) {
	begun := time.Now()
	wrong := errors.New("nothing was seen")
	for {
		o.mu.Lock()
		v, renewed := o.latest, o.renewed
		o.mu.Unlock()
		if v.Begun.After(begun) {
			if wrong = suits(v); wrong == nil {
				return v, nil
			}
		}
		select {
		case <-renewed:
		case <-ctx.Done():
			return v, fmt.Errorf("%w (%w after %s)", wrong, context.Cause(ctx), time.Since(begun).Round(100*time.Millisecond))
		}
	}
}

// WaitHealthy waits until the n instances of the group are the n voters of one healthy cluster; see [View.Healthy].
func (o *Observer) WaitHealthy(ctx context.Context, n int) (*View, error) {
	return o.Wait(ctx, func(v *View) error { return v.Healthy(n) })
}

// WaitDNS waits until that is so and DNS and the claim say so too; see [View.DNSRight] and [View.ClaimRight].
func (o *Observer) WaitDNS(ctx context.Context, n int) (*View, error) {
	return o.Wait(ctx, func(v *View) error { return v.Settled(n) })
}

// Settled tells whether the cluster is healthy, and DNS (where it is published) and the claim tell the truth about it.
func (v *View) Settled(n int) error {
	for _, check := range []func() error{func() error { return v.Healthy(n) }, v.DNSRight, v.ClaimRight} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// Look asks everything once, all at the same time as far as one answer does not depend on another.
func (o *Observer) Look(ctx context.Context) *View {
	v := &View{Begun: time.Now(), Unpublished: o.target.Zone == ""}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var fromAWS, fromDNS, fromClaim error
	all.Go(func() {
		if fromAWS = o.askAWS(ctx, v); fromAWS == nil {
			o.askServers(ctx, v.Instances)
		}
	})
	if !v.Unpublished {
		all.Go(func() { v.DNS, fromDNS = o.askDNS(ctx) })
	}
	all.Go(func() { v.Claim, fromClaim = o.askClaim(ctx) })
	all.Wait()
	for _, err := range []error{fromAWS, fromDNS, fromClaim} {
		if err != nil {
			v.Errors = append(v.Errors, err)
		}
	}
	v.Ended = time.Now()
	return v
}

// askAWS lists the instances: EC2's, in order of launch, with what their groups say of them.
func (o *Observer) askAWS(ctx context.Context, v *View) error {
	for i := range o.target.Groups {
		if err := o.target.Groups[i].ask(ctx, v); err != nil {
			return err
		}
	}
	slices.SortStableFunc(v.Instances, func(a, b Instance) int {
		return cmp.Or(a.Launched.Compare(b.Launched), cmp.Compare(a.ID, b.ID))
	})
	return nil
}

// ask adds the instances of one group.
func (g *Group) ask(ctx context.Context, v *View) error {
	groups, err := g.AutoScaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{g.Name}})
	if err != nil {
		return fmt.Errorf("describe group %s: %w", g.Name, err)
	}
	lifecycle := map[string]string{}
	for _, found := range groups.AutoScalingGroups {
		v.Desired += int(aws.ToInt32(found.DesiredCapacity))
		for _, i := range found.Instances {
			lifecycle[aws.ToString(i.InstanceId)] = string(i.LifecycleState)
		}
	}
	pages := ec2.NewDescribeInstancesPaginator(g.EC2, &ec2.DescribeInstancesInput{
		Filters: []ec2types.Filter{{Name: aws.String("tag:aws:autoscaling:groupName"), Values: []string{g.Name}}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("describe the instances of %s: %w", g.Name, err)
		}
		for _, reservation := range page.Reservations {
			for i := range reservation.Instances {
				v.Instances = append(v.Instances, instanceOf(&reservation.Instances[i], lifecycle))
			}
		}
	}
	return nil
}

func instanceOf(i *ec2types.Instance, lifecycle map[string]string) Instance {
	id := aws.ToString(i.InstanceId)
	out := Instance{
		ID: id, Address: aws.ToString(i.PrivateIpAddress), DNSName: aws.ToString(i.PrivateDnsName),
		State: string(i.State.Name), Lifecycle: lifecycle[id], Launched: aws.ToTime(i.LaunchTime),
	}
	if i.Placement != nil {
		out.Zone = aws.ToString(i.Placement.AvailabilityZone)
	}
	return out
}

func (o *Observer) askServers(ctx context.Context, instances []Instance) {
	asked := func(i *Instance) bool { return i.State == string(ec2types.InstanceStateNameRunning) && i.Address != "" }
	var all sync.WaitGroup
	for n := range instances {
		if i := &instances[n]; asked(i) {
			all.Go(func() { i.Etcd = o.servers.ask(ctx, i.Address) })
		}
	}
	all.Wait()
	o.servers.forget(func(address string) bool {
		return slices.ContainsFunc(instances, func(i Instance) bool { return asked(&i) && i.Address == address })
	})
}

// ClientURLs finds the members as a client of etcd does, by their SRV records.
func (o *Observer) ClientURLs(ctx context.Context) ([]string, error) {
	service, scheme := "_etcd-client", "http://"
	if o.target.TLS != nil {
		service, scheme = service+ssl, "https://"
	}
	found, err := o.dns.endpoints(ctx, service+"._tcp."+o.target.Cluster+"."+o.target.Zone)
	for i := range found {
		found[i] = scheme + found[i]
	}
	return found, err
}

func (o *Observer) askDNS(ctx context.Context) (DNS, error) {
	name := o.target.Cluster + "." + o.target.Zone
	published := DNS{SRV: map[string][]string{}}
	var err error
	if published.A, err = o.dns.addresses(ctx, name); err != nil {
		return DNS{}, err
	}
	for _, s := range services {
		for _, service := range []string{s.Name, s.Name + ssl} {
			if published.SRV[service], err = o.dns.endpoints(ctx, service+"._tcp."+name); err != nil {
				return DNS{}, err
			}
		}
	}
	return published, nil
}
