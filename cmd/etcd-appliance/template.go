package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/status/monitoring"
	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/templates"
)

// newTemplateCommand prints what the daemon is installed with.
func newTemplateCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "template",
		Short: "print what to install the daemon with: CloudFormation, senza, IAM, systemd, cloud-init",
		Long: `Print a template to install the daemon with, filled in with what its flags say.
Each is checked by tools that are not ours; docs/install.md goes through them.`,
		Example: "  etcd-appliance template cloudformation -o etcd-cluster.yaml\n" +
			"  etcd-appliance template iam-policy --cluster-name releaseetcd --hosted-zone elephant.example.org",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, c := range cmd.Commands() {
				fmt.Fprintf(cmd.OutOrStdout(), "%-15s %s\n", c.Name(), c.Short)
			}
			return nil
		},
	}
	cmd.PersistentFlags().StringVarP(&output, "output", "o", "", "write into this file instead of standard output")
	var v templates.Values
	for _, c := range []struct {
		name, short string
		flags       func(*pflag.FlagSet, *templates.Values)
		text        func() (string, error)
	}{
		{"cloudformation", "a stack: launch template, group with lifecycle hooks, security group, role, zone", nil, templates.CloudFormation},
		{"senza", "the same as a definition file of senza, for Taupage", nil, templates.Senza},
		{"iam-policy", "the calls that the daemon makes, and no others", policyFlags, func() (string, error) { return templates.IAMPolicy(v) }},
		{"systemd", "the unit of the daemon, hardened", unitFlags, func() (string, error) { return templates.Unit(v) }},
		{"cloud-init", "user data that installs the daemon and starts it", cloudInitFlags, func() (string, error) { return templates.CloudInit(v) }},
		{"alerts", "rules for Prometheus; docs/alerts.md says what to do about each", nil, func() (string, error) { return string(monitoring.Alerts), nil }},
		{"grafana", "a dashboard for Grafana", nil, func() (string, error) { return string(monitoring.Dashboard), nil }},
	} {
		sub := &cobra.Command{
			Use: c.name, Short: c.short, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				text, err := c.text()
				if err != nil {
					return err
				}
				if output != "" {
					return os.WriteFile(output, []byte(text), 0o644)
				}
				_, err = fmt.Fprint(cmd.OutOrStdout(), text)
				return err
			},
		}
		if c.flags != nil {
			sub.Flags().SortFlags = false
			c.flags(sub.Flags(), &v)
		}
		if sub.Flags().Lookup("source") != nil {
			if err := sub.MarkFlagRequired("source"); err != nil {
				panic(err) // it is there
			}
		}
		cmd.AddCommand(sub)
	}
	return cmd
}

// templateFlag is a flag whose value is checked as the daemon would, so that no template holds what the daemon refuses.
func templateFlag[T ~string](fs *pflag.FlagSet, field *T, name, byDefault, usage string, parse func(string) (T, error)) {
	addSetting(fs, name, field, byDefault, parse).Usage = usage
}

func clusterFlags(fs *pflag.FlagSet, v *templates.Values) {
	templateFlag(fs, &v.ClusterName, "cluster-name", "releaseetcd", "name of the cluster, the first label of its DNS names", parseClusterName)
	templateFlag(fs, &v.HostedZone, "hosted-zone", "elephant.example.org", "name of the private hosted zone; empty for no DNS", optional(parseZoneName))
	templateFlag(fs, &v.HostedZoneID, "hosted-zone-id", "", "its ID: narrower rights, and one call less", optional(parseZoneID))
	templateFlag(fs, &v.Bucket, "bucket", "", "S3 bucket of the claim (default: the claim is in the zone)", optional(parseBucket))
}

func policyFlags(fs *pflag.FlagSet, v *templates.Values) {
	clusterFlags(fs, v)
	templateFlag(fs, &v.Group, "group", "*", "name of the auto-scaling group", parseARNPart)
	templateFlag(fs, &v.Partition, "partition", "aws", "aws, aws-cn or aws-us-gov", oneOf("aws", "aws-cn", "aws-us-gov"))
	templateFlag(fs, &v.Region, "region", "*", "region of the group", parseARNPart)
	templateFlag(fs, &v.Account, "account", "*", "account of the group", parseARNPart)
	templateFlag(fs, &v.PeerSecurityGroup, "peer-security-group", "", "ID of the security group to let peers of other regions in, or * for any (default: no such right)", optional(parseARNPart))
}

func unitFlags(fs *pflag.FlagSet, v *templates.Values) {
	templateFlag(fs, &v.Source, "image", "", "run this container image (default: the installed binary)", optional(parseSource))
}

func cloudInitFlags(fs *pflag.FlagSet, v *templates.Values) {
	clusterFlags(fs, v)
	templateFlag(fs, &v.EtcdVersion, "etcd-version", "3.7", "version of etcd to run", parseVersionOf)
	templateFlag(fs, &v.EtcdVersionPrev, "etcd-version-prev", "", "a setting of the predecessor's: checked, not used", optional(parseVersionOf))
	templateFlag(fs, &v.Source, "source", "", "https:// or s3:// of a release's archive, or a container image", optional(parseSource))
	templateFlag(fs, &v.SHA256, "sha256", "", "checksum of the archive (default: not checked)", optional(parseSHA256))
	templateFlag(fs, &v.DataDevice, "data-device", "", "block device for the data, such as /dev/sdf (default: the root volume)", optional(parsePath))
}

var (
	zoneIDPattern  = regexp.MustCompile(`^[A-Z0-9]{1,32}$`)
	arnPartPattern = regexp.MustCompile(`^[A-Za-z0-9_.*-]+$`)
	sourcePattern  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@%+~=-]+$`)
	sha256Pattern  = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// parseZoneName gives the name as Route53's condition keys have it.
func parseZoneName(text string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(text, "."))
	if _, err := parseZone(text); err != nil || zoneIDPattern.MatchString(text) || strings.HasPrefix(text, "/") {
		return "", refuse("is not the name of a hosted zone", "give one such as elephant.example.org, and its ID with --hosted-zone-id")
	}
	return name, nil
}

func parseZoneID(text string) (string, error) {
	id := strings.TrimPrefix(text, "/hostedzone/")
	if !zoneIDPattern.MatchString(id) {
		return "", refuse("is not the ID of a hosted zone", "give one such as Z3M3LMPEXAMPLE")
	}
	return id, nil
}

func parseARNPart(text string) (string, error) {
	if !arnPartPattern.MatchString(text) {
		return "", refuse("is no part of an ARN", "give letters, digits, dots, hyphens and underscores, or * for any")
	}
	return text, nil
}

func parseSource(text string) (string, error) {
	if !sourcePattern.MatchString(text) {
		return "", refuse("is neither an address nor an image", "give one such as https://example.org/etcd-appliance.tar.gz or registry.example.org/etcd-appliance:1.0")
	}
	return text, nil
}

func parseSHA256(text string) (string, error) {
	if !sha256Pattern.MatchString(text) {
		return "", refuse("is not a SHA-256 checksum", "give the 64 hexadecimal digits that sha256sum prints")
	}
	return text, nil
}

// parseVersionOf keeps a version as it was written.
func parseVersionOf(text string) (string, error) {
	_, _, err := parseVersion(text)
	return text, err
}
