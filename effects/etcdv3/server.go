package etcdv3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// Of the keep-alive, it is the timeout that matters: gRPC makes it the TCP_USER_TIMEOUT of the connection, so that a host that
// is gone without a word is noticed as soon as something sent to it is not acknowledged for that long. gRPC pings no more
// often than every 10 s, and etcd permits no more than one in 5 s (--grpc-keepalive-min-time).
const (
	pingEvery   = 10 * time.Second
	pingTimeout = 3 * time.Second
)

// server is one server's client.
type server struct {
	*clientv3.Client
	endpoint string
	used     time.Time
	dialled  atomic.Pointer[error] // how the last attempt at a connection ended
}

func open(endpoint string, config Config) (*server, error) {
	s := &server{endpoint: endpoint}
	client, err := clientv3.New(clientv3.Config{
		Endpoints:            []string{endpoint},
		TLS:                  config.TLS,
		Logger:               zap.NewNop(),
		DialKeepAliveTime:    pingEvery,
		DialKeepAliveTimeout: pingTimeout,
		MaxUnaryRetries:      1, // attempts in all
		DialOptions: []grpc.DialOption{
			grpc.WithContextDialer(s.dial),
			grpc.WithChainUnaryInterceptor(failFast),
			grpc.WithConnectParams(grpc.ConnectParams{ // a server that comes back is seen within a second
				Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
				MinConnectTimeout: config.Attempt,
			}),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("client for %s: %w", endpoint, err)
	}
	s.Client = client
	return s, nil
}

// dial notes why a connection did not come about: gRPC tells the reason only as text.
func (s *server) dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	s.dialled.Store(&err)
	return conn, err
}

// failFast undoes the official client's WaitForReady, with which a call to a server that is down waits out its deadline.
func failFast(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	return invoke(ctx, method, req, reply, cc, append(opts, grpc.WaitForReady(false))...)
}

// ready waits until there is a connection. Its errors mean that nothing was sent.
func (s *server) ready(ctx context.Context) error {
	conn := s.ActiveConnection()
	for {
		state := conn.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return s.failure(ctx)
		case connectivity.Idle:
			conn.Connect()
		}
		if !conn.WaitForStateChange(ctx, state) {
			return fmt.Errorf("connect to %s: %w", s.endpoint, ctx.Err())
		}
	}
}

// failure tells why there is no connection.
func (s *server) failure(ctx context.Context) error {
	if err := s.dialled.Load(); err != nil && *err != nil {
		if errors.Is(*err, syscall.ECONNREFUSED) {
			return fmt.Errorf("connect to %s: %w", s.endpoint, effects.ErrRefused)
		}
		return fmt.Errorf("connect to %s: %w", s.endpoint, *err)
	}
	_, err := s.status(ctx) // it was TLS or HTTP/2 that failed: a call carries the reason, and is not sent
	return fmt.Errorf("connect to %s: %w", s.endpoint, effects.MarkTLS(err))
}

// status asks on the open connection; the Status of the official client dials anew each time.
func (s *server) status(ctx context.Context) (*pb.StatusResponse, error) {
	return pb.NewMaintenanceClient(s.ActiveConnection()).Status(ctx, &pb.StatusRequest{})
}
