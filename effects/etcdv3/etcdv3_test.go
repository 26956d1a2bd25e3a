package etcdv3

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Servers differ in the gRPC code of a refusal, not in its words.
func TestWhatEtcdSaysIsUnderstood(t *testing.T) {
	for said, want := range map[error]error{
		status.Error(codes.Internal, "etcdserver: re-configuration failed due to not enough started members"): effects.ErrUnhealthy, // 3.0
		rpctypes.ErrGRPCMemberNotEnoughStarted: effects.ErrUnhealthy,
		rpctypes.ErrGRPCUnhealthy:              effects.ErrUnhealthy,
		rpctypes.ErrGRPCTooManyLearners:        effects.ErrTooManyLearners,
		rpctypes.ErrGRPCMemberNotFound:         effects.ErrNotFound,
		rpctypes.ErrGRPCMemberExist:            effects.ErrExists,
		rpctypes.ErrGRPCPeerURLExist:           effects.ErrExists,
		rpctypes.ErrGRPCMemberNotLearner:       effects.ErrNotLearner,
		rpctypes.ErrGRPCLearnerNotReady:        effects.ErrNotInSync,
		rpctypes.ErrGRPCNotLeader:              effects.ErrNotLeader,
		rpctypes.ErrMemberNotFound:             effects.ErrNotFound, // as the official client hands it on
	} {
		if err := explain("here", said); !errors.Is(err, want) {
			t.Errorf("%v is taken for %v", said, err)
		}
	}
	if !refusedByLearner(explain("here", rpctypes.ErrGRPCNotSupportedForLearner)) {
		t.Error("the refusal of a learner is not understood")
	}
	for _, unknown := range []error{rpctypes.ErrGRPCTimeout, rpctypes.ErrGRPCNoLeader, context.DeadlineExceeded} {
		for _, known := range meanings {
			if errors.Is(explain("here", unknown), known) {
				t.Errorf("%v is taken for %v", unknown, known)
			}
		}
	}
}

// silent listens and accepts, and never says a word.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return "http://" + l.Addr().String()
}

// nobody is an endpoint that was closed just now.
func nobody(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func TestDeadEndpointsFailFast(t *testing.T) {
	e := New(Config{Attempt: 300 * time.Millisecond})
	defer e.Close()
	dead, hung := nobody(t), silent(t)
	for range 3 { // also while gRPC backs off
		if _, err := e.Status(t.Context(), dead); !errors.Is(err, effects.ErrRefused) {
			t.Fatal(err)
		}
	}
	began := time.Now()
	_, err := e.Status(t.Context(), hung)
	if err == nil || errors.Is(err, effects.ErrRefused) || time.Since(began) > 2*time.Second {
		t.Fatal(time.Since(began), err)
	}
	// Nothing was sent to either, so the last word is that of the last.
	began = time.Now()
	err = e.RemoveMember(t.Context(), []string{hung, dead}, 1)
	if !errors.Is(err, effects.ErrRefused) || time.Since(began) > 2*time.Second {
		t.Fatal(time.Since(began), err)
	}
}

func TestForgetKeepsWhatIsUsed(t *testing.T) {
	e := New(Config{})
	defer e.Close()
	dead := nobody(t)
	e.Status(t.Context(), dead)
	e.Forget(nil)
	if len(e.servers) != 1 {
		t.Fatal("closed a connection that was used just now")
	}
	e.servers[dead].used = time.Now().Add(-2 * forgetAfter)
	e.Forget([]string{dead})
	if len(e.servers) != 1 {
		t.Fatal("closed a connection that is listed")
	}
	e.Forget(nil)
	if len(e.servers) != 0 {
		t.Fatal("kept a connection that nobody wants")
	}
}

// A server of another authority is reached, and is no etcd of ours; people must be told why.
func TestTLSFailureIsTold(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	e := New(Config{TLS: &tls.Config{RootCAs: x509.NewCertPool()}})
	defer e.Close()
	_, err := e.Status(t.Context(), s.URL)
	if !errors.Is(err, effects.ErrTLS) || errors.Is(err, effects.ErrRefused) || !strings.Contains(err.Error(), "x509") {
		t.Fatal(err)
	}
}
