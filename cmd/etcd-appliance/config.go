package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Config is the configuration of the daemon. [LoadConfig] fills it from flags, environment, file and defaults; the flags,
// their defaults and what each accepts are in config_flags.go, and config_help.go is the page that a user reads.
type Config struct {
	// ClusterName is the first label of the cluster's DNS names and part of its bootstrap token. Empty: the name of the
	// auto-scaling group, which is to pass [parseClusterName] too.
	ClusterName string
	// Group is the name of the auto-scaling group. Empty: the one that Auto Scaling says this instance is in.
	Group string
	// ActiveRegions are the regions that the cluster spans, sorted, the instance's own among them. Empty: its own alone.
	ActiveRegions []string
	// Address is which of its addresses an instance is a member at: private or public. Default private.
	Address string
	// PeerSecurityGroup is the ID of the security group, of this instance's region, in which the daemon lets in the instances of
	// the other regions, by address. Empty: the network lets them in already.
	PeerSecurityGroup string
	// HostedZone is the Route53 zone to publish in, as a name (with or without the last dot) or an ID. Empty: no DNS.
	HostedZone string
	// Bucket is the S3 bucket that holds the bootstrap claim. Empty: the claim is a record in HostedZone.
	Bucket string

	// EtcdVersion is the minor that this instance is to run. Left out: the one installed, when there is only one; so it is
	// never unknown after LoadConfig.
	EtcdVersion states.MinorVersion
	// EtcdExact is the very version, where one is given. Unknown: whichever patch of the minor is installed.
	EtcdExact states.Version
	// EtcdVersionPrev is taken because the predecessor had it, and checked: the minor to join with is the cluster's.
	EtcdVersionPrev states.MinorVersion
	// EtcdDir holds one server for each minor, as <minor>/etcd. Default /opt/etcd. Absolute.
	EtcdDir string
	// DataDir is the daemon's own directory, with the data of etcd in it. Default /var/lib/etcd-appliance. Absolute.
	DataDir string
	// ClientPort is the TCP port of etcd for clients. Default 2379.
	ClientPort int
	// PeerPort is the TCP port of etcd for the other members. Default 2380.
	PeerPort int
	// SnapshotCount is the number of raft entries between two snapshots of etcd. Default 5000; 3.4 and 3.5 by
	// themselves take 100000, at the price of memory and of a long replay, 3.6 and 3.7 10000. Before it goes on to 3.6 or
	// later, an upgrade writes as many entries.
	SnapshotCount int
	// TagInterval is how often an instance asks for its group's tags that has nothing else to ask AWS. Default 5 m: a follower at
	// rest is to leave AWS alone, and a leader asks once a minute anyhow.
	TagInterval time.Duration
	// ReplaceUnhealthyAfter is how long a member may be unhealthy while its instance runs, before the group is told to replace the
	// instance. Default 0: never.
	ReplaceUnhealthyAfter time.Duration
	// LaunchingHook and TerminatingHook name the lifecycle hooks of the group that this daemon completes. Default
	// etcd-appliance-launching and etcd-appliance-terminating; a group without them holds no instance. Empty: none is completed.
	LaunchingHook, TerminatingHook string
	// StopGrace is the time that etcd has between SIGTERM and SIGKILL. Default 40 s.
	StopGrace time.Duration
	// EtcdArgs are further arguments for etcd, each as --name=value. Default none.
	EtcdArgs []string
	// PassEtcdEnv lets the ETCD_* variables of the daemon's environment through to etcd. Default false: a variable that is
	// also a flag stops etcd from starting.
	PassEtcdEnv bool

	// TLS says with which certificates; see config_tls.go.
	TLS TLS

	// OnTotalLoss says what to do once every member of the cluster is proven gone. Default halt.
	OnTotalLoss states.TotalLoss
	// DryRun logs the commands that would be executed and executes none. Default false.
	DryRun bool
	// StatusAddress is where the daemon serves its health, status and metrics, as HOST:PORT; empty: nowhere. Default
	// 127.0.0.1:2381, since it tells much and asks for no password.
	StatusAddress string
	// LogFormat is json, console or auto. Default auto: console on a terminal, else json.
	LogFormat string
	// LogLevel is trace, debug, info, warn or error. Default info.
	LogLevel string
	// ConfigFile is the YAML file that was read. Default none.
	ConfigFile string

	sources map[string]string // flag name -> where its value was found; for the errors of validate
}

// source names where a value was found, as an error does.
func (c *Config) source(flag string) string {
	if where, ok := c.sources[flag]; ok {
		return where
	}
	return "default of --" + flag
}

// Servers lists the minors whose server is installed, the oldest first.
func (c *Config) Servers() ([]states.MinorVersion, error) {
	entries, err := os.ReadDir(c.EtcdDir)
	if err != nil {
		return nil, err
	}
	var minors []states.MinorVersion
	for _, entry := range entries {
		v, err := states.ParseVersion(entry.Name())
		if err != nil || v.MinorOf().String() != entry.Name() {
			continue // etcdctl and the like
		}
		server, err := os.Stat(filepath.Join(c.EtcdDir, entry.Name(), "etcd"))
		if err == nil && server.Mode().IsRegular() && server.Mode().Perm()&0o111 != 0 {
			minors = append(minors, v.MinorOf())
		}
	}
	slices.SortFunc(minors, func(a, b states.MinorVersion) int {
		if a.Less(b) {
			return -1
		}
		return 1 // no two directories have one name
	})
	return minors, nil
}

// validate checks what no value shows by itself, and fills in the wanted version where only one can be meant.
func (c *Config) validate() error {
	if c.ClientPort == c.PeerPort {
		return errorWithHint(fmt.Errorf("%s and %s: both are %d", c.source("client-port"), c.source("peer-port"), c.PeerPort),
			"2379 for clients and 2380 for peers are usual")
	}
	if err := c.validateTLS(); err != nil {
		return err
	}
	if err := c.validateRegions(); err != nil {
		return err
	}
	// On loopback nobody meets: etcd listens on the instance's address.
	if port, loopback := portOf(c.StatusAddress); !loopback && (port == c.ClientPort || port == c.PeerPort) {
		return errorWithHint(fmt.Errorf("%s: %d is a port of etcd", c.source("status-address"), port), "give another port, such as 2381")
	}
	installed, err := c.Servers()
	install := fmt.Sprintf("install the servers as in %s/3.7/etcd, executable, or name another directory with --etcd-dir", c.EtcdDir)
	switch {
	case err != nil:
		return errorWithHint(fmt.Errorf("%s: %w", c.source("etcd-dir"), err), install)
	case len(installed) == 0:
		return errorWithHint(fmt.Errorf("%s: no etcd server in %s", c.source("etcd-dir"), c.EtcdDir), install)
	case !c.EtcdVersion.Known() && len(installed) > 1:
		// The newest would do today, and upgrade the cluster unasked the day another server is installed.
		return errorWithHint(fmt.Errorf("--etcd-version is not given, and %s holds %s", c.EtcdDir, listMinors(installed)),
			fmt.Sprintf("say which to run, such as --etcd-version %s or ETCDVERSION=%[1]s", installed[len(installed)-1]))
	case !c.EtcdVersion.Known():
		c.EtcdVersion = installed[0]
	case !slices.Contains(installed, c.EtcdVersion):
		return errorWithHint(fmt.Errorf("%s: no etcd %s in %s, which holds %s", c.source("etcd-version"), c.EtcdVersion, c.EtcdDir, listMinors(installed)),
			fmt.Sprintf("install %s, or ask for one that is there", filepath.Join(c.EtcdDir, c.EtcdVersion.String(), "etcd")))
	}
	if err := c.tlsFits(c.EtcdVersion); err != nil {
		return err
	}
	if c.EtcdVersionPrev.Known() && !c.EtcdVersionPrev.Less(c.EtcdVersion) {
		return errorWithHint(fmt.Errorf("%s: %s is not older than the wanted etcd %s", c.source("etcd-version-prev"), c.EtcdVersionPrev, c.EtcdVersion),
			"name the minor that the cluster is upgraded from, or leave it out")
	}
	return nil
}

// Warnings are what works but is seldom meant, a sentence each.
func (c *Config) Warnings() []string {
	var warnings []string
	if c.HostedZone == "" && c.Bucket == "" {
		warnings = append(warnings, "neither --hosted-zone nor --bucket is given: there is no DNS, and a new cluster is not"+
			" claimed but formed by the quorum of the group's desired capacity")
	}
	if installed, err := c.Servers(); err == nil && c.EtcdVersionPrev.Known() && !slices.Contains(installed, c.EtcdVersionPrev) {
		warnings = append(warnings, fmt.Sprintf("%s: no etcd %s in %s: this instance cannot join a cluster"+
			" of that version", c.source("etcd-version-prev"), c.EtcdVersionPrev, c.EtcdDir))
	}
	return append(warnings, c.tlsWarnings()...)
}

// listMinors writes 3.5, 3.6 and 3.7.
func listMinors(minors []states.MinorVersion) string {
	var names []string
	for _, m := range minors {
		names = append(names, m.String())
	}
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
