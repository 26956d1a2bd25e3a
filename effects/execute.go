package effects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Keys of the daemon in etcd. They are few, and under one prefix.
const (
	// KeyPrefix is the prefix of every key that the daemon writes.
	KeyPrefix = "_etcd-appliance/"
	// JoinLockKey is the lock under which an instance joins.
	JoinLockKey = KeyPrefix + "join"
)

// commandTimeout bounds a lane's commands of one turn. It outlasts etcd's own limit for a membership change (5 s, and 2
// election timeouts), after which etcd knows no more about the outcome than the caller does.
var commandTimeout = [states.Lanes]time.Duration{states.LaneCluster: 8 * time.Second, states.LaneAWS: 15 * time.Second, states.LaneGroup: 10 * time.Second, states.LaneIngress: 10 * time.Second}

// action is one command made ready: it runs off the deciding goroutine.
type action func(ctx context.Context) (deliver func(), err error)

// Execute starts the commands of one decision. Those of the process lane are done before it returns: they are local, short,
// and must not wait for anything.
func (e *Effects) Execute(commands []states.Command) {
	for lane := range states.Lanes {
		e.executeLane(lane, commands)
	}
}

func (e *Effects) executeLane(l states.Lane, commands []states.Command) {
	var batch []states.Command
	for _, c := range commands {
		if states.LaneOf(c) == l {
			batch = append(batch, c)
		}
	}
	switch {
	case len(batch) == 0:
	case l == states.LaneProcess:
		for _, c := range batch {
			e.complaint.note(e.Log, kind(c), e.local(c))
			e.facts.Disk.State = states.DiskUnknown // look again
		}
	case e.open(l):
		e.start(l, batch)
	}
}

func kind(c states.Command) string { return fmt.Sprintf("%T", c)[len("states."):] }

// start runs the commands of a lane in order, and stops at the first that fails.
func (e *Effects) start(l states.Lane, batch []states.Command) {
	actions := make([]action, len(batch))
	for i, c := range batch {
		actions[i] = e.action(c)
	}
	e.lanes[l].busy, e.lanes[l].batch = true, batch
	e.Spawn(commandTimeout[l], func(ctx context.Context) func() {
		var delivers []func()
		failed := false
		for i, act := range actions {
			deliver, err := act(ctx)
			failed = err != nil
			delivers = append(delivers, func() {
				if deliver != nil {
					deliver()
				}
				e.complaint.note(e.Log, kind(batch[i]), err)
			})
			if err != nil {
				break
			}
		}
		return func() {
			e.lanes[l].ended(e.Now(), failed)
			for _, s := range e.changedBy(l) {
				s.dirty = true
			}
			for _, deliver := range delivers {
				deliver()
			}
		}
	})
}

func (l *lane) ended(now time.Time, failed bool) {
	l.busy, l.batch, l.done = false, nil, now
	if l.failures++; !failed {
		l.failures = 0
	}
}

// local carries out a command of the process lane.
func (e *Effects) local(c states.Command) error {
	switch c := c.(type) {
	case states.StartEtcd:
		return e.startEtcd(c)
	case states.StopEtcd:
		if e.Process.Inspect().Running != states.Yes {
			return nil
		}
		return e.Process.Stop()
	case states.SetAsideData:
		if e.Process.Inspect().Running != states.No {
			return errors.New("set the data aside: a server runs on it")
		}
		return e.Disk.SetAside(c.Why)
	case states.ForgetSetAside:
		return e.Disk.ForgetSetAside()
	case states.RecordJoined:
		return e.Disk.RecordJoined()
	default:
		return fmt.Errorf("command %T is not a local one", c)
	}
}

// startEtcd checks what the command takes for granted about the disk, writes down which server is about to run, and starts it.
func (e *Effects) startEtcd(c states.StartEtcd) error {
	if e.Process.Inspect().Running != states.No {
		return nil
	}
	disk := e.Disk.Inspect()
	if restart := c.State == states.ClusterRestart; restart != (disk.State == states.DiskMember) || !restart && disk.State != states.DiskEmpty {
		return fmt.Errorf("%s: the data directory has changed", c)
	}
	if err := e.Disk.RecordStart(c); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	if err := e.Process.Start(c); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	e.cluster.dirty, e.joining = true, c.State == states.ClusterExisting
	return nil
}

// action makes a command of another lane ready, with copies of the facts it needs.
func (e *Effects) action(c states.Command) action {
	own := e.clientURL(e.facts.Self.Address)
	endpoints := slices.Clone(e.endpoints)
	if e.facts.Process.Running == states.Yes {
		endpoints = order(endpoints, own, e.facts.Cluster.Local.Serves())
	}
	at := place{cluster: e.facts.Name, zoneID: e.zoneID, zone: e.facts.DNS.Zone}
	seen, self := e.claimSeen, e.facts.Self
	switch c := c.(type) {
	case states.CreateClaim:
		return func(ctx context.Context) (func(), error) { return nil, e.createClaim(ctx, at, c.Record) }
	case states.UpdateClaim:
		return func(ctx context.Context) (func(), error) { return nil, e.updateClaim(ctx, at, seen, c.New) }
	case states.PublishDNS:
		return func(ctx context.Context) (func(), error) { return nil, e.change(ctx, at.zoneID, c.Old, c.New) }
	case states.HoldJoinLock:
		return e.holdJoinLock(c, endpoints, self.ID)
	case states.ReleaseJoinLock:
		return func(ctx context.Context) (func(), error) {
			err := e.Etcd.ReleaseLock(ctx, endpoints, JoinLockKey, self.ID)
			return func() {
				if err == nil {
					e.facts.Join = states.Join{}
				}
			}, err
		}
	case states.AddMember:
		return e.addMember(c, endpoints)
	case states.PromoteMember:
		return func(ctx context.Context) (func(), error) {
			err := e.Etcd.PromoteMember(ctx, endpoints, c.ID)
			if errors.Is(err, ErrNotLearner) {
				err = nil
			}
			return nil, err
		}
	case states.RemoveMember:
		return func(ctx context.Context) (func(), error) { return nil, e.removeMember(ctx, c, self.Address, endpoints) }
	case states.HoldUpgradeLock:
		return e.holdUpgradeLock(c, endpoints)
	case states.ReleaseUpgradeLock:
		return func(ctx context.Context) (func(), error) { return nil, e.releaseUpgradeLock(ctx, c, endpoints) }
	case states.HaltUpgrade:
		return func(ctx context.Context) (func(), error) { return nil, e.haltUpgrade(ctx, c, endpoints) }
	case states.AdvanceLog:
		return func(ctx context.Context) (func(), error) { return nil, e.Etcd.Advance(ctx, own, advanceBy) }
	case states.StopForUpgrade:
		return e.stopForUpgrade(c, own, endpoints)
	case states.HookHeartbeat:
		return e.heartbeat(c, self.ID)
	case states.CompleteHook:
		group, name := e.groupName, e.hookName(c.Hook)
		return func(ctx context.Context) (func(), error) { return nil, e.completeHook(ctx, c, group, name, self.ID) }
	case states.ReplaceInstance:
		group := e.autoScalingOf(c.ID)
		return func(ctx context.Context) (func(), error) { return nil, e.replaceInstance(ctx, c, group) }
	case states.AuthorizePeers:
		return func(ctx context.Context) (func(), error) { return nil, e.authorize(ctx, c, ruleName(at.cluster)) }
	case states.RevokePeers:
		return func(ctx context.Context) (func(), error) { return nil, e.revoke(ctx, c, ruleName(at.cluster)) }
	case states.MoveLeader:
		return func(ctx context.Context) (func(), error) {
			err := e.Etcd.MoveLeader(ctx, own, c.To)
			if errors.Is(err, ErrNotLeader) {
				err = nil
			}
			return func() {
				if c.At != "" { // whatever came of it
					e.facts.Ending.Yielded = c.At
				}
			}, err
		}
	default:
		return func(context.Context) (func(), error) { return nil, fmt.Errorf("command %T is not known", c) }
	}
}

func (e *Effects) holdJoinLock(c states.HoldJoinLock, endpoints []string, self string) action {
	begun := e.Now()
	return func(ctx context.Context) (func(), error) {
		lock, err := e.Etcd.HoldLock(ctx, endpoints, JoinLockKey, self, c.TTL, UpgradeLockKey)
		return func() {
			switch {
			case err != nil && begun.Sub(e.facts.Join.Held) > c.TTL:
				e.facts.Join.Owner, e.facts.Join.Held = "", time.Time{}
			case err != nil:
			case lock.Owner != self:
				e.facts.Join.Owner, e.facts.Join.Held = lock.Owner, time.Time{}
			default:
				e.facts.Join.Owner, e.facts.Join.Held = lock.Owner, begun
			}
		}, err
	}
}

// addMember reads the list again before it adds: an earlier addition may have been carried out and its answer lost.
func (e *Effects) addMember(c states.AddMember, endpoints []string) action {
	return func(ctx context.Context) (func(), error) {
		list, err := e.Etcd.Members(ctx, endpoints)
		if err != nil {
			return nil, fmt.Errorf("read the member list before adding to it: %w", err)
		}
		for i := range list.Members {
			if list.Members[i].Address == c.Address {
				return nil, fmt.Errorf("add %s: %w", c.Address, ErrExists)
			}
		}
		if err := e.mayAddVoter(ctx, c, list.Members); err != nil {
			return nil, err
		}
		id, err := e.Etcd.AddMember(ctx, endpoints, e.peerURL(c.Address), c.Learner)
		if err != nil {
			return nil, err
		}
		return func() { e.facts.Join.Added, e.facts.Join.Since = id, e.Now() }, nil
	}
}

// mayAddVoter asks every member how it is, right before a voter is added: it counts towards the quorum before it has started. A
// learner does not, and etcd itself allows one at a time.
func (e *Effects) mayAddVoter(ctx context.Context, c states.AddMember, members []states.Member) error {
	if c.Learner {
		return nil
	}
	trouble := e.askHealth(ctx, members, states.Local{})
	for i := range members {
		if m := &members[i]; m.Health != states.Yes {
			return errors.Join(fmt.Errorf("add %s as a voter while %s is not healthy: %w", c.Address, m.Key(), ErrUnhealthy), trouble)
		}
	}
	return nil
}

// removeMember removes only what the decision meant, as the list is now: members come and go between a look and an act.
func (e *Effects) removeMember(ctx context.Context, c states.RemoveMember, self string, endpoints []string) error {
	list, err := e.Etcd.Members(ctx, endpoints)
	if err != nil {
		return fmt.Errorf("read the member list before removing from it: %w", err)
	}
	i := slices.IndexFunc(list.Members, func(m states.Member) bool { return m.ID == c.ID })
	if i < 0 {
		return nil
	}
	m := &list.Members[i]
	if m.Name != c.Name || m.Address != c.Address {
		return fmt.Errorf("remove %x: it is %s at %s now: %w", c.ID, m.Key(), m.Address, ErrChanged)
	}
	if c.Address != self { // housekeeping, which rests while a member changes its server
		if err := e.nobodyUpgrades(ctx, endpoints); err != nil {
			return fmt.Errorf("remove %x: %w", c.ID, err)
		}
	}
	if !m.Learner {
		if err := e.survives(ctx, list.Members, m, c.Address == self); err != nil {
			return err
		}
	}
	err = e.Etcd.RemoveMember(ctx, endpoints, c.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// survives asks every other voter how it is, right before one is removed. One that leads is not removed: the leadership may have
// come to it since the decision, and its removal would leave the others to elect a leader. Only an old server that leads cannot
// hand over, and removes itself.
func (e *Effects) survives(ctx context.Context, members []states.Member, removed *states.Member, itself bool) error {
	others := states.Cluster{
		Members: slices.DeleteFunc(slices.Clone(members), func(m states.Member) bool { return m.Learner || m.ID == removed.ID }),
	}
	trouble := e.askHealth(ctx, others.Members, states.Local{})
	if n, healthy := others.Voters(); healthy < states.Quorum(n) {
		return errors.Join(fmt.Errorf("remove %x: %d of the other %d voters are healthy, which is no quorum", removed.ID, healthy, n), trouble)
	}
	if !removed.Started() {
		return nil
	}
	if s, err := e.Etcd.Status(ctx, removed.ClientURL); err == nil && s.Leader == removed.ID && !(itself && !s.Version.MinorOf().MovesLeader()) {
		return fmt.Errorf("remove %x: it leads: %w", removed.ID, ErrChanged)
	}
	return nil
}
