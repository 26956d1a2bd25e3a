package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// TLS is how etcd and the daemon prove who they are. The names of the flags are those of etcd, where it has one. Peers always show
// each other certificates: whoever can speak to a peer port can write the log of the cluster.
type TLS struct {
	// Clients has the certificate that etcd shows its clients, and the CA of the certificates of clients and members. Empty:
	// clients are served without TLS.
	Clients tlsfiles.Files
	// ClientCertAuth has etcd refuse clients without a certificate. Default false, as in etcd.
	ClientCertAuth bool
	// Peers has the certificate that etcd shows its peers, whoever of the two calls. Empty: no TLS between members.
	Peers tlsfiles.Files
	// AgentCert and AgentKey are what the daemon shows as a client of etcd. Default: those of Clients.
	AgentCert, AgentKey string
	// ServerName is the name that the certificates of all members have. Default: each has the address of its own.
	ServerName string
}

func tlsFlags(fs *pflag.FlagSet, t *TLS) {
	path := optional(parsePath)
	addSetting(fs, "cert-file", &t.Clients.Cert, "", path).Hidden = true
	addSetting(fs, "key-file", &t.Clients.Key, "", path).Hidden = true
	addSetting(fs, "trusted-ca-file", &t.Clients.CA, "", path).Hidden = true
	auth := addSetting(fs, "client-cert-auth", &t.ClientCertAuth, "false", parseBool)
	auth.NoOptDefVal, auth.Hidden = "true", true
	addSetting(fs, "peer-cert-file", &t.Peers.Cert, "", path).Hidden = true
	addSetting(fs, "peer-key-file", &t.Peers.Key, "", path).Hidden = true
	addSetting(fs, "peer-trusted-ca-file", &t.Peers.CA, "", path).Hidden = true
	addSetting(fs, "agent-cert-file", &t.AgentCert, "", path).Hidden = true
	addSetting(fs, "agent-key-file", &t.AgentKey, "", path).Hidden = true
	addSetting(fs, "tls-server-name", &t.ServerName, "", parseText).Hidden = true
}

// agent is who the daemon is as a client of etcd.
func (t *TLS) agent() tlsfiles.Files {
	files := t.Clients
	if t.AgentCert != "" {
		files.Cert, files.Key = t.AgentCert, t.AgentKey
	}
	return files
}

// client is how a member is asked on its client port; nil without TLS.
func (t *TLS) client() (*tls.Config, error) {
	if t.Clients.CA == "" {
		return nil, nil
	}
	identity, err := tlsfiles.Open(t.agent())
	if err != nil {
		return nil, err
	}
	return identity.Client(t.ServerName), nil
}

// peer is how a member is asked on its peer port; nil without TLS. Members are known to each other by their addresses alone, so
// that no other name serves there.
func (t *TLS) peer() (*tls.Config, error) {
	if t.Peers.CA == "" {
		return nil, nil
	}
	identity, err := tlsfiles.Open(t.Peers)
	if err != nil {
		return nil, err
	}
	return identity.Client(""), nil
}

// validateTLS checks that what is given is whole, can be read, and would be taken by the other members.
func (c *Config) validateTLS() error {
	for _, together := range []struct {
		what  string
		flags []string
		given []string
	}{
		{"TLS for clients", []string{"cert-file", "key-file", "trusted-ca-file"}, []string{c.TLS.Clients.Cert, c.TLS.Clients.Key, c.TLS.Clients.CA}},
		{"TLS between members", []string{"peer-cert-file", "peer-key-file", "peer-trusted-ca-file"}, []string{c.TLS.Peers.Cert, c.TLS.Peers.Key, c.TLS.Peers.CA}},
		{"a certificate of the daemon's own", []string{"agent-cert-file", "agent-key-file"}, []string{c.TLS.AgentCert, c.TLS.AgentKey}},
	} {
		if err := c.allOrNothing(together.what, together.flags, together.given); err != nil {
			return err
		}
	}
	if c.TLS.Clients.Cert == "" {
		for _, without := range []struct {
			flag string
			set  bool
		}{{"client-cert-auth", c.TLS.ClientCertAuth}, {"agent-cert-file", c.TLS.AgentCert != ""}, {"tls-server-name", c.TLS.ServerName != ""}} {
			if without.set {
				return errorWithHint(fmt.Errorf("%s: clients are served without TLS", c.source(without.flag)), "give --cert-file, --key-file and --trusted-ca-file too")
			}
		}
	}
	return c.checkCertificates()
}

// tlsSince is the first minor that reads its certificates again when they are renewed (CHANGELOG-3.2). Of those before, 3.0 does not
// offer HTTP/2 over TLS when it is built by today's Go, without which no client of version 3 talks to it.
var tlsSince = states.MinorVersion{Major: 3, Minor: 2}

func (c *Config) tlsFits(server states.MinorVersion) error {
	if (c.TLS.Clients.Cert != "" || c.TLS.Peers.Cert != "") && server.Less(tlsSince) {
		return errorWithHint(fmt.Errorf("%s: etcd %s with TLS is not supported", c.source("etcd-version"), server), "run etcd "+tlsSince.String()+" or later, or leave the certificates out")
	}
	return nil
}

func (c *Config) allOrNothing(what string, flags, values []string) error {
	var given, missing []string
	for i, flag := range flags {
		if values[i] != "" {
			given = append(given, c.source(flag))
		} else {
			missing = append(missing, "--"+flag)
		}
	}
	if len(given) == 0 || len(missing) == 0 {
		return nil
	}
	return errorWithHint(fmt.Errorf("%s: %s needs %s too", strings.Join(given, ", "), what, strings.Join(missing, " and ")), "give all of them, or none")
}

// checkCertificates finds at the start what would show only later, as members that do not find together.
func (c *Config) checkCertificates() error {
	server, client := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	if c.TLS.Clients.Cert != "" {
		if err := c.checkCertificate("cert-file", c.TLS.Clients, "it must be for servers", server); err != nil {
			return err
		}
	}
	if c.TLS.ClientCertAuth || c.TLS.AgentCert != "" {
		flag, hint := "agent-cert-file", "it must be for clients"
		if c.TLS.AgentCert == "" {
			flag, hint = "cert-file", "with --client-cert-auth it must be for clients too, or the daemon be given another one with --agent-cert-file and --agent-key-file"
		}
		if err := c.checkCertificate(flag, c.TLS.agent(), hint, client); err != nil {
			return err
		}
	}
	if c.TLS.Peers.Cert != "" {
		return c.checkCertificate("peer-cert-file", c.TLS.Peers, "a member is a server and a client of its peers, and its certificate must be for both", server, client)
	}
	return nil
}

func (c *Config) checkCertificate(flag string, files tlsfiles.Files, hint string, uses ...x509.ExtKeyUsage) error {
	identity, err := tlsfiles.Open(files)
	if err != nil {
		return errorWithHint(fmt.Errorf("%s: %w", c.source(flag), err), "docs/security.md tells what each file holds")
	}
	if err := identity.Check(uses...); err != nil {
		return errorWithHint(fmt.Errorf("%s: %w", c.source(flag), err), hint)
	}
	return nil
}

// tlsWarnings are what works but is seldom meant, a sentence each.
func (c *Config) tlsWarnings() (warnings []string) {
	if c.TLS.Clients.Cert != "" && !c.TLS.ClientCertAuth {
		warnings = append(warnings, "--client-cert-auth is not given: whoever reaches the client port reads and writes everything")
	}
	for _, key := range []string{c.TLS.Clients.Key, c.TLS.Peers.Key, c.TLS.AgentKey} {
		if info, err := os.Stat(key); key != "" && err == nil && info.Mode().Perm()&0o007 != 0 {
			warnings = append(warnings, fmt.Sprintf("%s is a private key, and every user of this machine may use it (mode %s)", key, info.Mode().Perm()))
		}
	}
	return warnings
}
