package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// look tells what etcd's data directory holds. Whether a server finds a member there hangs on the write-ahead log alone: with
// one, etcd ignores all --initial flags and restarts that member (etcd 3.7 etcdserver/bootstrap.go bootstrap, wal.Exist).
//
// shared says that the daemon's own files are in the same directory, so that only member/ counts; fresh says that the last
// server was started on an empty directory.
func look(dir string, shared, fresh bool) (states.DiskState, error) {
	wal, err := hasWAL(filepath.Join(dir, "member", "wal"))
	if err != nil {
		return states.DiskUnknown, err
	}
	if wal {
		return states.DiskMember, nil
	}
	if shared {
		dir = filepath.Join(dir, "member")
	}
	found, err := firstFile(dir, 3)
	if err != nil {
		return states.DiskUnknown, err
	}
	if found == "" {
		return states.DiskEmpty, nil
	}
	if left, err := leftover(dir, shared); err != nil {
		return states.DiskUnknown, err
	} else if left && fresh {
		return states.DiskEmpty, nil
	}
	return states.DiskBroken, fmt.Errorf("%s holds files (%s) but no write-ahead log to start from", dir, filepath.Base(found))
}

// hasWAL looks for a log file with something in it. etcd makes the directory in one rename (storage/wal/wal.go Create), so
// that a log file of size zero is the trace of a lost write.
func hasWAL(dir string) (bool, error) {
	entries, err := readDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".wal") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return false, err
		}
		if info.Mode().IsRegular() && info.Size() > 0 {
			return true, nil
		}
	}
	return false, nil
}

// firstFile finds any file at most depth levels down; what is deeper counts as a file, so that no big tree is ever walked.
func firstFile(dir string, depth int) (string, error) {
	entries, err := readDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !e.IsDir() || depth == 0 {
			return path, nil
		}
		if found, err := firstFile(path, depth-1); found != "" || err != nil {
			return found, err
		}
	}
	return "", nil
}

// leftover tells whether the directory holds only what a server leaves that failed to form or to join: etcd creates the
// database before it asks the cluster, and its log after (seen with 3.5.35, 3.6.16 and 3.7.3: member/snap/db and no
// member/wal). wal.tmp is the log that was not yet renamed into place.
func leftover(dir string, isMember bool) (bool, error) {
	if !isMember {
		if only, err := holdsOnly(dir, "member"); !only {
			return false, err
		}
		dir = filepath.Join(dir, "member")
	}
	if only, err := holdsOnly(dir, "snap", "wal.tmp"); !only {
		return false, err
	}
	return holdsOnly(filepath.Join(dir, "snap"), "db")
}

func holdsOnly(dir string, names ...string) (bool, error) {
	entries, err := readDir(dir)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		known := false
		for _, name := range names {
			known = known || e.Name() == name
		}
		if !known {
			return false, nil
		}
	}
	return true, nil
}

// readDir lists a directory; one that is not there has nothing in it.
func readDir(dir string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain(err)
	}
	return entries, nil
}

// newestSnapshot is the raft index of the newest snapshot file, TERM-INDEX.snap in hexadecimal (etcdserver/api/snap/snapshotter.go
// save). A directory that cannot be read has none that could be counted on.
func newestSnapshot(dir string) (newest uint64) {
	entries, _ := readDir(dir)
	for _, e := range entries {
		name, isSnapshot := strings.CutSuffix(e.Name(), ".snap")
		_, index, ok := strings.Cut(name, "-")
		if n, err := strconv.ParseUint(index, 16, 64); isSnapshot && ok && err == nil {
			newest = max(newest, n)
		}
	}
	return newest
}
