package effects

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func TestMarkTLS(t *testing.T) {
	expired := func(now string) error {
		return fmt.Errorf("ask: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time %s is after 2026-01-01T00:00:00Z", now)
	}
	for name, tt := range map[string]struct {
		err  error
		want string // nothing: it is no error of TLS
	}{
		"none":              {nil, ""},
		"silence":           {&net.OpError{Op: "dial", Err: errors.New("i/o timeout")}, ""},
		"another authority": {errors.New("tls: failed to verify certificate: x509: unknown"), "no TLS connection: tls: failed to verify certificate: x509: unknown"},
		"no TLS there":      {fmt.Errorf("get: %w", http.ErrSchemeMismatch), "no TLS connection: get: " + http.ErrSchemeMismatch.Error()},
		"expired": {expired("2026-01-01T00:00:01Z"),
			"no TLS connection: ask: tls: failed to verify certificate: x509: certificate has expired or is not yet valid: now is after 2026-01-01T00:00:00Z"},
	} {
		err := MarkTLS(tt.err)
		if errors.Is(err, ErrTLS) != (tt.want != "") || tt.want != "" && err.Error() != tt.want {
			t.Errorf("%s: %v", name, err)
		}
		if tt.want == "" && err != tt.err { //nolint:errorlint // the very one
			t.Errorf("%s: was changed: %v", name, err)
		}
	}
	if a, b := MarkTLS(expired("2026-01-01T00:00:01Z")), MarkTLS(expired("2026-01-02T00:00:01Z")); a.Error() != b.Error() {
		t.Errorf("the log would be told every second: %v, %v", a, b)
	}
}

// That no TLS connection comes about is told, whoever is asked. It is no fact but silence: nothing is decided from it.
func TestTLSTroubleIsToldAndProvesNothing(t *testing.T) {
	strange := fmt.Errorf("%w: tls: unknown authority", ErrTLS)
	r := clustered(t)
	one, _ := r.cloud.Instance(r.ids[1])
	r.peers[one.PrivateIP] = strange
	r.pass(time.Second)
	r.turn(states.Needs{Peers: time.Second})
	if p := r.Observe().Peers; p[0].Answers != states.Unknown || !strings.Contains(r.complaint["peers"], "unknown authority") {
		t.Errorf("a peer: %+v, told %q", p[0], r.complaint["peers"])
	}
	r.etcd.failing = map[string]error{r.url(2): strange}
	c := r.clusterNow(true)
	if c.Known != states.Yes || c.Members[2].Health != states.No || !strings.Contains(r.complaint["etcd"], "unknown authority") {
		t.Errorf("another member: %+v, told %q", c, r.complaint["etcd"])
	}
	r.etcd.failing = map[string]error{r.url(2): ErrRefused}
	if c = r.clusterNow(true); r.complaint["etcd"] != "" {
		t.Errorf("a member that is down is no trouble with TLS: %q", r.complaint["etcd"])
	}
	r.etcd.failing = map[string]error{r.url(0): strange}
	r.endpoints = nil
	c = r.clusterNow(false)
	if c.Local.Answers != states.No || !strings.Contains(r.complaint["etcd"], "unknown authority") {
		t.Errorf("our own: %+v, told %q", c.Local, r.complaint["etcd"])
	}
}

func TestURLsOverTLS(t *testing.T) {
	r := newRig(t, func(_ *rig, o *Options) { o.ClientTLS, o.PeerTLS = true, true })
	r.know()
	me, _ := r.cloud.Instance(r.ids[0])
	r.process.state.Running = states.Yes
	r.Observe()
	r.clusterNow(false)
	if want := "https://" + me.PrivateIP + ":2379"; !slices.Contains(r.etcd.asked, want) {
		t.Errorf("asked %q, and it is to be %s", r.etcd.asked, want)
	}
	if got := r.peerURL("10.0.0.4"); got != "https://10.0.0.4:2380" {
		t.Errorf("a member is added as %s", got)
	}
}
