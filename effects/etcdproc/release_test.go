package etcdproc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// says installs a stand-in that prints something, and counts how often it is asked.
func says(t *testing.T, dir string, minor states.MinorVersion, text string, changed time.Time) (asked func() int) {
	t.Helper()
	path := filepath.Join(dir, minor.String(), "etcd")
	script := "#!/bin/sh\n[ \"$1\" = --version ] && [ -z \"$ETCD_NAME\" ] || exit 2\necho asked >>'" + path + ".log'\n" + text + "\n"
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(path), 0o755), os.RemoveAll(path), os.WriteFile(path, []byte(script), 0o755), os.Chtimes(path, changed, changed),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return func() int {
		log, _ := os.ReadFile(path + ".log")
		return len(log) / len("asked\n")
	}
}

func TestReleases(t *testing.T) {
	t.Setenv("ETCD_NAME", "stray")
	dir, then := t.TempDir(), time.Now().Add(-time.Hour)
	asked := says(t, dir, v36, "echo 'etcd Version: 3.6.16'; echo 'Git SHA: x'", then)
	says(t, dir, v37, "echo 'etcd Version: 3.6.3'", then)
	says(t, dir, v34, "exit 1", then)
	minors := []states.MinorVersion{v23, v34, v36, v37} // 2.3 is not there at all
	var r Releases
	for range 3 {
		known, unknown := r.Of(dir, minors)
		if len(known) != 1 || known[0] != (states.Version{Major: 3, Minor: 6, Patch: 16}) || len(unknown) != 3 {
			t.Fatalf("%v, %v", known, unknown)
		}
	}
	if n := asked(); n != 1 {
		t.Errorf("a file that stays was asked %d times", n)
	}
	says(t, dir, v36, "echo 'etcd Version: 3.6.17'; echo 'Git SHA: x'", then.Add(time.Second)) // as long as the one before
	if known, _ := r.Of(dir, minors); len(known) != 1 || known[0].Patch != 17 {
		t.Errorf("after the file was replaced: %v", known)
	}
}

func TestReleaseOfOddServers(t *testing.T) {
	for text, want := range map[string]string{"echo hello": "does not tell", "echo 'etcd Version: newest'": "MAJOR.MINOR", "true": "does not tell"} {
		dir := t.TempDir()
		says(t, dir, v36, text, time.Now())
		var r Releases
		if _, unknown := r.Of(dir, []states.MinorVersion{v36}); len(unknown) != 1 || !strings.Contains(unknown[0].Error(), want) {
			t.Errorf("%s: %v, want %q", text, unknown, want)
		}
	}
}
