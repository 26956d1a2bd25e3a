package etcdproc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// launch starts the server, with its output in the log file and without a tie to the daemon.
func (s *Supervisor) launch(start states.StartEtcd) (*exec.Cmd, error) {
	if !start.Minor.Known() || start.Name == "" || start.Address == "" {
		return nil, errors.New("cannot start etcd without knowing its minor version, name and address")
	}
	exe := filepath.Join(s.o.ServerDir, start.Minor.String(), "etcd")
	if _, err := os.Stat(exe); err != nil {
		return nil, fmt.Errorf("no etcd %s installed: %w", start.Minor, err)
	}
	out, err := s.tail.beginRun()
	if err != nil {
		return nil, fmt.Errorf("cannot write etcd's log: %w", err)
	}
	defer out.Close()
	// Written before the fork: should the daemon die right after it, its successor finds the process by its command line, and
	// here where its words begin.
	s.writePID(pidRecord{Minor: start.Minor.String(), Exe: exe, LogOffset: s.tail.runStart()})

	args := arguments(&s.o, start)
	cmd := exec.Command(exe, args...)
	cmd.Env = environment(os.Environ(), args, s.o.PassEnv)
	// A file and no pipe: a Go program dies by SIGPIPE when nobody reads its standard output any more (os/signal).
	cmd.Stdout, cmd.Stderr = out, out
	// A process group of its own, so that a Ctrl-C meant for the daemon does not reach etcd.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start etcd %s: %w", start.Minor, err)
	}
	return cmd, nil
}

// environment is what etcd inherits. etcd takes ETCD_* variables as flags, and ends at once when a variable and a flag set
// the same thing (3.4 and later, pkg/flags/flag.go verifyEnv), so that a stray one could keep it from ever starting.
func environment(environ, args []string, pass bool) []string {
	drop := map[string]bool{
		"NOTIFY_SOCKET":    true, // etcd would tell systemd that the daemon is ready (etcdmain/main.go notifySystemd)
		"ETCD_CONFIG_FILE": true, // with it etcd ignores all flags (etcdmain/config.go parse)
	}
	for _, arg := range args {
		if name, found := strings.CutPrefix(arg, "--"); found {
			name, _, _ = strings.Cut(name, "=")
			drop["ETCD_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = true
		}
	}
	var kept []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !drop[name] && (pass || !strings.HasPrefix(name, "ETCD_")) {
			kept = append(kept, entry)
		}
	}
	return kept
}
