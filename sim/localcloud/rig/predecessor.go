package rig

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud"
)

// Predecessor is a Rig whose group is launched with the daemon's predecessor on it (stups-etcd-cluster): servers of the same names,
// addresses and ports, of a cluster with another token, without claim and record; its housekeeping, which removes whoever is at no
// running instance, while one of its own servers leads; and its DNS records. Every instance that is launched later runs the daemon.
type Predecessor struct {
	*Rig
	daemon func(localcloud.Instance) *exec.Cmd
	first  func() map[string]string // addresses, by instance

	mu      sync.Mutex
	adopted map[string]bool
}

// housekeeping is the pause of the predecessor's leader between two looks. It was 30 s.
const housekeeping = time.Second

// StartPredecessor brings it up. When ctx ends its housekeeping does.
func StartPredecessor(ctx context.Context, o Options) (*Predecessor, error) {
	r, err := Start(ctx, o)
	if err != nil {
		return nil, err
	}
	p := &Predecessor{Rig: r, daemon: r.launcher.Command, adopted: map[string]bool{}}
	p.first = sync.OnceValue(func() map[string]string { // the group is complete when its first instance is launched
		list := map[string]string{}
		for _, i := range r.group() {
			list[i.ID] = i.PrivateIP
		}
		return list
	})
	r.launcher.Command = p.command
	go p.keepHouse(ctx)
	return p, nil
}

// Adopt installs the daemon on an instance in the place of the predecessor, which is killed: asked to stop, it would take its member
// out of the list. The daemon gets the predecessor's data directory.
func (p *Predecessor) Adopt(ctx context.Context, instance string) error {
	p.mu.Lock()
	p.adopted[instance] = true
	p.mu.Unlock()
	_, err := end(ctx, syscall.SIGKILL, p.EtcdPID(instance), "etcd of "+instance)
	return err
}

func (p *Predecessor) runs(instance string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, first := p.first()[instance]
	return first && !p.adopted[instance]
}

// command starts etcd as the predecessor did, but for the addresses that it listens at: an instance of ours has no loopback device
// of its own.
func (p *Predecessor) command(i localcloud.Instance) *exec.Cmd {
	if !p.runs(i.ID) {
		return p.daemon(i)
	}
	var cluster []string
	for id, address := range p.first() {
		cluster = append(cluster, id+"="+peerURL(address))
	}
	slices.Sort(cluster)
	state, data := "new", p.dataDir(i.ID)
	if _, err := os.Stat(data); err == nil {
		state = "existing"
	}
	cmd := exec.Command(filepath.Join(p.options.EtcdDir, p.options.EtcdVersion, "etcd"),
		"-name", i.ID, "--data-dir", data,
		"-listen-peer-urls", peerURL(i.PrivateIP), "-initial-advertise-peer-urls", peerURL(i.PrivateIP),
		"-listen-client-urls", clientURL(i.PrivateIP), "-advertise-client-urls", clientURL(i.PrivateIP),
		"-initial-cluster", strings.Join(cluster, ","), "-initial-cluster-token", "etcd-cluster-"+p.options.Group, "-initial-cluster-state", state)
	cmd.Env = plainEnvironment()
	return cmd
}

// keepHouse is what the predecessor does beside its servers.
func (p *Predecessor) keepHouse(ctx context.Context) {
	tick := time.NewTicker(housekeeping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if leader, ok := p.Latest().Leader(); ok && p.runs(leader.ID) {
			p.removeAbsent(ctx, &leader)
		}
	}
}

func (p *Predecessor) removeAbsent(ctx context.Context, leader *observer.Instance) {
	v := p.Latest()
	for _, m := range leader.Etcd.Members {
		here := func(i observer.Instance) bool {
			return i.State == "running" && slices.Contains(m.PeerURLs, peerURL(i.Address))
		}
		if slices.ContainsFunc(v.Instances, here) {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodDelete, clientURL(leader.Address)+fmt.Sprintf("/v2/members/%x", m.ID), nil)
		if err != nil {
			return
		}
		if res, err := http.DefaultClient.Do(req); err == nil { // it never looked at the outcome
			res.Body.Close()
		}
	}
}

// Publish writes the records of the predecessor, which has them of its members in service.
func (p *Predecessor) Publish(ctx context.Context) error {
	client := route53.NewFromConfig(p.AWS("predecessor"))
	zones, err := client.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: &p.options.Zone})
	if err != nil {
		return err
	}
	var addresses, peers, clients []types.ResourceRecord
	for _, i := range p.Latest().InService() {
		addresses = append(addresses, types.ResourceRecord{Value: aws.String(i.Address)})
		peers = append(peers, types.ResourceRecord{Value: aws.String("1 1 2380 " + i.DNSName)})
		clients = append(clients, types.ResourceRecord{Value: aws.String("1 1 2379 " + i.DNSName)})
	}
	for _, set := range []types.ResourceRecordSet{
		{Name: aws.String("_etcd-server._tcp." + p.Name()), Type: types.RRTypeSrv, ResourceRecords: peers},
		{Name: aws.String("_etcd-client._tcp." + p.Name()), Type: types.RRTypeSrv, ResourceRecords: clients},
		{Name: aws.String("etcd-server." + p.Name()), Type: types.RRTypeA, ResourceRecords: addresses},
	} {
		set.TTL = aws.Int64(60)
		_, err := client.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: zones.HostedZones[0].Id,
			ChangeBatch:  &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionUpsert, ResourceRecordSet: &set}}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
