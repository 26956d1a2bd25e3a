package main

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/effects/datadir"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/pki"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// papers is a directory with ca, other-ca, and certificates of ca: both, server, client and expired.
func papers(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ca, err := pki.New("authority")
	if err != nil {
		t.Fatal(err)
	}
	other, err := pki.New("another authority")
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*pki.CA{"ca": ca, "other-ca": other} {
		if _, err := a.Write(dir, name); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]pki.Certificate{
		"both": {}, "server": {Uses: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, "client": {Uses: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}},
		"expired": {NotAfter: time.Now().Add(-time.Hour)},
	} {
		c.Name = name
		if _, _, err := ca.Issue(dir, name, c); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestConfigTLS(t *testing.T) {
	dir := papers(t)
	for _, tt := range []struct {
		args       string // of the certificates by name
		want, hint string // nothing: it is taken
	}{
		{"", "", ""},
		{"cert-file=both.pem key-file=both.key trusted-ca-file=ca.pem", "", ""},
		{"cert-file=both.pem key-file=both.key trusted-ca-file=ca.pem client-cert-auth", "", ""},
		{"peer-cert-file=both.pem peer-key-file=both.key peer-trusted-ca-file=ca.pem", "", ""},
		{"cert-file=server.pem key-file=server.key trusted-ca-file=ca.pem", "", ""},
		{"cert-file=expired.pem key-file=expired.key trusted-ca-file=ca.pem", "", ""}, // a member restarts; the log is loud
		{"cert-file=server.pem key-file=server.key trusted-ca-file=ca.pem client-cert-auth agent-cert-file=client.pem agent-key-file=client.key", "", ""},

		{"cert-file=both.pem", "flag --cert-file: TLS for clients needs --key-file and --trusted-ca-file too", "all of them, or none"},
		{"cert-file=both.pem trusted-ca-file=ca.pem", "flag --cert-file, flag --trusted-ca-file: TLS for clients needs --key-file too", "all of them, or none"},
		{"peer-key-file=both.key", "flag --peer-key-file: TLS between members needs --peer-cert-file and --peer-trusted-ca-file too", "or none"},
		{"agent-key-file=client.key", "flag --agent-key-file: a certificate of the daemon's own needs --agent-cert-file too", "or none"},
		{"agent-cert-file=client.pem agent-key-file=client.key", "flag --agent-cert-file: clients are served without TLS", "--trusted-ca-file"},
		{"client-cert-auth", "flag --client-cert-auth: clients are served without TLS", "--cert-file"},
		{"tls-server-name=a.example.org", "flag --tls-server-name: clients are served without TLS", "--cert-file"},
		{"cert-file=none.pem key-file=both.key trusted-ca-file=ca.pem", "flag --cert-file: stat " + dir + "/none.pem: no such file", "docs/security.md"},
		{"cert-file=both.pem key-file=both.key trusted-ca-file=none.pem", "flag --cert-file: open " + dir + "/none.pem: no such file", "docs/security.md"},
		{"cert-file=both.pem key-file=server.key trusted-ca-file=ca.pem", "flag --cert-file: " + dir + "/both.pem and " + dir + "/server.key: tls: private key does not match", "docs/"},
		{"cert-file=both.pem key-file=both.key trusted-ca-file=other-ca.pem", "flag --cert-file: " + dir + "/both.pem is not signed by a certificate of " + dir + "/other-ca.pem", "servers"},
		{"cert-file=client.pem key-file=client.key trusted-ca-file=ca.pem", "flag --cert-file: " + dir + "/client.pem is not for servers", "for servers"},
		{"cert-file=server.pem key-file=server.key trusted-ca-file=ca.pem client-cert-auth", "flag --cert-file: " + dir + "/server.pem is not for clients", "--agent-cert-file"},
		{"cert-file=both.pem key-file=both.key trusted-ca-file=ca.pem agent-cert-file=server.pem agent-key-file=server.key", "flag --agent-cert-file: " + dir + "/server.pem is not for clients", "for clients"},
		{"peer-cert-file=server.pem peer-key-file=server.key peer-trusted-ca-file=ca.pem", "flag --peer-cert-file: " + dir + "/server.pem is not for clients", "for both"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			args := []string{"--etcd-dir", fakeServers(t, "3.7")}
			for _, arg := range strings.Fields(tt.args) {
				name, file, is := strings.Cut(arg, "=")
				switch {
				case !is:
					args = append(args, "--"+name)
				case strings.HasSuffix(name, "-file"):
					args = append(args, "--"+name+"="+filepath.Join(dir, file))
				default:
					args = append(args, "--"+arg)
				}
			}
			_, err := loadConfig(t, args, nil, "")
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantError(t, err, tt.want, tt.hint)
		})
	}
}

func TestConfigTLSOfOldServers(t *testing.T) {
	dir, servers := papers(t), fakeServers(t, "3.0", "3.2")
	args := []string{"--etcd-dir", servers, "--peer-cert-file", dir + "/both.pem", "--peer-key-file", dir + "/both.key", "--peer-trusted-ca-file", dir + "/ca.pem"}
	if _, err := loadConfig(t, append(args, "--etcd-version=3.2"), nil, ""); err != nil {
		t.Error(err)
	}
	_, err := loadConfig(t, append(args, "--etcd-version=3.0"), nil, "")
	wantError(t, err, "flag --etcd-version: etcd 3.0 with TLS is not supported", "3.2 or later")
}

func TestConfigTLSWarnings(t *testing.T) {
	dir := papers(t)
	args := []string{"--etcd-dir", fakeServers(t, "3.7"), "--hosted-zone=a.example.org",
		"--cert-file=" + dir + "/both.pem", "--key-file=" + dir + "/both.key", "--trusted-ca-file=" + dir + "/ca.pem"}
	warns := func(args []string) []string {
		c, err := loadConfig(t, args, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		return c.Warnings()
	}
	if got := warns(append(args, "--client-cert-auth")); len(got) > 0 {
		t.Errorf("warns for nothing: %q", got)
	}
	if got := warns(args); len(got) != 1 || !strings.Contains(got[0], "--client-cert-auth is not given") {
		t.Errorf("%q", got)
	}
	if err := os.Chmod(dir+"/both.key", 0o604); err != nil {
		t.Fatal(err)
	}
	if got := warns(append(args, "--client-cert-auth")); len(got) != 1 || !strings.Contains(got[0], "both.key is a private key, and every user of this machine may use it") {
		t.Errorf("%q", got)
	}
}

// What is told of certificates is told once a day, and when they change.
func TestCertificatesAreTold(t *testing.T) {
	dir := t.TempDir()
	ca, err := pki.New("authority")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Write(dir, "ca"); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	issue := func(left time.Duration) {
		t.Helper()
		if _, _, err := ca.Issue(dir, "peer", pki.Certificate{Name: "me", NotAfter: now.Add(left)}); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	issue(60*day + time.Hour)
	c := &TLS{}
	c.Peers.Cert, c.Peers.Key, c.Peers.CA = dir+"/peer.pem", dir+"/peer.key", dir+"/ca.pem"
	certificates, err := openCertificates(c)
	if err != nil {
		t.Fatal(err)
	}
	tells := func(after time.Duration, want ...string) {
		t.Helper()
		var out bytes.Buffer
		certificates.tell(now.Add(after), zerolog.New(&out))
		var got []string
		for line := range strings.Lines(out.String()) {
			var entry struct {
				Level, Message, File string
				Days                 int `json:"days_left"`
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			if entry.File != c.Peers.CA {
				got = append(got, entry.Level+" "+strings.Fields(entry.Message)[1]+" "+(time.Duration(entry.Days)*day).String())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("after %s: %q, and it is to be %q", after, got, want)
		}
	}
	tells(0, "info is 1440h0m0s")
	tells(time.Minute)
	tells(day - time.Minute)
	tells(day, "info is 1416h0m0s")
	tells(31*day, "warn expires 696h0m0s")
	tells(61*day, "error HAS 0s")
	issue(400 * day)
	tells(61*day+time.Minute, "info is 8112h0m0s")
	if err := os.WriteFile(c.Peers.Key, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	tells(61*day+2*time.Minute, "error certificates 0s")
	tells(61*day + 3*time.Minute)
}

// Each certificate goes by the setting that names its file. The daemon as a client trusts whom its server trusts: that is told once.
func TestCertificatesGoByTheirSettings(t *testing.T) {
	dir := papers(t)
	ca := dir + "/ca.pem"
	c := &TLS{AgentCert: dir + "/client.pem", AgentKey: dir + "/client.key"}
	c.Clients.Cert, c.Clients.Key, c.Clients.CA = dir+"/server.pem", dir+"/server.key", ca
	c.Peers.Cert, c.Peers.Key, c.Peers.CA = dir+"/both.pem", dir+"/both.key", ca
	certificates, err := openCertificates(c)
	if err != nil {
		t.Fatal(err)
	}
	list, errs := certificates.Expiries()
	var got []string
	for _, one := range list {
		got = append(got, one.Setting+" "+filepath.Base(one.File)+" "+one.Subject)
	}
	want := []string{
		"cert-file server.pem CN=server", "trusted-ca-file ca.pem CN=authority",
		"peer-cert-file both.pem CN=both", "peer-trusted-ca-file ca.pem CN=authority", "agent-cert-file client.pem CN=client",
	}
	if !slices.Equal(got, want) || len(errs) > 0 {
		t.Errorf("%q, %v, and it is to be %q", got, errs, want)
	}
}

// A member that the others know by one scheme is not started with the other.
func TestTLSOfAMemberStays(t *testing.T) {
	dir := papers(t)
	tlsArgs := []string{"--peer-cert-file", dir + "/both.pem", "--peer-key-file", dir + "/both.key", "--peer-trusted-ca-file", dir + "/ca.pem"}
	for name, tt := range map[string]struct {
		was  bool
		args []string
	}{"turned on": {false, tlsArgs}, "turned off": {true, nil}} {
		t.Run(name, func(t *testing.T) {
			data, servers := t.TempDir(), fakeServers(t, "3.7")
			d, err := datadir.New(data)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.UseTLS(tt.was); err != nil {
				t.Fatal(err)
			}
			start := states.StartEtcd{Name: "i-1", Address: "10.0.0.1", State: states.ClusterNew, Minor: states.MinorVersion{Major: 3, Minor: 7}}
			if err := d.RecordStart(start); err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(data+"/etcd/member/wal", 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(data+"/etcd/member/wal/0.wal", []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := loadConfig(t, append([]string{"--etcd-dir", servers, "--data-dir", data}, tt.args...), nil, "")
			if err != nil {
				t.Fatal(err)
			}
			err = runDaemon(t.Context(), c, nil, zerolog.Nop())
			wantError(t, err, "TLS of the peer traffic cannot be turned on or off for a member that exists: the member in "+data+"/etcd is known", "docs/security.md")
		})
	}
}
