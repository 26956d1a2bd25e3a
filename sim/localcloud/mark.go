package localcloud

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// marker is the variable that marks the processes of an instance, its value
// being <instance ID>@<process ID of the cloud>. A process group would not do:
// the daemon gives etcd one of its own, so that etcd survives the daemon.
const marker = "LOCALCLOUD_INSTANCE"

func itoa(n int) string { return strconv.Itoa(n) }

// mark returns the mark of a process; false if it has none, is not ours to look
// at, or has ended.
func mark(pid int) (string, bool) {
	env, err := os.ReadFile(filepath.Join("/proc", itoa(pid), "environ"))
	if err != nil {
		return "", false
	}
	for variable := range bytes.SplitSeq(env, []byte{0}) {
		if value, ok := strings.CutPrefix(string(variable), marker+"="); ok {
			return value, true
		}
	}
	return "", false
}

// marked lists the processes whose mark is wanted.
func marked(want func(mark string) bool) (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		if m, ok := mark(pid); ok && want(m) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// killMarked kills the processes whose mark is wanted, and returns when there is
// none: one may have forked while the others died.
func killMarked(want func(mark string) bool) {
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		pids := marked(want)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			kill(pid, want)
		}
		time.Sleep(pause)
	}
}

// kill looks at the mark once more when it holds the process: Go's handle is a
// pidfd, so the number cannot come to mean another process in between.
func kill(pid int, want func(mark string) bool) {
	p, err := os.FindProcess(pid)
	if err != nil {
		return
	}
	if m, ok := mark(pid); ok && want(m) {
		_ = p.Signal(syscall.SIGKILL) // if it has ended by itself, all the better
	}
}
