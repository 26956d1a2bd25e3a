package localcloud

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/miekg/dns"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// nameServer serves one handler over UDP and TCP at one address.
type nameServer struct {
	address  string
	udp, tcp *dns.Server
}

// newNameServer listens before it returns. With port 0 the kernel picks a port
// for TCP, which UDP then takes as well.
func newNameServer(address string, answer func(*dns.Msg) *dns.Msg) (*nameServer, error) {
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := answer(q)
		if w.RemoteAddr().Network() == "udp" {
			size := dns.MinMsgSize
			if o := q.IsEdns0(); o != nil {
				size = int(o.UDPSize())
			}
			m.Truncate(size)
		}
		w.WriteMsg(m)
	})
	for attempt := 0; ; attempt++ {
		l, err := listenLoopback(address)
		if err != nil {
			return nil, err
		}
		p, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil {
			l.Close()
			if attempt < 10 && strings.HasSuffix(address, ":0") {
				continue // that port is free for TCP only
			}
			return nil, err
		}
		s := &nameServer{l.Addr().String(), &dns.Server{PacketConn: p, Handler: handler}, &dns.Server{Listener: l, Handler: handler}}
		return s, s.serve()
	}
}

// serve returns when both servers accept.
func (s *nameServer) serve() error {
	started := make(chan error, 4)
	for _, server := range []*dns.Server{s.udp, s.tcp} {
		server.NotifyStartedFunc = func() { started <- nil }
		go func() {
			if err := server.ActivateAndServe(); err != nil {
				started <- err
			}
		}()
	}
	for range 2 {
		if err := <-started; err != nil {
			return fmt.Errorf("name server: %w", err)
		}
	}
	return nil
}

func (s *nameServer) close() error {
	return errors.Join(s.udp.Shutdown(), s.tcp.Shutdown())
}

// answer resolves a question as the VPC's resolver does: hosted zones, private
// before public, and the names of instances. It knows no other names.
func (s *Server) answer(q *dns.Msg) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	m.RecursionAvailable = true
	if len(q.Question) != 1 || q.Question[0].Qclass != dns.ClassINET {
		m.Rcode = dns.RcodeRefused
		return m
	}
	s.Do(func(c *awsfake.Cloud) {
		r := resolver{cloud: c, answer: m}
		r.resolve(q.Question[0].Name, q.Question[0].Qtype)
	})
	return m
}
