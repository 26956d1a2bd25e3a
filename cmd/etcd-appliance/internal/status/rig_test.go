package status

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/awsclient"
	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
	"github.com/etcd-appliance/etcd-appliance/states"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files; read their diff before it is committed")

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// leading are the facts of an instance whose member leads three that are in order.
func leading() *states.Observation {
	minor, version := states.MinorVersion{Major: 3, Minor: 7}, states.Version{Major: 3, Minor: 7, Patch: 3}
	o := &states.Observation{
		Now: noon, Name: "releaseetcd", Self: states.Self{ID: "i-a", Address: "10.0.0.1"},
		Wanted: minor, Servers: []states.MinorVersion{{Major: 3, Minor: 6}, minor}, Patches: []states.Version{version},
		Disk:    states.Disk{State: states.DiskMember, Joined: true},
		Process: states.Process{Running: states.Yes, PID: 42, Minor: minor, Started: noon.Add(-time.Hour)},
		Group:   states.Group{Known: states.Yes, At: noon.Add(-30 * time.Second), Desired: 3},
		Cluster: states.Cluster{
			Known: states.Yes, At: noon, Asked: noon, By: 0xa1, ID: 0xc1,
			Upgrade: states.Upgrade{Known: states.Yes, Since: noon.Add(-time.Hour)},
			Local:   states.Local{Answers: states.Yes, MemberID: 0xa1, ClusterID: 0xc1, Leader: 0xa1, Applied: 1000, Version: version},
		},
		DNS: states.DNS{Configured: true, Known: states.Yes, At: noon, Zone: "example.org.", Records: []states.Record{
			{Name: "releaseetcd.example.org.", Type: "A", TTL: 60, Values: []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}},
		}},
	}
	for i, id := range []string{"i-a", "i-b", "i-c"} {
		address := fmt.Sprintf("10.0.0.%d", i+1)
		o.Group.Instances = append(o.Group.Instances, states.Instance{ID: id, Address: address, Zone: "eu-central-1" + id[2:], State: states.InstanceRunning, InGroup: true})
		o.Cluster.Members = append(o.Cluster.Members, states.Member{
			ID: uint64(0xa1 + i), Name: id, Address: address, ClientURL: "http://" + address + ":2379",
			Health: states.Yes, Version: version, Applied: 1000 - uint64(i),
		})
	}
	return o
}

// following are those of another of them, which asks nobody but its own server.
func following() *states.Observation {
	o := leading()
	o.Self = states.Self{ID: "i-b", Address: "10.0.0.2"}
	o.Cluster.Local.MemberID, o.Cluster.By, o.Cluster.Asked, o.DNS = 0xa2, 0xa2, time.Time{}, states.DNS{Configured: true}
	for i := range o.Cluster.Members {
		m := &o.Cluster.Members[i]
		m.Health, m.Version, m.Applied = states.Unknown, states.Version{}, 0
	}
	return o
}

func newBoard() *Board {
	b := NewBoard("1.2.3", states.Config{ClientPort: 2379, PeerPort: 2380, OnTotalLoss: states.HaltOnTotalLoss})
	b.Now = func() time.Time { return noon.Add(5 * time.Millisecond) }
	return b
}

// turn has the board see a turn that decided something new.
func (b *Board) turn(o *states.Observation, d *states.Decision) {
	b.Decided(o.Now, d)
	b.Turned(o, d)
}

var (
	wonLeadership = &states.Decision{
		From: states.Discovering, To: states.LeadingHousekeeping, Path: []states.Event{states.FoundData, states.WonLeadership},
		Because: []string{"has the data of a voter", "its etcd leads the cluster"}, Why: "leads a cluster in order",
		Commands: []states.Command{states.RecordJoined{}}, Reports: []string{"i-d is not in the group"},
	}
	follows = &states.Decision{From: states.Running, To: states.Running, Why: "follows a leader"}
)

// board is one of a daemon whose member leads.
func board() *Board {
	b := newBoard()
	b.Busy = func() []states.Command { return []states.Command{states.PublishDNS{}} }
	b.Called("EC2", "DescribeInstances", awsclient.OK)
	b.Called("EC2", "DescribeInstances", awsclient.Throttled)
	b.Certified(papers())
	b.turn(leading(), wonLeadership)
	return b
}

// papers are a certificate that is good for long, and an authority that is being replaced in good time.
func papers() []Certificate {
	one := func(setting, file, subject string, days int) Certificate {
		return Certificate{Setting: setting, Expiry: tlsfiles.Expiry{File: file, Subject: subject, NotAfter: noon.AddDate(0, 0, days)}}
	}
	return []Certificate{
		one("cert-file", "/etc/etcd/server.pem", "CN=i-a", 90),
		one("trusted-ca-file", "/etc/etcd/ca.pem", "CN=authority", 3650),
		one("trusted-ca-file", "/etc/etcd/ca.pem", "CN=authority", 20),
	}
}

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; if it is meant to, run with -rewrite\n%s", path, got)
	}
}
