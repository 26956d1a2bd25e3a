package etcdproc

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Real data directories, damaged in many ways, are told from crashes.
func TestCorruptData(t *testing.T) {
	for _, minor := range []states.MinorVersion{v35, v36, v37} {
		t.Run(minor.String(), func(t *testing.T) {
			servers(t, minor)
			seed := newMember(t, 1, func(o *Options) { o.SnapshotCount = 20 })
			seed.start(startOf(minor, states.ClusterNew, seed, seed))
			for range 60 { // so that snapshots are taken, and the database has pages to lose
				seed.waitServing()
			}
			must(t, seed.Stop())
			seed.ended(states.ExitStopped)

			for name, damage := range damages {
				t.Run(name, func(t *testing.T) {
					m := newMember(t, 1)
					must(t, os.CopyFS(m.o.DataDir, os.DirFS(seed.o.DataDir)))
					damage(t, filepath.Join(m.o.DataDir, "member"))
					m.restart(minor)
					m.ended(states.ExitCorrupt)
				})
			}
		})
	}
}

var damages = map[string]func(t *testing.T, dir string){
	"log, an early entry changed": func(t *testing.T, dir string) { changeEntry(t, logFile(t, dir), bytes.Index) },
	"log, the last entry changed": func(t *testing.T, dir string) { changeEntry(t, logFile(t, dir), bytes.LastIndex) },
	"database, header changed": func(t *testing.T, dir string) {
		change(t, filepath.Join(dir, "snap", "db"), 0, bytes.Repeat([]byte("damaged!"), 1024))
	},
	"database, pages zeroed": func(t *testing.T, dir string) {
		change(t, filepath.Join(dir, "snap", "db"), 8192, make([]byte, 1<<20))
	},
	"database, cut short in its header": func(t *testing.T, dir string) {
		must(t, os.Truncate(filepath.Join(dir, "snap", "db"), 2000))
	},
	"database, cut short": func(t *testing.T, dir string) {
		must(t, os.Truncate(filepath.Join(dir, "snap", "db"), 8192))
	},
	"database, emptied": func(t *testing.T, dir string) {
		must(t, os.Truncate(filepath.Join(dir, "snap", "db"), 0))
	},
	"database, gone": func(t *testing.T, dir string) {
		must(t, os.Remove(filepath.Join(dir, "snap", "db")))
	},
}

func logFile(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "wal", "*.wal"))
	must(t, err)
	return found[0]
}

// changeEntry changes what was put. Other damage to a log can pass for a write that was torn by a crash, which etcd repairs.
func changeEntry(t *testing.T, path string, index func(s, sep []byte) int) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	change(t, path, index(data, []byte("value")), []byte("VALUE"))
}

func change(t *testing.T, path string, at int, to []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(to, int64(at))
	must(t, err)
	must(t, f.Close())
}
