package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request makes one request of the v2 API, and reads what is answered. Other answers than 200 and 201 are errors.
func (s *servers) request(ctx context.Context, method, address, path string, form url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.url(address)+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// versionsOf is what a server of any version tells at /version.
type versionsOf struct {
	Server  string `json:"etcdserver"`
	Cluster string `json:"etcdcluster"`
}

// isV2 tells whether the cluster serves v2 and no v3: its version is 2.3, whatever its servers are.
func (v versionsOf) isV2() bool { return strings.HasPrefix(v.Cluster, "2.") }

// askV2 gives what a server answers over v2, which is all that a cluster of 2.3 serves.
func (s *servers) askV2(ctx context.Context, address, version string, e *Etcd) error {
	var self, leader struct {
		ID string `json:"id"`
	}
	e.Version = version
	err := s.request(ctx, http.MethodGet, address, "/v2/stats/self", nil, &self)
	if err == nil {
		e.MemberID, err = strconv.ParseUint(self.ID, 16, 64)
	}
	if err != nil {
		return fmt.Errorf("client port: %w", err)
	}
	if err := s.request(ctx, http.MethodGet, address, "/v2/members/leader", nil, &leader); err != nil {
		return fmt.Errorf("client port: %w", err) // during an election
	}
	if e.Leader, err = strconv.ParseUint(leader.ID, 16, 64); err != nil {
		return fmt.Errorf("client port: %w", err)
	}
	var root struct{}
	if err := s.request(ctx, http.MethodGet, address, "/v2/keys/?quorum=true", nil, &root); err != nil {
		return fmt.Errorf("read through quorum: %w", err)
	}
	e.Serves = true
	return nil
}

// v2 is a client of the v2 API, for a [Writer]: it asks one member after the other, as its users do.
type v2 struct {
	servers   *servers
	addresses []string
	next      int
}

func (c *v2) put(ctx context.Context, key, value string) error {
	address := c.addresses[c.next%len(c.addresses)]
	var event struct{}
	err := c.servers.request(ctx, http.MethodPut, address, "/v2/keys/"+key, url.Values{"value": {value}}, &event)
	if err != nil {
		c.next++
	}
	return err
}

// runV2 is run over v2.
func (w *Writer) runV2(ctx context.Context) {
	client := v2{servers: w.servers}
	var resolved time.Time
	tick := time.NewTicker(writePause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Since(resolved) >= resolveEvery {
			found, _ := w.finder.urls(ctx) // it is looked up again soon
			client.addresses, resolved = nil, time.Now()
			for _, endpoint := range found {
				client.addresses = append(client.addresses, strings.TrimSuffix(strings.TrimPrefix(endpoint, "http://"), ":2379"))
			}
		}
		if len(client.addresses) == 0 {
			continue // not published yet
		}
		attempt, cancel := context.WithTimeout(ctx, writeAttempt)
		n := w.Progress().Acked
		err := client.put(attempt, w.key(n), w.value(n))
		cancel()
		if ctx.Err() == nil {
			w.note(err)
		}
	}
}

// verifyV2 is [Writer.Verify] of keys that were written over v2.
func (w *Writer) verifyV2(ctx context.Context, address string) error {
	var event struct {
		Node struct {
			Nodes []struct{ Key, Value string }
		}
	}
	path := "/v2/keys/" + strings.TrimSuffix(w.prefix, "/") + "?quorum=true"
	if err := w.servers.request(ctx, http.MethodGet, address, path, nil, &event); err != nil {
		return err
	}
	found := map[string]string{}
	for _, n := range event.Node.Nodes {
		found[strings.TrimPrefix(n.Key, "/")] = n.Value
	}
	for n := range w.Progress().Acked {
		if got := found[w.key(n)]; got != w.value(n) {
			return fmt.Errorf("key %s was acknowledged with %q; read was %q", w.key(n), w.value(n), got)
		}
	}
	return nil
}
