package status

import (
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func TestReady(t *testing.T) {
	for what, c := range map[string]struct {
		change func(*states.Observation)
		why    string // empty: it is ready
	}{
		"in order":            {func(*states.Observation) {}, ""},
		"not looked yet":      {func(o *states.Observation) { o.Process.Running = states.Unknown }, "has not looked"},
		"etcd has ended":      {func(o *states.Observation) { o.Process.Running, o.Process.Detail = states.No, "killed" }, "does not run: killed"},
		"etcd is silent":      {func(o *states.Observation) { o.Cluster.Local = states.Local{Answers: states.No} }, "does not answer"},
		"a learner":           {func(o *states.Observation) { o.Cluster.Local.Learner = true }, "learner"},
		"no leader":           {func(o *states.Observation) { o.Cluster.Local.Leader = 0 }, "no leader"},
		"an alarm":            {func(o *states.Observation) { o.Cluster.Local.Alarm = "NOSPACE" }, "NOSPACE"},
		"no quorum":           {func(o *states.Observation) { o.Cluster.Known = states.No }, "no quorum"},
		"an old answer":       {func(o *states.Observation) { o.Cluster.At = noon.Add(-time.Minute) }, "for 1m0s"},
		"another had to tell": {func(o *states.Observation) { o.Cluster.By = 0xa3 }, "not caught up"},
		"over v2 nobody says who told": {func(o *states.Observation) {
			o.Cluster.By, o.Cluster.Local.Version = 0, states.Version{Major: 2, Minor: 3, Patch: 8}
		}, ""},
	} {
		o := leading()
		c.change(o)
		ready, why := (&Snapshot{Facts: *o}).Ready()
		if ready != (c.why == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s: ready %t, %q; want %q", what, ready, why, c.why)
		}
	}
}

func TestAlive(t *testing.T) {
	var none *Snapshot
	if alive, _ := none.Alive(noon); alive {
		t.Error("alive before its first turn")
	}
	s := &Snapshot{Ended: noon}
	if alive, why := s.Alive(noon.Add(10 * time.Second)); !alive {
		t.Error(why)
	}
	if alive, why := s.Alive(noon.Add(20 * time.Second)); alive || why != "the daemon has taken no turn for 20s" {
		t.Errorf("alive %t, %q", alive, why)
	}
}

// TestSnapshotsDoNotChange: what the loop does after a turn cannot be seen in what was published of it.
func TestSnapshotsDoNotChange(t *testing.T) {
	b := newBoard()
	o := leading()
	b.turn(o, wonLeadership)
	before := b.Latest()
	o.Cluster.Members[0].Unhealthy = noon // as effects note it, in place
	for range 2 * kept {
		b.turn(o, follows)
	}
	if !before.Facts.Cluster.Members[0].Unhealthy.IsZero() {
		t.Error("a member of the snapshot has changed")
	}
	if len(before.Decisions) != 1 || before.Decisions[0].Why != wonLeadership.Why {
		t.Errorf("the decisions of the snapshot have changed: %v", before.Decisions)
	}
	if now := b.Latest().Decisions; len(now) != kept || now[0].Why != follows.Why {
		t.Errorf("%d decisions are kept, the newest %v", len(now), now[0])
	}
}

// TestSinceAndHealthy: a state lasts until an edge is taken, and health is remembered.
func TestSinceAndHealthy(t *testing.T) {
	b := newBoard()
	at := noon
	b.Now = func() time.Time { return at }
	step := func(d *states.Decision, change func(*states.Observation)) *Snapshot {
		at = at.Add(time.Minute)
		o := leading()
		o.Now, o.Cluster.At = at, at
		change(o)
		b.Turned(o, d)
		return b.Latest()
	}
	well := func(*states.Observation) {}
	ill := func(o *states.Observation) { o.Process.Running = states.No }
	if s := step(follows, ill); !s.Healthy.IsZero() || s.unhealthy(false, at.Add(time.Second)) != time.Second {
		t.Error("healthy before it ever was")
	}
	first := step(wonLeadership, well)
	if first.Since != at || first.Healthy != at || first.unhealthy(true, at) != 0 {
		t.Errorf("%+v", first)
	}
	s := step(follows, ill)
	if s.Since != first.Since || s.Healthy != first.Healthy || s.unhealthy(false, at) != time.Minute || s.Started != noon.Add(time.Minute) {
		t.Errorf("since %s, healthy %s, started %s", s.Since, s.Healthy, s.Started)
	}
}

func TestEdgesOf(t *testing.T) {
	got := edgesOf(wonLeadership)
	want := []states.Edge{{From: states.Discovering, On: states.FoundData, To: states.Running}, {From: states.Running, On: states.WonLeadership, To: states.LeadingHousekeeping}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestTurnedIsCheap: the loop pays for the copy of its facts, and for nothing that anybody may ask later.
func TestTurnedIsCheap(t *testing.T) {
	b, o := newBoard(), leading()
	if n := testing.AllocsPerRun(100, func() { b.Turned(o, follows) }); n > 3 {
		t.Errorf("a turn allocates %v times", n)
	}
}

func BenchmarkTurned(bench *testing.B) {
	b, o := newBoard(), leading()
	for bench.Loop() {
		b.Turned(o, follows)
	}
}
