package effects

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	asgtypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// groupNow asks for the group afresh.
func (r *rig) groupNow() states.Group {
	r.pass(maxPause)
	r.turn(states.Needs{Group: time.Second})
	return r.Observe().Group
}

// only makes a fault for one action.
func (r *rig) only(action string, fault awsfake.Fault) {
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if c.Action == action && c.Caller == r.ids[0] {
			return fault
		}
		return awsfake.Fault{}
	}
}

func TestGroupIsMerged(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	g := r.groupNow()
	if g.Known != states.Yes || g.Desired != 3 || len(g.Instances) != 3 || len(g.Absent) != 0 {
		t.Fatalf("%+v", g)
	}
	for i, in := range g.Instances {
		want, _ := r.cloud.Instance(r.ids[i])
		if in != (states.Instance{ID: want.ID, Address: want.PrivateIP, DNSName: want.PrivateDNSName, Zone: want.Zone, State: states.InstanceRunning, InGroup: true}) {
			t.Errorf("%+v, want %+v", in, want)
		}
		if found, ok := g.Instance(in.ID); !ok || found != in {
			t.Errorf("%s is not found by its ID", in.ID)
		}
	}
}

// TestInstanceThatOnlyTheGroupKnows has no address yet: EC2's answer lags behind.
func TestInstanceThatOnlyTheGroupKnows(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.only("DescribeInstances", awsfake.Fault{Omit: r.ids[1:2]})
	r.facts.Cluster.Members = []states.Member{{ID: 1, Name: r.ids[1]}}
	g := r.groupNow()
	got, ok := g.Instance(r.ids[1])
	if !ok || got != (states.Instance{ID: r.ids[1], Zone: got.Zone, InGroup: true}) || got.Zone == "" || len(g.Absent) != 0 {
		t.Errorf("%+v, %v, absent are %+v", got, ok, g.Absent)
	}
}

// TestGroupIsPaged: EC2 gives one instance a page.
func TestGroupIsPaged(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.only("DescribeInstances", awsfake.Fault{PageSize: 1})
	var g states.Group
	if n := r.asked("DescribeInstances", func() { g = r.groupNow() }); n < 3 || len(g.Instances) != 3 || g.Instances[2].Address == "" {
		t.Errorf("%d pages: %+v", n, g.Instances)
	}
}

// TestHalfAnAnswerTeachesNothing: the second page fails. The instances of the first are no group.
func TestHalfAnAnswerTeachesNothing(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	before := r.groupNow()
	r.terminate(r.ids[2])
	pages := 0
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if c.Action != "DescribeInstances" {
			return awsfake.Fault{}
		}
		if pages++; pages > 1 {
			return awsfake.Fault{Err: awsfake.Error("RequestLimitExceeded", "Request limit exceeded.")}
		}
		return awsfake.Fault{PageSize: 1}
	}
	after := r.groupNow()
	if pages != 2 || !after.At.Equal(before.At) || !slices.Equal(after.Instances, before.Instances) || after.Known != states.Yes {
		t.Errorf("after %d pages: %+v, want what was known before: %+v", pages, after, before)
	}
}

// TestAddressIsNotAbsentWhileOneIsHidden: the group lists an instance that EC2 does not describe, and it may be the one.
func TestAddressIsNotAbsentWhileOneIsHidden(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.facts.Cluster.Members = []states.Member{{ID: 1, Address: "10.9.9.9"}, {ID: 2, Name: "i-0ffffffffffffffff"}}
	r.fault = func(c awsfake.Call) awsfake.Fault {
		if c.Action != "DescribeInstances" {
			return awsfake.Fault{}
		}
		return awsfake.Fault{Omit: []string{r.ids[2]}}
	}
	for range 3 {
		r.groupNow()
	}
	if g := r.groupNow(); len(g.Instances) != 3 || g.Gone("10.9.9.9") == states.Yes || g.Gone("i-0ffffffffffffffff") != states.Yes {
		t.Errorf("%+v, absent are %+v", g.Instances, g.Absent)
	}
	r.healthy()
	for range 3 {
		r.groupNow()
	}
	if g := r.groupNow(); g.Gone("10.9.9.9") != states.Yes {
		t.Errorf("nothing is hidden any more, and absent are %+v", g.Absent)
	}
}

// TestWhoHidesAnAddress: an instance that runs, or may, and whose address is not told. One that has ended has none, and one that is
// stopped has given its public address back.
func TestWhoHidesAnAddress(t *testing.T) {
	for state, hides := range map[states.InstanceState]bool{
		states.InstanceUnknown: true, states.InstancePending: true, states.InstanceRunning: true, states.InstanceStopped: false, states.InstanceGone: false,
	} {
		group := states.Group{Instances: []states.Instance{{ID: "i-0ffffffffffffffff", State: state}}}
		if found := absences(nil, []string{"10.9.9.9"}, &group, time.Time{}); (len(found) == 0) != hides {
			t.Errorf("%v: absent are %+v", state, found)
		}
	}
}

// TestUnknownIDFailsNothing: asked for by its ID, an instance that EC2 has forgotten would fail the whole call.
func TestUnknownIDFailsNothing(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.facts.Cluster.Members = []states.Member{{ID: 1, Name: "i-0ffffffffffffffff"}, {ID: 2, Name: r.ids[1]}}
	g := r.groupNow()
	if g.Known != states.Yes || len(g.Instances) != 3 || !g.At.Equal(r.now) {
		t.Fatalf("%+v", g)
	}
	if len(g.Absent) != 1 || g.Absent[0].Key != "i-0ffffffffffffffff" {
		t.Errorf("absent are %+v", g.Absent)
	}
}

// TestMemberThatHasLeftTheGroupIsStillShown: what EC2 says of it is the proof that it has ended.
func TestMemberThatHasLeftTheGroupIsStillShown(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	gone := r.ids[2]
	r.facts.Cluster.Members = []states.Member{{ID: 1, Name: gone}}
	r.terminate(gone)
	g := r.groupNow()
	if in, ok := g.Instance(gone); !ok || in.State != states.InstanceGone || in.InGroup || in.Address != "" || g.Gone(gone) != states.Yes {
		t.Errorf("shutting down: %+v, %v", in, ok)
	}
	r.pass(10 * time.Minute)
	if g = r.groupNow(); g.Gone(gone) != states.Yes || len(g.Absent) != 0 {
		t.Errorf("terminated: %+v", g)
	}
	if g.Gone(r.ids[1]) != states.No {
		t.Errorf("a running instance is gone: %s", g.Gone(r.ids[1]))
	}
}

// TestAbsenceIsCountedAndForgotten: an unbroken row of reads, and one that shows it breaks the row.
func TestAbsenceIsCountedAndForgotten(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	missing := r.ids[2]
	r.facts.Claim.Record.Members = []states.ClaimMember{{ID: missing}}
	hide := awsfake.Fault{Omit: []string{missing}}
	r.fault = func(awsfake.Call) awsfake.Fault { return hide }
	var first time.Time
	for reads := 1; reads <= 3; reads++ {
		g := r.groupNow()
		if reads == 1 {
			first = r.now
		}
		if len(g.Absent) != 1 || g.Absent[0] != (states.Absence{Key: missing, Since: first, Reads: reads}) {
			t.Errorf("after %d reads: %+v", reads, g.Absent)
		}
		if want := reads == 3; (g.Gone(missing) == states.Yes) != want { // 30 s apart
			t.Errorf("after %d reads it is gone: %s", reads, g.Gone(missing))
		}
	}
	r.failing("ec2")
	if g := r.groupNow(); len(g.Absent) != 1 || g.Absent[0].Reads != 3 {
		t.Errorf("a failed read counts: %+v", g.Absent)
	}
	r.healthy()
	if g := r.groupNow(); len(g.Absent) != 0 {
		t.Errorf("shown again, and still absent: %+v", g.Absent)
	}
	r.fault = func(awsfake.Call) awsfake.Fault { return hide }
	if g := r.groupNow(); len(g.Absent) != 1 || g.Absent[0].Reads != 1 || !g.Absent[0].Since.Equal(r.now) {
		t.Errorf("the row does not begin anew: %+v", g.Absent)
	}
}

// TestWhoseEndMayHaveToBeProved: every member's, everyone's whom the claim names, and that of who holds or has halted an upgrade; each
// once, however many name it, since its absence is counted.
func TestWhoseEndMayHaveToBeProved(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.facts.Cluster.Members = []states.Member{{ID: 2, Name: "i-2"}, {ID: 1, Name: "i-1"}, {ID: 3, Name: "other", Address: "10.0.0.3"}}
	r.facts.Claim.Record.Members = []states.ClaimMember{{ID: "i-1"}, {ID: "i-4"}}
	r.facts.Cluster.Upgrade = states.Upgrade{Lock: states.UpgradeLock{Owner: "i-5"}, Halted: states.UpgradeLock{Owner: "i-2"}}
	if keys := r.memberKeys(); !slices.Equal(keys, []string{"10.0.0.3", "i-1", "i-2", "i-4", "i-5"}) {
		t.Errorf("%q", keys)
	}
	r.facts.Cluster.Upgrade = states.Upgrade{Lock: ParseUpgrade(EtcdKey{Value: "?"})}
	if keys := r.memberKeys(); !slices.Equal(keys, []string{"10.0.0.3", "i-1", "i-2", "i-4"}) {
		t.Errorf("beside a record of nobody: %q", keys)
	}
}

// TestIDsAreAskedForOnce, and what is no ID is not asked for as one: EC2 takes 200 values of a filter.
func TestIDsAreAskedForOnce(t *testing.T) {
	asg := &asgtypes.AutoScalingGroup{Instances: []asgtypes.Instance{{InstanceId: aws.String("i-1")}, {InstanceId: aws.String("i-2")}}}
	if ids := idsOf(asg, []string{"10.0.0.3", "i-2", "i-4"}); !slices.Equal(ids, []string{"i-1", "i-2", "i-4"}) {
		t.Errorf("%q", ids)
	}
}

// TestAddressStandsForAMemberThatNeverStarted: it has no name to ask AWS for.
func TestAddressStandsForAMemberThatNeverStarted(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	in, _ := r.cloud.Instance(r.ids[1])
	r.facts.Cluster.Members = []states.Member{{ID: 1, Address: in.PrivateIP}, {ID: 2, Address: "10.255.255.1"}}
	g := r.groupNow()
	if len(g.Absent) != 1 || g.Absent[0].Key != "10.255.255.1" || g.Gone(in.PrivateIP) != states.No {
		t.Errorf("%+v", g)
	}
}

func TestGroupByName(t *testing.T) {
	r := newRig(t, func(_ *rig, o *Options) { o.Group = "etcd" })
	r.know()
	if r.calls("DescribeAutoScalingInstances") != 0 {
		t.Error("asks which group it is in, and was told")
	}
	r = newRig(t, func(_ *rig, o *Options) { o.Group = "etc" })
	r.turn(states.Needs{})
	if g := r.groupNow(); g.Known != states.Unknown {
		t.Errorf("a group that is not there: %+v", g)
	}
}

// TestGroupNameMustSuit: the cluster's name is the group's, as far as it can be one.
func TestGroupNameMustSuit(t *testing.T) {
	r := newRig(t, func(_ *rig, o *Options) {
		o.Named = func(string) (string, error) { return "", fmt.Errorf("no DNS label") }
	})
	r.turn(states.Needs{})
	if g := r.groupNow(); g.Known != states.Unknown || r.Observe().Name != "" || r.group.failures == 0 {
		t.Errorf("%+v", g)
	}
	r = newRig(t, func(_ *rig, o *Options) {
		o.ClusterName = "main" // a name that is given need not be made of the group's
		o.Named = func(string) (string, error) { return "", fmt.Errorf("no DNS label") }
	})
	r.turn(states.Needs{})
	if g := r.groupNow(); g.Known != states.Yes || r.Observe().Name != "main" {
		t.Errorf("%+v, named %s", g, r.Observe().Name)
	}
}

// TestLifecycle goes through every state that Auto Scaling and EC2 have; a state of tomorrow counts as staying and unknown.
func TestLifecycle(t *testing.T) {
	leaving := []asgtypes.LifecycleState{
		asgtypes.LifecycleStateTerminating, asgtypes.LifecycleStateTerminatingWait, asgtypes.LifecycleStateTerminatingProceed, asgtypes.LifecycleStateTerminated,
		asgtypes.LifecycleStateDetaching, asgtypes.LifecycleStateDetached, asgtypes.LifecycleStateEnteringStandby, asgtypes.LifecycleStateStandby,
	}
	for _, s := range append(asgtypes.LifecycleState("").Values(), "Fancy") {
		want := !slices.Contains(leaving, s) && s != "Terminating:Retained" && !strings.HasPrefix(string(s), "Warmed:")
		if got := staysInGroup(s); got != want {
			t.Errorf("%s stays in the group: %v, want %v", s, got, want)
		}
	}
	instances := map[ec2types.InstanceStateName]states.InstanceState{
		"pending": states.InstancePending, "running": states.InstanceRunning, "stopping": states.InstanceStopped, "stopped": states.InstanceStopped,
		"shutting-down": states.InstanceGone, "terminated": states.InstanceGone, "fancy": states.InstanceUnknown,
	}
	for _, name := range append(ec2types.InstanceStateName("").Values(), "fancy") {
		if got, want := stateOf(&ec2types.InstanceState{Name: name}), instances[name]; got != want || want == states.InstanceUnknown && name != "fancy" {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	if stateOf(nil) != states.InstanceUnknown {
		t.Error("no state is a state")
	}
}
