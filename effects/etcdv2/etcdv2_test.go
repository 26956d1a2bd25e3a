package etcdv2

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// What servers do is tested with real ones, in sim/etcdconformance. Here is what they cannot be made to do.

// server answers by method and path; what is not in it is answered with 500, as 2.3 does when it does not want to say why.
func server(t *testing.T, answers map[string]string) (endpoint string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := r.Method + " " + r.URL.Path
		*asked = append(*asked, what)
		w.Header().Set("X-Etcd-Cluster-ID", "7e27652122e8b2ae")
		w.Header().Set("X-Raft-Index", "42")
		body, ok := answers[what]
		if !ok {
			w.WriteHeader(http.StatusInternalServerError)
			body = `{"message":"Internal Server Error"}`
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// listener accepts, and never says a word; nobody is an endpoint that was closed just now.
func listener(t *testing.T) (silent, nobody string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer closed.Close()
	return "http://" + l.Addr().String(), "http://" + closed.Addr().String()
}

var of23 = map[string]string{
	"GET /version":           `{"etcdserver":"2.3.8","etcdcluster":"2.3.0"}`,
	"GET /v2/stats/self":     `{"id":"a1"}`,
	"GET /v2/members/leader": `{"id":"b2"}`,
	"HEAD /v2/keys/":         ``,
}

func TestDeadEndpointsFailFast(t *testing.T) {
	e := New(Config{Attempt: 300 * time.Millisecond})
	defer e.Close()
	hung, dead := listener(t)
	if _, err := e.Status(t.Context(), dead); !errors.Is(err, effects.ErrRefused) {
		t.Fatal(err)
	}
	began := time.Now()
	if _, err := e.Status(t.Context(), hung); err == nil || errors.Is(err, effects.ErrRefused) || time.Since(began) > 2*time.Second {
		t.Fatal(time.Since(began), err)
	}
	alive, asked := server(t, map[string]string{"GET /version": of23["GET /version"], "DELETE /v2/members/a1": ""})
	err := e.RemoveMember(t.Context(), []string{hung, dead, alive}, 0xa1)
	if err == nil || strings.Join(*asked, ", ") != "GET /version, DELETE /v2/members/a1" {
		t.Fatal("200 is no answer to a removal: ", err, *asked)
	}
}

// TestAChangeIsSentOnce: what became of one that was answered with 500, nobody knows.
func TestAChangeIsSentOnce(t *testing.T) {
	e := New(Config{})
	defer e.Close()
	first, asked := server(t, of23)
	second, never := server(t, of23)
	for what, err := range map[string]error{
		"remove": e.RemoveMember(t.Context(), []string{first, second}, 1),
		"add": func() error {
			_, err := e.AddMember(t.Context(), []string{first, second}, "http://10.0.0.1:2380", false)
			return err
		}(),
		"swap": func() error {
			_, err := e.Swap(t.Context(), []string{first, second}, effects.EtcdKey{Key: "k", Value: "v"})
			return err
		}(),
	} {
		for _, known := range []error{effects.ErrNotFound, effects.ErrExists, effects.ErrChanged, effects.ErrRefused, effects.ErrUnhealthy} {
			if err == nil || errors.Is(err, known) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	if len(*asked) == 0 || len(*never) != 0 {
		t.Errorf("asked %q, and another %q", *asked, *never)
	}
}

func TestStatus(t *testing.T) {
	e := New(Config{})
	defer e.Close()
	url, _ := server(t, of23)
	want := effects.EtcdStatus{ClusterID: 0x7e27652122e8b2ae, MemberID: 0xa1, Leader: 0xb2, Applied: 42, Version: states.Version{Major: 2, Minor: 3, Patch: 8}}
	s, err := e.Status(t.Context(), url)
	if s.Errors != nil || err != nil || s.MemberID != want.MemberID || s.Leader != want.Leader || s.Applied != want.Applied || s.Version != want.Version || s.ClusterID != want.ClusterID {
		t.Errorf("%+v, %v", s, err)
	}
	// A 2.3 leader goes on believing in itself without a quorum: it is not believed. From 3.0 on it steps down by itself.
	for version, leads := range map[string]uint64{"2.3.8": 0, "3.0.17": 0xa1} {
		url, _ = server(t, map[string]string{
			"GET /version": `{"etcdserver":"` + version + `","etcdcluster":"2.3.0"}`, "GET /v2/stats/self": `{"id":"a1"}`,
			"GET /v2/members/leader": `{"id":"a1"}`, "HEAD /v2/keys/": ``,
		})
		if s, err := e.Status(t.Context(), url); err != nil || s.Leader != leads {
			t.Errorf("%s without a quorum: leader %x, %v", version, s.Leader, err)
		}
	}
	for missing := range of23 {
		some := map[string]string{}
		for what, body := range of23 {
			if what != missing {
				some[what] = body
			}
		}
		url, _ = server(t, some)
		if s, err := e.Status(t.Context(), url); err == nil && missing != "HEAD /v2/keys/" {
			t.Errorf("without %s: %+v", missing, s)
		}
	}
}

func TestLevel(t *testing.T) {
	e := New(Config{})
	defer e.Close()
	for body, want := range map[string]states.MinorVersion{
		`{"etcdserver":"3.0.17","etcdcluster":"2.3.0"}`:       {Major: 2, Minor: 3},
		`{"etcdserver":"3.0.17","etcdcluster":"not_decided"}`: {Major: 3},
		`etcd 2.0.1`: {},
	} {
		url, _ := server(t, map[string]string{"GET /version": body})
		if got, err := e.Level(t.Context(), url); got != want || (err == nil) != want.Known() {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
}

func TestAuth(t *testing.T) {
	e := New(Config{})
	defer e.Close()
	for body, want := range map[string]states.Fact{`{"enabled":true}`: states.Yes, `{"enabled":false}`: states.No, `{}`: states.Unknown, `404`: states.Unknown} {
		url, _ := server(t, map[string]string{"GET /v2/auth/enable": body})
		if got, err := e.Auth(t.Context(), []string{url}); got != want || (err == nil) != (want != states.Unknown) {
			t.Errorf("%s: %v, %v", body, got, err)
		}
	}
}
