package localcloud

import (
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// metadata is the metadata service of one instance, version 2 only
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html).
type metadata struct {
	url    string
	server *http.Server
	mu     sync.Mutex
	tokens map[string]time.Time // token -> when it expires
}

// serveMetadata opens the service on the instance's own address, which tells
// the callers of different instances apart.
func (s *Server) serveMetadata(i awsfake.Instance) (*metadata, error) {
	l, err := listenLoopback(net.JoinHostPort(i.PrivateIP, "0"))
	if err != nil {
		return nil, err
	}
	m := &metadata{url: "http://" + l.Addr().String(), tokens: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", m.giveToken)
	mux.HandleFunc("GET /latest/{path...}", func(w http.ResponseWriter, r *http.Request) {
		if !m.valid(r.Header.Get("X-aws-ec2-metadata-token")) {
			fail(w, http.StatusUnauthorized)
			return
		}
		var body string
		var found bool
		s.Do(func(c *awsfake.Cloud) { body, found = c.IMDS(i.ID).Get(strings.TrimSuffix(r.PathValue("path"), "/")) })
		if !found {
			fail(w, http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, body)
	})
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	s.done.Go(func() { s.serve(m.server, l) })
	return m, nil
}

const ttlHeader = "X-aws-ec2-metadata-token-ttl-seconds"

// giveToken hands out a token for 1 s to 6 h. Requests through a proxy get none.
func (m *metadata) giveToken(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Forwarded-For") != "" {
		fail(w, http.StatusForbidden)
		return
	}
	ttl, err := strconv.Atoi(r.Header.Get(ttlHeader))
	if err != nil || ttl < 1 || ttl > 21600 {
		fail(w, http.StatusBadRequest)
		return
	}
	token := rand.Text()
	m.mu.Lock()
	m.tokens[token] = time.Now().Add(time.Duration(ttl) * time.Second)
	m.mu.Unlock()
	w.Header().Set(ttlHeader, strconv.Itoa(ttl))
	w.Header().Set("Content-Type", "text/plain")
	io.WriteString(w, token)
}

func (m *metadata) valid(token string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for t, expires := range m.tokens {
		if time.Now().After(expires) {
			delete(m.tokens, t)
		}
	}
	_, ok := m.tokens[token]
	return ok
}

func (m *metadata) close() { m.server.Close() }

// fail answers with a page, as EC2 does: clients must look at the status.
func fail(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	title := strconv.Itoa(status) + " - " + http.StatusText(status)
	io.WriteString(w, `<?xml version="1.0" encoding="iso-8859-1"?>`+"\n<html><head><title>"+title+"</title></head><body><h1>"+title+"</h1></body></html>\n")
}
