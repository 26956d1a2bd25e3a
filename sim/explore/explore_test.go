package explore

import (
	"slices"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func explore(t *testing.T, o Options) *Result {
	t.Helper()
	r, err := Run(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s, %d nodes: %d states, %d transitions, depth %d, %d goals in %s", o.Scope, o.Nodes, r.States, r.Transitions, r.Depth, r.Goals, r.Took)
	return r
}

func TestSmallScopesHold(t *testing.T) {
	for name, o := range map[string]Options{
		"bootstrap":                      {Scope: ScopeBootstrap, Nodes: 3},
		"bootstrap of two, with crashes": {Scope: ScopeBootstrap, Nodes: 2, Crashes: 2, Lost: 2},
		"replacement":                    {Scope: ScopeJoin, Nodes: 3, Terminate: 1, Crashes: 1, Lost: 1},
		"stale read":                     {Scope: ScopeJoin, Nodes: 3, Terminate: 1, Stale: 1},
		"lost disk":                      {Scope: ScopeJoin, Nodes: 3, Disks: 1, Crashes: 1, Lost: 1},
		"upgrade":                        {Scope: ScopeUpgrade, Nodes: 3, Crashes: 1, Lost: 1, EtcdCrashes: 1},
		"upgrade of four":                {Scope: ScopeUpgrade, Nodes: 4, Crashes: 1},
		"upgrade, and a lost disk":       {Scope: ScopeUpgrade, Nodes: 3, Disks: 1},
		"upgrade that fails":             {Scope: ScopeUpgrade, Nodes: 3, Unfit: true, Crashes: 1, Lost: 1},
		"upgrade by replacement":         {Scope: ScopeRoll, Nodes: 3, Terminate: 1, Crashes: 1, Lost: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if r := explore(t, o); r.Err() != nil || r.Goals < 2 {
				t.Fatalf("%v (%d goals)\n%s", r.Err(), r.Goals, strings.Join(r.Trace, "\n"))
			}
		})
	}
}

// planted are bugs, each with the invariant that must find it. "L6" is a goal out of reach.
var planted = map[string]struct {
	options   Options
	invariant string
	bend      Bend
}{
	"removes a member whose instance is only unhealthy": {
		Options{Scope: ScopeJoin, Nodes: 3, EtcdCrashes: 1}, "C3",
		func(o *states.Observation, d *states.Decision) {
			for _, m := range o.Cluster.Members {
				if d.To == states.LeadingHousekeeping && m.Health == states.No {
					d.Commands = append(d.Commands, states.RemoveMember{ID: m.ID, Name: m.Name, Address: m.Address})
				}
			}
		},
	},
	"starts on its old entry with an empty disk": {
		Options{Scope: ScopeJoin, Nodes: 3, Disks: 1}, "S2",
		func(o *states.Observation, d *states.Decision) {
			for i, c := range d.Commands {
				if _, ok := c.(states.RemoveMember); ok && d.To == states.Joining {
					list := claimMembers(7)
					d.Commands[i] = states.StartEtcd{Minor: o.Wanted, Name: o.Self.ID, Address: o.Self.Address, State: states.ClusterExisting, Cluster: list}
				}
			}
		},
	},
	"stops its server on a whim": {
		Options{Scope: ScopeJoin, Nodes: 3, EtcdCrashes: 1}, "C1",
		func(_ *states.Observation, d *states.Decision) {
			if d.To == states.LeadingHousekeeping {
				d.Commands = append(d.Commands, states.StopEtcd{})
			}
		},
	},
	"never asks to be promoted": {
		Options{Scope: ScopeJoin, Nodes: 3, Terminate: 1}, "L6",
		func(_ *states.Observation, d *states.Decision) {
			if d.To == states.Joining {
				d.Commands = slices.DeleteFunc(d.Commands, isA[states.PromoteMember])
			}
		},
	},
	"upgrades without asking for the lock": {
		Options{Scope: ScopeUpgrade, Nodes: 5}, "S3",
		func(o *states.Observation, d *states.Decision) {
			switch {
			case d.To == states.Running && slices.ContainsFunc(d.Commands, isA[states.HoldUpgradeLock]):
				d.Commands = []states.Command{states.StopEtcd{}}
			case d.To == states.Running && o.Process.Reason == states.ExitStopped:
				d.Commands = []states.Command{states.StartEtcd{Minor: o.Wanted, Name: o.Self.ID, Address: o.Self.Address}}
			}
		},
	},
	"keeps the upgrade lock until everybody is well again": {
		Options{Scope: ScopeUpgrade, Nodes: 3, One: true, Terminate: 1}, "L6",
		func(o *states.Observation, d *states.Decision) {
			if d.To == states.Upgrading && o.Process.Minor == o.Cluster.Upgrade.Lock.From {
				d.Commands = slices.DeleteFunc(d.Commands, isA[states.ReleaseUpgradeLock])
			}
		},
	},
	"leaves the upgrade lock to an instance that has ended": {
		Options{Scope: ScopeUpgrade, Nodes: 3, One: true, Terminate: 1}, "L6",
		func(_ *states.Observation, d *states.Decision) {
			if d.To == states.LeadingHousekeeping {
				d.Commands = slices.DeleteFunc(d.Commands, isA[states.ReleaseUpgradeLock])
			}
		},
	},
	"takes the upgrade lock from an instance that is only silent": {
		Options{Scope: ScopeUpgrade, Nodes: 3, EtcdCrashes: 1}, "C5",
		func(o *states.Observation, d *states.Decision) {
			if lock := o.Cluster.Upgrade.Lock; d.To == states.LeadingHousekeeping && lock.Owner != "" {
				d.Commands = append(d.Commands, states.ReleaseUpgradeLock{Lock: lock})
			}
		},
	},
	"does not restart its server while it holds the upgrade lock": {
		Options{Scope: ScopeUpgrade, Nodes: 3, EtcdCrashes: 1}, "L6",
		func(o *states.Observation, d *states.Decision) {
			if d.To == states.Upgrading && o.Process.Reason == states.ExitCrash {
				d.Commands = nil
			}
		},
	},
	"tries a server that does not run for ever": {
		Options{Scope: ScopeUpgrade, Nodes: 3, Unfit: true}, "L6",
		func(_ *states.Observation, d *states.Decision) {
			d.Commands = slices.DeleteFunc(d.Commands, isA[states.HaltUpgrade])
		},
	},
}

func isA[C states.Command](c states.Command) bool {
	_, ok := c.(C)
	return ok
}

func TestPlantedBugsAreFound(t *testing.T) {
	for name, p := range planted {
		t.Run(name, func(t *testing.T) {
			p.options.Bend = p.bend
			r := explore(t, p.options)
			found := r.Invariant
			if r.Stuck > 0 {
				found = "L6"
			}
			if found != p.invariant || len(r.Trace) == 0 && r.Stuck < r.States {
				t.Fatalf("found %q (%v), want %s\n%s", found, r.Err(), p.invariant, strings.Join(r.Trace, "\n"))
			}
			t.Log("\n" + strings.Join(r.Trace, "\n"))
		})
	}
}

// TestSameSearchSameResult: neither the number of workers nor the order in which they come changes what is found.
func TestSameSearchSameResult(t *testing.T) {
	for _, o := range []Options{
		{Scope: ScopeJoin, Nodes: 3, Terminate: 1, Crashes: 1},
		{Scope: ScopeJoin, Nodes: 3, EtcdCrashes: 1, Bend: planted["stops its server on a whim"].bend},
	} {
		var first *Result
		for _, workers := range []int{1, 2, 2, 3} {
			o.Workers = workers
			r := explore(t, o)
			r.Took = 0
			if first == nil {
				first = r
			}
			if !slices.Equal(r.Trace, first.Trace) || r.States != first.States || r.Transitions != first.Transitions || r.Depth != first.Depth || r.Goals != first.Goals {
				t.Fatalf("%d workers: %+v, want %+v", workers, r, first)
			}
		}
	}
}
