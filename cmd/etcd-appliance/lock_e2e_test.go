package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Two daemons on one data directory: the second ends at once and names the first; a dry run may stand beside it. When the
// first is killed, the kernel frees the lock.
func TestSecondDaemonEnds(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1") // nobody answers: it waits
	t.Setenv("ETCD_DIR", "")
	servers := t.TempDir()
	if err := os.MkdirAll(filepath.Join(servers, "3.7"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(servers, "3.7", "etcd"), []byte("#!/bin/false\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	run := func(more ...string) *command {
		return startCommand(t, append([]string{"run", "--data-dir", data, "--etcd-dir", servers, "--etcd-version", "3.7", "--cluster-name", "c"}, more...)...)
	}
	first := run()
	first.says(t, "does not know its own instance ID yet")
	second := run()
	second.ends(t, exitFailure)
	if said := second.out.String(); !strings.Contains(said, "another daemon, process "+strconv.Itoa(first.Process.Pid)+", runs on "+data) {
		t.Errorf("said %s", said)
	}
	dry := run("--dry-run")
	dry.says(t, "does not know its own instance ID yet")
	if err := dry.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	dry.ends(t, exitOK)
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	third := run()
	third.says(t, "does not know its own instance ID yet")
	if err := third.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	third.ends(t, exitOK)
}
