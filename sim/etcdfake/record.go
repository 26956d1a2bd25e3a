package etcdfake

import "github.com/etcd-appliance/etcd-appliance/states"

// record is what the daemon keeps beside its data directory.
type record struct {
	minor         states.MinorVersion
	name, address string
	joined        bool
}

// LoseRecord takes the record beside the data, or puts the one before its last change in its place.
func (w *World) LoseRecord(instanceID string, stale bool) {
	n := w.find(instanceID)
	switch {
	case n == nil:
	case stale:
		n.disk.record = n.disk.earlier
	default:
		n.disk.record = record{}
	}
}
