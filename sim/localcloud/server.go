// Package localcloud serves awsfake over real HTTP and DNS on loopback: the AWS
// that the demo, the end-to-end tests and a curious aws command line talk to.
//
// One endpoint answers for EC2, Auto Scaling, Route53, S3 and STS, told apart by
// the credential scope of the request's signature; the access key ID is the
// caller's name. Every instance has a loopback address of its own, and on it a
// metadata service. A Launcher turns instances into processes.
//
// Signatures are not checked: bind it to loopback only.
package localcloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// Options configure a Server; the zero value is usable.
type Options struct {
	// Cloud configures the account behind. Now, NewAddress, OnRunning and
	// OnTerminate are the server's to set.
	Cloud awsfake.Options
	// Listen is the address of the API, on loopback; default port 0 on the
	// cloud's own block.
	Listen string
	// DNS is the address of the name server, UDP and TCP; default likewise.
	DNS string
	// Block is the loopback block for the instances, such as "127.16.0"; by
	// default a free one is claimed.
	Block string
	// Launcher runs the instances; none if nil.
	Launcher Launcher
	// Warn is told what goes wrong outside any call; default silence.
	Warn func(error)
}

// Launcher turns instances into something that runs. Calls come one at a time.
type Launcher interface {
	// Launch starts what runs on an instance, for the first time or again after
	// a stop or reboot.
	Launch(Instance) error
	// Kill ends all of it, with no chance to object, and returns when it has
	// ended. Instance.State says why: shutting-down, stopping, or running for a
	// reboot.
	Kill(Instance)
}

// Instance is an instance as its Launcher sees it.
type Instance struct {
	awsfake.Instance
	IMDS string   // URL of its metadata service
	Env  []string // environment that points its processes at this cloud, and marks them
}

// Server is a running local cloud.
type Server struct {
	opt   Options
	block *block
	api   *http.Server
	url   string
	dns   *nameServer

	mu    sync.Mutex // guards cloud
	cloud *awsfake.Cloud

	wake chan struct{} // the cloud has changed: look at its next event
	work *queue        // launches and kills, in order
	stop context.CancelFunc
	done sync.WaitGroup

	metadata map[string]*metadata // by instance ID; the worker's own
}

// New starts a local cloud. Its listeners accept when New returns.
func New(o Options) (*Server, error) {
	b, err := claim(o.Block)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{opt: o, block: b, wake: make(chan struct{}, 1), work: newQueue(), stop: stop, metadata: map[string]*metadata{}}
	s.opt.Cloud.Now = time.Now
	s.opt.Cloud.NewAddress = b.next
	s.opt.Cloud.OnRunning = func(i awsfake.Instance) { s.work.put(func() { s.boot(i) }) }
	s.opt.Cloud.OnTerminate = func(i awsfake.Instance) { s.work.put(func() { s.halt(i) }) }
	s.cloud = awsfake.New(s.opt.Cloud)
	if err := s.listen(); err != nil {
		stop()
		b.release()
		return nil, err
	}
	s.done.Go(func() { s.tick(ctx) })
	s.done.Go(s.work.run)
	return s, nil
}

// listen opens the API's and the name server's sockets.
func (s *Server) listen() error {
	l, err := listenLoopback(orDefault(s.opt.Listen, s.block.address(1)+":0"))
	if err != nil {
		return err
	}
	if s.dns, err = newNameServer(orDefault(s.opt.DNS, s.block.address(2)+":0"), s.answer); err != nil {
		l.Close()
		return err
	}
	s.url = "http://" + l.Addr().String()
	s.api = &http.Server{Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second}
	s.done.Go(func() { s.serve(s.api, l) })
	return nil
}

// serve returns when the server is closed.
func (s *Server) serve(server *http.Server, l net.Listener) {
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		s.warn(err)
	}
}

// URL is the endpoint, for AWS_ENDPOINT_URL.
func (s *Server) URL() string { return s.url }

// DNS is the name server's address, host and port, the same for UDP and TCP.
func (s *Server) DNS() string { return s.dns.address }

// Do runs f with the cloud to itself; f must not call the Server.
func (s *Server) Do(f func(*awsfake.Cloud)) {
	s.mu.Lock()
	f(s.cloud)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// tick lets the cloud advance whenever something is due.
func (s *Server) tick(ctx context.Context) {
	for {
		wait := time.Hour
		s.mu.Lock()
		s.cloud.Advance()
		if at, ok := s.cloud.NextEvent(); ok {
			wait = time.Until(at)
		}
		s.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// boot gives an instance its metadata service and starts its processes.
func (s *Server) boot(i awsfake.Instance) {
	m, err := s.serveMetadata(i)
	if err != nil {
		s.warn(fmt.Errorf("metadata service of %s: %w", i.ID, err))
		return
	}
	s.metadata[i.ID] = m
	if s.opt.Launcher == nil {
		return
	}
	if err := s.opt.Launcher.Launch(s.instance(i)); err != nil {
		s.warn(fmt.Errorf("launch %s: %w", i.ID, err))
	}
}

// halt ends an instance's processes, then its metadata service.
func (s *Server) halt(i awsfake.Instance) {
	if s.opt.Launcher != nil {
		s.opt.Launcher.Kill(s.instance(i))
	}
	if m := s.metadata[i.ID]; m != nil {
		m.close()
		delete(s.metadata, i.ID)
	}
}

func (s *Server) instance(i awsfake.Instance) Instance {
	imds := ""
	if m := s.metadata[i.ID]; m != nil {
		imds = m.url
	}
	return Instance{Instance: i, IMDS: imds, Env: s.envIn(i.Region(), i.ID, imds)}
}

func (s *Server) warn(err error) {
	if s.opt.Warn != nil {
		s.opt.Warn(err)
	}
}

// Close kills every instance's processes and closes all sockets. It returns when
// nothing is left.
func (s *Server) Close() error {
	s.stop()
	err := errors.Join(s.api.Close(), s.dns.close())
	var left []awsfake.Instance
	s.Do(func(c *awsfake.Cloud) { left = c.Instances() })
	for _, i := range left {
		s.work.put(func() { s.halt(i) })
	}
	s.work.close()
	s.done.Wait()
	s.block.release()
	return err
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// listenLoopback refuses to listen where others could reach a cloud without
// passwords.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not a loopback address", address)
	}
	return net.Listen("tcp", address)
}
