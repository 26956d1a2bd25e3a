package effects

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// choiceOf gives a choice over two stubs, and the level of each server by its URL; who is not in it does not answer.
func choiceOf(levels map[string]states.MinorVersion) (c *Choice, v2, v3 *stubEtcd) {
	v2, v3 = &stubEtcd{}, &stubEtcd{}
	return &Choice{V2: v2, V3: v3, Level: func(_ context.Context, endpoint string) (states.MinorVersion, error) {
		level, ok := levels[endpoint]
		if !ok {
			return level, ErrRefused
		}
		return level, nil
	}}, v2, v3
}

// everything makes each call once.
func everything(t *testing.T, c *Choice) {
	t.Helper()
	ctx, at := t.Context(), []string{"dead", "alive"}
	_, _ = c.Status(ctx, "alive")
	_, _ = c.Members(ctx, at)
	_, _ = c.AddMember(ctx, at, "url", false)
	_ = c.RemoveMember(ctx, at, 1)
	_ = c.PromoteMember(ctx, at, 1)
	_ = c.MoveLeader(ctx, "alive", 1)
	_ = c.Advance(ctx, "alive", 1)
	_, _ = c.HoldLock(ctx, at, JoinLockKey, "i-a", time.Second)
	_ = c.ReleaseLock(ctx, at, JoinLockKey, "i-a")
	_, _ = c.Keys(ctx, at, KeyPrefix)
	_, _ = c.Swap(ctx, at, EtcdKey{Key: UpgradeLockKey, Value: "x"})
	c.Forget(nil)
}

func TestChoiceGoesByTheVersion(t *testing.T) {
	for level, want := range map[states.MinorVersion][2]int{ // calls that change or list something: of v2, of v3
		{Major: 2, Minor: 2}: {9, 0}, // not settled yet
		{Major: 2, Minor: 3}: {9, 0},
		{Major: 3}:           {1, 9}, // a lock may be left
		{Major: 3, Minor: 1}: {0, 9},
		{Major: 3, Minor: 7}: {0, 9},
	} {
		c, v2, v3 := choiceOf(map[string]states.MinorVersion{"alive": level})
		everything(t, c)
		if got := [2]int{len(v2.calls), len(v3.calls)}; got != want {
			t.Errorf("%s: %v calls, want %v\nv2 %q\nv3 %q", level, got, want, v2.calls, v3.calls)
		}
		if got := c.Speaks(t.Context(), "dead", "alive"); (got == v2) != (level.Major == 2) || (got == v3) != (level.Major == 3) {
			t.Errorf("%s: speaks to %p, of v2 %p and v3 %p", level, got, v2, v3)
		}
	}
	c, v2, v3 := choiceOf(nil)
	everything(t, c)
	if len(v2.calls) != 0 || len(v3.calls) != 9 {
		t.Errorf("nobody answers: v2 %q, v3 %q", v2.calls, v3.calls)
	}
}

// TestWhatIsLeftIsHeld: the member that was upgraded last holds the lock in the v2 store when the version has risen.
func TestWhatIsLeftIsHeld(t *testing.T) {
	at := []string{"alive"}
	setUp := func(left ...EtcdKey) (*Choice, *stubEtcd, *stubEtcd) {
		c, v2, v3 := choiceOf(map[string]states.MinorVersion{"alive": {Major: 3}})
		v2.keys, v3.keys = left, []EtcdKey{{Key: UpgradeHaltKey, Value: "new", Revision: 9}}
		return c, v2, v3
	}
	lock := EtcdKey{Key: UpgradeLockKey, Value: "held", Revision: 5}

	c, _, _ := setUp(EtcdKey{Key: UpgradeHaltKey, Value: "old", Revision: 4}, lock)
	keys, err := c.Keys(t.Context(), at, KeyPrefix)
	if err != nil || !slices.Equal(keys, []EtcdKey{lock, {Key: UpgradeHaltKey, Value: "old", Revision: 4}}) {
		t.Error(keys, err)
	}

	var v2, v3 *stubEtcd
	c, v2, v3 = setUp(lock)
	for what, key := range map[string]EtcdKey{
		"it is taken again":              {Key: UpgradeLockKey, Value: "mine"},
		"another revision of it is gone": {Key: UpgradeLockKey, Revision: 6},
	} {
		if _, err := c.Swap(t.Context(), at, key); !errors.Is(err, ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := c.Swap(t.Context(), at, EtcdKey{Key: UpgradeHaltKey, Value: "why"}, UpgradeLockKey); !errors.Is(err, ErrChanged) {
		t.Errorf("a key that it excludes is written: %v", err)
	}
	if l, err := c.HoldLock(t.Context(), at, JoinLockKey, "i-a", time.Second, UpgradeLockKey); err != nil || l.Owner != "" {
		t.Errorf("someone joins beside it: %+v, %v", l, err)
	}
	if len(v3.calls)+len(v2.calls) != 0 {
		t.Errorf("v2 %q, v3 %q", v2.calls, v3.calls)
	}
	if _, err := c.Swap(t.Context(), at, EtcdKey{Key: UpgradeLockKey, Revision: 5}); err != nil || len(v2.calls) != 1 || len(v3.calls) != 0 {
		t.Errorf("it is released elsewhere: %v, v2 %q, v3 %q", err, v2.calls, v3.calls)
	}
	if _, err := c.Swap(t.Context(), at, EtcdKey{Key: UpgradeHaltKey, Revision: 5}, UpgradeLockKey); !errors.Is(err, ErrChanged) || len(v2.calls) != 1 {
		t.Errorf("another key of its revision is taken for it: %v, v2 %q", err, v2.calls)
	}

	c, v2, v3 = setUp(EtcdKey{Key: JoinLockKey, Value: "i-b", Revision: 5})
	if l, err := c.HoldLock(t.Context(), at, JoinLockKey, "i-a", time.Second); err != nil || l != (EtcdLock{Owner: "i-b", Revision: 5}) || len(v3.calls) != 0 {
		t.Errorf("the join lock of another: %+v, %v", l, err)
	}
	if l, err := c.HoldLock(t.Context(), at, JoinLockKey, "i-b", time.Second); err != nil || l.Owner != "i-b" || len(v3.calls) != 1 {
		t.Errorf("its own is taken anew: %+v, %v", l, err)
	}
	v2.keysErr = errors.New("silence")
	_, keysErr := c.Keys(t.Context(), at, KeyPrefix)
	_, swapErr := c.Swap(t.Context(), at, EtcdKey{Key: UpgradeLockKey, Value: "x"})
	_, holdErr := c.HoldLock(t.Context(), at, JoinLockKey, "i-a", time.Second)
	v2.err = errors.New("silence")
	for _, err := range []error{keysErr, swapErr, holdErr, c.ReleaseLock(t.Context(), at, JoinLockKey, "i-a")} {
		if err == nil || !strings.Contains(err.Error(), "silence") {
			t.Errorf("what is left cannot be read, and is taken for nothing: %v", err)
		}
	}
}

// TestChoiceRemembersWhatCannotFall: a cluster above 3.0 is asked for its version once a minute.
func TestChoiceRemembersWhatCannotFall(t *testing.T) {
	for level, want := range map[states.MinorVersion][]int{{Major: 3, Minor: 1}: {1, 2}, {Major: 3}: {3, 6}, {Major: 2, Minor: 3}: {3, 6}} {
		c, _, _ := choiceOf(map[string]states.MinorVersion{"alive": level})
		now, asked, ask := time.Unix(0, 0), 0, c.Level
		c.Now = func() time.Time { return now }
		c.Level = func(ctx context.Context, endpoint string) (states.MinorVersion, error) {
			asked++
			return ask(ctx, endpoint)
		}
		for i, round := range [][]time.Duration{{0, 0, 59 * time.Second}, {0, 0, 0}} {
			for _, passed := range round {
				now = now.Add(passed)
				_, _ = c.Members(t.Context(), []string{"alive"})
			}
			if asked != want[i] {
				t.Errorf("%s: asked %d times, want %d", level, asked, want[i])
			}
			now = now.Add(time.Second)
		}
	}
}
