package etcdproc

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// Releases knows the full versions of the servers in a directory, <dir>/<minor>/etcd. A server that has answered
// is asked again when its file is another. It may be used concurrently.
type Releases struct {
	mu   sync.Mutex
	told map[string]release
}

// release is what a file said, as long as it is that file.
type release struct {
	size    int64
	changed time.Time
	version states.Version
}

// askWithin is how long a server may take to tell its version: it is a big program on what may be a cold disk.
const askWithin = 10 * time.Second

// Of lists the versions of those servers that tell theirs, in the order of the minors, and why the others do not.
func (r *Releases) Of(dir string, minors []states.MinorVersion) (known []states.Version, unknown []error) {
	for _, minor := range minors {
		v, err := r.ask(filepath.Join(dir, minor.String(), "etcd"))
		if err == nil && v.MinorOf() != minor {
			err = fmt.Errorf("%s says that it is etcd %s", filepath.Join(dir, minor.String(), "etcd"), v)
		}
		if err != nil {
			unknown = append(unknown, err)
			continue
		}
		known = append(known, v)
	}
	return known, unknown
}

func (r *Releases) ask(path string) (states.Version, error) {
	file, err := os.Stat(path)
	if err != nil {
		return states.Version{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t, ok := r.told[path]; ok && t.size == file.Size() && t.changed.Equal(file.ModTime()) {
		return t.version, nil
	}
	if r.told == nil {
		r.told = map[string]release{}
	}
	v, err := releaseOf(path)
	if err == nil {
		r.told[path] = release{file.Size(), file.ModTime(), v}
	}
	return v, err
}

// releaseOf runs the server for its first line, "etcd Version: 3.6.16", which every etcd from 2.3 on prints (etcdmain/config.go).
// It gets no environment: an ETCD_* variable could make it start.
func releaseOf(path string) (states.Version, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.Env = []string{}
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return states.Version{}, fmt.Errorf("%s --version: %w", path, err)
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	text, ok := strings.CutPrefix(string(line), "etcd Version: ")
	if !ok {
		return states.Version{}, fmt.Errorf("%s --version does not tell a version of etcd: %.80q", path, line)
	}
	v, err := states.ParseVersion(text)
	if err != nil {
		return v, fmt.Errorf("%s --version: %w", path, err)
	}
	return v, nil
}
