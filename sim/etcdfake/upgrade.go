package etcdfake

import (
	"slices"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var (
	minor30 = states.MinorVersion{Major: 3}
	minor35 = states.MinorVersion{Major: 3, Minor: 5}
	minor36 = states.MinorVersion{Major: 3, Minor: 6}
)

// upgradable is what a server demands of the data beyond what the cluster version says: of the server that ran on it before.
func (p *process) upgradable() (states.ExitReason, string) {
	d, c := p.disk, p.disk.cluster
	switch before := d.ran; {
	case p.older(3, 0) && before.Known() && !before.MinorOf().Less(minor30) && !d.plain: // 2.3.8 etcdserver/server.go NewServer
		return states.ExitNewer, "exit status 1: etcdmain: experimental-v3demo cannot be disabled once it is enabled"
	case p.older(3, 0) && before.Known() && !before.MinorOf().Less(minor30): // wal/decoder.go: the entries are padded
		return states.ExitCorrupt, "exit status 2: panic: runtime error: makeslice: len out of range"
	case !p.older(3, 6) && before.MinorOf().Less(minor35): // storage/schema UnsafeDetectSchemaVersion
		return states.ExitCrash, "exit status 1: cannot detect storage schema version: missing term information"
	case !p.older(3, 6) && p.older(3, 7) && c.v2Keys: // storage/util.go of 3.6; 3.7 has dropped the v2 store, and the check
		return states.ExitRefused, "exit status 1: detected disallowed custom content in v2store for stage --v2-deprecation=write-only"
	case !p.older(3, 2) && before.MinorOf().Less(states.MinorVersion{Major: 3, Minor: 2}) && d.snapshot > 0 && !c.keyed: // 3.2.32 etcdserver/backend.go recoverSnapshotBackend; etcd issue 9480
		return states.ExitCorrupt, "exit status 2: panic: database snapshot file path error: snap: snapshot file doesn't exist"
	case !p.older(3, 6) && before.MinorOf() == minor35 && before.Patch < 20 && len(c.unrecorded) > maxLearners:
		// The database still has learners that were promoted long ago (etcd.io/blog 2025 upgrade_from_3.5_to_3.6_issue).
		return states.ExitRefused, "exit status 1: membership: too many learner members in cluster"
	default:
		return states.ExitNone, ""
	}
}

// haunted lets members rise that were removed: 3.6 believes the database, from which 3.5 before 3.5.26 may have failed to delete
// them. Whether it did hangs on what became of the data long before (a restore with 3.4, --force-new-cluster); here it always
// did. A server from 3.5.26 on cleans up when it starts (etcd.io/blog 2025 zombie_members_upgrade).
func (p *process) haunted() (states.ExitReason, string) {
	d, c := p.disk, p.disk.cluster
	switch {
	case p.version.MinorOf() == minor35 && since(p.version, 26, 0):
		d.zombies = nil
	case !p.older(3, 6) && d.ran.MinorOf() == minor35 && !since(d.ran, 26, 0) && len(c.gone) > 0:
		d.zombies = slices.Clone(c.gone)
		c.world.report(ZombieMembers, c, d.member, p.node.ID)
	case !p.older(3, 7) && d.ran.MinorOf() == minor36 && !since(d.ran, 0, 11):
		c.world.report(EarlyUpgrade, c, d.member, p.node.ID)
	}
	return states.ExitNone, ""
}

// withZombies is a member list as a server tells it that believes in members long gone.
func (d *disk) withZombies(members []states.Member) []states.Member {
	list := slices.Clone(members)
	for i := range d.zombies {
		if find(members, d.zombies[i].ID) == nil {
			list = append(list, d.zombies[i])
		}
	}
	slices.SortFunc(list, byID)
	return list
}
