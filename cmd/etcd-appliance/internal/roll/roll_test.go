package roll

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/states"
)

var v36, v37 = states.MinorVersion{Major: 3, Minor: 6}, states.MinorVersion{Major: 3, Minor: 7}

// cluster is a group whose instances run these versions; the first of them leads.
type cluster struct {
	observer.View
	lock, halt states.UpgradeLock
	terminated []string
	wanted     states.MinorVersion
	launched   int
	looks      int
	at         map[int]func() // what happens before a look
}

func newCluster(versions ...string) *cluster {
	c := &cluster{at: map[int]func(){}}
	for _, v := range versions {
		c.launch(v)
	}
	c.Desired = len(versions)
	return c
}

func (c *cluster) launch(version string) {
	c.launched++
	n := c.launched
	c.Instances = append(c.Instances, observer.Instance{
		ID: fmt.Sprintf("i-%d", n), Address: fmt.Sprintf("10.0.0.%d", n), State: "running", Lifecycle: "InService",
		Etcd: observer.Etcd{ClusterID: 0xc, MemberID: uint64(n), Version: version, Serves: true},
	})
}

// look fills in what follows from the instances: members, leader, DNS, claim.
func (c *cluster) look(context.Context) *observer.View {
	c.looks++
	if happens := c.at[c.looks]; happens != nil {
		happens()
	}
	v := c.View
	v.Instances = slices.Clone(c.Instances)
	v.DNS = observer.DNS{SRV: map[string][]string{}}
	v.Claim = observer.Claim{State: "formed", ClusterID: 0xc}
	var members []observer.Member
	for _, i := range v.InService() {
		members = append(members, observer.Member{ID: i.Etcd.MemberID, Name: i.ID, PeerURLs: []string{"http://" + i.Address + ":2380"}, ClientURLs: []string{"x"}})
		v.DNS.A = append(v.DNS.A, i.Address)
		for service, port := range map[string]string{"_etcd-server": "2380", "_etcd-client": "2379", "_etcd": "2379"} {
			v.DNS.SRV[service] = append(v.DNS.SRV[service], i.Address+":"+port)
		}
		v.Claim.Members = append(v.Claim.Members, i.ID)
	}
	for n := range v.Instances {
		v.Instances[n].Etcd.Members, v.Instances[n].Etcd.Leader = members, v.InService()[0].Etcd.MemberID
	}
	return &v
}

// drop takes an instance out of the group.
func (c *cluster) drop(id string) {
	c.Instances = slices.DeleteFunc(c.Instances, func(i observer.Instance) bool { return i.ID == id })
}

func (c *cluster) options(replace bool) Options {
	return Options{
		To: v37, Replace: replace, StepTimeout: time.Minute, Look: c.look,
		Locks: func(context.Context, []string) (lock, halt states.UpgradeLock, err error) { return c.lock, c.halt, nil },
		Want: func(_ context.Context, minor states.MinorVersion) error {
			c.wanted = minor
			for n := range c.Instances {
				c.Instances[n].Etcd.Version = minor.String() + ".0"
			}
			return nil
		},
		Terminate: func(_ context.Context, id string) error {
			c.terminated = append(c.terminated, id)
			c.drop(id)
			c.launch("3.7.0")
			return nil
		},
	}
}

func TestReplacesFollowersFirst(t *testing.T) {
	c := newCluster("3.6.1", "3.6.1", "3.6.1")
	if err := Run(t.Context(), c.options(true)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"i-2", "i-3", "i-1"}; !slices.Equal(c.terminated, want) {
		t.Errorf("terminated %v, not %v", c.terminated, want)
	}
}

func TestGoesOnWhereItEnded(t *testing.T) {
	c := newCluster("3.6.1", "3.7.0", "3.6.1")
	if err := Run(t.Context(), c.options(true)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"i-3", "i-1"}; !slices.Equal(c.terminated, want) {
		t.Errorf("terminated %v, not %v", c.terminated, want)
	}
}

func TestInPlaceTellsTheGroup(t *testing.T) {
	c := newCluster("3.6.1", "3.6.1", "3.6.1")
	if err := Run(t.Context(), c.options(false)); err != nil || c.wanted != v37 || len(c.terminated) > 0 {
		t.Errorf("%v, wanted %s, terminated %v", err, c.wanted, c.terminated)
	}
	c.wanted = states.MinorVersion{}
	if err := Run(t.Context(), c.options(false)); err != nil || c.wanted.Known() {
		t.Errorf("%v: a group that has arrived is told %q again", err, c.wanted)
	}
}

// It waits for the lock, and for DNS, before it ends the next instance.
func TestWaits(t *testing.T) {
	c := newCluster("3.6.1", "3.6.1", "3.6.1")
	c.lock = states.UpgradeLock{Owner: "i-2", From: v36, To: v37}
	free := false
	c.at[10] = func() { free, c.lock = true, states.UpgradeLock{} }
	o := c.options(true)
	terminate := o.Terminate
	o.Terminate = func(ctx context.Context, id string) error {
		if !free {
			t.Error("ended", id, "while the lock was held")
		}
		return terminate(ctx, id)
	}
	if err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func TestStops(t *testing.T) {
	for name, x := range map[string]struct {
		versions []string
		happens  func(*cluster)
		replace  bool
		want     string
	}{
		"halt":           {[]string{"3.6.1", "3.6.1", "3.6.1"}, func(c *cluster) { c.halt = states.UpgradeLock{Owner: "i-2", To: v37, Why: "panic"} }, true, "has failed at i-2 and is halted: panic"},
		"a second one":   {[]string{"3.6.1", "3.6.1", "3.6.1"}, func(c *cluster) { c.Instances[0].Etcd.ClusterID = 0xd }, true, "a second cluster has appeared: d beside c"},
		"resized":        {[]string{"3.6.1", "3.6.1", "3.6.1"}, func(c *cluster) { c.Desired = 5 }, true, "has changed from 3 to 5"},
		"another ends":   {[]string{"3.6.1", "3.6.1", "3.6.1"}, func(c *cluster) { c.drop("i-3") }, true, "i-3 has left the group, and the roll has not terminated it"},
		"too small":      {[]string{"3.6.1", "3.6.1"}, nil, true, "resize it to 3"},
		"two minors":     {[]string{"3.5.1", "3.5.1", "3.5.1"}, nil, true, "give --to 3.6 first"},
		"back":           {[]string{"3.8.1", "3.8.1", "3.8.1"}, nil, true, "does not go back by replacement"},
		"nothing to see": {nil, nil, true, "no instance in service"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(x.versions...)
			c.lock = states.UpgradeLock{Owner: "i-1", From: v36, To: v37} // so that nothing else happens
			if x.happens != nil {
				c.at[3] = func() { x.happens(c) }
			}
			o := c.options(x.replace)
			if x.versions == nil {
				o.Locks = func(context.Context, []string) (lock, halt states.UpgradeLock, err error) { return }
				o.Look = func(context.Context) *observer.View { return &observer.View{} }
			}
			if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("%v, want %q", err, x.want)
			}
			if len(c.terminated) > 0 {
				t.Error("terminated", c.terminated)
			}
		})
	}
}

func TestStopsWhereNothingMoves(t *testing.T) {
	c := newCluster("3.6.1", "3.6.1", "3.6.1")
	o := c.options(false)
	o.StepTimeout, o.Pause = 10*time.Millisecond, time.Millisecond
	o.Want = func(context.Context, states.MinorVersion) error { return nil }
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "nothing has changed for 10ms: 0 of 3 instances run etcd 3.7") {
		t.Error(err)
	}
}

func TestIsInterrupted(t *testing.T) {
	c := newCluster("3.6.1", "3.6.1", "3.6.1")
	ctx, cancel := context.WithCancel(t.Context())
	c.at[4] = cancel
	o := c.options(false)
	o.Want = func(context.Context, states.MinorVersion) error { return nil }
	if err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What lasts is an anomaly, and what passes is not.
func TestPatience(t *testing.T) {
	c := newCluster("3.6.1", "3.6.1", "3.6.1")
	w := newWatch(&Look{View: c.look(t.Context())})
	clock := time.Now()
	w.now = func() time.Time { return clock }
	look := func(after time.Duration) error {
		clock = clock.Add(after)
		return w.anomaly(&Look{View: c.look(t.Context())}, "")
	}
	serve := func(which ...bool) {
		for n, s := range which {
			c.Instances[n].Etcd.Serves = s
		}
	}
	serve(true, false, false)
	if err := errors.Join(look(0), look(quorumPatience)); err != nil {
		t.Error(err)
	}
	serve(true, true, false)
	if err := errors.Join(look(time.Second), look(memberPatience/2)); err != nil {
		t.Error(err)
	}
	if err := look(memberPatience); err == nil || !strings.Contains(err.Error(), "i-3 does not serve") {
		t.Error(err)
	}
	serve(true, false, false)
	_ = look(time.Second)
	if err := look(2 * quorumPatience); err == nil || !strings.Contains(err.Error(), "only 1 of 3 members have served") {
		t.Error(err)
	}
}

func TestTable(t *testing.T) {
	c := newCluster("3.6.1", "3.7.0", "3.6.1")
	p := &Picture{Look: Look{View: c.look(t.Context()), Lock: states.UpgradeLock{Owner: "i-3", From: v36, To: v37}}, Began: time.Now(), Done: 1, Left: 40 * time.Second, Doing: "waits"}
	for _, want := range []string{
		"to etcd 3.7: 1 of 3, 00:00, about 40s left", "i-1                  10.0.0.1", "leader", "i-2", "done", "changes its server",
		"DNS   right: 10.0.0.1 10.0.0.2 10.0.0.3", "lock  i-3, from 3.6 to 3.7", "now   waits",
	} {
		if got := p.table(v37); !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}
