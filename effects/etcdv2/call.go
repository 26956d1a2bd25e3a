package etcdv2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// maxBody is more than any list of ours.
const maxBody = 1 << 20

// call makes one request. An error means that no answer came.
func (e *Etcd) call(ctx context.Context, method, endpoint, path, contentType, body string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, endpoint+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := e.client.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return answer{}, fmt.Errorf("connect to %s: %w", endpoint, effects.ErrRefused)
	}
	if err != nil {
		return answer{}, fmt.Errorf("ask %s: %w", endpoint, effects.MarkTLS(err))
	}
	defer resp.Body.Close()
	got := answer{status: resp.StatusCode, header: resp.Header}
	if got.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody)); err != nil {
		return answer{}, fmt.Errorf("ask %s: %w", endpoint, err)
	}
	return got, nil
}

// get reads a document.
func (e *Etcd) get(ctx context.Context, endpoint, path string, into any) (answer, error) {
	got, err := e.call(ctx, http.MethodGet, endpoint, path, "", "")
	if err != nil {
		return got, err
	}
	if got.status != http.StatusOK {
		return got, fmt.Errorf("ask %s: %s: %w", endpoint, path, got.failure())
	}
	if err := json.Unmarshal(got.body, into); err != nil {
		return got, fmt.Errorf("ask %s: %s: %w", endpoint, path, err)
	}
	return got, nil
}

// failure is an answer that is not what was asked for, in the server's words.
func (a *answer) failure() error {
	var said struct {
		Message string `json:"message"`
		Cause   string `json:"cause"`
	}
	if json.Unmarshal(a.body, &said) != nil || said.Message == "" {
		return fmt.Errorf("HTTP status %d", a.status)
	}
	return errors.New(strings.TrimSuffix(said.Message+": "+said.Cause, ": "))
}

// node is a key of the v2 store.
type node struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Dir      bool   `json:"dir"`
	Nodes    []node `json:"nodes"`
	Created  uint64 `json:"createdIndex"`
	Modified uint64 `json:"modifiedIndex"`
}

// Codes of the v2 store (2.3.8 error/error.go).
const (
	codeNotFound = 100
	codeCompare  = 101
	codeNotDir   = 104
	codeExists   = 105
)

// keys asks the v2 store. What the store refuses is a code; an error leaves the outcome unknown.
func (e *Etcd) keys(ctx context.Context, method, endpoint, path string, query, form url.Values) (node, int, error) {
	where := (&url.URL{Path: "/v2/keys/" + path, RawQuery: query.Encode()}).String()
	got, err := e.call(ctx, method, endpoint, where, "application/x-www-form-urlencoded", form.Encode())
	if err != nil {
		return node{}, 0, err
	}
	var event struct {
		Code int  `json:"errorCode"`
		Node node `json:"node"`
	}
	if err := json.Unmarshal(got.body, &event); err != nil {
		return node{}, 0, fmt.Errorf("ask %s: %s: %w", endpoint, where, errors.Join(err, got.failure()))
	}
	switch event.Code {
	case 0:
		if got.status == http.StatusOK || got.status == http.StatusCreated {
			return event.Node, 0, nil
		}
	case codeNotFound, codeCompare, codeNotDir, codeExists:
		return node{}, event.Code, nil
	}
	return node{}, 0, fmt.Errorf("ask %s: %s: %w", endpoint, where, got.failure())
}
