package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// printPlay prints the environment that points tools at the cloud, and commands to begin with. They are real ones, to be
// copied into another terminal.
func printPlay(out io.Writer, r *rig.Rig) {
	section := func(title string, lines ...string) {
		fmt.Fprintf(out, "\n# %s\n%s\n", title, strings.Join(lines, "\n"))
	}
	section("The aws command line, pointed at this cloud", awsCommands(r)...)
	if endpoints := clientURLs(r.Latest()); endpoints != "" {
		section("etcd", "export ETCDCTL_ENDPOINTS="+endpoints,
			etcdctl(r)+" endpoint status -w table",
			etcdctl(r)+" put hello world")
	}
	if running := r.Latest().InService(); len(running) > 0 {
		section("The cluster in one screen, and as a page with its states", "etcd-appliance status --status-address "+statusOf(&running[0]),
			"http://"+statusOf(&running[0])+"/")
	}
	section("DNS", digCommands(r)...)
	if command, ok := discoverySRV(r); ok {
		section("etcd, found by its SRV records: etcdctl asks the system's resolver, so give it one of its own (as root)", command)
	}
	section("What the daemons say", "tail -f "+filepath.Join(r.Dir(), "i-*.log"))
	fmt.Fprintln(out)
}

func awsCommands(r *rig.Rig) []string {
	var lines []string
	for _, entry := range r.Cloud.Env("you", "") {
		if strings.HasPrefix(entry, "AWS_") { // the rest marks processes that end with the cloud
			lines = append(lines, "export "+entry)
		}
	}
	o := r.Options()
	lines = append(lines,
		"aws ec2 describe-instances --output table --query 'Reservations[].Instances[].[InstanceId,PrivateIpAddress,State.Name]'",
		"aws route53 list-resource-record-sets --output text --hosted-zone-id $(aws route53 list-hosted-zones --output text --query 'HostedZones[0].Id')")
	if v := r.Latest(); len(v.InService()) > 0 {
		lines = append(lines,
			"aws autoscaling terminate-instance-in-auto-scaling-group --no-should-decrement-desired-capacity --instance-id "+v.InService()[0].ID,
			fmt.Sprintf("aws autoscaling set-desired-capacity --auto-scaling-group-name %s --desired-capacity %d", o.Group, v.Desired+2))
	}
	return lines
}

func digCommands(r *rig.Rig) []string {
	host, port, err := net.SplitHostPort(r.Cloud.DNS())
	if err != nil {
		return nil
	}
	at := "dig @" + host + " +noall +answer "
	if port != "53" {
		at = "dig @" + host + " -p " + port + " +noall +answer "
	}
	return []string{at + r.Name() + " A", at + "_etcd-client._tcp." + r.Name() + " SRV"}
}

// clientURLs lists the members' client URLs as etcdctl wants them.
func clientURLs(v *observer.View) string {
	var urls []string
	for _, i := range v.InService() {
		urls = append(urls, "http://"+net.JoinHostPort(i.Address, "2379"))
	}
	return strings.Join(urls, ",")
}

// etcdctl is the one beside the servers, or else whichever is in the path.
func etcdctl(r *rig.Rig) string {
	beside := filepath.Join(r.Options().EtcdDir, "bin", "etcdctl")
	if _, err := os.Stat(beside); err == nil {
		return beside
	}
	return "etcdctl"
}

// discoverySRV is a command that lets etcdctl find the cluster through the cloud's name server: it gets a mount namespace of its
// own, in which resolv.conf names that server. There is no way without port 53, since resolv.conf names no ports.
func discoverySRV(r *rig.Rig) (string, bool) {
	host, port, err := net.SplitHostPort(r.Cloud.DNS())
	if err != nil || port != "53" || len(r.Latest().InService()) == 0 {
		return "", false
	}
	file := filepath.Join(r.Dir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver "+host+"\n"), 0o644); err != nil {
		return "", false
	}
	return fmt.Sprintf("unshare -m sh -c 'mount --bind %s /etc/resolv.conf && exec %s --discovery-srv %s member list -w table'", file, etcdctl(r), r.Name()), true
}

// statusOf is where the daemon of an instance serves its status.
func statusOf(i *observer.Instance) string { return net.JoinHostPort(i.Address, rig.StatusPort) }
