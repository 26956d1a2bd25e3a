// Package templates is what a platform team installs the daemon with: templates of CloudFormation and senza, an IAM policy, a
// unit of systemd and user data for cloud-init. Their text is in the directory text; the policy, the unit and the script of the
// user data are written once, and put into whatever else needs them.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

//go:embed text
var files embed.FS

// Values are the choices of a template that has no parameters of its own.
type Values struct {
	ClusterName string
	// HostedZone is a name, in lower case and without the last dot, as Route53's condition keys have it.
	HostedZone   string
	HostedZoneID string // empty: the daemon looks the zone up by its name
	Bucket       string // empty: the claim is in the zone
	Group        string // the auto-scaling group
	Partition    string // of AWS: aws, aws-cn, aws-us-gov
	Region       string
	Account      string
	// ActiveRegions and PeerSecurityGroup are for a cluster that spans regions, whose peers are let in by address; empty: it does not.
	ActiveRegions, PeerSecurityGroup string

	EtcdVersion     string
	EtcdVersionPrev string
	Source          string // https:// or s3:// of a release's archive, or a container image
	SHA256          string // of the archive; empty: not checked
	DataDevice      string // block device for the data; empty: the root file system
}

// CloudFormation is a template with parameters of its own.
func CloudFormation() (string, error) {
	v := Values{
		ClusterName: "${StackVersion}", HostedZone: "${HostedZone}", HostedZoneID: "${Zone}", Group: "etcd-cluster-${StackVersion}",
		Partition: "${AWS::Partition}", Region: "${AWS::Region}", Account: "${AWS::AccountId}",
		EtcdVersion: "${EtcdVersion}", EtcdVersionPrev: "${EtcdVersionPrev}", Source: "${Source}", SHA256: "${SourceSha256}", DataDevice: "/dev/sdf",
		ActiveRegions: "${ActiveRegions}",
	}
	return stack("cloudformation.yaml", v)
}

// Senza is a definition file of https://github.com/zalando-stups/senza, which makes a CloudFormation template of it. The zone is
// known by its name only, as it was to the daemon's predecessor.
func Senza() (string, error) {
	const cluster = "{{SenzaInfo.StackVersion}}"
	return stack("senza.yaml", Values{
		ClusterName: cluster, HostedZone: "{{Arguments.HostedZone}}", Group: "etcd-cluster-" + cluster,
		Partition: "${AWS::Partition}", Region: "${AWS::Region}", Account: "${AWS::AccountId}",
	})
}

// stack puts the policy and the user data into a template of AWS resources. The rights to let peers in are a policy of their own there,
// which a stack has when it spans regions.
func stack(name string, v Values) (string, error) {
	policy, err := IAMPolicy(v)
	if err != nil {
		return "", err
	}
	if v.ActiveRegions != "" {
		v.PeerSecurityGroup = "${PeerSecurityGroup}"
	}
	peers, err := v.Peers()
	if err != nil {
		return "", err
	}
	data, err := CloudInit(v)
	if err != nil {
		return "", err
	}
	return render(name, struct{ Policy, Peers, UserData string }{substituted(policy), substituted(peers), data})
}

// parameter finds the strings of a policy in which CloudFormation is to replace something.
var parameter = regexp.MustCompile(`"[^"]*\$\{[^"]*"`)

// zoneOf tells Fn::Sub what Zone is: the one that the stack makes, or the one that it was given.
const zoneOf = `{"Zone": {"Fn::If": ["MakeZone", {"Ref": "Zone"}, {"Ref": "HostedZoneId"}]}}`

// substituted is a policy in which CloudFormation replaces what stands in ${}. JSON is YAML, too.
func substituted(policy string) string {
	return parameter.ReplaceAllStringFunc(policy, func(text string) string {
		if strings.Contains(text, "${Zone}") {
			return `{"Fn::Sub": [` + text + `, ` + zoneOf + `]}`
		}
		text = strings.ReplaceAll(text, "${PeerSecurityGroup}", "${SecurityGroup.GroupId}")
		return `{"Fn::Sub": ` + text + `}`
	})
}

// IAMPolicy allows the calls that the daemon makes, and no others.
func IAMPolicy(v Values) (string, error) { return render("iam-policy.json", v) }

// Peers are the statements of a policy by which daemons let in peers of other regions.
func (v Values) Peers() (string, error) { return render("iam-peers.json", v) }

// Unit is the systemd unit: of the daemon itself, or of its container when the source is an image.
func Unit(v Values) (string, error) {
	if v.Source != "" && !v.archive() {
		return render("etcd-appliance-container.service", v)
	}
	return render("etcd-appliance.service", v)
}

// CloudInit is user data that installs the source and starts it.
func CloudInit(v Values) (string, error) {
	data := struct{ DataDevice, EnvironmentFile, Unit, ContainerUnit, Install string }{DataDevice: v.DataDevice}
	for name, into := range map[string]*string{
		"environment": &data.EnvironmentFile, "etcd-appliance.service": &data.Unit,
		"etcd-appliance-container.service": &data.ContainerUnit, "install.sh": &data.Install,
	} {
		text, err := render(name, v)
		if err != nil {
			return "", err
		}
		*into = text
	}
	// Only a parameter can become either.
	if !strings.HasPrefix(v.Source, "${") {
		if v.archive() {
			data.ContainerUnit = ""
		} else {
			data.Unit = ""
		}
	}
	return render("cloud-init.yaml", data)
}

// archive tells a release's archive from a container image.
func (v Values) archive() bool {
	return strings.HasPrefix(v.Source, "https://") || strings.HasPrefix(v.Source, "s3://")
}

// Environment are the lines of the environment file. A variable without a value counts as not set.
func (v Values) Environment() []string {
	zone := v.HostedZoneID
	if zone == "" {
		zone = v.HostedZone
	}
	return []string{
		"ETCD_APPLIANCE_CLUSTER_NAME=" + v.ClusterName,
		"ETCD_APPLIANCE_HOSTED_ZONE=" + zone,
		"ETCD_APPLIANCE_BUCKET=" + v.Bucket,
		"ETCD_APPLIANCE_ETCD_VERSION=" + v.EtcdVersion,
		"ETCD_APPLIANCE_ETCD_VERSION_PREV=" + v.EtcdVersionPrev,
		"ETCD_APPLIANCE_ACTIVE_REGIONS=" + v.ActiveRegions,
		"ETCD_APPLIANCE_PEER_SECURITY_GROUP=" + v.PeerSecurityGroup,
	}
}

// render fills in a file. Its actions stand in <% %>, since senza's stand in {{ }} and the shell knows [[ ]].
func render(name string, data any) (string, error) {
	t := template.New(name).Delims("<%", "%>").Option("missingkey=error").Funcs(template.FuncMap{"indent": indent})
	if _, err := t.ParseFS(files, "text/"+name); err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return out.String(), nil
}

// indent moves text into a block of YAML.
func indent(spaces int, text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", spaces) + line
		}
	}
	return strings.Join(lines, "\n")
}
