package etcdfake

import (
	"testing"
	"time"
)

// The holder of a lock is paused: without an election its lease runs out, and elections carry it past its TTL.
func TestLeaseOfAPausedHolder(t *testing.T) {
	for _, flaps := range []bool{false, true} {
		f := newFixture(t)
		f.three()
		ends := []string{endpoint("i-1"), endpoint("i-2"), endpoint("i-3")}
		a, b := f.node("i-1").Etcd(), f.node("i-2").Etcd()
		if l, err := a.HoldLock(t.Context(), ends, "k", "a", 10*time.Second); err != nil || l.Owner != "a" {
			t.Fatal(l, err)
		}
		for range 5 {
			f.pass(6 * time.Second)
			if flaps {
				f.Clusters()[0].Depose()
				f.pass(2 * time.Second)
			}
		}
		want := map[bool]string{false: "b", true: "a"}[flaps]
		if l, err := b.HoldLock(t.Context(), ends, "k", "b", 10*time.Second); err != nil || l.Owner != want {
			t.Fatal(flaps, l, err)
		}
	}
}

func TestLockIsDeletedUnderItsHolder(t *testing.T) {
	f := newFixture(t)
	f.three()
	ends := []string{endpoint("i-1")}
	a, b := f.node("i-1").Etcd(), f.node("i-2").Etcd()
	before, err := a.HoldLock(t.Context(), ends, "k", "a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	f.Clusters()[0].Delete("k")
	if l, err := b.HoldLock(t.Context(), ends, "k", "b", time.Minute); err != nil || l.Owner != "b" || l.Revision <= before.Revision {
		t.Fatal(l, err)
	}
	if l, err := a.HoldLock(t.Context(), ends, "k", "a", time.Minute); err != nil || l.Owner != "b" {
		t.Fatal("it learns that the lock is gone:", l, err)
	}
}
