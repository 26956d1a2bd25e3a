package etcdproc

import (
	"net"
	"strconv"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// flag is a command-line flag of etcd. A server ends with status 2 on a flag that it does not know, so each says since when
// it is known; none of them has been removed up to 3.7.
type flag struct {
	name  string
	since states.MinorVersion
	when  when
	value func(o *Options, s *states.StartEtcd) string // no flag when empty
}

// when says which starts a flag is for.
type when uint8

const (
	always  when = iota
	anew         // on an empty data directory
	restart      // on the data of a member
)

var (
	v23 = states.MinorVersion{Major: 2, Minor: 3} // the oldest server supported
	v34 = states.MinorVersion{Major: 3, Minor: 4}
	v36 = states.MinorVersion{Major: 3, Minor: 6}
)

// flags, in the order given to etcd. "since" is from etcdmain/help.go and, from 3.5, embed/config.go AddFlags of each minor.
var flags = []flag{
	{"name", v23, always, func(_ *Options, s *states.StartEtcd) string { return s.Name }},
	{"data-dir", v23, always, func(o *Options, _ *states.StartEtcd) string { return o.DataDir }},
	// The listen URLs are IP addresses, since 3.2 refuses names (embed/config.go checkBindURLs).
	{"listen-peer-urls", v23, always, func(o *Options, s *states.StartEtcd) string { return peerURL(o, listens(o, s)) }},
	{"listen-client-urls", v23, always, func(o *Options, s *states.StartEtcd) string { return clientURL(o, listens(o, s)) }},
	// Without this one etcd refuses listen-client-urls (embed/config.go ErrUnsetAdvertiseClientURLsFlag).
	{"advertise-client-urls", v23, always, func(o *Options, s *states.StartEtcd) string { return clientURL(o, s.Address) }},
	{"initial-advertise-peer-urls", v23, always, func(o *Options, s *states.StartEtcd) string { return peerURL(o, s.Address) }},
	{"initial-cluster", v23, anew, initialCluster},
	{"initial-cluster-state", v23, anew, func(_ *Options, s *states.StartEtcd) string { return string(s.State) }},
	// A member that restarts ignores this (etcdserver/bootstrap.go bootstrapCluster). Were its log gone after all, etcd would
	// form a new cluster of one by default (seen with 3.5.35 and 3.7.3); so it fails instead.
	{"initial-cluster-state", v23, restart, func(*Options, *states.StartEtcd) string { return string(states.ClusterExisting) }},
	{"initial-cluster-token", v23, anew, func(_ *Options, s *states.StartEtcd) string { return s.Token }},
	// Off by default up to 3.0.
	{"strict-reconfig-check", v23, always, func(*Options, *states.StartEtcd) string { return "true" }},
	// 100000 by default from 3.2 to 3.5, which makes restarts long.
	{"snapshot-count", v23, always, func(o *Options, _ *states.StartEtcd) string { return strconv.Itoa(o.SnapshotCount) }},
	{"cert-file", v23, always, func(o *Options, _ *states.StartEtcd) string { return o.Clients.Cert }},
	{"key-file", v23, always, func(o *Options, _ *states.StartEtcd) string { return o.Clients.Key }},
	// etcd wants a certificate of every client as soon as it is told a CA for them (client/pkg/transport/listener.go ServerConfig).
	{"trusted-ca-file", v23, always, func(o *Options, _ *states.StartEtcd) string { return given(o.ClientCertAuth, o.Clients.CA) }},
	{"client-cert-auth", v23, always, func(o *Options, _ *states.StartEtcd) string { return given(o.ClientCertAuth, "true") }},
	{"peer-cert-file", v23, always, func(o *Options, _ *states.StartEtcd) string { return o.Peers.Cert }},
	{"peer-key-file", v23, always, func(o *Options, _ *states.StartEtcd) string { return o.Peers.Key }},
	{"peer-trusted-ca-file", v23, always, func(o *Options, _ *states.StartEtcd) string { return o.Peers.CA }},
	{"peer-client-cert-auth", v23, always, func(o *Options, _ *states.StartEtcd) string { return given(o.Peers.Cert != "", "true") }},
	// 3.4 writes text by default; before, there is only text.
	{"logger", v34, always, func(*Options, *states.StartEtcd) string { return "zap" }},
	{"log-format", v36, always, func(*Options, *states.StartEtcd) string { return "json" }},
}

// arguments is the command line of a start, without the program.
func arguments(o *Options, start states.StartEtcd) []string {
	kind := anew
	if start.State == states.ClusterRestart {
		kind = restart
	}
	var args []string
	for _, f := range flags {
		if start.Minor.Less(f.since) || f.when != always && f.when != kind {
			continue
		}
		if value := f.value(o, &start); value != "" {
			args = append(args, "--"+f.name+"="+value)
		}
	}
	return append(args, o.ExtraArgs...)
}

func given(when bool, value string) string {
	if when {
		return value
	}
	return ""
}

// listens is where a server listens. No interface of an instance has its public address: the way in translates it
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html).
func listens(o *Options, s *states.StartEtcd) string {
	if o.Anywhere {
		return "0.0.0.0"
	}
	return s.Address
}

func peerURL(o *Options, address string) string {
	return url(o.Peers.Cert != "", address, o.PeerPort)
}

func clientURL(o *Options, address string) string {
	return url(o.Clients.Cert != "", address, o.ClientPort)
}

func url(tls bool, address string, port int) string {
	scheme := "http://"
	if tls {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(address, strconv.Itoa(port))
}

// initialCluster lists the members by name. A member that has never started has no name yet; etcd wants it listed all the
// same, under any name that is not taken (membership/cluster.go ValidateClusterAndAssignIDs compares URLs and their number).
func initialCluster(o *Options, s *states.StartEtcd) string {
	parts := make([]string, len(s.Cluster))
	for i, m := range s.Cluster {
		name := m.ID
		if name == "" {
			name = "unstarted-" + m.Address
		}
		parts[i] = name + "=" + url(o.Peers.Cert != "", m.Address, o.PeerPort)
	}
	return strings.Join(parts, ",")
}
