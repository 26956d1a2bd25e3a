package effects

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Keys of the upgrades, see [states.Upgrade].
const (
	UpgradeLockKey = KeyPrefix + "upgrade"
	UpgradeHaltKey = KeyPrefix + "upgrade-halted"
)

// upgradeRecord is the value of both keys: JSON, for the operator who looks at them with etcdctl.
type upgradeRecord struct {
	Owner  string `json:"owner"`
	Member string `json:"member"` // hexadecimal, as etcdctl prints it
	From   string `json:"from"`
	To     string `json:"to"`
	Patch  string `json:"patch,omitempty"` // of a change of patch: the version that is to run
	Index  uint64 `json:"index"`
	Why    string `json:"why,omitempty"`
}

func formatUpgrade(l *states.UpgradeLock) string {
	r := upgradeRecord{Owner: l.Owner, Member: fmt.Sprintf("%x", l.Member), From: l.From.String(), To: l.To.String(), Index: l.Index, Why: l.Why}
	if l.Patch.Known() {
		r.Patch = l.Patch.String()
	}
	text, _ := json.Marshal(r) // strings and a number can always be written
	return string(text)
}

// ParseUpgrade reads a record; the zero value where there is none. One that cannot be read is somebody's all the same: nobody is to take the lock while it is there.
func ParseUpgrade(key EtcdKey) states.UpgradeLock {
	if key.Value == "" {
		return states.UpgradeLock{}
	}
	l := states.UpgradeLock{Owner: "an unreadable record", Why: key.Value, Revision: key.Revision}
	var r upgradeRecord
	if err := json.Unmarshal([]byte(key.Value), &r); err != nil || r.Owner == "" {
		return l
	}
	from, badFrom := states.ParseVersion(r.From)
	to, badTo := states.ParseVersion(r.To)
	if _, err := fmt.Sscanf(r.Member, "%x", &l.Member); err != nil || badFrom != nil || badTo != nil {
		return l
	}
	if r.Patch != "" {
		patch, err := states.ParseVersion(r.Patch)
		if err != nil {
			return l
		}
		l.Patch = patch
	}
	l.Owner, l.From, l.To, l.Index, l.Why = r.Owner, from.MinorOf(), to.MinorOf(), r.Index, r.Why
	return l
}

// KeyReader is the part of [Etcd] that reads keys.
type KeyReader interface {
	Keys(ctx context.Context, endpoints []string, prefix string) ([]EtcdKey, error)
}

// ReadUpgrade reads both records through quorum; the zero value stands for one that is not there.
func ReadUpgrade(ctx context.Context, etcd KeyReader, endpoints []string) (lock, halted states.UpgradeLock, err error) {
	keys, err := etcd.Keys(ctx, endpoints, UpgradeLockKey)
	for _, key := range keys {
		switch key.Key {
		case UpgradeLockKey:
			lock = ParseUpgrade(key)
		case UpgradeHaltKey:
			halted = ParseUpgrade(key)
		}
	}
	return lock, halted, err
}

// askUpgrade reads both records. When they cannot be read, they stay as they were, and not known.
func (e *Effects) askUpgrade(ctx context.Context, endpoints []string, at time.Time, before states.Upgrade) (states.Upgrade, error) {
	lock, halted, err := ReadUpgrade(ctx, e.Etcd, endpoints)
	if err != nil {
		before.Known = states.No
		return before, fmt.Errorf("read the upgrade lock: %w", err)
	}
	next := states.Upgrade{Known: states.Yes, Since: before.Since, Lock: lock, Halted: halted}
	if before.Since.IsZero() || next.Lock != before.Lock {
		next.Since = at
	}
	return next, nil
}

// holdUpgradeLock takes the lock for good: the record has no lease.
func (e *Effects) holdUpgradeLock(c states.HoldUpgradeLock, endpoints []string) action {
	return func(ctx context.Context) (func(), error) {
		revision, err := e.Etcd.Swap(ctx, endpoints, EtcdKey{Key: UpgradeLockKey, Value: formatUpgrade(&c.Lock)}, JoinLockKey, UpgradeHaltKey)
		if err != nil {
			return nil, fmt.Errorf("take the upgrade lock: %w", err)
		}
		lock := c.Lock
		lock.Revision = revision
		return func() { e.facts.Cluster.Upgrade = states.Upgrade{Known: states.Yes, Since: e.Now(), Lock: lock} }, nil
	}
}

// releaseUpgradeLock deletes the record that the decision meant, and no other: not even one of the same owner.
func (e *Effects) releaseUpgradeLock(ctx context.Context, c states.ReleaseUpgradeLock, endpoints []string) error {
	key := EtcdKey{Key: UpgradeLockKey, Revision: c.Lock.Revision}
	if c.Halted {
		key.Key = UpgradeHaltKey
	}
	_, err := e.Etcd.Swap(ctx, endpoints, key)
	if err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

func (e *Effects) haltUpgrade(ctx context.Context, c states.HaltUpgrade, endpoints []string) error {
	_, err := e.Etcd.Swap(ctx, endpoints, EtcdKey{Key: UpgradeHaltKey, Value: formatUpgrade(&c.Lock)})
	if err != nil && !errors.Is(err, ErrChanged) { // somebody's halt is as good as ours
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

// advanceBy is how many entries are written at a time: fewer than a second's worth, so that what comes of them is seen soon.
const advanceBy = 1000

// actWithin is how soon a server must be stopped after what permits it was read. A daemon that was paused in between looks again.
const actWithin = 2 * time.Second

// stopForUpgrade reads everything again that the stop takes for granted, and stops the server at once.
func (e *Effects) stopForUpgrade(c states.StopForUpgrade, own string, endpoints []string) action {
	return func(ctx context.Context) (func(), error) {
		begun := e.Now()
		if err := e.mayStop(ctx, c, own, endpoints); err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		return func() {
			if e.Now().Sub(begun) > actWithin {
				return
			}
			e.complaint.note(e.Log, "stop etcd", e.Process.Stop())
		}, nil
	}
}

func (e *Effects) mayStop(ctx context.Context, c states.StopForUpgrade, own string, endpoints []string) error {
	list, err := e.Etcd.Members(ctx, endpoints)
	if err != nil {
		return err
	}
	cluster := states.Cluster{Members: list.Members}
	trouble := e.askHealth(ctx, cluster.Members, states.Local{})
	if blocked := cluster.UpgradeBlocked(&c.Lock, c.Desired); blocked != "" {
		return errors.Join(errors.New(blocked), trouble)
	}
	s, err := e.Etcd.Status(ctx, own)
	if s.MemberID != c.Lock.Member || s.Leader == s.MemberID && s.Version.MinorOf().MovesLeader() {
		return fmt.Errorf("its own server leads, or is not member %x: %w", c.Lock.Member, cmp.Or(err, ErrChanged))
	}
	// The lock comes last: it is what keeps everything else as it was read.
	now, err := e.askUpgrade(ctx, endpoints, time.Time{}, states.Upgrade{})
	if err == nil && now.Lock != c.Lock {
		err = fmt.Errorf("the upgrade lock is %q's now: %w", now.Lock.Owner, ErrChanged)
	}
	return err
}

func (e *Effects) nobodyUpgrades(ctx context.Context, endpoints []string) error {
	now, err := e.askUpgrade(ctx, endpoints, time.Time{}, states.Upgrade{})
	if now.Lock.Owner != "" {
		err = fmt.Errorf("%s holds the upgrade lock: %w", now.Lock.Owner, ErrChanged)
	}
	return err
}
