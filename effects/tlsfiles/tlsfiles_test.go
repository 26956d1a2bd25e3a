package tlsfiles_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/pki"
)

// place is a directory with an authority and what it signs.
type place struct {
	*testing.T
	dir string
	ca  *pki.CA
	tlsfiles.Files
}

func newPlace(t *testing.T, c pki.Certificate) *place {
	t.Helper()
	p := &place{T: t, dir: t.TempDir()}
	var err error
	if p.ca, err = pki.New("authority"); err != nil {
		t.Fatal(err)
	}
	if p.CA, err = p.ca.Write(p.dir, "ca"); err != nil {
		t.Fatal(err)
	}
	p.issue(c)
	return p
}

func (p *place) issue(c pki.Certificate) {
	p.Helper()
	var err error
	if p.Cert, p.Key, err = p.ca.Issue(p.dir, "one", c); err != nil {
		p.Fatal(err)
	}
}

func (p *place) open() *tlsfiles.Identity {
	p.Helper()
	i, err := tlsfiles.Open(p.Files)
	if err != nil {
		p.Fatal(err)
	}
	return i
}

func (p *place) write(path, text string) {
	p.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

// handshake lets a client of the configuration meet a server with a certificate of the place, and gives what each saw of the other.
func (p *place) handshake(client *tls.Config) (shown *x509.Certificate, err error) {
	p.Helper()
	pair, err := tls.LoadX509KeyPair(p.Cert, p.Key)
	if err != nil {
		p.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAnyClientCert})
	if err != nil {
		p.Fatal(err)
	}
	defer l.Close()
	served := make(chan *x509.Certificate, 1)
	go func() {
		defer close(served)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if conn.(*tls.Conn).Handshake() == nil {
			served <- conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
		}
	}()
	conn, err := (&tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: client}).DialContext(p.Context(), "tcp", l.Addr().String())
	if err == nil {
		_, _ = io.Copy(io.Discard, conn) // to the end
		conn.Close()
	}
	return <-served, err
}

func TestClientVerifiesAddressOrName(t *testing.T) {
	for _, tt := range []struct {
		name   string
		c      pki.Certificate
		server string
		wrong  string // what the client says of it
	}{
		{"by its address", pki.Certificate{Addresses: []string{"127.0.0.1"}}, "", ""},
		{"another's address", pki.Certificate{Addresses: []string{"127.0.0.9"}}, "", "valid for 127.0.0.9, not 127.0.0.1"},
		{"a name alone", pki.Certificate{DNSNames: []string{"a.example.org"}}, "", "doesn't contain any IP SANs"},
		{"by the name given", pki.Certificate{DNSNames: []string{"a.example.org"}}, "a.example.org", ""},
		{"another name than given", pki.Certificate{DNSNames: []string{"b.example.org"}, Addresses: []string{"127.0.0.1"}}, "a.example.org", "not a.example.org"},
		{"expired", pki.Certificate{Addresses: []string{"127.0.0.1"}, NotAfter: time.Now().Add(-time.Hour)}, "", "expired"},
		{"for clients only", pki.Certificate{Addresses: []string{"127.0.0.1"}, Uses: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, "", "incompatible key usage"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t, tt.c)
			_, err := p.handshake(p.open().Client(tt.server))
			if tt.wrong == "" && err != nil || tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("%v, and it is to be %q", err, tt.wrong)
			}
		})
	}
}

func TestClientTrustsNoOtherAuthority(t *testing.T) {
	p := newPlace(t, pki.Certificate{Addresses: []string{"127.0.0.1"}})
	client := p.open().Client("")
	other := newPlace(t, pki.Certificate{Addresses: []string{"127.0.0.1"}})
	if _, err := other.handshake(client); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("%v", err)
	}
}

// What is shown goes over to a renewed certificate, and never to half of one.
func TestRenewal(t *testing.T) {
	p := newPlace(t, pki.Certificate{Name: "old", Addresses: []string{"127.0.0.1"}})
	i := p.open()
	client := i.Client("")
	shows := func(want string) {
		t.Helper()
		shown, err := p.handshake(client)
		if err != nil || shown.Subject.CommonName != want {
			t.Errorf("shows %v, %v; want %s", shown, err, want)
		}
	}
	shows("old")
	p.issue(pki.Certificate{Name: "new", Addresses: []string{"127.0.0.1"}})
	shows("new")

	key, err := os.ReadFile(p.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, old := p.Cert, p.Key
	p.Cert, p.Key, err = p.ca.Issue(t.TempDir(), "server", pki.Certificate{Addresses: []string{"127.0.0.1"}}) // of the test's server
	if err != nil {
		t.Fatal(err)
	}
	p.write(old, "half a ke")
	shows("new")
	if list, err := i.Expiries(); err == nil || len(list) != 2 || !strings.Contains(err.Error(), filepath.Base(old)) {
		t.Errorf("tells %v, %v of a key that cannot be read", list, err)
	}
	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	shows("new")
	p.write(old, string(key))
	shows("new")
	if _, err := i.Expiries(); err != nil {
		t.Errorf("%s and its key are well again: %v", cert, err)
	}
}

func TestOpenTellsWhichFile(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(*place)
		want  string
	}{
		{"no certificate", func(p *place) { _ = os.Remove(p.Cert) }, "one.pem: no such file"},
		{"no key", func(p *place) { _ = os.Remove(p.Key) }, "one.key: no such file"},
		{"no CA", func(p *place) { _ = os.Remove(p.CA) }, "ca.pem: no such file"},
		{"a certificate that is none", func(p *place) { p.write(p.Cert, "x") }, "one.pem"},
		{"a CA without a certificate", func(p *place) { p.write(p.CA, "x") }, "ca.pem holds no certificate"},
		{"a CA that cannot be read", func(p *place) {
			p.write(p.CA, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
		}, "ca.pem: x509"},
		{"another's key", func(p *place) {
			if _, key, err := p.ca.Issue(p.dir, "two", pki.Certificate{}); err == nil {
				p.Key = key
			}
		}, "private key does not match"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t, pki.Certificate{})
			tt.spoil(p)
			if _, err := tlsfiles.Open(p.Files); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	server, client := x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	for _, tt := range []struct {
		name  string
		c     pki.Certificate
		other bool // the authority of the file is another
		want  string
	}{
		{"for both", pki.Certificate{}, false, ""},
		{"for servers", pki.Certificate{Uses: []x509.ExtKeyUsage{server}}, false, "one.pem is not for clients"},
		{"for clients", pki.Certificate{Uses: []x509.ExtKeyUsage{client}}, false, "one.pem is not for servers"},
		{"another's", pki.Certificate{}, true, "one.pem is not signed by a certificate of "},
		{"expired", pki.Certificate{NotAfter: time.Now().Add(-time.Hour)}, false, ""}, // told elsewhere, and no reason not to start
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t, tt.c)
			if tt.other {
				p.CA = newPlace(t, pki.Certificate{}).CA
			}
			err := p.open().Check(server, client)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
}

func TestExpiries(t *testing.T) {
	end := time.Now().Add(40 * time.Hour).Truncate(time.Second)
	p := newPlace(t, pki.Certificate{Name: "me", NotAfter: end})
	list, err := p.open().Expiries()
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	if e := list[0]; e.File != p.Cert || e.Subject != "CN=me" || !e.NotAfter.Equal(end) || e.Left(end.Add(-time.Hour)) != time.Hour {
		t.Errorf("%+v", e)
	}
	if e := list[1]; e.File != p.CA || e.Subject != "CN=authority" || e.Left(time.Now()) < 3000*24*time.Hour {
		t.Errorf("%+v", e)
	}
}

// Where nobody wants to see a certificate, the authority is enough.
func TestClientWithoutCertificate(t *testing.T) {
	p := newPlace(t, pki.Certificate{})
	i, err := tlsfiles.Open(tlsfiles.Files{CA: p.CA})
	if err != nil {
		t.Fatal(err)
	}
	if c := i.Client(""); c.GetClientCertificate != nil || c.RootCAs == nil || c.MinVersion < tls.VersionTLS12 {
		t.Errorf("%+v", c)
	}
}
