package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/etcd-appliance/etcd-appliance/cmd/etcd-appliance/internal/status"
	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/pki"
	"github.com/etcd-appliance/etcd-appliance/sim/localcloud/rig"
)

// secured gives each instance of a group certificates of its own.
type secured struct {
	ca    *pki.CA
	dir   string  // of the operator's files
	odd   *pki.CA // the authority of the instances after the first n
	n     int
	mu    sync.Mutex
	known []string // instances, in order
}

// authority is the one that an instance knows.
func (s *secured) authority(instance string) *pki.CA {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.known, instance) {
		s.known = append(s.known, instance)
	}
	if s.odd != nil && slices.Index(s.known, instance) >= s.n {
		return s.odd
	}
	return s.ca
}

// prepare makes the certificates of an instance when it is launched, as its user data would; later starts of its daemon find them.
func (s *secured) prepare(i localcloud.Instance, disk string) ([]string, error) {
	ca := s.authority(i.ID)
	file := func(name string) string { return filepath.Join(disk, name) }
	if _, err := os.Stat(file("peer.pem")); errors.Is(err, os.ErrNotExist) {
		_, err := ca.Write(disk, "ca")
		for _, name := range []string{"server", "peer"} {
			if err == nil {
				_, _, err = ca.Issue(disk, name, certificateOf(i.PrivateIP, name))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return []string{
		"--cert-file", file("server.pem"), "--key-file", file("server.key"), "--trusted-ca-file", file("ca.pem"), "--client-cert-auth",
		"--peer-cert-file", file("peer.pem"), "--peer-key-file", file("peer.key"), "--peer-trusted-ca-file", file("ca.pem"),
	}, nil
}

// certificateOf is for the address of an instance. On loopback every connection comes from 127.0.0.1, and a peer port refuses
// certificates that are not for the address that they come from (etcd client/pkg/transport/listener_tls.go checkSAN).
func certificateOf(address, name string) pki.Certificate {
	return pki.Certificate{Name: name + " of " + address, Addresses: []string{address, "127.0.0.1"}, DNSNames: []string{"releaseetcd.elephant.example.org"}}
}

// newSecured has an authority.
func newSecured(t *testing.T) *secured {
	t.Helper()
	ca, err := pki.New("the cluster's authority")
	if err != nil {
		t.Fatal(err)
	}
	return &secured{ca: ca, dir: t.TempDir()}
}

// securedRig is a cluster of n with mutual TLS everywhere, and who may talk to it.
func securedRig(t *testing.T, s *secured, n int, minor string) (context.Context, *rig.Rig, *tls.Config) {
	t.Helper()
	servers := realEtcd(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	operator := s.client(t)
	r, _ := startRig(ctx, t, rig.Options{EtcdDir: servers, EtcdVersion: minor, Args: []string{"--tag-interval=1s"}, Prepare: s.prepare, TLS: operator}, n)
	return ctx, r, operator
}

// client is an operator with a certificate.
func (s *secured) client(t *testing.T) *tls.Config {
	t.Helper()
	caFile, err := s.ca.Write(s.dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := s.ca.Issue(s.dir, "client", pki.Certificate{Name: "an operator", Uses: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		t.Fatal(err)
	}
	identity, err := tlsfiles.Open(tlsfiles.Files{Cert: cert, Key: key, CA: caFile})
	if err != nil {
		t.Fatal(err)
	}
	return identity.Client("")
}

// flags are those that the operator gives to commands.
func (s *secured) flags() []string {
	return []string{"--trusted-ca-file", filepath.Join(s.dir, "ca.pem"), "--cert-file", filepath.Join(s.dir, "client.pem"), "--key-file", filepath.Join(s.dir, "client.key")}
}

// A cluster lives with mutual TLS on both ports: it forms, publishes, replaces, restarts and is upgraded, and takes no strangers.
func TestMutualTLS(t *testing.T) {
	s := newSecured(t)
	ctx, r, operator := securedRig(t, s, 3, "3.6")
	member := r.Latest().InService()[0]
	t.Run("no client without a certificate", func(t *testing.T) { refusedWithoutCertificate(ctx, t, s, member.Address) })
	t.Run("clients find https by the SRV records", func(t *testing.T) { foundBySRV(ctx, t, r) })
	t.Run("a renewed certificate is shown at once", func(t *testing.T) { rotate(ctx, t, r, s, operator, member) })
	t.Run("until when its certificates are valid", func(t *testing.T) {
		now, err := status.Ask(ctx, http.DefaultClient, statusOf(&member))
		if err != nil {
			t.Fatal(err)
		}
		var settings []string
		for _, c := range now.Certificates {
			settings = append(settings, c.Setting)
			if c.Left(time.Now()) < time.Hour {
				t.Errorf("%+v", c)
			}
		}
		if want := []string{"cert-file", "trusted-ca-file", "peer-cert-file", "peer-trusted-ca-file"}; !slices.Equal(settings, want) {
			t.Errorf("tells of %q, and is to of %q", settings, want)
		}
	})
	t.Run("a replacement joins", func(t *testing.T) {
		if err := r.Terminate(ctx, member.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Wait(ctx, func(v *observer.View) error {
			if now, ok := v.Instance(member.ID); ok && now.Lifecycle != "" {
				return errors.New("it is still there")
			}
			return v.Settled(3)
		}); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("the operator's commands", func(t *testing.T) {
		endpoint := "https://" + r.Latest().InService()[0].Address + ":2379"
		out, err := exec.Command(builtDaemon(t), append([]string{"unlock", "--endpoints", endpoint}, s.flags()...)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "Nobody holds the upgrade lock") {
			t.Errorf("unlock: %v\n%s", err, out)
		}
		out, _ = exec.Command(builtDaemon(t), append([]string{"preflight", "--to", "3.7", "--endpoints", endpoint}, s.flags()...)...).CombinedOutput()
		if !strings.Contains(string(out), "every member is a voter, answers") {
			t.Errorf("preflight:\n%s", out)
		}
		if out, err = rollCommand(ctx, t, r, append([]string{"--to", "3.7"}, s.flags()...)...).CombinedOutput(); err != nil {
			t.Errorf("roll: %v\n%s", err, out)
		}
		if _, err := r.Wait(ctx, func(v *observer.View) error { return errors.Join(v.Settled(3), v.Run("3.7")) }); err != nil {
			t.Fatal(err)
		}
	})
	if err := r.OneCluster(); err != nil {
		t.Error(err)
	}
	logsAreRight(t, r)
}

// refusedWithoutCertificate asks both ports without a certificate, and with one of somebody else's.
func refusedWithoutCertificate(ctx context.Context, t *testing.T, s *secured, address string) {
	stranger, err := pki.New("somebody else's authority")
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := stranger.Issue(t.TempDir(), "stranger", pki.Certificate{Name: "a stranger"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*tls.Config{
		"none":     {RootCAs: s.ca.Pool()},
		"stranger": {RootCAs: s.ca.Pool(), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }},
	} {
		for _, port := range []string{"2379", "2380"} {
			conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", net.JoinHostPort(address, port))
			if err == nil { // with TLS 1.3 a client learns what the server thinks of it with the first answer
				_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
				_, err = conn.Read(make([]byte, 1))
				conn.Close()
			}
			if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("certificate %s, port %s: let in, %v", name, port, err)
			}
		}
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{"https://" + address + ":2379"}, TLS: &tls.Config{RootCAs: s.ca.Pool()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if _, err := client.Get(short, "x"); err == nil {
		t.Error("a client without a certificate has read")
	}
}

// foundBySRV looks up what etcd's clients look up (client/pkg/srv/srv.go GetClient), with a plain resolver.
func foundBySRV(ctx context.Context, t *testing.T, r *rig.Rig) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, r.Cloud.DNS())
	}}
	for service, want := range map[string]int{"etcd-client-ssl": 3, "etcd-server-ssl": 3, "etcd": 3, "etcd-client": 0, "etcd-server": 0} {
		_, found, err := resolver.LookupSRV(ctx, service, "tcp", r.Name())
		var none *net.DNSError
		if err != nil && !(errors.As(err, &none) && none.IsNotFound) {
			t.Fatal(err)
		}
		if len(found) != want {
			t.Errorf("_%s._tcp.%s has %d targets, and is to have %d", service, r.Name(), len(found), want)
		}
	}
}

// rotate replaces the certificate of an instance, and looks whether etcd and the daemon go over to it.
func rotate(ctx context.Context, t *testing.T, r *rig.Rig, s *secured, operator *tls.Config, member observer.Instance) {
	serial := func() string {
		conn, err := (&tls.Dialer{Config: operator}).DialContext(ctx, "tcp", net.JoinHostPort(member.Address, "2379"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	old, pid := serial(), r.EtcdPID(member.ID)
	if _, _, err := s.ca.Issue(filepath.Join(r.Dir(), member.ID), "server", certificateOf(member.Address, "renewed server")); err != nil {
		t.Fatal(err)
	}
	if renewed := serial(); renewed == old {
		t.Errorf("the certificate %s is still shown", old)
	}
	if now := r.EtcdPID(member.ID); now != pid || now == 0 {
		t.Errorf("etcd is process %d now, and was %d", now, pid)
	}
	if _, err := r.WaitHealthy(ctx, 3); err != nil {
		t.Error(err)
	}
}

// logsAreRight looks at all that daemons and servers wrote: until when certificates are valid, and no private key.
func logsAreRight(t *testing.T, r *rig.Rig) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(r.Dir(), "*.log"))
	if err != nil || len(logs) < 3 {
		t.Fatalf("%d logs, %v", len(logs), err)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "PRIVATE KEY") {
			t.Errorf("%s has a private key in it", log)
		}
		if !strings.Contains(string(text), "certificate is valid") {
			t.Errorf("%s does not tell until when the certificates are valid", log)
		}
	}
}

// A living cluster gets TLS for its clients by one restart of each member after the other: what a member says of its client port
// changes with its start.
func TestClientTLSOfALivingCluster(t *testing.T) {
	servers := realEtcd(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s := newSecured(t)
	operator := s.client(t)
	var secure atomic.Bool
	r, err := rig.Start(ctx, rig.Options{
		Daemon: builtDaemon(t), EtcdDir: servers, EtcdVersion: "3.7", Dir: t.TempDir(), Warn: func(err error) { t.Error(err) },
		Prepare: func(i localcloud.Instance, disk string) ([]string, error) {
			args, err := s.prepare(i, disk)
			if !secure.Load() {
				return nil, err
			}
			return args[:slices.Index(args, "--peer-cert-file")], err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := r.Launch(ctx, 3); err != nil {
		t.Fatal(err)
	}
	before, err := r.WaitDNS(ctx, 3)
	if err != nil {
		t.Fatal(err)
	}
	secure.Store(true)
	after := observer.New(observer.Target{
		Groups: []observer.Group{{Name: r.Options().Group, AutoScaling: autoscaling.NewFromConfig(r.AWS("observer")), EC2: ec2.NewFromConfig(r.AWS("observer"))}},
		DNS:    r.Cloud.DNS(), Cluster: r.Options().Group, Zone: r.Options().Zone, TLS: operator,
	})
	defer after.Close()
	for _, i := range before.InService() {
		if err := syscall.Kill(r.DaemonPID(i.ID), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		motoUntil(t, 30*time.Second, i.ID+" serves TLS", func() error {
			now, ok := after.Look(ctx).Instance(i.ID)
			if !ok || !now.Etcd.Serves {
				return fmt.Errorf("%+v", now.Etcd)
			}
			return nil
		})
	}
	motoUntil(t, time.Minute, "all is well with TLS", func() error { return after.Look(ctx).Settled(3) })
	if now := after.Look(ctx); !slices.Equal(now.ClusterIDs(), before.ClusterIDs()) {
		t.Errorf("the cluster was %x and is %x", before.ClusterIDs(), now.ClusterIDs())
	}
}

// An instance that trusts another authority does not get in, says why, and harms nobody.
func TestTLSOfAnotherAuthority(t *testing.T) {
	s := newSecured(t)
	var err error
	if s.odd, err = pki.New("somebody else's authority"); err != nil {
		t.Fatal(err)
	}
	s.n = 1
	ctx, r, _ := securedRig(t, s, 1, "3.5")
	first := r.Latest().InService()[0].ID
	if err := r.Scale(ctx, 2); err != nil {
		t.Fatal(err)
	}
	v, err := r.Wait(ctx, func(v *observer.View) error {
		at := slices.IndexFunc(v.InService(), func(i observer.Instance) bool { return i.ID != first })
		if at < 0 {
			return errors.New("the second instance is not launched yet")
		}
		log, err := os.ReadFile(filepath.Join(r.Dir(), v.InService()[at].ID+".log"))
		if err != nil {
			return err
		}
		if !strings.Contains(string(log), "no TLS connection: ") || !strings.Contains(string(log), "certificate signed by unknown authority") {
			return fmt.Errorf("the log does not say what is wrong:\n%s", log)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range v.InService() {
		if i.ID == first && (!i.Etcd.Serves || len(i.Etcd.Members) != 1) {
			t.Errorf("the cluster is harmed: %+v", i.Etcd)
		}
	}
	if err := r.OneCluster(); err != nil {
		t.Error(err)
	}
}
