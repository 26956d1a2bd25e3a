package datadir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var (
	joining = states.StartEtcd{Minor: states.MinorVersion{Major: 3, Minor: 6}, Name: "i-1", Address: "10.0.0.1", State: states.ClusterExisting, Token: "t"}
	restart = states.StartEtcd{Minor: states.MinorVersion{Major: 3, Minor: 7}, Name: "i-1", Address: "10.0.0.1"}
)

const walName = "0000000000000000-0000000000000000.wal"

func open(t *testing.T, root string) *Dir {
	t.Helper()
	d, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, content string, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantState(t *testing.T, d *Dir, want states.DiskState) states.Disk {
	t.Helper()
	disk := d.Inspect()
	if disk.State != want {
		t.Fatalf("state %d (%q), want %d", disk.State, disk.Error, want)
	}
	return disk
}

func TestNewCreatesAPrivateRoot(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a", "b")
	d := open(t, root)
	info, err := os.Stat(root)
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode %o, want 700", info.Mode().Perm())
	}
	if d.EtcdDir() != filepath.Join(root, "etcd") {
		t.Errorf("etcd's directory is %s", d.EtcdDir())
	}
	wantState(t, d, states.DiskEmpty)
}

func TestNewSaysWhatToDo(t *testing.T) {
	root := filepath.Join(t.TempDir(), "file")
	write(t, "", root)
	_, err := New(filepath.Join(root, "below"))
	if err == nil || !strings.Contains(err.Error(), "a file is in the way") {
		t.Fatalf("got %v", err)
	}
}

func TestExplainKeepsTheCause(t *testing.T) {
	for errno, hint := range map[syscall.Errno]string{syscall.ENOSPC: "free space", syscall.EROFS: "writable", syscall.EACCES: "owner"} {
		err := explain(&os.PathError{Op: "write", Path: "/x", Err: errno})
		if !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), errno.Error()) {
			t.Errorf("%v: %v", errno, err)
		}
	}
	if explain(nil) != nil {
		t.Error("no error became one")
	}
}

func TestInspect(t *testing.T) {
	for _, tc := range []struct {
		name  string
		setup func(t *testing.T, etcd string)
		want  states.DiskState
	}{
		{"nothing", func(*testing.T, string) {}, states.DiskEmpty},
		{"empty directory", func(t *testing.T, etcd string) { must(t, os.Mkdir(etcd, 0o700)) }, states.DiskEmpty},
		{"empty subdirectories", func(t *testing.T, etcd string) {
			must(t, os.MkdirAll(filepath.Join(etcd, "member", "wal"), 0o700))
			must(t, os.MkdirAll(filepath.Join(etcd, "member", "snap"), 0o700))
		}, states.DiskEmpty},
		{"log", func(t *testing.T, etcd string) { write(t, "x", etcd, "member", "wal", walName) }, states.DiskMember},
		{"one log of two lost", func(t *testing.T, etcd string) {
			write(t, "", etcd, "member", "wal", walName)
			write(t, "x", etcd, "member", "wal", "0000000000000001-0000000000000100.wal")
		}, states.DiskMember},
		{"empty log", func(t *testing.T, etcd string) { write(t, "", etcd, "member", "wal", walName) }, states.DiskBroken},
		{"only a preallocated file", func(t *testing.T, etcd string) { write(t, "x", etcd, "member", "wal", "0.tmp") }, states.DiskBroken},
		{"database without log", func(t *testing.T, etcd string) { write(t, "x", etcd, "member", "snap", "db") }, states.DiskBroken},
		{"something else", func(t *testing.T, etcd string) { write(t, "x", etcd, "notes.txt") }, states.DiskBroken},
		{"deep below", func(t *testing.T, etcd string) {
			must(t, os.MkdirAll(filepath.Join(etcd, "1", "2", "3", "4", "5"), 0o700))
		}, states.DiskBroken},
		{"a file in place of the log's directory", func(t *testing.T, etcd string) { write(t, "x", etcd, "member", "wal") }, states.DiskUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := open(t, t.TempDir())
			tc.setup(t, d.EtcdDir())
			disk := wantState(t, d, tc.want)
			bad := tc.want == states.DiskBroken || tc.want == states.DiskUnknown
			if bad != (disk.Error != "") {
				t.Errorf("error %q", disk.Error)
			}
		})
	}
}

func TestUnreadableIsUnknown(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	d := open(t, t.TempDir())
	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	must(t, os.Chmod(d.EtcdDir(), 0))
	t.Cleanup(func() { _ = os.Chmod(d.EtcdDir(), 0o700) })
	wantState(t, d, states.DiskUnknown)
}

func TestRecordSurvivesTheDaemon(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	must(t, d.RecordStart(joining))
	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	must(t, d.RecordJoined())
	must(t, d.RecordStart(restart))

	got := open(t, root).Inspect()
	want := states.Disk{State: states.DiskMember, Minor: restart.Minor, Name: "i-1", Address: "10.0.0.1", Own: true, Joined: true}
	if got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	info, err := os.Stat(filepath.Join(root, recordName))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", info.Mode().Perm())
	}
}

func TestStartingAnewForgetsJoined(t *testing.T) {
	d := open(t, t.TempDir())
	must(t, d.RecordJoined())
	must(t, d.RecordStart(joining))
	if d.Inspect().Joined {
		t.Error("a new member is said to have joined")
	}
}

// A full disk must not stop a restart, so one that changes nothing in the record does not write it.
func TestSameRestartWritesNothing(t *testing.T) {
	d := open(t, t.TempDir())
	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	must(t, d.RecordStart(restart))
	path := filepath.Join(d.root, recordName)
	before, err := os.Stat(path)
	must(t, err)
	must(t, d.RecordStart(restart))
	after, err := os.Stat(path)
	must(t, err)
	if !os.SameFile(before, after) {
		t.Error("the record was written again")
	}
}

func TestRecordStartRefusesWhatDoesNotFit(t *testing.T) {
	d := open(t, t.TempDir())
	if err := d.RecordStart(restart); err == nil {
		t.Error("restarted a member that is not there")
	}
	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	if err := d.RecordStart(joining); err == nil {
		t.Error("started a new member on data")
	}
	if disk := d.Inspect(); disk.Name != "" {
		t.Error("a refused start was recorded")
	}
}

func TestDamagedRecord(t *testing.T) {
	for name, content := range map[string]string{"torn": `{"format":1,"name":"i-`, "empty": "", "newer": `{"format":2,"name":"i-1"}`} {
		t.Run(name, func(t *testing.T) {
			d := open(t, t.TempDir())
			write(t, content, d.root, recordName)
			write(t, "x", d.EtcdDir(), "member", "wal", walName)
			disk := wantState(t, d, states.DiskMember)
			if disk.Name != "" || !strings.Contains(disk.Error, "damaged") {
				t.Errorf("got %+v", disk)
			}
			must(t, d.RecordStart(restart))
			if disk := d.Inspect(); disk.Name != "i-1" || disk.Error != "" {
				t.Errorf("not replaced: %+v", disk)
			}
		})
	}
}

// What a failed join leaves is as good as nothing, but only while the record says that nothing else was there.
func TestLeftoverOfAFailedStart(t *testing.T) {
	d := open(t, t.TempDir())
	db := filepath.Join(d.EtcdDir(), "member", "snap", "db")
	must(t, d.RecordStart(joining))
	write(t, "scratch", db)
	write(t, "x", d.EtcdDir(), "member", "wal.tmp", walName)
	wantState(t, d, states.DiskEmpty)
	must(t, d.RecordStart(joining))
	if present(db) {
		t.Error("the next server would build on the scratch")
	}

	write(t, "x", d.EtcdDir(), "member", "wal", walName)
	write(t, "data", db)
	must(t, d.RecordJoined())
	must(t, os.RemoveAll(filepath.Join(d.EtcdDir(), "member", "wal")))
	wantState(t, d, states.DiskBroken)
	if err := d.RecordStart(joining); err == nil {
		t.Error("started on what was left of a voter")
	}
	if !present(db) {
		t.Error("a voter's database was deleted")
	}
}

func TestSetAside(t *testing.T) {
	d := open(t, t.TempDir())
	d.now = func() time.Time { return time.Date(2026, 11, 22, 20, 0, 0, 0, time.FixedZone("", 3600)) }
	must(t, d.SetAside("nothing there yet"))
	for _, want := range []string{"20261122T190000Z-removed-from-the-cluster", "20261122T190000Z-removed-from-the-cluster-2"} {
		must(t, d.RecordStart(joining))
		write(t, "x", d.EtcdDir(), "member", "wal", walName)
		must(t, d.SetAside("Removed from the cluster!"))
		for _, moved := range []string{"etcd/member/wal/" + walName, recordName} {
			if !present(filepath.Join(d.root, setAsideName, want, moved)) {
				t.Errorf("%s: %s is not there", want, moved)
			}
		}
		if disk := wantState(t, d, states.DiskEmpty); disk.Name != "" {
			t.Errorf("the record stayed: %+v", disk)
		} else if !disk.SetAside {
			t.Error("does not tell that data was set aside")
		}
	}
	must(t, d.ForgetSetAside())
	if d.Inspect().SetAside {
		t.Error("tells of data set aside that was deleted")
	}
	if found, _ := firstFile(filepath.Join(d.root, setAsideName), 3); found != "" {
		t.Errorf("%s is still there", found)
	}
	must(t, d.ForgetSetAside())
}

// TestBackTo23: 2.3 does not start where 3.0 has left its database. It loses none that it has made itself, in the v3 demo.
func TestBackTo23(t *testing.T) {
	root := t.TempDir()
	d := open(t, root)
	write(t, "log", root, "etcd", "member", "wal", walName)
	old, new := restart, restart
	old.Minor, new.Minor = states.MinorVersion{Major: 2, Minor: 3}, states.MinorVersion{Major: 3}
	db := filepath.Join(root, "etcd", "member", "snap", "db")
	for _, step := range []struct {
		start states.StartEtcd
		stays bool
	}{{old, true}, {old, true}, {new, true}, {new, true}, {old, false}} {
		write(t, "database", db)
		must(t, d.RecordStart(step.start))
		if present(db) != step.stays {
			t.Errorf("start of %s: the database is there: %v", step.start.Minor, !step.stays)
		}
	}
	kept, err := filepath.Glob(filepath.Join(root, "set-aside", "*-back-to-etcd-2-3", "db"))
	if err != nil || len(kept) != 1 || !d.Inspect().SetAside {
		t.Error(kept, err)
	}
}

func TestSetAsideRefusesWhileServed(t *testing.T) {
	d := open(t, t.TempDir())
	db := filepath.Join(d.EtcdDir(), "member", "snap", "db")
	write(t, "x", db)
	server, err := os.Open(db)
	must(t, err)
	must(t, unix.Flock(int(server.Fd()), unix.LOCK_EX))
	if err := d.SetAside("x"); err == nil || !present(db) {
		t.Fatalf("moved under a running server: %v", err)
	}
	must(t, server.Close())
	must(t, d.SetAside("x"))
}

// The data directory of another supervisor is taken over where it is, also after its data was set aside.
func TestPlainEtcdDirectory(t *testing.T) {
	root := t.TempDir()
	write(t, "x", root, "member", "wal", walName)
	d := open(t, root)
	if d.EtcdDir() != root {
		t.Fatalf("etcd's directory is %s", d.EtcdDir())
	}
	if disk := wantState(t, d, states.DiskMember); disk.Name != "" {
		t.Errorf("a record out of nowhere: %+v", disk)
	}
	must(t, d.RecordStart(restart))
	must(t, d.SetAside("corrupt"))
	wantState(t, d, states.DiskEmpty)
	must(t, d.RecordStart(joining))
	write(t, "scratch", root, "member", "snap", "db")
	wantState(t, d, states.DiskEmpty)
	must(t, d.RecordStart(joining))
	write(t, "x", root, "member", "wal", walName)
	wantState(t, d, states.DiskMember)
}

func TestSlug(t *testing.T) {
	for why, want := range map[string]string{
		"":                        "no-reason-given",
		"../../etc":               "etc",
		"ÄÖ":                      "no-reason-given",
		strings.Repeat("ab-", 99): strings.TrimSuffix(strings.Repeat("ab-", 16), "-"),
	} {
		if got := slug(why); got != want {
			t.Errorf("%q: %q, want %q", why, got, want)
		}
	}
}

func TestWriteFileLeavesNoLitter(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "x"), 0o700)) // a directory cannot be replaced by a file
	if err := WriteFile(filepath.Join(dir, "x"), nil); err == nil {
		t.Fatal("replaced a directory")
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}

// The others know a member by its peer URL: its scheme is fixed when it is made, whoever restarts it.
func TestMemberKeepsItsScheme(t *testing.T) {
	for _, tls := range []bool{true, false} {
		root := t.TempDir()
		d := open(t, root)
		must(t, d.UseTLS(!tls)) // nothing is there yet that could differ
		must(t, d.UseTLS(tls))
		must(t, d.RecordStart(joining))
		write(t, "x", d.EtcdDir(), "member", "wal", walName)
		must(t, d.RecordStart(restart))

		next := open(t, root)
		must(t, next.UseTLS(tls))
		if err := next.UseTLS(!tls); !errors.Is(err, errOtherScheme) || !strings.Contains(err.Error(), "by an "+scheme(tls)+" URL") {
			t.Errorf("TLS %t, and now not: %v", tls, err)
		}
		if err := next.RecordStart(restart); !errors.Is(err, errOtherScheme) {
			t.Errorf("TLS %t, restarted otherwise: %v", tls, err)
		}
		must(t, next.UseTLS(tls))
		must(t, next.RecordStart(restart))
	}
	// Data of another supervisor has no record, and is taken as it comes.
	root := t.TempDir()
	write(t, "x", root, "etcd", "member", "wal", walName)
	d := open(t, root)
	must(t, d.UseTLS(true))
	must(t, d.RecordStart(restart))
	must(t, open(t, root).UseTLS(true))
}
