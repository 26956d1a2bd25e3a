package etcdfake

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/states"
)

func TestAlarms(t *testing.T) {
	f := newFixture(t)
	f.three()
	f.pass(5 * time.Second)
	c, ends := f.Clusters()[0], []string{endpoint("i-1")}
	a, b := f.node("i-1").Etcd(), f.node("i-2").Etcd()
	hold := func(e effects.Etcd, owner string) (string, error) {
		l, err := e.HoldLock(t.Context(), ends, "k", owner, time.Minute)
		return l.Owner, err
	}
	if owner, err := hold(a, "a"); err != nil || owner != "a" {
		t.Fatal(owner, err)
	}
	c.Raise(NoSpace, f.member("i-2"))
	if s, err := a.Status(t.Context(), endpoint("i-3")); err != nil || len(s.Errors) != 1 || !strings.Contains(s.Errors[0], "alarm:NOSPACE") {
		t.Fatal("every server tells the alarm:", s, err)
	}
	if owner, err := hold(a, "a"); err != nil || owner != "a" {
		t.Fatal("a lease is kept alive:", owner, err)
	}
	if owner, err := hold(b, "b"); err != nil || owner != "a" {
		t.Fatal("a lock is read:", owner, err)
	}
	if err := f.Write(address("i-1")); !errors.Is(err, errNoSpace) {
		t.Fatal(err)
	}
	if _, err := a.AddMember(t.Context(), ends, peerURL(address("i-4")), true); err != nil {
		t.Fatal("members are changed all the same:", err)
	}
	if err := a.ReleaseLock(t.Context(), ends, "k", "a"); err != nil {
		t.Fatal("a lock is given up:", err)
	}
	if _, err := hold(b, "b"); !errors.Is(err, errNoSpace) {
		t.Fatal("a lock was taken:", err)
	}
	f.restartAt("i-1", minor37)
	if _, err := hold(b, "b"); !errors.Is(err, errNoSpace) {
		t.Fatal("the alarm did not outlive a restart:", err)
	}
	c.Disarm(NoSpace)
	if owner, err := hold(b, "b"); err != nil || owner != "b" {
		t.Fatal(owner, err)
	}
	c.Raise(CorruptAlarm, f.member("i-2"))
	if err := b.ReleaseLock(t.Context(), ends, "k", "b"); !errors.Is(err, errCorrupt) {
		t.Fatal(err)
	}
	if l, err := b.Members(t.Context(), ends); err != nil || len(l.Members) != 4 {
		t.Fatal(l, err)
	}
}

func TestAuthentication(t *testing.T) {
	for _, test := range []struct {
		minor           states.MinorVersion
		patch           int
		status, members bool
	}{
		{minor(3, 4), 45, true, true},
		{minor(3, 5), 27, true, true},
		{minor(3, 5), 28, false, false},
		{minor(3, 6), 8, false, true},
		{minor(3, 6), 9, false, false},
		{minor37, 3, false, false},
	} {
		f := newFixture(t)
		f.World.Release = patches(map[states.MinorVersion]int{test.minor: test.patch})
		f.formAt(test.minor, "i-1").Protect(true)
		etcd, ends := f.node("i-1").Etcd(), []string{endpoint("i-1")}
		_, status := etcd.Status(t.Context(), ends[0])
		_, members := etcd.Members(t.Context(), ends)
		_, lock := etcd.HoldLock(t.Context(), ends, "k", "a", time.Minute)
		if (status == nil) != test.status || (members == nil) != test.members || !errors.Is(lock, errNoUser) {
			t.Error(test, status, members, lock)
		}
		if _, err := f.node("i-2").Peers().Ask(t.Context(), address("i-1")); err != nil {
			t.Error("the peer port knows no users:", err)
		}
	}
}

func TestCertificateOfOneServer(t *testing.T) {
	f := newFixture(t)
	f.three()
	c, bad := f.Clusters()[0], "i-1"
	f.Distrust(bad, true)
	f.pass(5 * time.Second)
	if _, healthy, _ := c.Voters(); healthy != 2 || !c.HasQuorum() {
		t.Fatal(healthy)
	}
	_, ask := f.node("i-2").Peers().Ask(t.Context(), address(bad))
	_, status := f.node("i-2").Etcd().Status(t.Context(), endpoint(bad))
	_, own := f.node(bad).Etcd().Status(t.Context(), endpoint("i-2"))
	for _, err := range []error{ask, status, own} {
		if err == nil || errors.Is(err, effects.ErrRefused) {
			t.Fatal(err)
		}
	}
	if l, err := f.node("i-2").Etcd().Members(t.Context(), []string{endpoint(bad), endpoint("i-3")}); err != nil || len(l.Members) != 3 {
		t.Fatal(l, err)
	}
	for _, id := range []string{"i-2", "i-3"} {
		f.Distrust(id, true)
	}
	if f.pass(5 * time.Second); c.HasQuorum() {
		t.Fatal("servers that distrust each other agree")
	}
	for _, id := range []string{"i-1", "i-2", "i-3"} {
		f.Distrust(id, false)
	}
	f.pass(5 * time.Second)
	if _, healthy, _ := c.Voters(); healthy != 3 {
		t.Fatal(healthy)
	}
}
