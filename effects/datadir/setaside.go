package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/etcd-appliance/etcd-appliance/states"
)

const (
	setAsideName = "set-aside"
	notOursName  = "not-ours"
)

// SetAside renames the data, and then the record that belongs to it, into a directory of set-aside/ named by the time and the
// reason. Nothing is deleted. It does nothing when there is no data, and refuses while a server has the database open.
func (d *Dir) SetAside(why string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	data := d.dataPath()
	if !present(data) {
		return nil
	}
	if err := d.refuseWhileServed(); err != nil {
		return err
	}
	dir, err := d.makeSetAside(why)
	if err != nil {
		return fmt.Errorf("cannot set the data aside: %w", explain(err))
	}
	// Data first: a crash in between leaves a record without data, which the next start overwrites; the other way round a
	// voter's data would be left without the record that says so.
	for _, path := range []string{data, filepath.Join(d.root, recordName)} {
		err := os.Rename(path, filepath.Join(dir, filepath.Base(path)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot set the data aside: %w", explain(err))
		}
	}
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)), syncDir(d.root))
}

// v3 is the first version that keeps a database beside the v2 store.
var v3 = states.MinorVersion{Major: 3}

// setDatabaseAside takes from 2.3 what it refuses to start beside, the database that 3.0 has made ("experimental-v3demo cannot be
// disabled once it is enabled", 2.3.8 etcdserver/server.go NewServer). It is empty: a 3.0 server serves no v3 call before every
// member runs 3.0. If 3.0 has not come so far as to write to the log, which 2.3 could not read, 2.3 then runs as before.
func (d *Dir) setDatabaseAside() error {
	snap := filepath.Join(d.etcd, "member", "snap")
	if !present(filepath.Join(snap, "db")) {
		return nil
	}
	if err := d.refuseWhileServed(); err != nil {
		return err
	}
	dir, err := d.makeSetAside("back to etcd 2.3")
	if err == nil {
		err = os.Rename(filepath.Join(snap, "db"), filepath.Join(dir, "db"))
	}
	if err != nil {
		return fmt.Errorf("cannot set the database aside: %w", explain(err))
	}
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)), syncDir(snap))
}

// ForgetSetAside deletes all that was set aside but the data of other instances, of which it may be the last copy. That is moved
// to not-ours/, for a human to decide.
func (d *Dir) ForgetSetAside() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir := filepath.Join(d.root, setAsideName)
	entries, err := readDir(dir)
	if err != nil {
		return err
	}
	rec, err := d.readRecord()
	if err != nil && !errors.Is(err, errDamaged) {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if other, _ := readRecordOf(path); other.Name != "" && other.Name != rec.Name {
			err = d.keep(path)
		} else {
			err = os.RemoveAll(path)
		}
		if err != nil {
			return fmt.Errorf("cannot delete data that was set aside: %w", explain(err))
		}
	}
	return nil
}

// keep moves data that was set aside to where nobody deletes it.
func (d *Dir) keep(path string) error {
	parent := filepath.Join(d.root, notOursName)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	return os.Rename(path, filepath.Join(parent, filepath.Base(path)))
}

// dataPath is what moves when the data is set aside. A root taken over from another supervisor cannot move itself.
func (d *Dir) dataPath() string {
	if d.etcd == d.root {
		return filepath.Join(d.root, "member")
	}
	return d.etcd
}

func (d *Dir) makeSetAside(why string) (string, error) {
	parent := filepath.Join(d.root, setAsideName)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	name := d.now().UTC().Format("20060102T150405Z") + "-" + slug(why)
	for n := 1; ; n++ {
		dir := filepath.Join(parent, name)
		if n > 1 {
			dir += "-" + strconv.Itoa(n)
		}
		if err := os.Mkdir(dir, 0o700); !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}

// clearLeftover empties a data directory that holds nothing but the scratch of a start that failed.
func (d *Dir) clearLeftover() error {
	data := d.dataPath()
	if !present(data) {
		return nil
	}
	if err := d.refuseWhileServed(); err != nil {
		return err
	}
	return explain(os.RemoveAll(data))
}

// refuseWhileServed asks the kernel, which no confusion about process IDs can mislead: a server holds a flock on its
// database for as long as it lives (bbolt db.go flock).
func (d *Dir) refuseWhileServed() error {
	db, err := os.Open(filepath.Join(d.etcd, "member", "snap", "db"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explain(err)
	}
	defer db.Close()
	if err := unix.Flock(int(db.Fd()), unix.LOCK_SH|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("a server is running on %s; stop it first", d.etcd)
	}
	return nil
}

const slugLength = 48 // bytes; a file name may have 255

// slug makes a reason fit for a file name.
func slug(why string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(why) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == slugLength {
			break
		}
	}
	if s := strings.TrimSuffix(b.String(), "-"); s != "" {
		return s
	}
	return "no-reason-given"
}
