package effects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// The claim is one line of text, the same in a TXT record and in an object:
//
//	v=1 state=pending token=main-i-0a-1763841600 cluster=0 etcd=3.7 members=i-0a=10.0.0.1,i-0b=10.0.0.2,i-0c=10.0.0.3

var claimKeys = []string{"v", "state", "token", "cluster", "etcd", "members"}

// claimSeen is the claim as the store last gave it, to be given back to it as the old value of a compare-and-set.
type claimSeen struct {
	record states.Record // Route53
	etag   string        // S3
}

// place is where a cluster's records and its claim are.
type place struct{ cluster, zoneID, zone string }

// foundClaim is what a store holds under the claim's name.
type foundClaim struct {
	exists bool
	text   string
	seen   claimSeen
}

func claimName(cluster, zone string) string { return "_etcd-bootstrap." + cluster + "." + zone }

// ClaimKey is the key of the claim in S3.
func ClaimKey(cluster string) string { return "etcd-appliance/" + cluster + "/claim" }

func claimFromRecords(records []states.Record, name string) foundClaim {
	for _, r := range records {
		if r.Name == name && r.Type == "TXT" {
			return foundClaim{exists: true, text: strings.Join(unquote(r.Values), " and "), seen: claimSeen{record: r}}
		}
	}
	return foundClaim{}
}

func (e *Effects) readBucket(ctx context.Context, cluster string) (func(), error) {
	at := e.Now()
	out, err := e.S3.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(e.Bucket), Key: aws.String(ClaimKey(cluster))})
	if hasCode(err, "NoSuchKey") {
		return func() { e.setClaim(at, foundClaim{}) }, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the claim from bucket %s: %w", e.Bucket, err)
	}
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(out.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("read the claim from bucket %s: %w", e.Bucket, err)
	}
	found := foundClaim{exists: true, text: strings.TrimSpace(string(body)), seen: claimSeen{etag: aws.ToString(out.ETag)}}
	return func() { e.setClaim(at, found) }, nil
}

func (e *Effects) setClaim(at time.Time, found foundClaim) {
	e.claimSeen = found.seen
	c := states.Claim{Store: e.facts.Claim.Store, Known: states.Yes, At: at, Exists: states.Is(found.exists)}
	if found.exists {
		record, err := parseClaim(found.text)
		if err != nil {
			c.Foreign = err.Error()
		}
		c.Record = record
	}
	e.facts.Claim = c
}

func (e *Effects) createClaim(ctx context.Context, at place, r states.ClaimRecord) error {
	if e.S3 != nil {
		return e.putClaim(ctx, at.cluster, r, &s3.PutObjectInput{IfNoneMatch: aws.String("*")})
	}
	return e.change(ctx, at.zoneID, nil, []states.Record{claimSet(claimName(at.cluster, at.zone), r)})
}

func (e *Effects) updateClaim(ctx context.Context, at place, seen claimSeen, r states.ClaimRecord) error {
	if e.S3 != nil {
		return e.putClaim(ctx, at.cluster, r, &s3.PutObjectInput{IfMatch: aws.String(seen.etag)})
	}
	return e.change(ctx, at.zoneID, []states.Record{seen.record}, []states.Record{claimSet(claimName(at.cluster, at.zone), r)})
}

func (e *Effects) putClaim(ctx context.Context, cluster string, r states.ClaimRecord, in *s3.PutObjectInput) error {
	in.Bucket, in.Key, in.Body = aws.String(e.Bucket), aws.String(ClaimKey(cluster)), bytes.NewReader([]byte(formatClaim(r)+"\n"))
	_, err := e.S3.PutObject(ctx, in)
	if hasCode(err, "PreconditionFailed") || hasCode(err, "ConditionalRequestConflict") || hasCode(err, "NoSuchKey") {
		return fmt.Errorf("%w: %w", ErrChanged, err)
	}
	return err
}

func claimSet(name string, r states.ClaimRecord) states.Record {
	return states.Record{Name: name, Type: "TXT", TTL: 60, Values: []string{quote(formatClaim(r))}}
}

func formatClaim(r states.ClaimRecord) string {
	members := make([]string, len(r.Members))
	for i, m := range r.Members {
		members[i] = m.ID + "=" + m.Address
	}
	minor := ""
	if r.Minor.Known() {
		minor = " etcd=" + r.Minor.String()
	}
	return fmt.Sprintf("v=1 state=%s token=%s cluster=%x%s members=%s", r.State, r.Token, r.ClusterID, minor, strings.Join(members, ","))
}

// parseClaim refuses whatever it does not understand whole: half a claim must not be acted on.
func parseClaim(text string) (states.ClaimRecord, error) {
	var r states.ClaimRecord
	bad := func(what string) (states.ClaimRecord, error) {
		return states.ClaimRecord{}, fmt.Errorf("the claim %q is not one of this daemon's (%s): delete it if no cluster of this name lives", text, what)
	}
	fields := map[string]string{}
	for _, f := range strings.Fields(text) {
		key, value, _ := strings.Cut(f, "=") // a bare key has no value, and none may be empty
		if _, twice := fields[key]; twice || !slices.Contains(claimKeys, key) {
			return bad(f)
		}
		fields[key] = value
	}
	switch fields["state"] {
	case "pending":
	case "formed":
		r.State = states.ClaimFormed
	default:
		return bad("state")
	}
	id, err := strconv.ParseUint(fields["cluster"], 16, 64)
	if err != nil || fields["v"] != "1" || fields["token"] == "" {
		return bad("version, token or cluster")
	}
	r.ClusterID, r.Token = id, fields["token"]
	if minor, told := fields["etcd"]; told {
		v, err := states.ParseVersion(minor)
		if err != nil {
			return bad("etcd")
		}
		r.Minor = v.MinorOf()
	}
	for _, m := range strings.Split(fields["members"], ",") {
		id, address, _ := strings.Cut(m, "=")
		if id == "" || net.ParseIP(address) == nil || named(r.Members, id, address) {
			return bad("member " + m)
		}
		r.Members = append(r.Members, states.ClaimMember{ID: id, Address: address})
	}
	return r, nil
}

func named(members []states.ClaimMember, id, address string) bool {
	return slices.ContainsFunc(members, func(m states.ClaimMember) bool { return m.ID == id || m.Address == address })
}

// quote writes a TXT value: strings of at most 255 characters, each in quotes.
func quote(text string) string {
	var parts []string
	for len(text) > 255 {
		parts = append(parts, `"`+text[:255]+`"`)
		text = text[255:]
	}
	return strings.Join(append(parts, `"`+text+`"`), " ")
}

func unquote(values []string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(v, `"`), `"`), `" "`, "")
	}
	return out
}

// hasCode tells whether an AWS error has this code.
func hasCode(err error, code string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == code
}
