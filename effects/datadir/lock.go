package datadir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const lockName = "daemon.lock"

// Lock makes this process the only daemon of the directory until it ends or calls unlock. The kernel frees the lock with the
// process, however that ends, and etcd does not inherit it (Go opens files close-on-exec). The number in the file is for people.
func (d *Dir) Lock() (unlock func() error, err error) {
	path := filepath.Join(d.root, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the data directory: %w", explain(err))
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		holder, _ := os.ReadFile(path)
		return nil, fmt.Errorf("another daemon, process %s, runs on %s: stop it, or give this one a --data-dir of its own", strings.TrimSpace(string(holder)), d.root)
	}
	// A full disk does not stop a daemon: who cannot write its number has the lock all the same.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	}
	return f.Close, nil
}
