package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func TestWhoseRecord(t *testing.T) {
	for what, tc := range map[string]struct {
		here machine
		rec  record
		want bool
	}{
		"this boot":                     {machine{boot: "b1"}, record{Name: "i-1", Boot: "b1"}, true},
		"another boot":                  {machine{boot: "b2"}, record{Name: "i-1", Boot: "b1"}, false},
		"no boot known":                 {machine{}, record{Name: "i-1"}, false},
		"another boot, the board knows": {machine{boot: "b2", board: "i-1"}, record{Name: "i-1", Boot: "b1"}, true},
		"this boot, another board":      {machine{boot: "b1", board: "i-host"}, record{Name: "i-1", Boot: "b1"}, true},
		"another machine":               {machine{boot: "b2", board: "i-2"}, record{Name: "i-1", Boot: "b1"}, false},
		"no record":                     {machine{boot: "b1"}, record{}, false},
	} {
		if got := tc.here.wrote(tc.rec); got != tc.want {
			t.Errorf("%s: %v", what, got)
		}
	}
	if here := thisMachine(); len(here.boot) != 36 {
		t.Errorf("the kernel's boot ID is %q", here.boot)
	}
}

// A restart on another boot writes the record anew, and one that cannot be written does not stop it.
func TestRestartNotesTheBoot(t *testing.T) {
	d := open(t, t.TempDir())
	d.here = machine{boot: "b1"}
	must(t, d.RecordStart(joining))
	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	must(t, d.RecordStart(restart))
	d.here.boot = "b2"
	if d.Inspect().Own {
		t.Error("takes a record of another boot for its own")
	}
	if os.Geteuid() != 0 { // who may write anything cannot be refused
		must(t, os.Chmod(d.root, 0o500))
		must(t, d.RecordStart(restart))
		must(t, os.Chmod(d.root, 0o700))
	}
	must(t, d.RecordStart(restart))
	if !d.Inspect().Own {
		t.Error("has not noted its boot")
	}
}

// What is another instance's is never restarted, and never deleted.
func TestForeignDataIsKept(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.RecordStart(joining)) // as i-1
	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	other := restart
	other.Name = "i-2"
	if err := d.RecordStart(other); err == nil || !strings.Contains(err.Error(), "is of i-1") {
		t.Fatal(err)
	}
	must(t, d.SetAside("data of i-1"))
	anew := joining
	anew.Name = "i-2"
	must(t, d.RecordStart(anew))
	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	must(t, d.SetAside("its own"))
	must(t, d.RecordStart(anew))
	if disk := wantState(t, d, states.DiskEmpty); !disk.SetAside {
		t.Fatal("does not tell that data was set aside")
	}
	must(t, d.ForgetSetAside())
	if d.Inspect().SetAside {
		t.Error("would be asked again and again to delete what it keeps")
	}
	kept, _ := filepath.Glob(filepath.Join(d.root, notOursName, "*", "etcd", "member", "wal", walName))
	if len(kept) != 1 || !strings.Contains(kept[0], "data-of-i-1") {
		t.Errorf("kept %q", kept)
	}
}

func TestOneDaemonADirectory(t *testing.T) {
	root := t.TempDir()
	unlock, err := open(t, root).Lock()
	must(t, err)
	if _, err := open(t, root).Lock(); err == nil || !strings.Contains(err.Error(), "another daemon, process ") || !strings.Contains(err.Error(), root) {
		t.Fatal(err)
	}
	must(t, unlock())
	unlock, err = open(t, root).Lock()
	must(t, err)
	wantState(t, open(t, root), states.DiskEmpty)
	must(t, unlock())
}
