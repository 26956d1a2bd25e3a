package etcdfake

import (
	"errors"
	"fmt"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Alarm is a condition that the whole cluster keeps until it is disarmed; it outlives restarts and members.
type Alarm string

// The alarms.
const (
	NoSpace      Alarm = "NOSPACE" // the database is larger than its quota: nothing more is written
	CorruptAlarm Alarm = "CORRUPT" // members hold different data; since 3.3
)

type alarm struct {
	member uint64
	kind   Alarm
}

// Raise raises an alarm for a member.
func (c *Cluster) Raise(kind Alarm, member uint64) {
	c.Disarm(kind)
	c.alarms = append(c.alarms, alarm{member, kind})
}

// Disarm ends an alarm, as an operator does who has made room or replaced the member.
func (c *Cluster) Disarm(kind Alarm) {
	var kept []alarm
	for _, a := range c.alarms {
		if a.kind != kind {
			kept = append(kept, a)
		}
	}
	c.alarms = kept
}

func (c *Cluster) alarmed(kind Alarm) bool {
	for _, a := range c.alarms {
		if a.kind == kind {
			return true
		}
	}
	return false
}

// errors is what the server tells of itself in its status; before 3.4 it tells nothing.
func (p *process) errors() []string {
	if p.older(3, 4) {
		return nil
	}
	var said []string
	if p.lead == 0 {
		said = noLeader
	}
	for _, a := range p.disk.cluster.alarms {
		said = append(said[:len(said):len(said)], fmt.Sprintf("memberID:%d alarm:%s ", a.member, a.kind))
	}
	return said
}

// Refusals that leave everything as it is, and that no rule of the daemon knows. The gRPC codes are ResourceExhausted, DataLoss,
// InvalidArgument and Unavailable (api/v3rpc/rpctypes/error.go).
var (
	errNoSpace    = errors.New("etcdserver: mvcc: database space exceeded")
	errCorrupt    = errors.New("etcdserver: corrupt cluster")
	errNoUser     = errors.New("etcdserver: user name is empty")
	errNotCapable = errors.New("etcdserver: not capable")
	// errNotGRPC: a 2.3 server speaks HTTP/1 on its client port, so that no connection comes about.
	errNotGRPC = fmt.Errorf("error reading server preface: http2: frame too large: %w", errUnreachable)
)

// writes tells whether the server can write keys. Keys are deleted, and leases kept alive, under NOSPACE too (etcdserver/apply:
// the capped applier refuses what costs space, and grants).
func (p *process) writes(deletes bool) error {
	c := p.disk.cluster
	switch err := p.serves(); {
	case err != nil:
		return err
	case c.alarmed(CorruptAlarm) && !p.older(3, 3):
		return errCorrupt
	case c.alarmed(NoSpace) && !deletes && !p.older(3, 0): // which has no quota and no alarms
		return errNoSpace
	}
	return nil
}

// Protect turns authentication on or off. The daemon has no user: what needs one is refused from then on. The peer port knows
// no users.
func (c *Cluster) Protect(on bool) { c.protected = on }

// admits tells whether the server lets a caller without a user ask for this at all.
func (p *process) admits(a Action) error {
	v := p.version
	switch {
	case p.older(3, 0):
		return errNotGRPC
	case p.clusterVersion().Less(states.MinorVersion{Major: 3, Minor: 0}): // while a 2.3 member is left (3.0 etcdserver/api/capability.go)
		return errNotCapable
	case !p.disk.cluster.protected:
		return nil
	case a == Status && !since(v, 28, 0), a == Members && !since(v, 28, 9): // api/v3rpc/maintenance.go, member.go
		return nil
	default:
		return errNoUser
	}
}

// since tells whether a server has what came with a patch of 3.5, and with one of 3.6.
func since(v states.Version, patch35, patch36 int) bool {
	switch m := v.MinorOf(); m {
	case states.MinorVersion{Major: 3, Minor: 5}:
		return v.Patch >= patch35
	case states.MinorVersion{Major: 3, Minor: 6}:
		return v.Patch >= patch36
	default:
		return !m.Less(states.MinorVersion{Major: 3, Minor: 5})
	}
}
