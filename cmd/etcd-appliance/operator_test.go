package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// operatorConfig is what a command for operators finds, with an environment file of that text beside it.
func operatorConfig(t *testing.T, text string, args ...string) (operator, Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "environment")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var o operator
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	o.addFlags(flags)
	if err := flags.Parse(append(args, "--environment-file", path)); err != nil {
		t.Fatal(err)
	}
	c, err := o.config(flags)
	return o, c, err
}

// A shell has not the environment that the unit gives to the daemon, and its certificates and etcd's arguments are in it.
func TestOperatorsFindTheDaemonsSettings(t *testing.T) {
	data := t.TempDir()
	o, c, err := operatorConfig(t, `# of the daemon
ETCD_APPLIANCE_ETCD_ARG=--auto-compaction-retention=1 --experimental-initial-corrupt-check=true
ETCD_APPLIANCE_TRUSTED_CA_FILE="/etc/etcd/ca.pem"
ETCD_APPLIANCE_DATA_DIR=`+data+`
ETCD_APPLIANCE_CLIENT_PORT=4001
HOSTED_ZONE=example.org
`)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"--auto-compaction-retention=1", "--experimental-initial-corrupt-check=true"}; !slices.Equal(c.EtcdArgs, want) {
		t.Errorf("arguments of etcd: %q, want %q", c.EtcdArgs, want)
	}
	if c.HostedZone != "example.org" || c.TLS.Clients.CA != "/etc/etcd/ca.pem" {
		t.Errorf("zone %q and CA %q", c.HostedZone, c.TLS.Clients.CA)
	}
	members, err := o.members(&c)
	if want := []string{"https://127.0.0.1:4001"}; err != nil || !slices.Equal(members, want) {
		t.Errorf("members %q, %v, want %q", members, err, want)
	}
}

func TestShellAndFlagsComeBeforeTheDaemonsEnvironment(t *testing.T) {
	t.Setenv("ETCD_APPLIANCE_CLIENT_PORT", "4002")
	_, c, err := operatorConfig(t, "ETCD_APPLIANCE_CLIENT_PORT=4001\nETCD_APPLIANCE_DATA_DIR=/var/a\n", "--data-dir", "/var/b")
	if err != nil || c.ClientPort != 4002 || c.DataDir != "/var/b" {
		t.Errorf("port %d, data in %s, %v", c.ClientPort, c.DataDir, err)
	}
}

func TestEnvironmentFileThatSaysNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"ETCD_APPLIANCE_CLIENT_PORT=http\n": "environment: ETCD_APPLIANCE_CLIENT_PORT: \"http\"",
		"hello\n":                           "line 1",
	} {
		if _, _, err := operatorConfig(t, text); err == nil || !strings.Contains(err.Error(), want) || hintOf(err) == "" {
			t.Errorf("%q: %v (%s), want %q", text, err, hintOf(err), want)
		}
	}
}
