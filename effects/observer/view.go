package observer

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// View is what one look at a cluster showed.
type View struct {
	Begun, Ended time.Time
	Desired      int        // capacity of the groups
	Instances    []Instance // that are in the group, or that EC2 still shows, in order of launch
	Unpublished  bool       // the cluster has no hosted zone
	DNS          DNS
	Claim        Claim
	Errors       []error // of AWS and DNS; that an etcd does not answer is told with its instance
}

// Instance is one EC2 instance, and what its etcd answers.
type Instance struct {
	ID, Address, DNSName, Zone string
	State                      string // of EC2: pending, running, shutting-down, terminated, ...
	Lifecycle                  string // in the group: InService, Terminating, ...; empty when it is not in it
	Launched                   time.Time
	Etcd                       Etcd
}

// Etcd is what a server answers on its ports.
type Etcd struct {
	// On the peer port, which needs no quorum.
	ClusterID uint64   // 0 when it does not answer
	Members   []Member // by ID
	// On the client port.
	URL              string // where it was asked
	MemberID, Leader uint64 // Leader is 0 when it knows none
	Learner          bool
	Version          string
	Revision         int64
	Serves           bool  // it has answered a read through quorum
	Err              error // why not
}

// Member is one entry of a member list.
type Member struct {
	ID         uint64
	Name       string
	PeerURLs   []string
	ClientURLs []string // empty until it has started
	Learner    bool
}

// InService lists the instances that the group counts.
func (v *View) InService() []Instance {
	return slices.DeleteFunc(slices.Clone(v.Instances), func(i Instance) bool { return i.Lifecycle != "InService" })
}

// Instance finds an instance by ID.
func (v *View) Instance(id string) (Instance, bool) {
	for i := range v.Instances {
		if v.Instances[i].ID == id {
			return v.Instances[i], true
		}
	}
	return Instance{}, false
}

// Leader is the instance whose etcd says that it leads.
func (v *View) Leader() (Instance, bool) {
	for _, i := range v.Instances {
		if i.Etcd.MemberID != 0 && i.Etcd.Leader == i.Etcd.MemberID {
			return i, true
		}
	}
	return Instance{}, false
}

// Follower is an instance in service whose etcd follows another.
func (v *View) Follower() (Instance, bool) {
	for _, i := range v.InService() {
		if e := i.Etcd; e.Serves && e.Leader != e.MemberID {
			return i, true
		}
	}
	return Instance{}, false
}

// ClusterIDs lists the clusters that servers say they belong to.
func (v *View) ClusterIDs() []uint64 {
	var ids []uint64
	for _, i := range v.Instances {
		if id := i.Etcd.ClusterID; id != 0 && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Healthy tells whether the n instances of the group are the n members of one cluster, all of them voters that serve, and
// agree on one leader; or else what is missing.
func (v *View) Healthy(n int) error {
	service := v.InService()
	switch {
	case len(v.Errors) > 0:
		return errors.Join(v.Errors...)
	case len(service) != n || v.Desired != n:
		return fmt.Errorf("the group has %d instances in service, desires %d, and is to have %d", len(service), v.Desired, n)
	}
	for _, i := range service { // the cause, before what follows from it
		if i.Etcd.Err != nil {
			return fmt.Errorf("%s: %w", i.ID, i.Etcd.Err)
		}
	}
	for _, i := range service {
		if err := i.healthy(service); err != nil {
			return fmt.Errorf("%s: %w", i.ID, err)
		}
		if first := service[0]; i.Etcd.ClusterID != first.Etcd.ClusterID || i.Etcd.Leader != first.Etcd.Leader {
			return fmt.Errorf("%s is in cluster %x and follows %x, %s is in cluster %x and follows %x", first.ID,
				first.Etcd.ClusterID, first.Etcd.Leader, i.ID, i.Etcd.ClusterID, i.Etcd.Leader)
		}
	}
	return nil
}

// healthy tells whether the instance's etcd serves as a voter, and lists as members just these instances.
func (i *Instance) healthy(service []Instance) error {
	e := &i.Etcd
	switch {
	case e.Learner:
		return errors.New("is a learner")
	case !e.Serves || e.Leader == 0:
		return errors.New("its etcd does not serve")
	case len(e.Members) != len(service):
		return fmt.Errorf("lists %d members and the group has %d instances", len(e.Members), len(service))
	}
	for _, m := range e.Members {
		at := slices.IndexFunc(service, func(i Instance) bool { return i.ID == m.Name })
		switch {
		case m.Learner || len(m.ClientURLs) == 0:
			return fmt.Errorf("lists member %x (%s) that is no started voter", m.ID, m.Name)
		case at < 0:
			return fmt.Errorf("lists member %x (%s) that is no instance of the group", m.ID, m.Name)
		case service[at].Etcd.MemberID != m.ID || len(m.PeerURLs) != 1 || hostOf(m.PeerURLs[0]) != service[at].Address+":2380":
			return fmt.Errorf("lists member %x (%s) at %s, which the instance is not", m.ID, m.Name, strings.Join(m.PeerURLs, " "))
		}
	}
	return nil
}

// hostOf is the host and the port of a URL.
func hostOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Host
}

// Run tells which instance in service does not run a server of this minor.
func (v *View) Run(minor string) error {
	for _, i := range v.InService() {
		if !strings.HasPrefix(i.Etcd.Version, minor+".") {
			return fmt.Errorf("%s runs etcd %q, not %s", i.ID, i.Etcd.Version, minor)
		}
	}
	return nil
}
