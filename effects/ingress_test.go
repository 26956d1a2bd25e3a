package effects

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// guarded is a rig that has a security group.
func guarded(t *testing.T) *rig {
	r := newRig(t, func(r *rig, o *Options) {
		made, err := r.cloud.EC2("test").In("eu-central-1").CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: aws.String("peers")})
		must(t, err)
		o.SecurityGroup = aws.ToString(made.GroupId)
	})
	r.know()
	return r
}

func (r *rig) ingress() states.Ingress {
	r.pass(time.Second)
	r.turn(states.Needs{Ingress: time.Second})
	return r.Observe().Ingress
}

// allow is somebody else's rule.
func (r *rig) allow(protocol string, from, to int32, source, description string) {
	_, err := r.cloud.EC2("test").AuthorizeSecurityGroupIngress(r.t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: aws.String(r.SecurityGroup),
		IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String(protocol), FromPort: aws.Int32(from), ToPort: aws.Int32(to), IpRanges: []ec2types.IpRange{{CidrIp: aws.String(source), Description: aws.String(description)}},
		}},
	})
	must(r.t, err)
}

func (r *rig) rules() []awsfake.Rule { return r.cloud.SecurityGroups()[0].Rules }

// TestPeersAreAuthorized on both ports, and their rules are known again by what is written on them.
func TestPeersAreAuthorized(t *testing.T) {
	r := guarded(t)
	if in := r.ingress(); in.Known != states.Yes || len(in.Open) != 0 || !in.At.Equal(r.now) {
		t.Fatalf("%+v", in)
	}
	let := states.AuthorizePeers{Addresses: []string{"10.1.0.1", "10.1.0.2"}}
	if failed := r.fails(let); failed != "" {
		t.Fatal(failed)
	}
	must(t, r.authorize(t.Context(), let, "etcd-appliance etcd")) // the answer may have been lost
	if len(r.rules()) != 4 || r.rules()[1] != (awsfake.Rule{Protocol: "tcp", From: 2380, To: 2380, CIDR: "10.1.0.1/32", Description: "etcd-appliance etcd"}) {
		t.Errorf("%+v", r.rules())
	}
	want := []states.Opening{{From: netip.MustParsePrefix("10.1.0.1/32"), Own: true}, {From: netip.MustParsePrefix("10.1.0.2/32"), Own: true}}
	if in := r.ingress(); !slices.Equal(in.Open, want) {
		t.Errorf("%+v", in)
	}
}

// TestPeersAreRevoked on both ports, and what others have written is left alone.
func TestPeersAreRevoked(t *testing.T) {
	r := guarded(t)
	r.allow("tcp", 2379, 2380, "10.0.0.0/8", "all of us")
	must(t, r.authorize(t.Context(), states.AuthorizePeers{Addresses: []string{"10.1.0.1"}}, "etcd-appliance etcd"))
	let := states.RevokePeers{Addresses: []string{"10.1.0.1"}}
	if failed := r.fails(let); failed != "" {
		t.Fatal(failed)
	}
	must(t, r.revoke(t.Context(), let, "etcd-appliance etcd"))
	if rules := r.rules(); len(rules) != 1 || rules[0].Description != "all of us" {
		t.Errorf("%+v", rules)
	}
}

// TestWhoIsLetIn counts who is on both ports, whoever has written it.
func TestWhoIsLetIn(t *testing.T) {
	for what, c := range map[string]struct {
		rules func(r *rig)
		want  string
	}{
		"one port only":      {func(r *rig) { r.allow("tcp", 2379, 2379, "10.1.0.1/32", "") }, "10.1.0.1/32 half"},
		"the other only":     {func(r *rig) { r.allow("tcp", 2380, 2380, "10.1.0.1/32", "") }, "10.1.0.1/32 half"},
		"one port, by ours":  {func(r *rig) { r.allow("tcp", 2379, 2379, "10.1.0.1/32", "etcd-appliance etcd") }, "10.1.0.1/32 ours half"},
		"the other, by ours": {func(r *rig) { r.allow("tcp", 2380, 2380, "10.1.0.1/32", "etcd-appliance etcd") }, "10.1.0.1/32 ours half"},
		"by halves, of others": {func(r *rig) {
			r.allow("tcp", 2379, 2379, "10.1.0.1/32", "")
			r.allow("tcp", 2380, 2380, "10.1.0.1/32", "etcd-appliance etcd")
		}, "10.1.0.1/32"},
		"several, in order": {func(r *rig) {
			r.allow("tcp", 2379, 2380, "10.1.0.2/32", "")
			r.allow("tcp", 2379, 2379, "10.1.0.1/32", "")
		}, "10.1.0.1/32 half, 10.1.0.2/32"},
		"both in one": {func(r *rig) { r.allow("tcp", 2379, 2380, "10.1.0.1/32", "") }, "10.1.0.1/32"},
		"all ports":   {func(r *rig) { r.allow("-1", -1, -1, "10.1.0.0/24", "") }, "10.1.0.0/24"},
		"by number":   {func(r *rig) { r.allow("6", 1, 65535, "10.1.0.0/24", "") }, "10.1.0.0/24"},
		"not TCP":     {func(r *rig) { r.allow("udp", 2379, 2380, "10.1.0.1/32", "") }, ""},
		"half of it is ours": {func(r *rig) {
			r.allow("tcp", 2379, 2379, "10.1.0.1/32", "etcd-appliance etcd")
			r.allow("tcp", 2380, 2380, "10.1.0.1/32", "")
		}, "10.1.0.1/32"},
		"another cluster's":    {func(r *rig) { r.allow("tcp", 2379, 2380, "10.1.0.1/32", "etcd-appliance etcd2") }, "10.1.0.1/32"},
		"nothing that is read": {func(r *rig) { r.allow("tcp", 2379, 2380, "everybody", "") }, ""},
	} {
		r := guarded(t)
		c.rules(r)
		var got []string
		for _, o := range r.ingress().Open {
			got = append(got, o.From.String()+map[bool]string{true: " ours"}[o.Own]+map[bool]string{true: " half"}[o.Half])
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestSecurityGroupThatFails changes nothing that is known, and is told.
func TestSecurityGroupThatFails(t *testing.T) {
	r := guarded(t)
	must(t, r.authorize(t.Context(), states.AuthorizePeers{Addresses: []string{"10.1.0.1"}}, "etcd-appliance etcd"))
	r.ingress()
	r.SecurityGroup = "sg-0fffffff"
	if in := r.ingress(); len(in.Open) != 1 || !strings.Contains(r.complaint["security group"], "sg-0fffffff") {
		t.Errorf("%+v, complains %q", in, r.complaint["security group"])
	}
	for _, c := range []states.Command{states.AuthorizePeers{Addresses: []string{"10.1.0.2"}}, states.RevokePeers{Addresses: []string{"10.1.0.1"}}} {
		r.pass(time.Minute)
		r.ingress()
		if failed := r.fails(c); !strings.Contains(failed, "to port 2379") || !strings.Contains(failed, "does not exist") {
			t.Errorf("%s: %q", c, failed)
		}
	}
}

// TestOwnRulesAreLookedUp in AWS: that nobody has the address any more is to be proved before a rule goes.
func TestOwnRulesAreLookedUp(t *testing.T) {
	r := guarded(t)
	must(t, r.authorize(t.Context(), states.AuthorizePeers{Addresses: []string{"10.1.0.1"}}, "etcd-appliance etcd"))
	r.ingress()
	if keys := r.memberKeys(); !slices.Equal(keys, []string{"10.1.0.1"}) {
		t.Errorf("%v", keys)
	}
}
