package effects

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// record draws a claim of n members.
func record(r *rand.Rand, n int) states.ClaimRecord {
	c := states.ClaimRecord{State: states.ClaimState(r.IntN(2)), Token: fmt.Sprintf("main-i-%017x-%d", r.Uint64()>>4, r.Uint32()), ClusterID: r.Uint64()}
	if r.IntN(2) == 0 {
		c.Minor = states.MinorVersion{Major: 3, Minor: r.IntN(12)}
	}
	for range n {
		c.Members = append(c.Members, states.ClaimMember{ID: fmt.Sprintf("i-%017x", r.Uint64()>>4), Address: fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256))})
	}
	return c
}

func TestClaimReadsAsItWasWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		want := record(r, 1+r.IntN(9))
		got, err := parseClaim(formatClaim(want))
		if err != nil || !got.Equal(&want) {
			t.Fatalf("%s\nreads as %+v, error %v", formatClaim(want), got, err)
		}
	}
}

// The text is in people's zones: what an older daemon wrote must read for ever.
func TestClaimText(t *testing.T) {
	want := "v=1 state=formed token=main-i-0a-1763841600 cluster=1f members=i-0a=10.0.0.1,i-0b=10.0.0.2"
	got := formatClaim(states.ClaimRecord{
		State: states.ClaimFormed, Token: "main-i-0a-1763841600", ClusterID: 0x1f,
		Members: []states.ClaimMember{{ID: "i-0a", Address: "10.0.0.1"}, {ID: "i-0b", Address: "10.0.0.2"}},
	})
	if got != want {
		t.Errorf("writes %q, want %q", got, want)
	}
}

// TestClaimOfAnySizeFitsInTXT: a string of a TXT record holds 255 characters, and longer texts are several.
func TestClaimOfAnySizeFitsInTXT(t *testing.T) {
	for n := range 600 {
		text := strings.Repeat("x", n)
		quoted := quote(text)
		for part := range strings.SplitSeq(quoted, " ") {
			if len(part) > 257 || len(part) < 2 || part[0] != '"' || part[len(part)-1] != '"' {
				t.Fatalf("%d characters: the part %q", n, part)
			}
		}
		if got := unquote([]string{quoted}); got[0] != text {
			t.Fatalf("%d characters read back as %d", n, len(got[0]))
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, members := range []int{1, 3, 5, 7, 9} {
		want := record(r, members)
		rig := newRig(t, nil)
		rig.know()
		_, err := rig.action(states.CreateClaim{Record: want})(t.Context())
		must(t, err)
		if o := rig.zoneNow(); o.Claim.Exists != states.Yes || o.Claim.Foreign != "" || !o.Claim.Record.Equal(&want) {
			t.Errorf("%d members through Route53: %+v", members, o.Claim)
		}
	}
}

// TestOddClaimsAreRefusedWhole: half a claim must not be acted on.
func TestOddClaimsAreRefusedWhole(t *testing.T) {
	good := "v=1 state=pending token=t cluster=0 members=i-a=10.0.0.1"
	if _, err := parseClaim(good); err != nil {
		t.Fatal(err)
	}
	odd := []string{
		"", "hello", "v=1", strings.Replace(good, "v=1", "v=2", 1), strings.Replace(good, "v=1 ", "", 1),
		strings.Replace(good, "pending", "", 1), strings.Replace(good, "pending", "Formed", 1), strings.Replace(good, "token=t", "token=", 1),
		strings.Replace(good, "cluster=0", "cluster=x", 1), strings.Replace(good, "cluster=0", "cluster=-1", 1), strings.Replace(good, "cluster=0", "cluster=", 1),
		strings.Replace(good, "cluster=0", "cluster=11111111111111111", 1), strings.Replace(good, "members=i-a=10.0.0.1", "members=", 1),
		strings.Replace(good, " members=i-a=10.0.0.1", "", 1), good + ",", good + ",i-b", good + ",i-b=", good + ",=10.0.0.2", good + " and more",
		good + " etcd=", good + " etcd=3", good + " etcd=newest",
	}
	for _, text := range odd {
		if r, err := parseClaim(text); err == nil || r.Token != "" || len(r.Members) > 0 {
			t.Errorf("%q reads as %+v, error %v", text, r, err)
		} else if !strings.Contains(err.Error(), "delete it if no cluster of this name lives") {
			t.Errorf("%q: the error does not say what to do: %v", text, err)
		}
	}
	for cut := 1; cut < len(good)-len("10.0.0.1")-1; cut++ {
		if r, err := parseClaim(good[:cut]); err == nil {
			t.Errorf("the first %d characters read as %+v", cut, r)
		}
	}
}

// TestStillOdderClaims are texts that no daemon wrote, and that are read as something all the same.
func TestStillOdderClaims(t *testing.T) {
	good := "v=1 state=pending token=t cluster=0 members=i-a=10.0.0.1"
	for _, text := range []string{
		good + " epoch=3", good + " state=formed", good + ",i-a=10.0.0.2", good + ",i-b=10.0.0.1", good + "=x", "v=1 state=pending token=t cluster=0 members=i-a=host",
	} {
		if r, err := parseClaim(text); err == nil {
			t.Errorf("%q reads as %+v", text, r)
		}
	}
	two := []states.Record{{Name: "_c.", Type: "TXT", Values: []string{quote(good), quote(good)}}}
	if found := claimFromRecords(two, "_c."); found.exists {
		if r, err := parseClaim(found.text); err == nil {
			t.Errorf("two values read as %+v", r)
		}
	}
}

// TestForeignClaimIsThere, and nothing of it is believed.
func TestForeignClaimIsThere(t *testing.T) {
	r := newRig(t, nil)
	r.put(claimName("etcd", "elephant.example.org."), "TXT", 60, `"hello" "world"`)
	r.know()
	c := r.Observe().Claim
	if c.Exists != states.Yes || !strings.Contains(c.Foreign, "helloworld") || c.Record.Token != "" {
		t.Errorf("%+v", c)
	}
	if len(r.Observe().DNS.Records) != 0 {
		t.Error("the claim is among the records to publish")
	}
}

// TestClaimIsMadeOnceAndReplacedByComparison runs the same story in both stores.
func TestClaimIsMadeOnceAndReplacedByComparison(t *testing.T) {
	for store, option := range map[states.ClaimStore]func(*rig, *Options){states.ClaimInRoute53: nil, states.ClaimInS3: inBucket} {
		r := newRig(t, option)
		r.know()
		random := rand.New(rand.NewPCG(5, 6))
		first, second, third := record(random, 3), record(random, 3), record(random, 3)
		if c := r.zoneNow().Claim; c.Exists != states.No || c.Foreign != "" || c.Store != store || !c.At.Equal(r.now) {
			t.Fatalf("store %d: %+v", store, c)
		}
		act := func(c states.Command) error {
			_, err := r.action(c)(t.Context())
			return err
		}
		must(t, act(states.CreateClaim{Record: first}))
		if err := act(states.CreateClaim{Record: second}); !errors.Is(err, ErrChanged) {
			t.Errorf("store %d: a second creation: error %v", store, err)
		}
		if o := r.zoneNow(); !o.Claim.Record.Equal(&first) {
			t.Errorf("store %d: holds %+v", store, o.Claim)
		}
		must(t, act(states.UpdateClaim{Old: first, New: second}))
		if err := act(states.UpdateClaim{Old: first, New: third}); !errors.Is(err, ErrChanged) {
			t.Errorf("store %d: an update of what is no longer there: error %v", store, err)
		}
		if o := r.zoneNow(); !o.Claim.Record.Equal(&second) {
			t.Errorf("store %d: holds %+v", store, o.Claim)
		}
	}
}

// TestClaimThatWasDeletedMeanwhile is changed too.
func TestClaimThatWasDeletedMeanwhile(t *testing.T) {
	r := newRig(t, inBucket)
	r.know()
	c := record(rand.New(rand.NewPCG(7, 8)), 3)
	_, err := r.action(states.CreateClaim{Record: c})(t.Context())
	must(t, err)
	r.zoneNow()
	_, err = r.cloud.S3("test").DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("claims"), Key: aws.String(ClaimKey("etcd"))})
	must(t, err)
	if _, err = r.action(states.UpdateClaim{Old: c, New: c})(t.Context()); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
}

// TestOnlyARaceIsChanged: S3 refuses for what another has written, or is writing at that moment (409 ConditionalRequestConflict).
// Everything else has to be told to an operator.
func TestOnlyARaceIsChanged(t *testing.T) {
	for code, changed := range map[string]bool{"PreconditionFailed": true, "ConditionalRequestConflict": true, "NoSuchKey": true, "AccessDenied": false} {
		r := newRig(t, inBucket)
		r.know()
		r.only("PutObject", awsfake.Fault{Err: awsfake.Error(code, "no")})
		if _, err := r.action(claim)(t.Context()); !hasCode(err, code) || errors.Is(err, ErrChanged) != changed {
			t.Errorf("%s: error %v", code, err)
		}
	}
}

// TestClaimIsTheTextOfItsName: all record sets of the cluster are read, and operators may have a TXT of their own among them.
func TestClaimIsTheTextOfItsName(t *testing.T) {
	others := []states.Record{{Name: "etcd.", Type: "TXT", Values: []string{`"mine"`}}, {Name: "_c.", Type: "A", Values: []string{"10.0.0.1"}}}
	if found := claimFromRecords(others, "_c."); found.exists {
		t.Errorf("%+v", found)
	}
	record := states.Record{Name: "_c.", Type: "TXT", Values: []string{`"claim"`}}
	if found := claimFromRecords(append(others, record), "_c."); !found.exists || found.text != "claim" || !found.seen.record.Equal(&record) {
		t.Errorf("%+v", found)
	}
}

// TestBucketThatDoesNotAnswerIsUnknown, while the zone beside it is known.
func TestBucketThatDoesNotAnswerIsUnknown(t *testing.T) {
	r := newRig(t, inBucket)
	r.failing("s3")
	r.know0()
	if o := r.Observe(); o.Claim.Known != states.Unknown || o.Claim.Exists != states.Unknown || o.DNS.Known != states.Yes {
		t.Errorf("%+v, zone known: %s", o.Claim, o.DNS.Known)
	}
}

// TestWhereTheClaimIs: people look for it, and a cluster of another name must not find it.
func TestWhereTheClaimIs(t *testing.T) {
	if name, key := claimName("etcd", "x.org."), ClaimKey("etcd"); name != "_etcd-bootstrap.etcd.x.org." || key != "etcd-appliance/etcd/claim" {
		t.Errorf("%s, %s", name, key)
	}
}
