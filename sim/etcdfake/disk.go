package etcdfake

import (
	"errors"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// disk is one data directory and the record beside it.
type disk struct {
	state    states.DiskState
	cluster  *Cluster
	member   uint64
	index    uint64          // length of the log on it; behind while its process is in sync, see [process.index]
	snapshot uint64          // index of the last snapshot on it: what is older is not in the log any more
	ran      states.Version  // the server that ran on it last
	applied  uint64          // after a crash, how much of the log its database reflects; 0 when all
	forgot   bool            // its member once had more data than this
	plain    bool            // the database that a server of 3.0 or later has made was set aside for one of 2.3
	zombies  []states.Member // removed, and yet in its database
	damage   Damage          // a server cannot read it, which only shows when one tries
	late     *late           // on top of that log: what its leader wrote and could not commit

	record
	earlier record // before its last change
}

type diskView struct{ *Node }

func (n *Node) boot() boot { return boot{n.ID, n.boots} }

// Disk is the data directory as the daemon of this instance sees it.
func (n *Node) Disk() effects.Disk { return diskView{n} }

func (v diskView) Inspect() states.Disk {
	v.world.Advance()
	d := v.disk
	if v.proc != nil && v.proc.disk == d && d.cluster != nil {
		v.proc.snapshots()
	}
	s := states.Disk{Snapshot: d.snapshot, State: d.state, Minor: d.minor, Name: d.name, Address: d.address, Joined: d.joined, Own: d.name != "" && d.boot == v.boot(), SetAside: len(v.aside) > 0}
	if d.state == states.DiskBroken {
		s.Error = "no write-ahead log that can be read"
	}
	return s
}

func (v diskView) SetAside(string) error {
	v.world.Advance()
	switch {
	case v.DiskError != nil:
		return v.DiskError
	case v.proc != nil:
		return errors.New("a server runs on this data")
	case v.disk.state != states.DiskEmpty:
		v.aside = append(v.aside, v.disk)
		v.Node.disk = &disk{state: states.DiskEmpty}
		v.world.settle()
	}
	return nil
}

func (v diskView) ForgetSetAside() error {
	if v.DiskError == nil {
		v.aside = nil
	}
	return v.DiskError
}

func (v diskView) RecordStart(start states.StartEtcd) error {
	v.world.Advance()
	d := v.disk
	switch fresh := start.State != states.ClusterRestart; {
	case v.DiskError != nil:
		return v.DiskError
	case fresh && d.state != states.DiskEmpty:
		return errors.New("the data directory is not empty")
	case !fresh && d.state != states.DiskMember:
		return errors.New("no member to restart")
	case !fresh && d.name != "" && d.name != start.Name:
		return errors.New("the data is another instance's")
	}
	d.plain = d.plain || start.Minor.Less(minor30) && !d.minor.Less(minor30) // effects/datadir setDatabaseAside
	d.earlier = d.record
	d.boot = v.boot()
	d.minor, d.name, d.address = start.Minor, start.Name, start.Address
	if d.state == states.DiskEmpty {
		d.joined = false
	}
	return nil
}

func (v diskView) RecordJoined() error {
	if v.DiskError == nil {
		v.disk.earlier = v.disk.record
		v.disk.joined = true
	}
	return v.DiskError
}
