package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects/etcdproc"
	"github.com/etcd-appliance/etcd-appliance/effects/observer"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// renumbered is a copy of a server that calls itself another patch, wherever it says which it is. Both have as many digits, so that
// nothing else in the file moves.
func renumbered(t *testing.T, server, copied string, from, to states.Version) {
	t.Helper()
	program, err := os.ReadFile(server)
	if err != nil {
		t.Fatal(err)
	}
	if len(from.String()) != len(to.String()) || !bytes.Contains(program, []byte(from.String())) {
		t.Fatalf("%s cannot be made %s", from, to)
	}
	program = bytes.ReplaceAll(program, []byte(from.String()), []byte(to.String()))
	next := copied + ".new"
	if err := errors.Join(os.WriteFile(next, program, 0o755), os.Rename(next, copied)); err != nil {
		t.Fatal(err)
	}
}

// The server in --etcd-dir is replaced by another patch of the same minor. The daemons notice, and take turns.
func TestPatchIsRolled(t *testing.T) {
	servers, ours := realEtcd(t), t.TempDir()
	installed := filepath.Join(ours, "3.7", "etcd")
	if err := errors.Join(os.MkdirAll(filepath.Dir(installed), 0o755), os.Symlink(filepath.Join(servers, "3.7", "etcd"), installed)); err != nil {
		t.Fatal(err)
	}
	var releases etcdproc.Releases
	known, unknown := releases.Of(servers, []states.MinorVersion{{Major: 3, Minor: 7}})
	if len(known) != 1 {
		t.Fatal(unknown)
	}
	next := known[0]
	next.Patch++
	ctx, r, w := upgradeRig(t, ours, "3.7")
	began := time.Now()
	renumbered(t, filepath.Join(servers, "3.7", "etcd"), installed, known[0], next)
	if _, err := r.Wait(ctx, func(v *observer.View) error {
		for _, i := range v.InService() {
			if i.Etcd.Version != next.String() {
				return fmt.Errorf("%s runs %s", i.ID, i.Etcd.Version)
			}
		}
		return v.Settled(3)
	}); err != nil {
		t.Fatal(err)
	}
	holds(ctx, t, r, w, "3.7", began)
}
