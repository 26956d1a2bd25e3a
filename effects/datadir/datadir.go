// Package datadir keeps etcd's data directory, and beside it the record of who last ran on it.
//
//	<root>/etcd/                     etcd's --data-dir
//	<root>/appliance.json            the record
//	<root>/set-aside/<time>-<why>/   data renamed away, each with the record it had
//	<root>/not-ours/<time>-<why>/    the same, of other instances: never deleted
//	<root>/daemon.lock               held by the daemon of this directory
//
// Nothing is deleted but what was set aside, and that only when asked. A root that is itself the data directory of an etcd
// that another supervisor ran (member/wal directly in it) is taken over as it is.
package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Dir is the directory of one member. Its methods may be called from any goroutine.
type Dir struct {
	root string
	etcd string // etcd's --data-dir: root/etcd, or root itself when it was another supervisor's
	now  func() time.Time
	here machine
	tls  bool // see UseTLS

	mu sync.Mutex // a record is read and rewritten, and data and record move together
}

// New opens root and creates it, readable by its owner only, when it is not there.
func New(root string) (*Dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("data directory %q: %w", root, err)
	}
	// 0700 because etcd warns about anything wider (3.4.10, fileutil.CheckDirPermission), and keys are in there.
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("cannot create the data directory: %w", explain(err))
	}
	if err := tryWrite(root); err != nil {
		return nil, fmt.Errorf("cannot write to the data directory %s: %w", root, explain(err))
	}
	return at(root), nil
}

// Peek opens root to look at it only: it is neither created nor tried.
func Peek(root string) *Dir { return at(root) }

func at(root string) *Dir {
	d := &Dir{root: root, etcd: filepath.Join(root, "etcd"), now: time.Now, here: thisMachine()}
	if present(filepath.Join(root, "member")) && !present(filepath.Join(d.etcd, "member")) {
		d.etcd = root
	}
	return d
}

// EtcdDir is what etcd takes as --data-dir. It stays the same for the life of the Dir.
func (d *Dir) EtcdDir() string { return d.etcd }

// UseTLS says whether the peers of a server that is started here reach it over TLS. It is an error when the member whose data this
// is was made otherwise: the others would go on to look for it under the URL in their list, and it would be lost to them.
func (d *Dir) UseTLS(peers bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	rec, err := d.readRecord()
	if err != nil && !errors.Is(err, errDamaged) {
		return err
	}
	d.tls = peers
	if state, _ := look(d.etcd, d.etcd == d.root, rec.Fresh); state == states.DiskMember {
		return d.keepsScheme(rec)
	}
	return nil
}

// keepsScheme compares with the record. Where there is none nobody knows.
func (d *Dir) keepsScheme(rec record) error {
	if rec.Name != "" && rec.PeerTLS != d.tls {
		return fmt.Errorf("%w: the member in %s is known to the others by an %s URL", errOtherScheme, d.etcd, scheme(rec.PeerTLS))
	}
	return nil
}

var errOtherScheme = errors.New("TLS of the peer traffic cannot be turned on or off for a member that exists")

func scheme(tls bool) string {
	if tls {
		return "https"
	}
	return "http"
}

// Inspect looks at the directory. It reads a few directories and one small file, so it is cheap enough for every turn.
func (d *Dir) Inspect() states.Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	rec, recErr := d.readRecord()
	disk := states.Disk{Minor: rec.minor(), Name: rec.Name, Address: rec.Address, Joined: rec.Joined, Own: d.here.wrote(rec)}
	var why error
	disk.State, why = look(d.etcd, d.etcd == d.root, rec.Fresh)
	kept, keptErr := readDir(filepath.Join(d.root, setAsideName))
	disk.SetAside = len(kept) > 0
	disk.Snapshot = newestSnapshot(filepath.Join(d.etcd, "member", "snap"))
	if err := errors.Join(why, recErr, keptErr); err != nil {
		disk.Error = err.Error()
	}
	return disk
}

// RecordStart writes which server is about to run, and as whom. It refuses to start a member anew on data, which etcd would
// restart instead, and to restart one where there is none, of which etcd would make a cluster of its own. Before a start
// anew it clears away what an earlier one that failed has left (see [leftover]), so that no server ever builds on that. It
// refuses to restart the data of another instance.
func (d *Dir) RecordStart(start states.StartEtcd) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := d.readRecord()
	if err != nil && !errors.Is(err, errDamaged) {
		return err
	}
	if err := d.fits(start, old.Fresh); err != nil {
		return err
	}
	if start.State == states.ClusterRestart && states.IsInstanceID(old.Name) && old.Name != start.Name {
		return fmt.Errorf("the data in %s is of %s, and this is %s: a server on it would be that member a second time", d.etcd, old.Name, start.Name)
	}
	if start.State == states.ClusterRestart {
		if err := d.keepsScheme(old); err != nil { // the disk may not have been readable when the daemon began
			return err
		}
	}
	rec := old
	rec.Fresh = start.State != states.ClusterRestart
	if rec.Fresh {
		if err := d.clearLeftover(); err != nil {
			return err
		}
		rec.Joined, rec.Token = false, start.Token
	}
	if start.Minor.Less(v3) && !rec.minor().Less(v3) {
		if err := d.setDatabaseAside(); err != nil {
			return err
		}
	}
	rec.Name, rec.Address, rec.Minor, rec.PeerTLS = start.Name, start.Address, start.Minor.String(), d.tls
	same := rec == old
	rec.Boot = d.here.boot
	if rec == old {
		return nil
	}
	if err := d.writeRecord(rec); !same {
		return err
	}
	return nil // a full disk does not stop a restart
}

func (d *Dir) fits(start states.StartEtcd, fresh bool) error {
	state, why := look(d.etcd, d.etcd == d.root, fresh)
	switch {
	case start.State == states.ClusterRestart && state != states.DiskMember:
		return errors.Join(fmt.Errorf("no member to restart in %s", d.etcd), why)
	case start.State != states.ClusterRestart && state != states.DiskEmpty:
		return errors.Join(fmt.Errorf("%s is not empty, and a new member needs an empty one", d.etcd), why)
	}
	return nil
}

// RecordJoined notes that the member on this disk has been a voter.
func (d *Dir) RecordJoined() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	rec, err := d.readRecord()
	if err != nil && !errors.Is(err, errDamaged) {
		return err
	}
	if rec.Joined {
		return nil
	}
	rec.Joined, rec.Fresh = true, false
	return d.writeRecord(rec)
}

// explain adds what to do to the errors that an operator can do something about.
func explain(err error) error {
	hints := []struct {
		is   error
		hint string
	}{
		{syscall.ENOSPC, "free space on that disk or give it more"},
		{syscall.EDQUOT, "raise the quota of the daemon's user"},
		{syscall.EROFS, "mount that filesystem writable, or choose another directory"},
		{os.ErrPermission, "make the daemon's user the owner of that directory, or choose another"},
		{syscall.ENOTDIR, "a file is in the way; move it, or choose another directory"},
		{syscall.EBUSY, "a filesystem is mounted there; mount it on the parent directory instead"},
	}
	for _, h := range hints {
		if errors.Is(err, h.is) {
			return fmt.Errorf("%w (%s)", err, h.hint)
		}
	}
	return err
}

func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func present(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
