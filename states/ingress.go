package states

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Ingress is whom the security group of this instance lets in to the ports of etcd. A rule of a security group cannot name a group of
// another region, nor does one that names a group hold for public addresses: such peers are let in by address, one by one.
type Ingress struct {
	Configured bool
	Known      Fact
	At         time.Time // when the read that these facts come from was begun
	Open       []Opening
}

// Opening is one source that is let in.
type Opening struct {
	From netip.Prefix
	Own  bool // the rules are this cluster's daemons', to be revoked by them
	Half bool // to one of both ports only
}

// AuthorizePeers lets addresses in to the ports of etcd. That a rule is there already is success.
type AuthorizePeers struct{ Addresses []string }

// RevokePeers takes away the rules of this cluster's daemons for addresses. That a rule is not there is success.
type RevokePeers struct{ Addresses []string }

// newPeerPace is how often the groups are looked at by who is to let their instances in; the leader looks more often only while a
// member is unhealthy, and it may be in another region.
const newPeerPace = restGroup / 2

// keepIngress lets in the instances of the cluster that this region's security group has to know by address, from before they join,
// and until after they have been removed. Each daemon cares for its own region, since somebody there must before anybody can come in.
func (t *turn) keepIngress(v *verdict) {
	if !t.Ingress.Configured || t.State == Leaving || v.done {
		return
	}
	atMost(&v.needs.Group, newPeerPace)
	if n, _ := t.Cluster.Voters(); n != t.Group.Desired {
		atMost(&v.needs.Group, slow)
	}
	atMost(&v.needs.Ingress, restGroup)
	if t.Group.Known != Yes || t.Ingress.Known != Yes {
		atMost(&v.needs.Ingress, brisk)
		return
	}
	peers := t.peersByAddress()
	if past := t.pastPeers(peers); len(past) > 0 { // first: a security group that is full has no room for another rule
		v.commands = append(v.commands, RevokePeers{past})
	}
	if shut := slices.DeleteFunc(slices.Clone(peers), t.Ingress.admits); len(shut) > 0 {
		v.commands = append(v.commands, AuthorizePeers{shut})
	}
}

// peersByAddress lists, sorted, the addresses that are to be let in.
func (t *turn) peersByAddress() []string {
	var peers []string
	for i := range t.Group.Instances {
		if in := &t.Group.Instances[i]; in.InGroup && in.Up() && (in.Abroad || t.Public) {
			peers = append(peers, in.Address)
		}
	}
	slices.Sort(peers)
	return peers
}

// pastPeers lists the addresses that are let in and nobody's any more: AWS has proved that no instance has them, and a list of the
// members read just now has none there.
func (t *turn) pastPeers(peers []string) []string {
	if t.Cluster.Known != Yes || t.Now.Sub(t.Cluster.At) > expired {
		return nil
	}
	var past []string
	for _, address := range t.Ingress.Own() {
		member := slices.ContainsFunc(t.Cluster.Members, func(m Member) bool { return m.Address == address })
		if !member && !slices.Contains(peers, address) && t.Group.Gone(address) == Yes {
			past = append(past, address)
		}
	}
	return past
}

func (in *Ingress) admits(address string) bool {
	a, err := netip.ParseAddr(address)
	return err != nil || slices.ContainsFunc(in.Open, func(o Opening) bool { return !o.Half && o.From.Contains(a) })
}

// Own lists the single addresses that rules of the daemons let in.
func (in *Ingress) Own() (addresses []string) {
	for _, o := range in.Open {
		if o.Own && o.From.IsSingleIP() {
			addresses = append(addresses, o.From.Addr().String())
		}
	}
	return addresses
}

func (AuthorizePeers) command() {}
func (RevokePeers) command()    {}

func (c AuthorizePeers) String() string { return "let in " + strings.Join(c.Addresses, ", ") }
func (c RevokePeers) String() string    { return "let in no longer " + strings.Join(c.Addresses, ", ") }
