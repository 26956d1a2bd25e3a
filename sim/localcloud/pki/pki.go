// Package pki makes certificates for clusters that are made up: an authority, and what it signs, as PEM files.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// CA is an authority.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Certificate says what an authority is to sign.
type Certificate struct {
	Name      string
	Addresses []string // IP addresses it is for
	DNSNames  []string // and names
	NotAfter  time.Time
	Uses      []x509.ExtKeyUsage // of servers and of clients when empty
}

const day = 24 * time.Hour

// New makes an authority.
func New(name string) (*CA, error) {
	ca := &CA{cert: &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-2 * day), NotAfter: time.Now().Add(3650 * day),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}}
	der, key, err := sign(ca.cert, nil)
	if err != nil {
		return nil, err
	}
	ca.key = key
	ca.cert, err = x509.ParseCertificate(der)
	return ca, err
}

// sign makes a key for the template, and signs it: the authority itself when it is nil.
func sign(template *x509.Certificate, by *CA) ([]byte, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)); err != nil {
		return nil, nil, err
	}
	parent, parentKey := template, key
	if by != nil {
		parent, parentKey = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	return der, key, err
}

// Pool trusts the authority.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// Write puts the authority's own certificate into DIR/NAME.pem.
func (ca *CA) Write(dir, name string) (file string, err error) {
	file = filepath.Join(dir, name+".pem")
	return file, replace(file, "CERTIFICATE", ca.cert.Raw)
}

// Issue signs a certificate, and puts it into DIR/NAME.pem and its key into DIR/NAME.key. Files that are there are replaced, each at
// once and the key first, as whoever renews certificates does it.
func (ca *CA) Issue(dir, name string, c Certificate) (cert, key string, err error) {
	if c.NotAfter.IsZero() {
		c.NotAfter = time.Now().Add(365 * day)
	}
	if c.Uses == nil {
		c.Uses = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: c.Name}, NotBefore: time.Now().Add(-day), NotAfter: c.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: c.Uses, DNSNames: c.DNSNames,
	}
	for _, address := range c.Addresses {
		ip := net.ParseIP(address)
		if ip == nil {
			return "", "", fmt.Errorf("%q is no IP address", address)
		}
		template.IPAddresses = append(template.IPAddresses, ip)
	}
	der, private, err := sign(template, ca)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	return cert, key, errors.Join(replace(key, "PRIVATE KEY", secret), replace(cert, "CERTIFICATE", der))
}

func replace(path, kind string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	return errors.Join(os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path))
}
