package effects

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var (
	hold    = states.HoldJoinLock{TTL: 20 * time.Second}
	promote = states.PromoteMember{ID: 0xd4}
	replace = states.ReplaceInstance{ID: "i-a"}
	claim   = states.CreateClaim{Record: states.ClaimRecord{Token: "t", Members: []states.ClaimMember{{ID: "i-a", Address: "10.0.0.1"}}}}
)

// do executes commands and gives the calls of etcd that came of them.
func (r *rig) do(commands ...states.Command) []string {
	before := len(r.etcd.calls)
	r.Execute(commands)
	return r.etcd.calls[before:]
}

func TestLaneRunsInOrderUntilOneFails(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	if got := r.do(hold, promote); !slices.Equal(got, []string{"hold _etcd-appliance/join 20s without [_etcd-appliance/upgrade]", "promote d4"}) {
		t.Errorf("calls %q", got)
	}
	r.pass(time.Minute)
	r.turn(states.Needs{Cluster: time.Second})
	r.etcd.err = errors.New("etcdserver: request timed out")
	if got := r.do(hold, promote); len(got) != 1 {
		t.Errorf("after a failure, still: %q", got)
	}
}

// TestLaneTakesNothingWhileBusy: a command that comes meanwhile is dropped; it will be derived again.
func TestLaneTakesNothingWhileBusy(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.hold = true
	r.Execute([]states.Command{hold})
	r.Execute([]states.Command{hold})
	if len(r.held) != 1 || !slices.Equal(r.Busy(), []states.Command{hold}) {
		t.Fatalf("%d batches under way, busy with %v", len(r.held), r.Busy())
	}
	r.deliver()
	if len(r.Busy()) != 0 {
		t.Errorf("still busy with %v", r.Busy())
	}
	if len(r.etcd.calls) != 1 {
		t.Errorf("calls %q", r.etcd.calls)
	}
}

// TestLanesDoNotWaitForEachOther: a hung AWS call never delays etcd.
func TestLanesDoNotWaitForEachOther(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.hold = true
	r.Execute([]states.Command{claim})
	r.process.state.Running = states.Yes
	r.Execute([]states.Command{claim, hold, replace, states.StopEtcd{}})
	if len(r.held) != 3 || r.process.stops != 1 {
		t.Fatalf("%d batches under way, %d stops; want the claim, the lock, the group and a stop that is done", len(r.held), r.process.stops)
	}
	// etcd itself gives up on a change after 7 s (etcd server/config ReqTimeout: 5 s and 2 election timeouts of 1 s); then to be told so.
	// The claim may have to wait for another change of the zone; a heartbeat that hangs must leave time for the next.
	if claiming, holding, replacing := r.held[0].timeout, r.held[1].timeout, r.held[2].timeout; holding != 8*time.Second || claiming != 15*time.Second || replacing != 10*time.Second {
		t.Errorf("the lock may take %v, the claim %v, the group %v", holding, claiming, replacing)
	}
}

// TestLaneIsClosedUntilTheWorldIsSeenAgain: a decision made from the facts before an effect is not carried out after it.
func TestLaneIsClosedUntilTheWorldIsSeenAgain(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.do(hold)
	r.pass(time.Minute)
	if got := r.do(hold); len(got) != 0 {
		t.Errorf("carried out, and the cluster was not asked since: %q", got)
	}
	r.turn(states.Needs{}) // nobody needs the cluster, and yet it is asked: something of it has changed
	if got := r.do(hold); len(got) != 1 {
		t.Errorf("the cluster was asked, and the lane is closed: %q", got)
	}
}

// TestAnswerFromBeforeOpensNoLane: a question that was under way when the command ended tells of the world before it.
func TestAnswerFromBeforeOpensNoLane(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.hold = true
	r.Refresh(states.Needs{Cluster: time.Second})
	question := r.held
	r.held = nil
	r.pass(time.Second)
	r.hold = false
	r.do(hold)
	r.held = question
	r.deliver()
	if got := r.do(hold); len(got) != 0 {
		t.Errorf("carried out on an old answer: %q", got)
	}
	r.pass(time.Second)
	r.turn(states.Needs{})
	if got := r.do(hold); len(got) != 1 {
		t.Errorf("closed after a new answer: %q", got)
	}
}

// TestLaneRestsAfterFailures: longer after each, up to a limit, and not at all once it succeeds. AWS throttles an account, and what one
// daemon asks too often is missing to all.
func TestLaneRestsAfterFailures(t *testing.T) {
	for service, lane := range map[string]states.Lane{"route53": states.LaneAWS, "autoscaling": states.LaneGroup} {
		r := newRig(t, nil)
		r.know()
		r.failing(service)
		rest := func() time.Duration {
			r.Execute([]states.Command{claim, states.ReplaceInstance{ID: r.ids[1]}})
			for waited := time.Duration(0); ; waited += 100 * time.Millisecond {
				r.turn(states.Needs{})
				if r.open(lane) {
					return waited
				}
				r.pass(100 * time.Millisecond)
			}
		}
		for i, want := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, maxPause, maxPause} {
			if got := rest(); got != want {
				t.Errorf("%s: rests %v after failure %d, want %v", service, got, i+1, want)
			}
		}
		r.healthy()
		if got := rest(); got != 0 {
			t.Errorf("%s: rests %v after a success", service, got)
		}
	}
}

// TestClusterLaneRestsBriefly: etcd refuses changes for 5 s after any connection was made, and is asked again soon.
func TestClusterLaneRestsBriefly(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.etcd.err = ErrUnhealthy
	rest := func() (waited time.Duration) {
		for r.do(hold); ; waited += 50 * time.Millisecond {
			if r.turn(states.Needs{}); r.open(states.LaneCluster) {
				return waited
			}
			r.pass(50 * time.Millisecond)
		}
	}
	for i, want := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 400 * time.Millisecond} {
		if got := rest(); got != want {
			t.Errorf("rests %v after failure %d, want %v", got, i+1, want)
		}
	}
	r.etcd.err = nil
	if got := rest(); got != 0 {
		t.Errorf("rests %v after a success", got)
	}
}

// TestQuestionUnderWay closes a lane until it is answered, and not when what its commands changed has been seen already.
func TestQuestionUnderWay(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	ask := func() {
		r.pass(time.Second)
		r.hold = true
		r.Refresh(states.Needs{Cluster: time.Second})
		r.hold = false
	}
	r.do(hold)
	if ask(); r.open(states.LaneCluster) {
		t.Error("open before the answer")
	}
	if r.deliver(); !r.open(states.LaneCluster) {
		t.Error("closed after the answer")
	}
	if ask(); !r.open(states.LaneCluster) {
		t.Error("closed by a question that no command has made necessary")
	}
}

// TestLocalCommandsLookAgain: they are done when Execute returns, and the disk is looked at afresh.
func TestLocalCommandsLookAgain(t *testing.T) {
	r := newRig(t, nil)
	r.know()
	r.process.state.Running = states.Yes
	r.disk.state = states.Disk{State: states.DiskMember, Joined: true}
	r.Observe()
	r.disk.state.Minor = states.MinorVersion{Major: 3, Minor: 8}
	if o := r.Observe(); o.Disk.Minor.Known() {
		t.Error("the disk of a server that runs is read again and again")
	}
	r.facts.Cluster.Local = states.Local{Answers: states.Yes, MemberID: 7}
	r.process.state.PID++ // a second daemon has had its way with the disk, and started another server
	if o := r.Observe(); !o.Disk.Minor.Known() || o.Cluster.Local.Answers != states.Unknown {
		t.Errorf("another server runs, and is taken for the one before: %+v, disk %+v", o.Cluster.Local, o.Disk)
	}
	r.disk.state.Minor = states.MinorVersion{Major: 3, Minor: 9}
	r.Execute([]states.Command{states.RecordJoined{}})
	if o := r.Observe(); o.Disk.Minor != r.disk.state.Minor || !slices.Equal(r.disk.changes, []string{"joined"}) {
		t.Errorf("not looked at again: %+v, changes %q", o.Disk, r.disk.changes)
	}
}
