package observer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// settledView shows a cluster of three in order, and a terminated instance.
func settledView() *View {
	v := &View{Desired: 3, DNS: DNS{SRV: map[string][]string{}}, Claim: Claim{State: "formed", ClusterID: 7}}
	for n := range 3 {
		id, address := fmt.Sprintf("i-%d", n), fmt.Sprintf("127.16.0.%d", 10+n)
		var members []Member
		for m := range 3 {
			host := fmt.Sprintf("127.16.0.%d", 10+m)
			members = append(members, Member{ID: uint64(100 + m), Name: fmt.Sprintf("i-%d", m), PeerURLs: []string{"http://" + host + ":2380"}, ClientURLs: []string{"http://" + host + ":2379"}})
		}
		v.Instances = append(v.Instances, Instance{ID: id, Address: address, State: "running", Lifecycle: "InService",
			Etcd: Etcd{ClusterID: 7, Members: members, MemberID: uint64(100 + n), Leader: 101, Serves: true}})
		v.DNS.A = append(v.DNS.A, address)
		v.Claim.Members = append(v.Claim.Members, id)
		for _, s := range services {
			v.DNS.SRV[s.Name] = append(v.DNS.SRV[s.Name], fmt.Sprintf("%s:%d", address, s.Port))
		}
	}
	v.Instances = append(v.Instances, Instance{ID: "i-9", State: "terminated"})
	return v
}

// Every single thing that can be wrong is noticed, and named.
func TestSettled(t *testing.T) {
	if err := settledView().Settled(3); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*View)
		want   string
	}{
		{"AWS does not answer", func(v *View) { v.Errors = []error{errors.New("throttled")} }, "throttled"},
		{"scaling", func(v *View) { v.Desired = 5 }, "desires 5"},
		{"instance leaving", func(v *View) { v.Instances[0].Lifecycle = "Terminating" }, "2 instances in service"},
		{"etcd down", func(v *View) { v.Instances[1].Etcd = Etcd{Err: errors.New("refused")} }, "i-1: refused"},
		{"learner", func(v *View) { v.Instances[2].Etcd.Learner = true }, "i-2: is a learner"},
		{"no quorum", func(v *View) { v.Instances[0].Etcd.Serves = false }, "does not serve"},
		{"no leader", func(v *View) { v.Instances[0].Etcd.Leader = 0 }, "does not serve"},
		{"two leaders", func(v *View) { v.Instances[2].Etcd.Leader = 102 }, "follows 66"},
		{"two clusters", func(v *View) { v.Instances[2].Etcd.ClusterID = 8 }, "is in cluster 8"},
		{"ghost", func(v *View) { v.Instances[1].Etcd.Members = append(v.Instances[1].Etcd.Members, Member{ID: 5}) }, "lists 4 members"},
		{"not started", func(v *View) { v.Instances[1].Etcd.Members[0].ClientURLs = nil }, "no started voter"},
		{"member is no instance", func(v *View) { v.Instances[1].Etcd.Members[0].Name = "i-9" }, "no instance of the group"},
		{"wrong address", func(v *View) { v.Instances[1].Etcd.Members[0].PeerURLs = []string{"http://127.16.0.99:2380"} }, "which the instance is not"},
		{"wrong member", func(v *View) { v.Instances[0].Etcd.MemberID = 102 }, "which the instance is not"},
		{"A too few", func(v *View) { v.DNS.A = v.DNS.A[1:] }, "the A records"},
		{"A too many", func(v *View) { v.DNS.A = append(v.DNS.A, "127.16.0.99") }, "the A records"},
		{"SRV missing", func(v *View) { delete(v.DNS.SRV, "_etcd-client") }, "_etcd-client"},
		{"SRV port", func(v *View) { v.DNS.SRV["_etcd-server"] = v.DNS.SRV["_etcd"] }, "_etcd-server"},
		{"no claim", func(v *View) { v.Claim = Claim{} }, "is to be formed"},
		{"claim pending", func(v *View) { v.Claim.State = "pending" }, "is to be formed"},
		{"claim of another cluster", func(v *View) { v.Claim.ClusterID = 8 }, "of cluster 8"},
		{"claim of others", func(v *View) { v.Claim.Members[0] = "i-9" }, "names [i-9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := settledView()
			tt.change(v)
			if err := v.Settled(3); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// A cluster without a zone has a claim all the same.
func TestSettledWithoutAZone(t *testing.T) {
	v := settledView()
	v.Unpublished, v.DNS = true, DNS{}
	if err := v.Settled(3); err != nil {
		t.Error(err)
	}
	v.Claim.State = "pending"
	if err := v.Settled(3); err == nil {
		t.Error("its claim is not formed")
	}
}

func TestViewFinds(t *testing.T) {
	v := settledView()
	if i, ok := v.Leader(); !ok || i.ID != "i-1" {
		t.Errorf("leader %+v, %t", i, ok)
	}
	if i, ok := v.Follower(); !ok || i.ID != "i-0" {
		t.Errorf("follower %+v, %t", i, ok)
	}
	v.Instances[0].Etcd.ClusterID = 3
	if ids := v.ClusterIDs(); !slices.Equal(ids, []uint64{3, 7}) {
		t.Errorf("clusters %v", ids)
	}
}
