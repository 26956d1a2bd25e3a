package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files; read their diff before it is committed")

// fakeServers installs stand-ins for the servers of these minors.
func fakeServers(t *testing.T, minors ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, m := range minors {
		if err := os.Mkdir(filepath.Join(dir, m), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, m, "etcd"), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loadConfig is LoadConfig of a command line, an environment and the text of a file (none where empty).
func loadConfig(t *testing.T, args []string, env map[string]string, file string) (Config, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	flags := configFlags(&Config{})
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return LoadConfig(flags, func(name string) (string, bool) { text, ok := env[name]; return text, ok })
}

func TestConfigDefaults(t *testing.T) {
	c, err := loadConfig(t, []string{"--etcd-dir", fakeServers(t, "3.7")}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	c.EtcdDir, c.sources = "", nil
	got, _ := json.Marshal(c)
	want, _ := json.Marshal(Config{
		EtcdVersion: states.MinorVersion{Major: 3, Minor: 7}, DataDir: "/var/lib/etcd-appliance",
		ClientPort: 2379, PeerPort: 2380, SnapshotCount: 5000, TagInterval: 5 * time.Minute, LaunchingHook: "etcd-appliance-launching", TerminatingHook: "etcd-appliance-terminating", StopGrace: 40 * time.Second,
		OnTotalLoss: states.HaltOnTotalLoss, StatusAddress: "127.0.0.1:2381", LogFormat: "auto", LogLevel: "info", Address: "private",
	})
	if !bytes.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestConfigPrecedence(t *testing.T) {
	const file = "hosted-zone: file.example.org\n"
	ours := map[string]string{"ETCD_APPLIANCE_HOSTED_ZONE": "ours.example.org", "HOSTED_ZONE": "theirs.example.org"}
	theirs := map[string]string{"ETCD_APPLIANCE_HOSTED_ZONE": "", "HOSTED_ZONE": "theirs.example.org"}
	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want string
	}{
		{"flag over all", []string{"--hosted-zone", "flag.example.org"}, ours, file, "flag.example.org"},
		{"empty flag over all", []string{"--hosted-zone="}, ours, file, ""},
		{"our variable over the predecessor's", nil, ours, file, "ours.example.org"},
		{"predecessor's variable over the file", nil, theirs, file, "theirs.example.org"},
		{"empty variable is not set", nil, map[string]string{"HOSTED_ZONE": " "}, file, "file.example.org"},
		{"file over the default", nil, nil, file, "file.example.org"},
		{"key without a value is not set", nil, nil, "hosted-zone:\n", ""},
		{"null is not set", nil, nil, "hosted-zone: ~\n", ""},
		{"empty file", nil, nil, "# nothing\n", ""},
		{"default", nil, nil, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := loadConfig(t, append(tt.args, "--etcd-dir", fakeServers(t, "3.7")), tt.env, tt.file)
			if err != nil || c.HostedZone != tt.want {
				t.Errorf("got %q, %v; want %q", c.HostedZone, err, tt.want)
			}
		})
	}
}

// Every setting can be given in every source, and means the same there.
func TestConfigSources(t *testing.T) {
	dir, papers := fakeServers(t, "3.6", "3.7"), papers(t)
	values := map[string]string{
		"active-regions": "eu-central-1", "address": "public", "peer-security-group": "sg-0123456789abcdef0", "cluster-name": "releaseetcd", "group": "my group", "hosted-zone": "elephant.example.org.", "bucket": "my-claims",
		"on-total-loss": "new", "etcd-version": "3.7.3", "etcd-version-prev": "3.6", "etcd-dir": dir, "data-dir": "/data",
		"etcd-arg": "--quota-backend-bytes=1", "dry-run": "true", "status-address": "127.0.0.2:2382", "log-format": "json", "log-level": "debug",
		"client-port": "12379", "peer-port": "12380", "snapshot-count": "7", "stop-grace": "3s", "tag-interval": "7s", "launching-hook": "enter", "terminating-hook": "leave", "replace-unhealthy-after": "9m", "pass-etcd-env": "true",
		"cert-file": papers + "/server.pem", "key-file": papers + "/server.key", "trusted-ca-file": papers + "/ca.pem", "client-cert-auth": "true",
		"peer-cert-file": papers + "/both.pem", "peer-key-file": papers + "/both.key", "peer-trusted-ca-file": papers + "/ca.pem",
		"agent-cert-file": papers + "/client.pem", "agent-key-file": papers + "/client.key", "tls-server-name": "a.example.org",
	}
	var args []string
	env := map[string]string{}
	var file strings.Builder
	configFlags(&Config{}).VisitAll(func(f *pflag.Flag) {
		if f.Name == "config" {
			return
		}
		text, ok := values[f.Name]
		if !ok || text == f.DefValue {
			t.Errorf("--%s is not tried", f.Name)
		}
		args = append(args, "--"+f.Name+"="+text)
		env[variableOf(f.Name)] = text
		file.WriteString(f.Name + ": " + text + "\n")
	})
	var all []string
	for _, try := range []func() (Config, error){
		func() (Config, error) { return loadConfig(t, args, nil, "") },
		func() (Config, error) { return loadConfig(t, nil, env, "") },
		func() (Config, error) { return loadConfig(t, nil, nil, file.String()) },
	} {
		c, err := try()
		if err != nil {
			t.Fatal(err)
		}
		if len(c.sources) < len(values) {
			t.Errorf("sources of %d settings only: %v", len(c.sources), c.sources)
		}
		c.ConfigFile = ""
		text, _ := json.Marshal(c)
		all = append(all, string(text))
	}
	if len(slices.Compact(all)) != 1 {
		t.Errorf("sources differ:\n%s", strings.Join(all, "\n"))
	}
}

func TestConfigLists(t *testing.T) {
	dir := fakeServers(t, "3.7")
	env := map[string]string{"ETCD_APPLIANCE_ETCD_ARG": "--a=1  --b"}
	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want []string
	}{
		{"flag, alone", []string{"--etcd-arg=--c=x y", "--etcd-arg=--d"}, env, "", []string{"--c=x y", "--d"}},
		{"variable", nil, env, "etcd-arg: --e", []string{"--a=1", "--b"}},
		{"file", nil, nil, "etcd-arg: [--e=x y, --f]", []string{"--e=x y", "--f"}},
		{"one in the file", nil, nil, "etcd-arg: --e", []string{"--e"}},
		{"none in the file", nil, nil, "etcd-arg: []", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := loadConfig(t, append(tt.args, "--etcd-dir", dir), tt.env, tt.file)
			if err != nil || !slices.Equal(c.EtcdArgs, tt.want) {
				t.Errorf("got %q, %v; want %q", c.EtcdArgs, err, tt.want)
			}
		})
	}
}

func TestConfigVersion(t *testing.T) {
	for _, tt := range []struct {
		name      string
		installed []string
		env       map[string]string
		want      string
		warnings  int
	}{
		{"the one installed", []string{"3.7"}, nil, "3.7", 0},
		{"the one asked for", []string{"3.7", "3.6"}, map[string]string{"ETCDVERSION": "3.6"}, "3.6", 0},
		{"3.10 is not 3.1", []string{"3.1", "3.10"}, map[string]string{"ETCDVERSION": "3.10", "ETCDVERSION_PREV": "3.1"}, "3.10", 0},
		{"predecessor's environment", []string{"2.3", "3.0"}, map[string]string{"ETCDVERSION": "3.0.17", "ETCDVERSION_PREV": "2.3.8"}, "3.0", 0},
		{"older server missing", []string{"3.7"}, map[string]string{"ETCDVERSION_PREV": "3.6"}, "3.7", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := loadConfig(t, []string{"--bucket=my-claims", "--etcd-dir", fakeServers(t, tt.installed...)}, tt.env, "")
			if err != nil || c.EtcdVersion.String() != tt.want {
				t.Errorf("got %s, %v; want %s", c.EtcdVersion, err, tt.want)
			}
			if w := c.Warnings(); len(w) != tt.warnings {
				t.Errorf("warnings %q, want %d", w, tt.warnings)
			}
		})
	}
	t.Run("from the file as it is written", func(t *testing.T) {
		c, err := loadConfig(t, []string{"--etcd-dir", fakeServers(t, "3.1", "3.10")}, nil, "etcd-version: 3.10\n")
		if err != nil || c.EtcdVersion.String() != "3.10" {
			t.Errorf("got %s, %v", c.EtcdVersion, err)
		}
	})
}

func TestConfigServers(t *testing.T) {
	dir := fakeServers(t, "3.10", "3.9", "2.3", "bin", "3.7.3", "v3.8")
	_ = os.Mkdir(filepath.Join(dir, "3.4"), 0o755)                  // no server in it
	_ = os.MkdirAll(filepath.Join(dir, "3.5", "etcd"), 0o755)       // a directory
	_ = os.Mkdir(filepath.Join(dir, "3.6"), 0o755)                  //
	_ = os.WriteFile(filepath.Join(dir, "3.6", "etcd"), nil, 0o644) // not executable
	_ = os.WriteFile(filepath.Join(dir, "3.3"), nil, 0o644)         // not a directory
	c := Config{EtcdDir: dir}
	got, err := c.Servers()
	if err != nil || listMinors(got) != "2.3, 3.9 and 3.10" {
		t.Errorf("got %s, %v", listMinors(got), err)
	}
}

func TestConfigWithoutStoreWarns(t *testing.T) {
	c, err := loadConfig(t, []string{"--etcd-dir", fakeServers(t, "3.7")}, nil, "")
	if err != nil || len(c.Warnings()) != 1 || !strings.Contains(c.Warnings()[0], "quorum") {
		t.Errorf("got %q, %v", c.Warnings(), err)
	}
}

// Each wrong value, said of the environment; the other sources differ in nothing but their name.
func TestConfigWrongValues(t *testing.T) {
	for _, tt := range []struct{ variable, value, want, hint string }{
		{"CLUSTER_NAME", "Release_etcd", "is not a DNS label", "a-z, 0-9 and inner hyphens"},
		{"CLUSTER_NAME", "-a", "is not a DNS label", "a-z"},
		{"CLUSTER_NAME", strings.Repeat("a", 64), "is not a DNS label", "up to 63"},
		{"HOSTED_ZONE", "a..b", "is neither the name nor the ID of a hosted zone", "elephant.example.org"},
		{"BUCKET", "s3://claims", "is not the name of a bucket", "without s3://"},
		{"ON_TOTAL_LOSS", "panic", "is none of its values", "give new or halt, or unset the variable for the default, halt"},
		{"ETCD_VERSION", "latest", "is not a version", "MAJOR.MINOR"},
		{"ETCD_VERSION", "3", "is not a version", "MAJOR.MINOR"},
		{"ETCD_VERSION_PREV", "0.0", "is not a version", "such as 3.7"},
		{"ETCD_ARG", "quota", "is not an argument of etcd", "--quota-backend-bytes="},
		{"ETCD_ARG", "--force-new-cluster", "is an argument that the daemon itself decides", "--help-all"},
		{"ETCD_ARG", "-data-dir=/x", "is an argument that the daemon itself decides", "--help-all"},
		{"CLIENT_PORT", "http", "is not a port", "from 1 to 65535, or unset the variable for the default, 2379"},
		{"CLIENT_PORT", "0", "is not a port", "from 1"},
		{"PEER_PORT", "65536", "is not a port", "to 65535"},
		{"SNAPSHOT_COUNT", "0", "is not a count", "above zero"},
		{"STOP_GRACE", "40", "is not a positive duration", "its unit"},
		{"STOP_GRACE", "-1s", "is not a positive duration", "above zero"},
		{"STOP_GRACE", "0s", "is not a positive duration", "default, 40s"},
		{"DRY_RUN", "yes", "is neither true nor false", "true or false"},
		{"PASS_ETCD_ENV", "ETCD_NAME", "is neither true nor false", "true or false"},
		{"LOG_FORMAT", "text", "is none of its values", "json, console or auto"},
		{"STATUS_ADDRESS", "2381", "is not an address to listen on", "127.0.0.1:2381, or off"},
		{"STATUS_ADDRESS", "localhost:2381", "is not an address to listen on", "an IP address and a port"},
		{"STATUS_ADDRESS", "127.0.0.1:0", "is not an address to listen on", "or off"},
		{"ACTIVE_REGIONS", "eu-central-1,Frankfurt", "names no region with \"Frankfurt\"", "eu-central-1,eu-west-1"},
		{"ADDRESS", "10.0.0.1", "is none of its values", "private or public"},
		{"PEER_SECURITY_GROUP", "peers", "is not the ID of a security group", "sg-0123456789abcdef0"},
		{"LOG_LEVEL", "loud", "is none of its values", "trace, debug, info, warn or error"},
	} {
		t.Run(tt.variable+"="+tt.value, func(t *testing.T) {
			name := "ETCD_APPLIANCE_" + tt.variable
			_, err := loadConfig(t, nil, map[string]string{name: tt.value}, "")
			wantError(t, err, "environment variable "+name+": \""+tt.value+"\" "+tt.want, tt.hint)
		})
	}
	t.Run("predecessor's variable", func(t *testing.T) {
		_, err := loadConfig(t, nil, map[string]string{"ETCDVERSION": "new"}, "")
		wantError(t, err, `environment variable ETCDVERSION: "new" is not a version`, "unset the variable")
	})
	t.Run("a variable that is overruled is not read", func(t *testing.T) {
		if _, err := loadConfig(t, []string{"--stop-grace=1s", "--etcd-dir", fakeServers(t, "3.7")}, map[string]string{"ETCD_APPLIANCE_STOP_GRACE": "x"}, ""); err != nil {
			t.Error(err)
		}
	})
}

func TestConfigCrossChecks(t *testing.T) {
	three := fakeServers(t, "3.5", "3.6", "3.7")
	empty := fakeServers(t)
	for _, tt := range []struct {
		name       string
		args       []string
		env        map[string]string
		want, hint string
	}{
		{"equal ports", []string{"--client-port=2380"}, nil,
			"flag --client-port and default of --peer-port: both are 2380", "2379 for clients"},
		{"status on a port of etcd", []string{"--status-address=0.0.0.0:2379"}, nil, "flag --status-address: 2379 is a port of etcd", "such as 2381"},
		{"status on a port of etcd, everywhere", []string{"--status-address=:2380"}, nil, "flag --status-address: 2380 is a port of etcd", "such as 2381"},
		{"regions without a name", nil, map[string]string{"ACTIVE_REGIONS": "eu-central-1,eu-west-1"},
			"environment variable ACTIVE_REGIONS: several regions, and no --cluster-name", "the same name in all regions"},
		{"regions and a bucket", []string{"--active-regions=eu-central-1 eu-west-1", "--cluster-name=a", "--hosted-zone=b.c", "--bucket=abc"}, nil,
			"flag --bucket: a bucket is in one region", "--hosted-zone"},
		{"regions without a zone", []string{"--active-regions=eu-central-1,eu-west-1,eu-west-1", "--cluster-name=a"}, nil,
			"flag --active-regions: several regions, and no --hosted-zone", "the claim that makes theirs one cluster"},
		{"public addresses without TLS", []string{"--address=public"}, nil, "flag --address: public addresses without TLS", "VPC peering"},
		{"no directory", []string{"--etcd-dir", empty + "/none"}, nil, "flag --etcd-dir: open " + empty + "/none: no such file", "/none/3.7/etcd"},
		{"no server", []string{"--etcd-dir", empty}, nil, "flag --etcd-dir: no etcd server in " + empty, "/3.7/etcd"},
		{"several servers, none wanted", []string{"--etcd-dir", three}, nil,
			"--etcd-version is not given, and " + three + " holds 3.5, 3.6 and 3.7", "--etcd-version 3.7 or ETCDVERSION=3.7"},
		{"wanted one missing", []string{"--etcd-dir", three}, map[string]string{"ETCDVERSION": "3.8.1"},
			"environment variable ETCDVERSION: no etcd 3.8 in " + three + ", which holds 3.5, 3.6 and 3.7", "install " + three + "/3.8/etcd"},
		{"previous one not older", []string{"--etcd-dir", three, "--etcd-version=3.6"}, map[string]string{"ETCDVERSION_PREV": "3.6"},
			"environment variable ETCDVERSION_PREV: 3.6 is not older than the wanted etcd 3.6", "leave it out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadConfig(t, tt.args, tt.env, "")
			wantError(t, err, tt.want, tt.hint)
		})
	}
}

func TestConfigFileErrors(t *testing.T) {
	for _, tt := range []struct{ name, file, want, hint string }{
		{"wrong value", "group: g\n\nclient-port: http\n", `config.yaml:3: client-port: "http" is not a port`, "delete the line for the default, 2379"},
		{"wrong element", "etcd-arg: [--a, b]\n", `config.yaml:1: etcd-arg: "b" is not an argument`, "delete the line"},
		{"unknown key", "group: g\ncluster-nam: x\n", `config.yaml:2: unknown key "cluster-nam"`, "did you mean cluster-name?"},
		{"another spelling", "hostedZone: x\n", `config.yaml:1: unknown key "hostedZone"`, "did you mean hosted-zone?"},
		{"predecessor's name", "HOSTED_ZONE: x\n", `config.yaml:1: unknown key "HOSTED_ZONE"`, "did you mean hosted-zone?"},
		{"nothing near", "colour: x\n", `config.yaml:1: unknown key "colour"`, "--help-all"},
		{"a file names no file", "config: x\n", `config.yaml:1: unknown key "config"`, "--help-all"},
		{"twice", "stop-grace: 1s\ngroup: g\nstop-grace: 2s\n", "config.yaml:3: stop-grace is given a second time", "delete one"},
		{"nested", "group:\n  name: g\n", "config.yaml:1: group: takes no nested value", "group: VALUE"},
		{"a list for one value", "group: [a, b]\n", "config.yaml:1: group: takes one value, not 2", "give one value"},
		{"a list", "- group\n", "config.yaml:1: not a mapping", "cluster-name: releaseetcd"},
		{"two documents", "group: a\n---\ngroup: b\n", "more than one YAML document", "one YAML mapping"},
		{"not YAML", "group: a\n\tb: c\n", "config.yaml: yaml: line 2", "one YAML mapping"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := loadConfig(t, nil, nil, tt.file)
			wantError(t, err, tt.want, tt.hint)
		})
	}
	t.Run("missing", func(t *testing.T) {
		_, err := loadConfig(t, nil, map[string]string{"ETCD_APPLIANCE_CONFIG": "/none/config.yaml"}, "")
		wantError(t, err, "open /none/config.yaml: no such file", "ETCD_APPLIANCE_CONFIG")
	})
}

func wantError(t *testing.T, err error, want, hint string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q\nwant  %q", err, want)
	}
	if !strings.Contains(hintOf(err), hint) {
		t.Errorf("hint %q\nwant %q", hintOf(err), hint)
	}
}

func TestConfigExitCodes(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string // on stderr; on stdout where the code is 0
	}{
		{[]string{"--help"}, exitOK, "Usage: etcd-appliance COMMAND"},
		{[]string{"--version"}, exitOK, "etcd-appliance version dev"},
		{[]string{"run", "--help"}, exitOK, "Usage: etcd-appliance run"},
		{[]string{"run", "--help-all"}, exitOK, "Rarely used"},
		{nil, exitUsage, "etcd-appliance: no command given\n"},
		{[]string{"rum"}, exitUsage, "etcd-appliance: unknown command \"rum\"\netcd-appliance: hint: did you mean \"run\"?\n"},
		{[]string{"run", "x"}, exitUsage, "hint: etcd-appliance run --help shows how it is used\n"},
		{[]string{"run", "--hostedzone=x"}, exitUsage,
			"etcd-appliance: unknown flag: --hostedzone\netcd-appliance: hint: did you mean --hosted-zone?\n"},
		{[]string{"run", "--client-port=http"}, exitUsage, "etcd-appliance: flag --client-port: \"http\" is not a port\n" +
			"etcd-appliance: hint: give a whole number from 1 to 65535, or leave the flag out for the default, 2379\n"},
		{[]string{"run", "--help-all=x"}, exitUsage, "flag --help-all: \"x\" is not of type bool\n"},
		{[]string{"run", "--etcd-dir=/none"}, exitUsage, "etcd-appliance: flag --etcd-dir: open /none: no such file or directory\n"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(context.Background(), tt.args, &stdout, &stderr)
			got, other := &stderr, &stdout
			if tt.code == exitOK {
				got, other = &stdout, &stderr
			}
			if code != tt.code || !strings.Contains(got.String(), tt.want) || other.Len() > 0 {
				t.Errorf("code %d, stdout %q, stderr %q; want code %d and %q", code, &stdout, &stderr, tt.code, tt.want)
			}
		})
	}
}

func TestGoldenConfigHelp(t *testing.T) {
	path := filepath.Join("testdata", "config_help.txt")
	got := "$ etcd-appliance run --help\n" + runHelp(false) + "\n$ etcd-appliance run --help-all\n" + runHelp(true)
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page differs from %s; if it is meant to, run with -rewrite\n%s", path, got)
	}
}

// The page is written by hand, so it is held against the flags: none missing, none invented, every default right.
func TestConfigHelpIsTrue(t *testing.T) {
	for _, all := range []bool{false, true} {
		lines := strings.Split(strings.TrimSuffix(runHelp(all), "\n"), "\n")
		if !all && len(lines) > 30 {
			t.Errorf("%d lines do not fit one screen", len(lines))
		}
		for _, line := range lines {
			if len(line) > 80 {
				t.Errorf("longer than 80: %s", line)
			}
		}
		shown := map[string]string{} // flag -> its line
		for _, line := range lines {
			if m := regexp.MustCompile(`^  --([a-z-]+)`).FindStringSubmatch(line); m != nil {
				shown[m[1]] = line
			}
		}
		configFlags(&Config{}).VisitAll(func(f *pflag.Flag) {
			line, ok := shown[f.Name]
			delete(shown, f.Name)
			if want := all || !f.Hidden; ok != want {
				t.Errorf("all=%t: --%s shown: %t", all, f.Name, ok)
			}
			if ok && f.DefValue != "" && f.DefValue != "false" && !strings.HasSuffix(line, "(default: "+f.DefValue+")") {
				t.Errorf("default is %s: %s", f.DefValue, line)
			}
		})
		delete(shown, "help-all") // of the command, not of the configuration
		for name := range shown {
			t.Errorf("no such flag: --%s", name)
		}
	}
}

// The example and the sample file of the page work.
func TestConfigHelpExamples(t *testing.T) {
	dir := fakeServers(t, "3.6", "3.7")
	_, example, _ := strings.Cut(runHelp(false), "$ etcd-appliance run ")
	c, err := loadConfig(t, append(strings.Fields(example), "--etcd-dir", dir), nil, "")
	if err != nil || c.HostedZone == "" {
		t.Errorf("example: %+v, %v", c, err)
	}
	_, sample, _ := strings.Cut(runHelp(true), "A file for --config:\n")
	sample, _, _ = strings.Cut(sample, "\n\n")
	c, err = loadConfig(t, []string{"--etcd-dir", dir}, nil, sample)
	if err != nil || c.ClusterName == "" || len(c.EtcdArgs) != 2 {
		t.Errorf("sample file: %+v, %v", c, err)
	}
}

func TestConfigLogger(t *testing.T) {
	var out bytes.Buffer
	log := newLogger("auto", "warn", &out)
	log.Info().Msg("quiet")
	log.Warn().Msg("loud")
	var line struct{ Level, Time, Message string }
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %s", err, &out)
	}
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`).MatchString(line.Time) || line.Message != "loud" {
		t.Errorf("got %+v", line)
	}
	out.Reset()
	log = newLogger("console", "info", &out)
	log.Info().Str("member", "a").Msg("started")
	if got := out.String(); !regexp.MustCompile(`^\S+\.\d{3}Z INF started member=a\n$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
}
