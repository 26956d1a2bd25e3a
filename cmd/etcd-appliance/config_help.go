package main

// The page of run --help. It is written by hand and fits one screen of 80 by 30; a test holds it against the flags.
const (
	runPage = `Usage: etcd-appliance run [flags]

Run etcd on this EC2 instance as a member of its auto-scaling group's cluster.

The cluster
  --cluster-name NAME       its name in DNS (default: the group's name)
  --group NAME              auto-scaling group (default: this instance's)
  --hosted-zone NAME|ID     Route53 zone to publish in (default: no DNS)
  --bucket NAME             S3 bucket of the bootstrap claim (default: the zone)
  --on-total-loss new|halt  once every member is proven gone (default: halt)
etcd
  --etcd-version X.Y[.Z]    version to run (default: the one installed)
  --etcd-version-prev X.Y   a setting of the predecessor's: checked, not used
  --etcd-dir DIR            holds X.Y/etcd (default: /opt/etcd)
  --data-dir DIR            where the data is (default: /var/lib/etcd-appliance)
  --etcd-arg=--NAME=VALUE   one more argument for etcd; repeatable
The daemon
  --config FILE             YAML with the names of flags as keys
  --dry-run                 say what would be done, and do nothing
  --status-address ADDRESS  health, metrics; or off (default: 127.0.0.1:2381)
  --log-format FORMAT       json, console or auto (default: auto)
  --log-level LEVEL         trace, debug, info, warn or error (default: info)
`

	runPageRare = `Rarely used
  --active-regions LIST     all that the cluster spans (default: this one)
  --peer-security-group ID  let peers of other regions in here (default: none)
  --address private|public  at which members meet (default: private)
  --client-port PORT        of etcd, for clients (default: 2379)
  --peer-port PORT          of etcd, for its peers (default: 2380)
  --snapshot-count N        raft entries between two snapshots (default: 5000)
  --tag-interval DURATION   between looks at the group's tags (default: 5m)
  --launching-hook NAME     of the group (default: etcd-appliance-launching)
                            which a healthy voter completes
  --terminating-hook NAME   of the group (default: etcd-appliance-terminating)
                            which an instance completes that has left
  --replace-unhealthy-after DURATION  of a member (default: 0s)
                            until the group replaces its instance; 0s is never
  --stop-grace DURATION     from SIGTERM to SIGKILL for etcd (default: 40s)
  --pass-etcd-env           let etcd see ETCD_* variables too

TLS, from PEM files; without them all traffic is plain. See docs/security.md.
  --cert-file FILE          etcd's certificate towards clients
  --key-file FILE           its private key
  --trusted-ca-file FILE    CA of the certificates of members and of clients
  --client-cert-auth        refuse clients without a certificate
  --peer-cert-file FILE     etcd's certificate towards the other members
  --peer-key-file FILE      its private key
  --peer-trusted-ca-file FILE  CA of those of all members
  --agent-cert-file FILE    the daemon's as a client (default: --cert-file)
  --agent-key-file FILE     its private key
  --tls-server-name NAME    that all members' certificates have for clients
                            (default: each has its instance's private address)

Every flag has a variable, such as ETCD_APPLIANCE_STOP_GRACE. An empty variable
counts as not set. Spaces separate the arguments in ETCD_APPLIANCE_ETCD_ARG.

A file for --config:
  cluster-name: releaseetcd
  hosted-zone: elephant.example.org
  etcd-version: 3.7
  etcd-arg: [--quota-backend-bytes=8589934592, --auto-compaction-retention=1h]
`

	runPageEnd = `
A flag wins over ETCD_APPLIANCE_<FLAG>, that over HOSTED_ZONE, ETCDVERSION,
ETCDVERSION_PREV and ACTIVE_REGIONS, and these over the file.

Example:
  $ etcd-appliance run --hosted-zone elephant.example.org --etcd-version 3.7
`
)

func runHelp(all bool) string {
	if all {
		return runPage + runPageRare + runPageEnd
	}
	return runPage + "  --help-all                this page with the flags that are rarely used\n" + runPageEnd
}
