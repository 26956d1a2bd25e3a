package etcdfake

import (
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func TestZombies(t *testing.T) {
	for _, patch := range []int{25, 26} {
		f := newFixture(t)
		f.World.Release = patches(map[states.MinorVersion]int{minor(3, 5): patch, minor(3, 6): 16})
		f.formAt(minor(3, 5), "i-1", "i-2", "i-3", "i-4")
		if err := f.node("i-1").Etcd().RemoveMember(t.Context(), []string{endpoint("i-1")}, f.member("i-4")); err != nil {
			t.Fatal(err)
		}
		f.pass(5 * time.Second)
		f.restartAt("i-1", minor(3, 6))
		a, err := f.node("i-1").Peers().Ask(t.Context(), address("i-1"))
		if err != nil {
			t.Fatal(err)
		}
		incidents := len(f.Incidents())
		if patch == 25 && (len(a.Members) != 4 || incidents != 1 || f.Incidents()[0].Trouble.Invariant() != "S6") {
			t.Fatal("the removed member did not come back:", a.Members, f.Incidents())
		}
		f.node("i-1").Release = patches(map[states.MinorVersion]int{minor(3, 5): 26})
		f.restartAt("i-1", minor(3, 5)) // which cleans up
		if b, err := f.node("i-1").Peers().Ask(t.Context(), address("i-1")); err != nil || len(b.Members) != 3 {
			t.Fatal(b, err)
		}
		if patch == 26 && (len(a.Members) != 3 || incidents != 0) {
			t.Fatal(a.Members, f.Incidents())
		}
	}
}

func TestPromotionsThatWereNotRecorded(t *testing.T) {
	for _, patch := range []int{19, 20} {
		f := newFixture(t)
		f.World.Release = patches(map[states.MinorVersion]int{minor(3, 5): patch, minor(3, 6): 16})
		f.formAt(minor(3, 5), "i-1")
		etcd, ids := f.node("i-1").Etcd(), []string{"i-1"}
		for _, id := range []string{"i-2", "i-3"} {
			ids = append(ids, id)
			f.pass(10 * time.Second)
			m, err := etcd.AddMember(t.Context(), []string{endpoint("i-1")}, peerURL(address(id)), true)
			if err != nil {
				t.Fatal(err)
			}
			f.start(id, states.ClusterExisting, list(ids...))
			f.pass(10 * time.Second)
			if err := etcd.PromoteMember(t.Context(), []string{endpoint("i-1")}, m); err != nil {
				t.Fatal(err)
			}
		}
		f.restartAt("i-3", minor(3, 6))
		if patch == 19 {
			f.ended("i-3", states.ExitRefused, "too many learner members")
		} else {
			f.runs("i-3")
		}
	}
}

func TestEarlyUpgradeTo37(t *testing.T) {
	f := newFixture(t)
	f.formAt(minor(3, 6), "i-1", "i-2", "i-3")
	f.node("i-2").Release = patches(map[states.MinorVersion]int{minor(3, 6): 10, minor(3, 7): 3})
	f.restartAt("i-2", minor(3, 6))
	f.restartAt("i-1", minor(3, 7))
	if len(f.Incidents()) != 0 {
		t.Fatal(f.Incidents())
	}
	f.restartAt("i-2", minor(3, 7))
	if i := f.Incidents(); len(i) != 1 || i[0].Trouble != EarlyUpgrade {
		t.Fatal(i)
	}
}

func TestLeftoversOfV2Stop36(t *testing.T) {
	for _, test := range []struct {
		what  string
		born  states.MinorVersion
		leave func(f *fixture) error
		words string
	}{
		{"nothing", minor(3, 4), func(*fixture) error { return nil }, ""},
		{"a health check", minor(3, 4), func(f *fixture) error { f.GetHealth(address("i-1")); return nil }, "disallowed v2 WAL"},
		{"a key", minor(3, 3), func(f *fixture) error { return f.WriteV2(address("i-1")) }, "disallowed custom content"},
	} {
		f := newFixture(t)
		f.formAt(test.born, "i-1", "i-2", "i-3")
		if err := test.leave(f); err != nil {
			t.Fatal(test.what, err)
		}
		for _, m := range []states.MinorVersion{minor(3, 4), minor(3, 5)} {
			for _, id := range []string{"i-1", "i-2", "i-3"} {
				f.restartAt(id, m)
			}
		}
		if f.WriteV2(address("i-1")) == nil {
			t.Fatal("3.5 took a v2 key")
		}
		f.restartAt("i-1", minor(3, 6))
		if test.words == "" {
			f.runs("i-1")
		} else {
			f.ended("i-1", states.ExitRefused, test.words)
		}
	}
}
