package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// v2 is a client of the v2 API, for a [Writer]: it asks one member after the other, as its users do.
type v2 struct {
	http      http.Client
	addresses []string
	next      int
}

// request makes one request of the v2 API, and reads what is answered. Other answers than 200 and 201 are errors.
func (c *v2) request(ctx context.Context, method, address, path string, form url.Values, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, clientURL(address)+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s %s: %s", method, path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

func (c *v2) put(ctx context.Context, key, value string) error {
	address := c.addresses[c.next%len(c.addresses)]
	var event struct{}
	err := c.request(ctx, http.MethodPut, address, "/v2/keys/"+key, url.Values{"value": {value}}, &event)
	if err != nil {
		c.next++
	}
	return err
}

// runV2 is run over v2.
func (w *Writer) runV2(ctx context.Context) {
	var client v2
	defer client.http.CloseIdleConnections()
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
	var client v2
	defer client.http.CloseIdleConnections()
	if err := client.request(ctx, http.MethodGet, address, path, nil, &event); err != nil {
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
