package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	autoscalingtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/miekg/dns"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/roll"
	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/awsclient"
	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// rollFlags say which cluster is rolled, and to what.
type rollFlags struct {
	to                               states.MinorVersion
	replace, yes                     bool
	group, cluster, zone, nameserver string
	tls                              TLS
	stepTimeout                      time.Duration
}

func newRollCommand() *cobra.Command {
	var f rollFlags
	cmd := &cobra.Command{
		Use:   "roll",
		Short: "take a whole cluster to another minor, one instance after the other",
		Long: `Take every member of a cluster to another minor of etcd, and watch until all is well.

In place, which is the default, the tag etcd-version of the group is set, and the
daemons take turns. With --replace the group's instances are terminated one by one,
the leader last; the new ones must be configured for the new minor (launch template).

Before each step, and at the end, every instance of the group must be a healthy voter
of one cluster, the upgrade lock free, and DNS right. The roll stops at the first thing
that is not as it should be, and says what it saw. Nothing is lost by that, or by
Ctrl-C: the same command goes on where it has ended.

It needs the rights to describe the group and its instances, and to set its tags or to
terminate its instances; a name server that knows the hosted zone; and the client ports.`,
		Example: "  etcd-appliance roll --group releaseetcd --hosted-zone elephant.example.org --to 3.7\n" +
			"  etcd-appliance roll --group releaseetcd --hosted-zone elephant.example.org --to 3.7 --replace",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	addSetting(flags, "to", &f.to, "", optional(parseMinor)).Usage = "minor that every instance is to run, such as 3.7"
	flags.BoolVar(&f.replace, "replace", false, "by new instances instead of in place")
	flags.StringVar(&f.group, "group", "", "name of the auto-scaling group")
	addSetting(flags, "hosted-zone", &f.zone, "", optional(parseZone)).Usage = "name of the hosted zone that the cluster is published in"
	addSetting(flags, "cluster-name", &f.cluster, "", optional(parseClusterName)).Usage = "first label of the DNS names (default: the group's name)"
	flags.StringVar(&f.nameserver, "nameserver", "", "asked for the DNS records, as HOST or HOST:PORT (default: that of /etc/resolv.conf)")
	path := optional(parsePath)
	addSetting(flags, "cert-file", &f.tls.Clients.Cert, "", path).Usage = "certificate to show to members"
	addSetting(flags, "key-file", &f.tls.Clients.Key, "", path).Usage = "its private key"
	addSetting(flags, "trusted-ca-file", &f.tls.Clients.CA, "", path).Usage = "CA of the members' certificates; without it members are asked without TLS"
	addSetting(flags, "tls-server-name", &f.tls.ServerName, "", parseText).Usage = "that the members' certificates have"
	flags.DurationVar(&f.stepTimeout, "step-timeout", 15*time.Minute, "how long the roll may go without any progress")
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	for _, name := range []string{"to", "group", "hosted-zone"} {
		_ = cmd.MarkFlagRequired(name)
	}
	return cmd
}

func (f *rollFlags) run(ctx context.Context, in io.Reader, out io.Writer) error {
	nameserver, err := nameserverOf(f.nameserver)
	if err != nil {
		return usageError{errorWithHint(err, "name one with --nameserver")}
	}
	settings, err := awsclient.Settings(ctx)
	if err != nil {
		return err
	}
	groups := autoscaling.NewFromConfig(settings)
	tls, err := f.tls.client()
	if err != nil {
		return usageError{err}
	}
	watcher := observer.New(observer.Target{
		Groups: []observer.Group{{Name: f.group, AutoScaling: groups, EC2: ec2.NewFromConfig(settings)}},
		DNS:    nameserver, Cluster: cmp.Or(f.cluster, f.group), Zone: f.zone, TLS: tls, V2: true,
	})
	defer watcher.Close()
	etcd, closeEtcd := newAnyEtcd(tls)
	defer closeEtcd()
	if err := f.agreesWithTag(ctx, groups); err != nil {
		return err
	}
	if !f.yes && !f.confirmed(in, out) {
		return errors.New("nothing was done")
	}
	o := roll.Options{
		To: f.to, Replace: f.replace, StepTimeout: f.stepTimeout, Pause: 500 * time.Millisecond,
		Look: watcher.Look, Locks: locksOf(etcd), Show: roll.Lines(out),
		Want: func(ctx context.Context, minor states.MinorVersion) error {
			return setVersionTag(ctx, groups, f.group, minor)
		},
		Terminate: func(ctx context.Context, instance string) error { return terminate(ctx, groups, instance) },
	}
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" {
		o.Show = roll.Table(out, f.to)
	}
	begun := time.Now()
	switch err := roll.Run(ctx, o); {
	case ctx.Err() != nil:
		return errorWithHint(errors.New("interrupted; what has begun is ended by the daemons"), "the same command goes on where this one has ended")
	case err != nil:
		return errorWithHint(fmt.Errorf("the roll stops: %w", err), "the same command goes on once this is in order")
	}
	fmt.Fprintf(out, "Every instance of %s runs etcd %s, and all is well. It took %s.\n", f.group, f.to, time.Since(begun).Round(time.Second))
	return nil
}

// confirmed asks, since a roll ends instances or servers that others use.
func (f *rollFlags) confirmed(in io.Reader, out io.Writer) bool {
	what := "have its instances change their servers one after the other"
	if f.replace {
		what = "terminate its instances one after the other"
	}
	fmt.Fprintf(out, "Take the group %s to etcd %s, and %s? [y/N] ", f.group, f.to, what)
	answer := bufio.NewScanner(in)
	return answer.Scan() && strings.EqualFold(strings.TrimSpace(answer.Text()), "y")
}

// nameserverOf gives host and port.
func nameserverOf(given string) (string, error) {
	if given == "" {
		found, err := dns.ClientConfigFromFile("/etc/resolv.conf")
		if err != nil {
			return "", fmt.Errorf("no name server is known: %w", err)
		}
		if len(found.Servers) == 0 {
			return "", errors.New("/etc/resolv.conf names no name server")
		}
		return net.JoinHostPort(found.Servers[0], found.Port), nil
	}
	if _, _, err := net.SplitHostPort(given); err == nil {
		return given, nil
	}
	return net.JoinHostPort(given, "53"), nil
}

// locksOf reads both records of upgrades.
func locksOf(etcd effects.Etcd) func(context.Context, []string) (lock, halt states.UpgradeLock, err error) {
	return func(ctx context.Context, endpoints []string) (lock, halt states.UpgradeLock, err error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return effects.ReadUpgrade(ctx, etcd, endpoints)
	}
}

// agreesWithTag makes sure that new instances are not told otherwise by the group's tag, which goes before what they are configured
// for. In place the tag is set anyway.
func (f *rollFlags) agreesWithTag(ctx context.Context, groups *autoscaling.Client) error {
	if !f.replace {
		return nil
	}
	found, err := groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{f.group}})
	if err != nil {
		return fmt.Errorf("read the tags of the group: %w", err)
	}
	for _, g := range found.AutoScalingGroups {
		for _, tag := range g.Tags {
			if minor, _, err := states.ParseWanted(aws.ToString(tag.Value)); aws.ToString(tag.Key) == effects.VersionTag && (err != nil || minor != f.to) {
				return errorWithHint(fmt.Errorf("the group's tag %s says %q, which new instances would run", effects.VersionTag, aws.ToString(tag.Value)),
					"delete the tag, or roll without --replace, which sets it")
			}
		}
	}
	return nil
}

// setVersionTag has every instance of the group want a minor; see effects.VersionTag.
func setVersionTag(ctx context.Context, groups *autoscaling.Client, group string, minor states.MinorVersion) error {
	_, err := groups.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []autoscalingtypes.Tag{{
		ResourceId: &group, ResourceType: aws.String("auto-scaling-group"), PropagateAtLaunch: aws.Bool(false),
		Key: aws.String(effects.VersionTag), Value: aws.String(minor.String()),
	}}})
	return err
}

func terminate(ctx context.Context, groups *autoscaling.Client, instance string) error {
	_, err := groups.TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
		InstanceId: &instance, ShouldDecrementDesiredCapacity: aws.Bool(false),
	})
	return err
}
