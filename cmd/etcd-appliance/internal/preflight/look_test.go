package preflight

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// etcd is a cluster of one URL.
type etcd struct {
	members []states.Member
	status  effects.EtcdStatus
	err     error
	keys    []effects.EtcdKey
}

func (e *etcd) Members(context.Context, []string) (effects.EtcdMembers, error) {
	return effects.EtcdMembers{Members: e.members}, e.err
}
func (e *etcd) Status(context.Context, string) (effects.EtcdStatus, error) { return e.status, nil }
func (e *etcd) Keys(context.Context, []string, string) ([]effects.EtcdKey, error) {
	return e.keys, nil
}
func (e *etcd) Auth(context.Context, []string) (states.Fact, error) { return states.No, nil }

// group is AWS with one group, in which i-a is.
type group struct {
	effects.AutoScaling // of which it asks nothing else
	err                 error
}

func (g group) DescribeAutoScalingInstances(_ context.Context, in *autoscaling.DescribeAutoScalingInstancesInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingInstancesOutput, error) {
	out := &autoscaling.DescribeAutoScalingInstancesOutput{}
	if slices.Contains(in.InstanceIds, "i-a") {
		out.AutoScalingInstances = []types.AutoScalingInstanceDetails{{AutoScalingGroupName: aws.String("releaseetcd")}}
	}
	return out, g.err
}

func (g group) DescribeAutoScalingGroups(_ context.Context, in *autoscaling.DescribeAutoScalingGroupsInput, _ ...func(*autoscaling.Options)) (*autoscaling.DescribeAutoScalingGroupsOutput, error) {
	out := &autoscaling.DescribeAutoScalingGroupsOutput{}
	if in.AutoScalingGroupNames[0] == "releaseetcd" {
		out.AutoScalingGroups = []types.AutoScalingGroup{{DesiredCapacity: aws.Int32(3)}}
	}
	return out, g.err
}

// served is the client port of a 3.5 server with its v2 API, and what was asked of it.
func served(t *testing.T) (url string, asked func() []string) {
	t.Helper()
	var mu sync.Mutex
	var list []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		list = append(list, r.Method+" "+r.URL.String())
		switch r.URL.Path {
		case "/version":
			fmt.Fprint(w, `{"etcdserver":"3.5.35","etcdcluster":"3.5.0"}`)
		case "/v2/keys/":
			fmt.Fprint(w, `{"action":"get","node":{"dir":true,"nodes":[{"key":"/foo","value":"bar"}]}}`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string { mu.Lock(); defer mu.Unlock(); slices.Sort(list); return list }
}

func TestLook(t *testing.T) {
	url, asked := served(t)
	e := &etcd{
		members: []states.Member{{ID: 0xa1, Name: "i-a", ClientURL: url}, {ID: 0xb2, Address: "10.0.0.2"}},
		status:  effects.EtcdStatus{MemberID: 0xa1, Leader: 0xa1, Version: version("3.5.35"), Errors: []string{"etcdserver: no leader", "memberID:161 alarm:NOSPACE"}, Downgrade: minorOf("3.4")},
		keys:    []effects.EtcdKey{{Key: effects.UpgradeHaltKey, Value: `{"owner":"i-a","member":"a1","from":"3.5","to":"3.6","why":"panic"}`}},
	}
	o := Sources{Etcd: e, AutoScaling: group{}, HTTP: http.DefaultClient, DataDir: t.TempDir()}
	var seen Seen
	o.Look(t.Context(), &seen)
	a, b := seen.Members[0], seen.Members[1]
	switch {
	case a.Version != version("3.5.35") || a.Leader != 0xa1 || a.Cluster != minorOf("3.5") || a.Storage.Known() || a.Downgrade != minorOf("3.4"):
		t.Errorf("%+v", a)
	case !strings.Contains(a.Alarm, "NOSPACE") || a.V2Keys != states.Yes || b.Version.Known() || b.Err != nil:
		t.Errorf("%+v, %+v", a, b)
	case seen.Group != "releaseetcd" || seen.Desired != 3 || seen.GroupErr != nil || seen.Auth != states.No:
		t.Errorf("%+v", seen)
	case seen.Halted.Why != "panic" || seen.Lock.Owner != "" || seen.V2Data != states.Unknown || !errors.Is(seen.V2Err, errNoSnapshot):
		t.Errorf("%+v", seen)
	}
	if got := asked(); !slices.Equal(got, []string{"GET /v2/keys/", "GET /version"}) { // no /health, and no quorum=true
		t.Errorf("asked %v", got)
	}
}

func TestLookAtWhatIsNotThere(t *testing.T) {
	url, _ := served(t)
	e := &etcd{members: []states.Member{{ID: 0xa1, Name: "etcd0", Address: "10.0.0.1", ClientURL: url}}, status: effects.EtcdStatus{MemberID: 0xb2}}
	for what, c := range map[string]struct {
		cloud group
		named string
		want  string
	}{
		"no instance":   {group{}, "", "no member is named after an instance"},
		"no such group": {group{}, "other", "auto-scaling group other is not there"},
		"no AWS":        {group{err: errors.New("throttled")}, "releaseetcd", "throttled"},
	} {
		seen := Seen{Group: c.named}
		(&Sources{Etcd: e, AutoScaling: c.cloud, HTTP: http.DefaultClient}).Look(t.Context(), &seen)
		if seen.GroupErr == nil || !strings.Contains(seen.GroupErr.Error(), c.want) || seen.Members[0].Err == nil {
			t.Errorf("%s: %v, %v", what, seen.GroupErr, seen.Members[0].Err)
		}
	}
	e.err = errors.New("no quorum")
	var seen Seen
	(&Sources{Etcd: e, AutoScaling: group{}, HTTP: http.DefaultClient}).Look(t.Context(), &seen)
	if !errors.Is(seen.Reached, e.err) {
		t.Errorf("%+v", seen)
	}
}

// wrapped is a snapshot file as etcd writes it: bytes in field 1, after a number, in field 2.
func wrapped(store string) []byte {
	bytesIn := func(field uint64, content []byte) []byte {
		out := binary.AppendUvarint(nil, field<<3|2)
		return append(binary.AppendUvarint(out, uint64(len(content))), content...)
	}
	inner := append(bytesIn(2, []byte("metadata")), bytesIn(1, []byte(store))...)
	return append(binary.AppendUvarint([]byte{1 << 3}, 12345), bytesIn(2, inner)...)
}

func TestV2Data(t *testing.T) {
	own := `{"Root":{"Path":"/","Children":{"0":{"Children":{"members":{}}},"1":{"Path":"/1","Children":%s}}}}`
	none, some := wrapped(fmt.Sprintf(own, `null`)), wrapped(fmt.Sprintf(own, `{"foo":{"Value":"bar"}}`))
	for what, c := range map[string]struct {
		newest []byte
		want   states.Fact
	}{
		"none": {none, states.No}, "some": {some, states.Yes}, "nothing": {nil, states.Unknown}, "half": {some[:len(some)/2], states.Unknown},
		"no JSON": {wrapped("hello"), states.Unknown}, "noise": {[]byte{0x0b, 1, 2, 3}, states.Unknown},
	} {
		dir := t.TempDir()
		snap := filepath.Join(dir, "member", "snap")
		other := none
		if c.want == states.No {
			other = some
		}
		for _, err := range []error{
			os.MkdirAll(snap, 0o755), os.WriteFile(filepath.Join(snap, "0000000000000002-000000000000000a.snap"), other, 0o600),
			os.WriteFile(filepath.Join(snap, "0000000000000002-0000000000000010.snap"), c.newest, 0o600),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if got, err := v2Data(dir); got != c.want || (err != nil) != (c.want == states.Unknown) {
			t.Errorf("%s: %v, %v", what, got, err)
		}
	}
}
