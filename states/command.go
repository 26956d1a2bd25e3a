package states

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Command asks for one effect. A command only asks: a later observation shows what came of it. Each kind says how it is
// idempotent, and those that could do harm carry the precondition that the effect compares before it acts.
type Command interface {
	command()
	String() string
}

// Lane says which outside thing a command talks to. Commands of one lane run one after the other and in order; lanes do not
// wait for each other, so that a hung AWS call never delays the restart of etcd.
type Lane uint8

// The lanes.
const (
	LaneProcess Lane = iota // the etcd process and its data directory
	LaneCluster             // the etcd cluster
	LaneAWS                 // Route53 or S3
	LaneGroup               // the auto-scaling group
	LaneIngress             // the security group
	Lanes                   // how many there are
)

// CreateClaim writes the claim. The store itself makes it create-once (Route53 CREATE, S3 If-None-Match): a second creation
// fails and changes nothing.
type CreateClaim struct{ Record ClaimRecord }

// UpdateClaim replaces the claim Old by New, and fails when the store no longer holds exactly Old.
type UpdateClaim struct{ Old, New ClaimRecord }

// ClusterState is etcd's --initial-cluster-state.
type ClusterState string

// An existing data directory makes etcd ignore all --initial flags, so a restart has neither.
const (
	ClusterNew      ClusterState = "new"
	ClusterExisting ClusterState = "existing"
	ClusterRestart  ClusterState = ""
)

// StartEtcd starts the server. It does nothing while one runs, and refuses to start a new or joining member on a data
// directory that is not empty, or to restart one that is.
type StartEtcd struct {
	Minor   MinorVersion
	Name    string // instance ID
	Address string
	State   ClusterState
	Token   string
	Cluster []ClaimMember // --initial-cluster
}

// StopEtcd asks the server to stop (SIGTERM, then SIGKILL after the grace period). It does nothing when none runs.
type StopEtcd struct{ Why string }

// SetAsideData renames the data directory away, and refuses while a server runs. Nothing is deleted.
type SetAsideData struct{ Why string }

// ForgetSetAside deletes the data that was set aside. Only asked for once this instance is a voter again.
type ForgetSetAside struct{}

// RecordJoined notes beside the data directory that its member has become a voter.
type RecordJoined struct{}

// HoldJoinLock takes the join lock, or keeps it alive when this instance holds it already; it never takes it from another.
type HoldJoinLock struct{ TTL time.Duration }

// ReleaseJoinLock frees the join lock if this instance holds it, by compare-and-delete on owner and revision.
type ReleaseJoinLock struct{}

// AddMember adds this instance to the cluster, after the list was read again: when a member with this peer URL is there
// already, nothing is added (an earlier answer may have been lost).
type AddMember struct {
	Address string
	Learner bool
}

// PromoteMember makes a learner a voter. The member being a voter already is success.
type PromoteMember struct{ ID uint64 }

// RemoveMember removes a member, after the list was read again through quorum: the member must still have this name and
// address, and when it is a voter, the healthy ones among the others must be a quorum of what remains. Its absence is success.
type RemoveMember struct {
	ID            uint64
	Name, Address string
	Why           string
}

// MoveLeader hands the leadership of this member to another voter. Not being the leader is success. At is the warning that it is done
// for, if any: it is done once for each.
type MoveLeader struct {
	To uint64
	At string
}

// HoldUpgradeLock creates the record of the upgrade lock, in one transaction with the proof that there is none, that no upgrade
// is halted, and that nobody holds the join lock. Whose record it finds there, a later look tells.
type HoldUpgradeLock struct{ Lock UpgradeLock }

// ReleaseUpgradeLock deletes the record, or that of a halted upgrade, if it is still the one of this owner and revision. Its
// absence is success. Only its owner asks for that, or the leader when the owner's instance has provably ended.
type ReleaseUpgradeLock struct {
	Lock   UpgradeLock
	Halted bool // the record of a halted upgrade
	Why    string
}

// HaltUpgrade writes down that this upgrade has failed, unless one is halted already. Nobody takes the upgrade lock until the
// record is deleted.
type HaltUpgrade struct{ Lock UpgradeLock }

// StopForUpgrade stops the server as StopEtcd does, after the lock, the member list and the health of every member were read
// again: the lock must be this very one, this member must not lead where it can hand over (see [MinorVersion.MovesLeader]), and
// the gate must hold (see [Cluster.UpgradeBlocked]).
type StopForUpgrade struct {
	Lock    UpgradeLock
	Desired int // capacity of the group
}

// AdvanceLog has etcd commit some entries that change nothing, so that every member comes nearer to its next snapshot. A second
// time it does the same again.
type AdvanceLog struct{}

// PublishDNS replaces the record sets Old by New in one atomic batch, which fails when the zone no longer holds exactly Old.
type PublishDNS struct{ Old, New []Record }

func (CreateClaim) command()     {}
func (UpdateClaim) command()     {}
func (StartEtcd) command()       {}
func (StopEtcd) command()        {}
func (SetAsideData) command()    {}
func (ForgetSetAside) command()  {}
func (RecordJoined) command()    {}
func (HoldJoinLock) command()    {}
func (ReleaseJoinLock) command() {}
func (AddMember) command()       {}
func (PromoteMember) command()   {}
func (RemoveMember) command()    {}
func (MoveLeader) command()      {}
func (PublishDNS) command()      {}

func (HoldUpgradeLock) command()    {}
func (ReleaseUpgradeLock) command() {}
func (HaltUpgrade) command()        {}
func (StopForUpgrade) command()     {}
func (AdvanceLog) command()         {}

// LaneOf tells the lane of a command.
func LaneOf(c Command) Lane {
	switch c.(type) {
	case CreateClaim, UpdateClaim, PublishDNS:
		return LaneAWS
	case HoldJoinLock, ReleaseJoinLock, AddMember, PromoteMember, RemoveMember, MoveLeader,
		HoldUpgradeLock, ReleaseUpgradeLock, HaltUpgrade, StopForUpgrade, AdvanceLog:
		return LaneCluster
	case HookHeartbeat, CompleteHook, ReplaceInstance:
		return LaneGroup
	case AuthorizePeers, RevokePeers:
		return LaneIngress
	default:
		return LaneProcess
	}
}

// Commands lists a zero value of every kind, so that tests can prove that each is handled wherever commands are.
func Commands() []Command {
	return []Command{
		CreateClaim{}, UpdateClaim{}, StartEtcd{}, StopEtcd{}, SetAsideData{}, ForgetSetAside{}, RecordJoined{},
		HoldJoinLock{}, ReleaseJoinLock{}, AddMember{}, PromoteMember{}, RemoveMember{}, MoveLeader{}, PublishDNS{},
		HoldUpgradeLock{}, ReleaseUpgradeLock{}, HaltUpgrade{}, StopForUpgrade{}, AdvanceLog{},
		HookHeartbeat{}, CompleteHook{}, ReplaceInstance{}, AuthorizePeers{}, RevokePeers{},
	}
}

func (c CreateClaim) String() string { return "create claim " + c.Record.String() }

func (c UpdateClaim) String() string { return "update claim to " + c.New.String() }

func (c StartEtcd) String() string {
	if c.State == ClusterRestart {
		return fmt.Sprintf("start etcd %s on its own data", c.Minor)
	}
	return fmt.Sprintf("start etcd %s as a member of a cluster of %d, state %s", c.Minor, len(c.Cluster), c.State)
}

func (c StopEtcd) String() string      { return "stop etcd: " + c.Why }
func (c SetAsideData) String() string  { return "set the data directory aside: " + c.Why }
func (ForgetSetAside) String() string  { return "delete the data that was set aside" }
func (RecordJoined) String() string    { return "record that this member is a voter" }
func (HoldJoinLock) String() string    { return "hold the join lock" }
func (ReleaseJoinLock) String() string { return "release the join lock" }
func (c PromoteMember) String() string { return fmt.Sprintf("promote learner %x", c.ID) }
func (c MoveLeader) String() string    { return fmt.Sprintf("move leadership to %x", c.To) }
func (c HoldUpgradeLock) String() string {
	return fmt.Sprintf("take the upgrade lock, for etcd %s to %s", c.Lock.From, c.Lock.Goal())
}
func (AdvanceLog) String() string { return "write entries that change nothing" }
func (c HaltUpgrade) String() string {
	return fmt.Sprintf("halt the upgrade to etcd %s", c.Lock.Goal())
}
func (c StopForUpgrade) String() string {
	return fmt.Sprintf("stop etcd for its upgrade from %s to %s", c.Lock.From, c.Lock.Goal())
}
func (c ReleaseUpgradeLock) String() string {
	what := "upgrade lock"
	if c.Halted {
		what = "halt of the upgrade"
	}
	return fmt.Sprintf("release the %s of %s: %s", what, c.Lock.Owner, c.Why)
}
func (c RemoveMember) String() string {
	return fmt.Sprintf("remove member %x (%s): %s", c.ID, c.key(), c.Why)
}
func (c RemoveMember) key() string { return (&Member{Name: c.Name, Address: c.Address}).Key() }

func (c PublishDNS) String() string {
	dropped := slices.DeleteFunc(slices.Clone(c.Old), func(old Record) bool {
		return slices.ContainsFunc(c.New, func(r Record) bool { return r.Name == old.Name && r.Type == old.Type })
	})
	switch {
	case len(dropped) == 0:
		return "publish DNS: " + describeRecords(c.New)
	case len(c.New) == 0:
		return "withdraw DNS: " + describeRecords(dropped)
	default:
		return "publish DNS: " + describeRecords(c.New) + "; withdraw " + describeRecords(dropped)
	}
}

func (c AddMember) String() string {
	if c.Learner {
		return "add learner " + c.Address
	}
	return "add voter " + c.Address
}

func (r ClaimRecord) String() string {
	names := make([]string, len(r.Members))
	for i, m := range r.Members {
		names[i] = m.ID
	}
	s := fmt.Sprintf("%s %s [%s]", r.State, r.Token, strings.Join(names, " "))
	if r.Minor.Known() {
		s += " of etcd " + r.Minor.String()
	}
	return s
}

func describeRecords(records []Record) string {
	parts := make([]string, len(records))
	for i, r := range records {
		parts[i] = fmt.Sprintf("%s %s (%d)", r.Type, r.Name, len(r.Values))
	}
	return strings.Join(parts, ", ")
}
