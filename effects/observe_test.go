package effects

import (
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// TestDiskIsReadWhileItMayChange: under a server that runs nobody changes it but its own commands, and of that server only the
// snapshots of an upgrade count.
func TestDiskIsReadWhileItMayChange(t *testing.T) {
	member := states.Disk{State: states.DiskMember, Joined: true}
	for what, c := range map[string]struct {
		disk states.Disk
		edit func(*rig)
		read bool
	}{
		"all is at rest":                {member, func(*rig) {}, false},
		"another upgrades its member":   {member, func(r *rig) { r.facts.Cluster.Upgrade.Lock.Owner = r.ids[1] }, false},
		"it upgrades its own":           {member, func(r *rig) { r.facts.Cluster.Upgrade.Lock.Owner = r.ids[0] }, true},
		"no server runs":                {member, func(r *rig) { r.process.state.Running = states.No }, true},
		"it has not joined yet":         {states.Disk{State: states.DiskMember}, func(*rig) {}, true},
		"data is kept beside it":        {states.Disk{State: states.DiskMember, Joined: true, SetAside: true}, func(*rig) {}, true},
		"it could not be read":          {states.Disk{State: states.DiskUnknown, Joined: true}, func(*rig) {}, true},
		"a command may have changed it": {member, func(r *rig) { r.Execute([]states.Command{states.RecordJoined{}}) }, true},
	} {
		r := newRig(t, nil)
		r.know()
		r.process.state = states.Process{Running: states.Yes, PID: 7}
		r.disk.state = c.disk
		r.Observe()
		c.edit(r)
		if c.disk != member {
			r.Observe()
		}
		r.disk.state.Snapshot = 9
		if read := r.Observe().Disk.Snapshot == 9; read != c.read {
			t.Errorf("%s: the disk is read: %v", what, read)
		}
	}
}

// TestObservationIsOfNow: every age is reckoned from it.
func TestObservationIsOfNow(t *testing.T) {
	r := newRig(t, nil)
	for range 2 {
		r.pass(time.Second)
		if o := r.Observe(); !o.Now.Equal(r.now) {
			t.Errorf("it is %v, and %v is said", r.now, o.Now)
		}
	}
}

// TestServerFromBeforeIsNoNews: the daemon was started again beside a server that runs, and has seen none end.
func TestServerFromBeforeIsNoNews(t *testing.T) {
	r := newRig(t, nil)
	r.process.state = states.Process{Running: states.Yes, PID: 7}
	if r.Observe(); r.cluster.dirty {
		t.Error("the cluster is to be asked at once")
	}
}

// TestStartedServerIsNews: it is asked at once, even if nobody needs the cluster.
func TestStartedServerIsNews(t *testing.T) {
	r := clustered(t)
	r.process.state.Running = states.No
	r.turn(states.Needs{})
	r.Execute([]states.Command{states.StartEtcd{State: states.ClusterNew}})
	r.process.state.Running = states.Yes
	r.turn(states.Needs{})
	if l := r.Observe().Cluster.Local; l.Answers != states.Yes {
		t.Errorf("%+v", l)
	}
}
