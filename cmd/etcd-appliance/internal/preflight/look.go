package preflight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Sources are what is asked.
type Sources struct {
	Etcd interface {
		Members(ctx context.Context, endpoints []string) (effects.EtcdMembers, error)
		Status(ctx context.Context, endpoint string) (effects.EtcdStatus, error)
		Keys(ctx context.Context, endpoints []string, prefix string) ([]effects.EtcdKey, error)
		Auth(ctx context.Context, endpoints []string) (states.Fact, error)
	}
	AutoScaling effects.AutoScaling
	Abroad      []effects.Region // the other regions that the cluster spans
	HTTP        *http.Client
	Endpoints   []string
	DataDir     string // etcd's, on this machine
}

const (
	etcdPatience = 5 * time.Second
	awsPatience  = 5 * time.Second
)

// Look fills in what the cluster, AWS and the data directory tell; seen has what is known of the daemon.
func (o *Sources) Look(ctx context.Context, seen *Seen) {
	list, err := o.Etcd.Members(ctx, o.Endpoints)
	if seen.Reached = err; err != nil {
		return
	}
	seen.Members = make([]Member, len(list.Members))
	endpoints := make([]string, 0, len(list.Members))
	var all sync.WaitGroup
	for i := range list.Members {
		m := &seen.Members[i]
		m.Member = list.Members[i]
		if m.Started() {
			endpoints = append(endpoints, m.ClientURL)
			all.Go(func() { o.askMember(ctx, m) })
		}
	}
	all.Go(func() { o.askGroup(ctx, seen) })
	all.Wait()
	seen.Auth, seen.AuthErr = o.Etcd.Auth(ctx, endpoints)
	o.askLocks(ctx, endpoints, seen)
	seen.V2Dir = o.DataDir
	seen.V2Data, seen.V2Err = v2Data(o.DataDir)
}

func (o *Sources) askMember(ctx context.Context, m *Member) {
	ctx, cancel := context.WithTimeout(ctx, etcdPatience)
	defer cancel()
	s, err := o.Etcd.Status(ctx, m.ClientURL)
	if err == nil && s.MemberID != m.ID {
		err = fmt.Errorf("member %x answers in its place", s.MemberID)
	}
	if m.Err = err; err != nil {
		return
	}
	m.Version, m.Leader, m.Alarm, m.Downgrade = s.Version, s.Leader, effects.Alarm(s.Errors), s.Downgrade
	var version struct{ EtcdCluster, Storage string }
	if err := o.get(ctx, m.ClientURL+"/version", &version); err == nil {
		m.Cluster, m.Storage = minorOf(version.EtcdCluster), minorOf(version.Storage)
	}
	// Read locally, which leaves nothing in the log: ?quorum=true would.
	var keys struct{ Node *struct{ Nodes []any } }
	if err := o.get(ctx, m.ClientURL+"/v2/keys/", &keys); err == nil && keys.Node != nil {
		m.V2Keys = states.Is(len(keys.Node.Nodes) > 0)
	}
}

func minorOf(text string) states.MinorVersion {
	v, err := states.ParseVersion(text)
	if err != nil {
		return states.MinorVersion{}
	}
	return v.MinorOf()
}

func (o *Sources) get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := o.HTTP.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(into)
}

// askGroup asks for the group that is named, or else for that of any member's instance.
func (o *Sources) askGroup(ctx context.Context, seen *Seen) {
	ctx, cancel := context.WithTimeout(ctx, awsPatience)
	defer cancel()
	if seen.Group == "" {
		seen.Group, seen.GroupErr = o.findGroup(ctx, seen.Members)
		if seen.GroupErr != nil {
			return
		}
	}
	out, err := o.AutoScaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{seen.Group}})
	switch {
	case err != nil:
		seen.GroupErr = err
	case len(out.AutoScalingGroups) != 1:
		seen.GroupErr = fmt.Errorf("auto-scaling group %s is not there", seen.Group)
	default:
		here := &out.AutoScalingGroups[0]
		seen.Desired = int(aws.ToInt32(here.DesiredCapacity))
		for i := range o.Abroad {
			there, err := o.Abroad[i].Counterpart(ctx, here)
			if err != nil {
				seen.GroupErr = fmt.Errorf("%s: %w", o.Abroad[i].Name, err)
				return
			}
			seen.Desired += int(aws.ToInt32(there.DesiredCapacity))
		}
	}
}

func (o *Sources) findGroup(ctx context.Context, members []Member) (string, error) {
	var ids []string
	for i := range members {
		if states.IsInstanceID(members[i].Key()) {
			ids = append(ids, members[i].Key())
		}
	}
	if len(ids) == 0 {
		return "", errors.New("no member is named after an instance, and no --group is given")
	}
	out, err := o.AutoScaling.DescribeAutoScalingInstances(ctx, &autoscaling.DescribeAutoScalingInstancesInput{InstanceIds: ids})
	if err != nil {
		return "", err
	}
	for _, in := range out.AutoScalingInstances {
		if name := aws.ToString(in.AutoScalingGroupName); name != "" {
			return name, nil
		}
	}
	return "", fmt.Errorf("none of %s is in an auto-scaling group", strings.Join(ids, ", "))
}

func (o *Sources) askLocks(ctx context.Context, endpoints []string, seen *Seen) {
	seen.Lock, seen.Halted, seen.LockErr = effects.ReadUpgrade(ctx, o.Etcd, endpoints)
}
