package etcdproc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// procID names a process for good: a process ID alone is reused, together with its start time it is not until the next boot.
type procID struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start_ticks"` // clock ticks since boot
}

// ticksPerSecond is USER_HZ, which is 100 on every architecture that Go runs on (proc(5)).
const ticksPerSecond = 100

// startTicks reads when a process started, and whether it has ended since: a zombie keeps its entry until its parent asks,
// but holds no file and no lock any more.
func startTicks(pid int) (start uint64, ended bool, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, true, err
	}
	// The second field is the program's name in parentheses, which may itself hold spaces and parentheses (proc(5)).
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:]) // from the third field on
	if len(fields) < 20 {
		return 0, true, fmt.Errorf("/proc/%d/stat: unexpected format", pid)
	}
	start, err = strconv.ParseUint(string(fields[22-3]), 10, 64)
	return start, fields[0][0] == 'Z' || fields[0][0] == 'X', err
}

// alive tells whether the process still runs.
func (id procID) alive() bool {
	start, ended, err := startTicks(id.PID)
	return err == nil && !ended && start == id.Start
}

// signal sends to the process's group if it leads one, as every etcd that a supervisor started does. A process that has ended
// is no error. It never touches a process of another start time.
func (id procID) signal(sig unix.Signal) error {
	if id.PID <= 1 || id.Start == 0 {
		return fmt.Errorf("process %d, started at %d, is not to be signalled", id.PID, id.Start)
	}
	if !id.alive() {
		return nil
	}
	to := id.PID
	if group, err := unix.Getpgid(id.PID); err == nil && group == id.PID {
		to = -group
	}
	if err := unix.Kill(to, sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("signal %s to process %d: %w", unix.SignalName(sig), id.PID, err)
	}
	return nil
}

// startedAt turns the start time into one of the wall clock.
func (id procID) startedAt(now time.Time) time.Time {
	var up unix.Sysinfo_t
	if err := unix.Sysinfo(&up); err != nil {
		return now
	}
	age := time.Duration(up.Uptime)*time.Second - time.Duration(id.Start)*time.Second/ticksPerSecond //nolint:gosec // ticks since the boot
	return now.Add(-max(0, age))
}

// bootID changes with each boot of the machine.
func bootID() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// commandLine gives the arguments of a process; those of a zombie are empty.
func commandLine(pid int) []string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// serves tells whether a command line is that of an etcd on the data directory.
func serves(args []string, dataDir string) bool {
	for i, arg := range args {
		name, value, found := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if !strings.HasPrefix(arg, "-") || name != "data-dir" {
			continue
		}
		if !found && i+1 < len(args) {
			value = args[i+1]
		}
		if filepath.Clean(value) == dataDir {
			return true
		}
	}
	return false
}

// isEtcd tells whether the program of a process is called etcd, also when an upgrade of the package has replaced its file.
func isEtcd(pid int) bool {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && filepath.Base(strings.TrimSuffix(exe, " (deleted)")) == "etcd"
}

// findServer looks through all processes for an etcd on the data directory, the longest-running first.
func findServer(dataDir string) (procID, bool, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return procID{}, false, fmt.Errorf("cannot look for a running etcd: %w", err)
	}
	var found procID
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid <= 1 || !isEtcd(pid) || !serves(commandLine(pid), dataDir) {
			continue
		}
		start, ended, err := startTicks(pid)
		if err == nil && !ended && (found.PID == 0 || start < found.Start) {
			found = procID{PID: pid, Start: start}
		}
	}
	return found, found.PID != 0, nil
}
