package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/route53"
)

// motoGate stands before moto's Route53 and S3 and makes them as strict as AWS where the claim depends on it. moto takes a
// CREATE of a record set that exists, and keeps both; it refuses one that is equal to an earlier one, though it was deleted
// since; and its threads interleave, so that a batch is not atomic, nor a conditional PUT. Here requests pass one at a time,
// and a batch only if Route53 would take it.
type motoGate struct {
	mu      sync.Mutex
	route53 *route53.Client
	forward *httputil.ReverseProxy
}

func newMotoGate(moto *url.URL, client *route53.Client) *motoGate {
	return &motoGate{route53: client, forward: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(moto)
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{DisableKeepAlives: true}, // with kept connections one answer in some hundreds cannot be read
	}}
}

func (g *motoGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if zone, ok := changedZone(r); ok {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if err := g.accept(r.Context(), zone, body); err != nil {
			w.Header().Set("Content-Type", "text/xml")
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `<?xml version="1.0"?><InvalidChangeBatch xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Messages><Message>`)
			_ = xml.EscapeText(w, []byte(err.Error()))
			fmt.Fprint(w, `</Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>`)
			return
		}
		body = bytes.ReplaceAll(body, []byte("<Action>CREATE</Action>"), []byte("<Action>UPSERT</Action>"))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	g.forward.ServeHTTP(w, r)
}

// changedZone is the zone of a request that changes record sets.
func changedZone(r *http.Request) (id string, ok bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/2013-04-01/hostedzone/")
	id, tail, _ := strings.Cut(rest, "/")
	return id, ok && r.Method == http.MethodPost && strings.TrimSuffix(tail, "/") == "rrset"
}

// accept checks a batch against the zone as Route53 does: change by change, all or nothing.
func (g *motoGate) accept(ctx context.Context, zone string, body []byte) error {
	var batch struct {
		Changes []struct {
			Action string
			Set    struct {
				Name, Type string
				TTL        int64
				Values     []string `xml:"ResourceRecords>ResourceRecord>Value"`
			} `xml:"ResourceRecordSet"`
		} `xml:"ChangeBatch>Changes>Change"`
	}
	if err := xml.Unmarshal(body, &batch); err != nil {
		return err
	}
	content := func(ttl int64, values []string) string {
		slices.Sort(values)
		return fmt.Sprintf("%d %q", ttl, values)
	}
	sets := map[string]string{}
	pages := route53.NewListResourceRecordSetsPaginator(g.route53, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, set := range page.ResourceRecordSets {
			var values []string
			for _, r := range set.ResourceRecords {
				values = append(values, *r.Value)
			}
			sets[*set.Name+" "+string(set.Type)] = content(*set.TTL, values)
		}
	}
	for _, c := range batch.Changes {
		key := c.Set.Name + " " + c.Set.Type
		has, exists := sets[key]
		set := fmt.Sprintf("resource record set [name='%s', type='%s']", c.Set.Name, c.Set.Type)
		switch {
		case len(c.Set.Values) == 0:
			return fmt.Errorf("%s of a %s without values", c.Action, set)
		case c.Action == "CREATE" && exists:
			return fmt.Errorf("Tried to create %s but it already exists", set) //nolint:staticcheck // Route53's words
		case c.Action == "DELETE" && !exists:
			return fmt.Errorf("Tried to delete %s but it was not found", set) //nolint:staticcheck // Route53's words
		case c.Action == "DELETE" && has != content(c.Set.TTL, c.Set.Values):
			return fmt.Errorf("Tried to delete %s but the values provided do not match the current values", set) //nolint:staticcheck // Route53's words
		case c.Action == "DELETE":
			delete(sets, key)
		default:
			sets[key] = content(c.Set.TTL, c.Set.Values)
		}
	}
	return nil
}
