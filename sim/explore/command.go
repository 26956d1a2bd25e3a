package explore

import (
	"fmt"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// command is one command in a word: its kind, and what it names. Zero is none.
type command uint32

// kind of a command.
type kind uint8

const (
	noCommand kind = iota
	startEtcd
	stopEtcd
	setAsideData
	forgetSetAside
	recordJoined
	holdJoinLock
	releaseJoinLock
	addMember
	promoteMember
	removeMember
	moveLeader
	createClaim
	updateClaim
	holdUpgradeLock
	releaseUpgradeLock
	haltUpgrade
	stopForUpgrade
)

func (c command) kind() kind { return kind(c >> 24) }

// arg gives some bits of what the command names.
func (c command) arg(shift, bits uint) uint8 { return uint8(c >> shift & (1<<bits - 1)) }

func pack(k kind, args uint32) command { return command(k)<<24 | command(args) }

// maxID is the highest member ID: commands have four bits for it.
const maxID = 15

// lanes are the commands of one daemon that are in flight, in order; each lane is taken from its front.
type lanes struct {
	process [2]command
	cluster [3]command
	aws     [1]command
}

func (l *lanes) of(lane states.Lane) []command {
	switch lane {
	case states.LaneProcess:
		return l.process[:]
	case states.LaneCluster:
		return l.cluster[:]
	default:
		return l.aws[:]
	}
}

// mention tells whether a command in flight names the member.
func (l *lanes) mention(id uint8) bool {
	for _, c := range l.cluster {
		if k := c.kind(); (k == promoteMember || k == removeMember || k == moveLeader) && c.arg(0, 4) == id {
			return true
		}
	}
	return false
}

// record is the claim in a word: whether it exists, its state, the slot+1 of who made its token, the set of its members. The
// cluster ID of a formed one is that of its token.
type record uint16

func newRecord(state states.ClaimState, token, list uint8) record {
	return 1<<9 | record(state)<<8 | record(token)<<5 | record(list)
}

func (r record) exists() bool             { return r != 0 }
func (r record) state() states.ClaimState { return states.ClaimState(r >> 8 & 1) }
func (r record) token() uint8             { return uint8(r >> 5 & 7) }
func (r record) list() uint8              { return uint8(r & 31) }

// start is what a StartEtcd says.
type start struct {
	minor, token, list uint8
	state              uint8 // index into clusterStates
}

var clusterStates = [...]states.ClusterState{states.ClusterRestart, states.ClusterNew, states.ClusterExisting}

const (
	startAgain = iota
	startNew
	startExisting
)

func (s start) pack() command {
	return pack(startEtcd, uint32(s.minor)|uint32(s.state)<<2|uint32(s.token)<<4|uint32(s.list)<<7)
}

func (c command) start() start {
	return start{minor: c.arg(0, 2), state: c.arg(2, 2), token: c.arg(4, 3), list: c.arg(7, 5)}
}

// translate packs a command of the rules.
func translate(c states.Command) command {
	switch c := c.(type) {
	case states.StartEtcd:
		s := start{minor: minorNumber(c.Minor), list: claimSet(c.Cluster)}
		for i, state := range clusterStates {
			if state == c.State {
				s.state = uint8(i)
			}
		}
		if s.state == startNew {
			s.token = tokenNumber(c.Token)
		}
		return s.pack()
	case states.StopEtcd:
		return pack(stopEtcd, 0)
	case states.SetAsideData:
		return pack(setAsideData, 0)
	case states.ForgetSetAside:
		return pack(forgetSetAside, 0)
	case states.RecordJoined:
		return pack(recordJoined, 0)
	case states.HoldJoinLock:
		return pack(holdJoinLock, 0)
	case states.ReleaseJoinLock:
		return pack(releaseJoinLock, 0)
	case states.AddMember:
		return pack(addMember, bit(c.Learner))
	case states.PromoteMember:
		return pack(promoteMember, uint32(c.ID))
	case states.RemoveMember:
		return pack(removeMember, uint32(c.ID)|bit(c.Name != "")<<4|uint32(slotOf(c.Address))<<5)
	case states.MoveLeader:
		return pack(moveLeader, uint32(c.To))
	case states.HoldUpgradeLock:
		return pack(holdUpgradeLock, 0)
	case states.ReleaseUpgradeLock:
		return pack(releaseUpgradeLock, uint32(c.Lock.Revision)|bit(c.Halted)<<3)
	case states.HaltUpgrade:
		return pack(haltUpgrade, 0)
	case states.StopForUpgrade:
		return pack(stopForUpgrade, uint32(c.Desired))
	case states.CreateClaim:
		return pack(createClaim, uint32(recordOf(&c.Record)))
	case states.UpdateClaim:
		return pack(updateClaim, uint32(recordOf(&c.Old))|uint32(recordOf(&c.New))<<10)
	default:
		panic(fmt.Sprintf("explore does not know the command %T", c))
	}
}

func recordOf(r *states.ClaimRecord) record {
	return newRecord(r.State, tokenNumber(r.Token), claimSet(r.Members))
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
