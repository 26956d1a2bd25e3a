package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/effects"
)

// records is etcd as unlock sees it.
type records struct {
	keys    []effects.EtcdKey
	deleted []effects.EtcdKey
	readErr error
	err     error
}

func (r *records) Keys(context.Context, []string, string) ([]effects.EtcdKey, error) {
	return r.keys, r.readErr
}

func (r *records) Swap(_ context.Context, _ []string, key effects.EtcdKey, _ ...string) (int64, error) {
	r.deleted = append(r.deleted, key)
	return 0, r.err
}

func unlocks(r *records, yes bool, answers string) (string, error) {
	var out bytes.Buffer
	u := unlocker{r, nil, &out, bufio.NewScanner(strings.NewReader(answers)), yes}
	err := u.run(context.Background())
	return out.String(), err
}

func TestUnlock(t *testing.T) {
	lock := effects.EtcdKey{Key: effects.UpgradeLockKey, Revision: 7, Value: `{"owner":"i-1","member":"abc","from":"3.6","to":"3.7"}`}
	halt := effects.EtcdKey{Key: effects.UpgradeHaltKey, Revision: 5, Value: `{"owner":"i-2","member":"def","from":"3.6","to":"3.7","why":"panic"}`}
	odd := effects.EtcdKey{Key: effects.UpgradeLockKey, Revision: 9, Value: "hello"}
	for what, c := range map[string]struct {
		keys    []effects.EtcdKey
		yes     bool
		answers string
		says    []string
		deletes []int64 // revisions
	}{
		"nothing":           {nil, false, "", []string{"Nobody holds"}, nil},
		"a lock":            {[]effects.EtcdKey{lock}, false, "y\n", []string{"i-1 holds the upgrade lock, for etcd 3.6 to 3.7 on member abc", "Deleted."}, []int64{7}},
		"on second thought": {[]effects.EtcdKey{lock}, false, "n\n", []string{"It stays."}, nil},
		"nobody answers":    {[]effects.EtcdKey{lock}, false, "", []string{"It stays."}, nil},
		"one of both":       {[]effects.EtcdKey{lock, halt}, false, "\ny\n", []string{"It stays.", "failed at i-2", "panic", "Deleted."}, []int64{5}},
		"both, unasked":     {[]effects.EtcdKey{lock, halt}, true, "", []string{"Deleted."}, []int64{7, 5}},
		"something odd":     {[]effects.EtcdKey{odd}, true, "", []string{"unreadable", `"hello"`}, []int64{9}},
	} {
		r := &records{keys: c.keys}
		out, err := unlocks(r, c.yes, c.answers)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: does not say %q:\n%s", what, want, out)
			}
		}
		var revisions []int64
		for _, k := range r.deleted {
			revisions = append(revisions, k.Revision)
		}
		if !slices.Equal(revisions, c.deletes) {
			t.Errorf("%s: deletes %v", what, r.deleted)
		}
	}
	if _, err := unlocks(&records{keys: []effects.EtcdKey{lock}, err: effects.ErrChanged}, true, ""); err == nil || !strings.Contains(err.Error(), "has changed in the meantime") {
		t.Errorf("a record that has changed: %v", err)
	}
	if _, err := unlocks(&records{readErr: errors.New("no quorum")}, true, ""); err == nil || hintOf(err) == "" {
		t.Errorf("no answer: %v", err)
	}
}
