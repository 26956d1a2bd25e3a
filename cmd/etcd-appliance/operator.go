package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/etcd-appliance/etcd-appliance/effects/datadir"
)

// operator is what the commands have in common that a human gives to a living cluster: where its members are. On an instance that
// need not be said, since the configuration and the data of its daemon tell.
type operator struct {
	endpoints []string
	daemon    daemonConfig
}

// daemonConfig is where the daemon of this instance has its settings from, for a shell that has not: its environment is the unit's.
type daemonConfig struct{ environmentFile string }

func (d *daemonConfig) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&d.environmentFile, "environment-file", "/etc/etcd-appliance/environment", "the daemon's environment, as its unit reads it")
}

func (d *daemonConfig) read(flags *pflag.FlagSet) (Config, error) {
	file, err := fromEnvironmentFile(d.environmentFile)
	if err != nil {
		return Config{}, err
	}
	return readConfig(flags, fromEnv(os.LookupEnv), file)
}

// addFlags adds --endpoints, and the named settings of the daemon.
func (o *operator) addFlags(flags *pflag.FlagSet, more ...string) {
	flags.StringSliceVar(&o.endpoints, "endpoints", nil, "client URLs of members (default: the member of this instance)")
	o.daemon.addFlags(flags)
	usage := map[string]string{
		"config": "the daemon's configuration file", "data-dir": "the daemon's data directory",
		"cert-file": "certificate to show to members", "key-file": "its private key", "trusted-ca-file": "CA of the members' certificates",
		"tls-server-name": "that the members' certificates have",
		"etcd-dir":        "holds X.Y/etcd", "group": "auto-scaling group (default: that of a member's instance)",
	}
	settings := configFlags(&Config{})
	for _, name := range append([]string{"config", "data-dir", "cert-file", "key-file", "trusted-ca-file", "tls-server-name"}, more...) {
		f := settings.Lookup(name)
		f.Usage, f.Hidden = usage[name], false
		flags.AddFlag(f)
	}
}

// config is the configuration of the daemon of this instance; the defaults beside an error.
func (o *operator) config(flags *pflag.FlagSet) (Config, error) {
	c, err := o.daemon.read(flags)
	if err != nil {
		c = Config{}
		configFlags(&c)
	}
	return c, err
}

// members are the client URLs that were given, or else that of the member whose data is here.
func (o *operator) members(c *Config) ([]string, error) {
	if len(o.endpoints) > 0 {
		return o.endpoints, nil
	}
	if _, err := os.ReadDir(c.DataDir); errors.Is(err, fs.ErrPermission) {
		return nil, errorWithHint(fmt.Errorf("where is the member of this instance? %w", err), "run this as root, or name a member with --endpoints")
	}
	host := datadir.Peek(c.DataDir).Inspect().Address
	if host == "" {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if c.TLS.Clients.CA != "" {
		scheme = "https://"
	}
	return []string{scheme + net.JoinHostPort(host, strconv.Itoa(c.ClientPort))}, nil
}
