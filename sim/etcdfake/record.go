package etcdfake

import "github.com/etcd-appliance/etcd-appliance/states"

// record is what the daemon keeps beside its data directory.
type record struct {
	minor         states.MinorVersion
	name, address string
	joined        bool
	boot          boot // in which a server was last started
}

// boot is one boot of one machine; no two are the same.
type boot struct {
	instance string
	number   int
}

// Loss is what becomes of the record beside the data.
type Loss string

// The losses.
const (
	Absent    Loss = "absent"     // it is not there, or is torn, which reads the same (package datadir)
	NotJoined Loss = "not joined" // its last line is missing: that the member has been a voter
	Stale     Loss = "stale"      // it is as it was before its last change
)

// LoseRecord spoils the record of an instance.
func (w *World) LoseRecord(instanceID string, loss Loss) {
	n := w.find(instanceID)
	if n == nil {
		return
	}
	switch loss {
	case Absent:
		n.disk.record = record{}
	case NotJoined:
		n.disk.joined = false
	case Stale:
		n.disk.record = n.disk.earlier
	}
}
