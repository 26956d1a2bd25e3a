// Package tlsfiles reads the certificates of one kind of traffic from files: to check them before anything is started with them,
// to present them where the daemon is a client, and to tell when they expire.
//
// A certificate and its key are read again when their files change, as etcd itself does from 3.2 on at each handshake
// (client/pkg/transport/listener.go baseConfig), so that both go over to a renewed one without a restart. The certificates that are
// trusted are read once, as etcd reads them: which are trusted changes with a restart of both.
package tlsfiles

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Files are PEM files. Who only asks needs no certificate where nobody wants to see it.
type Files struct {
	Cert string // the certificate, followed by those between it and CA
	Key  string // its private key
	CA   string // the certificates that are trusted
}

// Identity is who one is, and whom one trusts. It may be used concurrently.
type Identity struct {
	files Files
	roots *x509.CertPool
	ca    []*x509.Certificate

	mu     sync.Mutex
	stamp  [2]stamp
	pair   *tls.Certificate
	broken error // why the files, as they are now, were not taken
}

// stamp changes with a file.
type stamp struct {
	size     int64
	modified time.Time
}

// Open reads the files. Its errors name the file that is wrong.
func Open(files Files) (*Identity, error) {
	i := &Identity{files: files, roots: x509.NewCertPool()}
	var err error
	if i.ca, err = certificates(files.CA); err != nil {
		return nil, err
	}
	for _, c := range i.ca {
		i.roots.AddCert(c)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if files.Cert == "" {
		return i, nil
	}
	if i.refresh(); i.pair == nil {
		return nil, i.broken
	}
	return i, nil
}

// certificates reads all certificates of a file.
func certificates(path string) (list []*x509.Certificate, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s holds no certificate in PEM format", path)
	}
	return list, nil
}

// refresh reads the certificate and the key if they have changed. While they do not fit together, because one of them is yet to be
// replaced, the pair of before stays. Called with mu held.
func (i *Identity) refresh() {
	var now [2]stamp
	for n, path := range []string{i.files.Cert, i.files.Key} {
		info, err := os.Stat(path)
		if err != nil {
			i.broken = err
			return
		}
		now[n] = stamp{info.Size(), info.ModTime()}
	}
	if now == i.stamp {
		i.broken = nil
		return
	}
	pair, err := tls.LoadX509KeyPair(i.files.Cert, i.files.Key)
	if err != nil {
		i.broken = fmt.Errorf("%s and %s: %w", i.files.Cert, i.files.Key, err)
		return // and read again next time
	}
	i.pair, i.stamp, i.broken = &pair, now, nil
}

// current is the newest pair that could be read, and what is wrong with the files if it is not theirs.
func (i *Identity) current() (*tls.Certificate, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refresh()
	return i.pair, i.broken
}

// Client is how a server is asked: it must prove by a certificate that the CA has signed that it is whom its address says, or, when
// a name is given, that it is of that name; and it is shown the certificate, should it want one.
func (i *Identity) Client(name string) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: i.roots, ServerName: name} // the least that etcd takes
	if i.files.Cert != "" {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, _ := i.current() // while it is being replaced the one of before serves
			return pair, nil
		}
	}
	return c
}

// Check tells, of an identity with a certificate, whether others who trust the same CA would take the certificate for each of the uses. That it has expired, or is not
// valid yet, is no mistake of the configuration, and [Identity.Expiries] tells it.
func (i *Identity) Check(uses ...x509.ExtKeyUsage) error {
	pair, _ := i.current()
	between := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%s: %w", i.files.Cert, err)
		}
		between.AddCert(c)
	}
	for _, use := range uses {
		_, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: i.roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{use}})
		var invalid x509.CertificateInvalidError
		var unknown x509.UnknownAuthorityError
		switch {
		case err == nil, errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
			return fmt.Errorf("%s is not for %s (extended key usage)", i.files.Cert, useNames[use])
		case errors.As(err, &unknown):
			return fmt.Errorf("%s is not signed by a certificate of %s", i.files.Cert, i.files.CA)
		default:
			return fmt.Errorf("%s: %w", i.files.Cert, err)
		}
	}
	return nil
}

var useNames = map[x509.ExtKeyUsage]string{x509.ExtKeyUsageServerAuth: "servers", x509.ExtKeyUsageClientAuth: "clients"}

// Expiry is until when one certificate is valid.
type Expiry struct {
	File     string    `json:"file"`
	Subject  string    `json:"subject"`
	NotAfter time.Time `json:"notAfter"`
}

// Left is how long the certificate is valid; negative when it is no more.
func (e *Expiry) Left(now time.Time) time.Duration { return e.NotAfter.Sub(now) }

// Expiries tells, of an identity with a certificate, of it and of every one that is trusted. An error says that the files of the certificate have changed
// into something that cannot be used; the certificate of before is told then.
func (i *Identity) Expiries() ([]Expiry, error) {
	pair, err := i.current()
	list := make([]Expiry, 0, 1+len(i.ca))
	list = append(list, Expiry{i.files.Cert, pair.Leaf.Subject.String(), pair.Leaf.NotAfter})
	for _, c := range i.ca {
		list = append(list, Expiry{i.files.CA, c.Subject.String(), c.NotAfter})
	}
	return list, err
}
