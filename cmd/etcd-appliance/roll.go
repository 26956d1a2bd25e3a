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
	to                       states.MinorVersion
	replace, yes             bool
	group, cluster           string
	zone, bucket, nameserver string
	also                     []string // groups in other regions, as region=name
	tls                      TLS
	stepTimeout              time.Duration
}

func newRollCommand() *cobra.Command {
	var f rollFlags
	cmd := &cobra.Command{
		Use:   "roll",
		Short: "take a whole cluster to another minor, one instance after the other",
		Long: `Take every member of a cluster to another minor of etcd, and watch until all is well.

In place, which is the default, the tag etcd-version of the group is set, and the
daemons take turns, each when the others are well. With --replace the group's instances
are terminated one by one, the leader last; the new ones must be configured for the new
minor (launch template).

Before each termination, and at the end, every instance of the group must be a healthy
voter of one cluster, the upgrade lock free, and DNS and the claim right. The roll stops
at the first thing that is not as it should be, and says what it saw. Nothing is lost by
that, or by Ctrl-C: the same command goes on where it has ended.

It needs the rights to describe the group and its instances, and to set its tags or to
terminate its instances; a name server that knows the hosted zone, where there is one,
and the right to read the bucket, where that has the claim; and the client ports.`,
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
	flags.StringArrayVar(&f.also, "also", nil, "the cluster's group in another region, as REGION=NAME; repeatable")
	addSetting(flags, "hosted-zone", &f.zone, "", optional(parseZone)).Usage = "name of the hosted zone that the cluster is published in"
	addSetting(flags, "bucket", &f.bucket, "", optional(parseBucket)).Usage = "S3 bucket of the cluster's claim, where that is no record of the zone"
	addSetting(flags, "cluster-name", &f.cluster, "", optional(parseClusterName)).Usage = "first label of the DNS names (default: the group's name)"
	flags.StringVar(&f.nameserver, "nameserver", "", "asked for the DNS records, as HOST or HOST:PORT (default: that of /etc/resolv.conf)")
	path := optional(parsePath)
	addSetting(flags, "cert-file", &f.tls.Clients.Cert, "", path).Usage = "certificate to show to members"
	addSetting(flags, "key-file", &f.tls.Clients.Key, "", path).Usage = "its private key"
	addSetting(flags, "trusted-ca-file", &f.tls.Clients.CA, "", path).Usage = "CA of the members' certificates; without it members are asked without TLS"
	addSetting(flags, "tls-server-name", &f.tls.ServerName, "", parseText).Usage = "that the members' certificates have"
	flags.DurationVar(&f.stepTimeout, "step-timeout", 15*time.Minute, "how long the roll may go without any progress")
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	for _, name := range []string{"to", "group"} {
		_ = cmd.MarkFlagRequired(name)
	}
	cmd.MarkFlagsOneRequired("hosted-zone", "bucket")
	return cmd
}

func (f *rollFlags) run(ctx context.Context, in io.Reader, out io.Writer) error {
	nameserver, err := nameserverOf(f.nameserver)
	if err != nil && f.zone != "" {
		return usageError{errorWithHint(err, "name one with --nameserver")}
	}
	settings, err := awsclient.Settings(ctx)
	if err != nil {
		return err
	}
	groups, err := f.groups(settings)
	if err != nil {
		return usageError{err}
	}
	tls, err := f.tls.client()
	if err != nil {
		return usageError{err}
	}
	watcher := observer.New(observer.Target{
		Groups: groups, DNS: nameserver, Cluster: cmp.Or(f.cluster, f.group), Zone: f.zone,
		Bucket: f.bucket, S3: &awsclient.Clients{}, TLS: tls, V2: true,
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
			return setVersionTag(ctx, groups, minor)
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

// groups are all of the cluster's.
func (f *rollFlags) groups(settings aws.Config) ([]observer.Group, error) {
	at := func(region, name string) observer.Group {
		in := settings.Copy()
		in.Region = region
		return observer.Group{Name: name, AutoScaling: autoscaling.NewFromConfig(in), EC2: ec2.NewFromConfig(in)}
	}
	groups := []observer.Group{at(settings.Region, f.group)}
	for _, also := range f.also {
		region, name, _ := strings.Cut(also, "=")
		if !regionPattern.MatchString(region) || name == "" || region == settings.Region {
			return nil, errorWithHint(fmt.Errorf("flag --also: %q names no group in another region than %s", also, settings.Region), "give such as eu-west-1=etcd-cluster")
		}
		groups = append(groups, at(region, name))
	}
	return groups, nil
}

// agreesWithTag makes sure that new instances are not told otherwise by their group's tag, which goes before what they are configured
// for. In place the tag is set anyway.
func (f *rollFlags) agreesWithTag(ctx context.Context, groups []observer.Group) error {
	if !f.replace {
		return nil
	}
	for i := range groups {
		asked := &groups[i]
		found, err := asked.AutoScaling.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{asked.Name}})
		if err != nil {
			return fmt.Errorf("read the tags of group %s: %w", asked.Name, err)
		}
		for _, g := range found.AutoScalingGroups {
			if err := f.agrees(&g); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *rollFlags) agrees(g *autoscalingtypes.AutoScalingGroup) error {
	for _, tag := range g.Tags {
		if minor, _, err := states.ParseWanted(aws.ToString(tag.Value)); aws.ToString(tag.Key) == effects.VersionTag && (err != nil || minor != f.to) {
			return errorWithHint(fmt.Errorf("tag %s of group %s says %q, which new instances would run", effects.VersionTag, aws.ToString(g.AutoScalingGroupName), aws.ToString(tag.Value)),
				"delete the tag, or roll without --replace, which sets it")
		}
	}
	return nil
}

// setVersionTag has every instance of the groups want a minor; see effects.VersionTag.
func setVersionTag(ctx context.Context, groups []observer.Group, minor states.MinorVersion) error {
	for i := range groups {
		g := &groups[i]
		if _, err := g.AutoScaling.CreateOrUpdateTags(ctx, &autoscaling.CreateOrUpdateTagsInput{Tags: []autoscalingtypes.Tag{{
			ResourceId: &g.Name, ResourceType: aws.String("auto-scaling-group"), PropagateAtLaunch: aws.Bool(false),
			Key: aws.String(effects.VersionTag), Value: aws.String(minor.String()),
		}}}); err != nil {
			return fmt.Errorf("tag group %s: %w", g.Name, err)
		}
	}
	return nil
}

// terminate asks each group in turn: only the one that an instance is in knows it.
func terminate(ctx context.Context, groups []observer.Group, instance string) error {
	var err error
	for i := range groups {
		_, err = groups[i].AutoScaling.TerminateInstanceInAutoScalingGroup(ctx, &autoscaling.TerminateInstanceInAutoScalingGroupInput{
			InstanceId: &instance, ShouldDecrementDesiredCapacity: aws.Bool(false),
		})
		if err == nil {
			return nil
		}
	}
	return err
}
