package peerport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// serve answers as a peer port does, and gives a client that asks there.
func serve(t *testing.T, handler http.HandlerFunc) (*Peers, string) {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Port: port, Timeout: 300 * time.Millisecond}), u.Hostname()
}

func etcd(members, version string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Etcd-Cluster-ID", "cdf818194e3a8c32")
		if r.URL.Path == "/version" {
			w.Write([]byte(version))
			return
		}
		w.Write([]byte(members))
	}
}

func TestAsk(t *testing.T) {
	p, address := serve(t, etcd(`[
		{"id":9372538179322589801,"peerURLs":["http://10.0.0.2:2380"],"name":"","isLearner":true},
		{"id":7,"peerURLs":["https://[fd00::1]:2380"],"name":"i-1","clientURLs":["https://[fd00::1]:2379"]}]`,
		`{"etcdserver":"3.6.16","etcdcluster":"3.5.0","storage":"3.5.0"}`))
	got, err := p.Ask(t.Context(), address)
	want := effects.PeerAnswer{
		ClusterID: 0xcdf818194e3a8c32, ClusterVersion: states.MinorVersion{Major: 3, Minor: 5},
		Members: []states.Member{
			{ID: 7, Name: "i-1", Address: "fd00::1", ClientURL: "https://[fd00::1]:2379"},
			{ID: 9372538179322589801, Address: "10.0.0.2", Learner: true},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v %v", got, err)
	}
}

func TestUndecidedVersionIsUnknown(t *testing.T) {
	p, address := serve(t, etcd(`[]`, `{"etcdserver":"3.7.3","etcdcluster":"not_decided"}`))
	if got, err := p.Ask(t.Context(), address); err != nil || got.ClusterVersion.Known() {
		t.Fatal(got, err)
	}
}

func TestOthersAreNotEtcd(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"not found":    http.NotFound,
		"not JSON":     etcd(`<html>`, `{}`),
		"too much":     func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 2*maxBody)) },
		"redirect":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"no header":    func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`[]`)) },
		"not a word":   func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half an etcd": func(w http.ResponseWriter, r *http.Request) { etcd(`[]`, `no version`)(w, r) },
	} {
		t.Run(name, func(t *testing.T) {
			p, address := serve(t, handler)
			if got, err := p.Ask(t.Context(), address); err == nil || errors.Is(err, effects.ErrRefused) {
				t.Fatal(got, err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	p := New(Config{Port: l.Addr().(*net.TCPAddr).Port})
	if _, err := p.Ask(t.Context(), "127.0.0.1"); !errors.Is(err, effects.ErrRefused) {
		t.Fatal(err)
	}
}

// What is said of a server of another authority, of one that wants a certificate, and of one without TLS is told from silence.
func TestTLSTrouble(t *testing.T) {
	answer := etcd("[]", `{"etcdcluster":"3.7.0"}`)
	trusted := func(s *httptest.Server) *tls.Config {
		pool := x509.NewCertPool()
		if c := s.Certificate(); c != nil {
			pool.AddCert(c)
		}
		return &tls.Config{RootCAs: pool}
	}
	for name, tt := range map[string]struct {
		start   func(*httptest.Server)
		trusted func(*httptest.Server) *tls.Config
		well    bool
	}{
		"trusted":             {(*httptest.Server).StartTLS, trusted, true},
		"another authority":   {(*httptest.Server).StartTLS, func(*httptest.Server) *tls.Config { return &tls.Config{RootCAs: x509.NewCertPool()} }, false},
		"wants a certificate": {func(s *httptest.Server) { s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}; s.StartTLS() }, trusted, false},
		"without TLS":         {(*httptest.Server).Start, trusted, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(answer)
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			tt.start(s)
			defer s.Close()
			address, port, err := net.SplitHostPort(s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			n, err := strconv.Atoi(port)
			if err != nil {
				t.Fatal(err)
			}
			_, err = New(Config{TLS: tt.trusted(s), Port: n}).Ask(t.Context(), address)
			if tt.well && err != nil || !tt.well && !errors.Is(err, effects.ErrTLS) {
				t.Errorf("%v", err)
			}
		})
	}
}
