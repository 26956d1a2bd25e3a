package etcdproc

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/etcd-appliance/etcd-appliance/effects/datadir"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// pidRecord is the content of etcd.pid.json, which tells the next daemon what this one has started.
type pidRecord struct {
	procID           // zero while it is being started
	Boot      string `json:"boot_id"`
	Minor     string `json:"minor"`
	Exe       string `json:"exe"`
	LogOffset int64  `json:"log_offset"` // where its words begin in etcd.log
}

func (s *Supervisor) pidPath() string { return filepath.Join(s.o.StateDir, "etcd.pid.json") }

// writePID complains and goes on when it cannot write: a full disk must not stop a restart, and a process that is not
// written down is found by its command line.
func (s *Supervisor) writePID(r pidRecord) {
	r.Boot = bootID()
	data, err := json.Marshal(r)
	if err == nil {
		err = datadir.WriteFile(s.pidPath(), append(data, '\n'))
	}
	if err != nil {
		s.o.Log.Warn().Err(err).Msg("cannot note the process of etcd")
	}
}

func (s *Supervisor) removePID() {
	if err := os.Remove(s.pidPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.o.Log.Warn().Err(err).Msg("cannot remove the note of etcd's process")
	}
}

// readPID gives the record of this boot, or the zero record.
func (s *Supervisor) readPID() pidRecord {
	var r pidRecord
	data, err := os.ReadFile(s.pidPath())
	if err != nil || json.Unmarshal(data, &r) != nil || r.Boot != bootID() {
		return pidRecord{}
	}
	return r
}

// adopt takes over an etcd that runs on the data directory: the one that was written down, if that process is still the same
// and has our data directory, or else any that a look through all processes finds.
func (s *Supervisor) adopt() (bool, error) {
	r := s.readPID()
	id := r.procID
	if id.PID <= 1 || !id.alive() || !serves(commandLine(id.PID), s.o.DataDir) {
		var found bool
		var err error
		if id, found, err = findServer(s.o.DataDir); err != nil || !found {
			return false, err
		}
	}
	s.tail.resumeRun(r.LogOffset)
	l := &live{id: id}
	s.begin(l, minorOf(r, id), id.startedAt(s.o.Now()))
	s.o.Log.Info().Int("pid", id.PID).Msg("adopts the etcd that runs already")
	go s.watch(l)
	return true, nil
}

// minorOf tells the minor of an adopted server: as written down, or from the path it was started by, <minor>/etcd.
func minorOf(r pidRecord, id procID) states.MinorVersion {
	said := r.Minor
	if said == "" {
		if args := commandLine(id.PID); len(args) > 0 {
			said = filepath.Base(filepath.Dir(args[0]))
		}
	}
	v, err := states.ParseVersion(said)
	if err != nil {
		return states.MinorVersion{}
	}
	return v.MinorOf()
}

// watch waits for the end of a process that is not a child, whose exit status nobody but its parent can know.
func (s *Supervisor) watch(l *live) {
	waitEnd(l.id, s.closed, unix.PidfdOpen)
	s.ended(l, end{})
}

const (
	closeCheck = 500 * time.Millisecond // how soon a watcher notices that its supervisor is closed
	pollPause  = 200 * time.Millisecond // without pidfd
)

// waitEnd returns once the process has ended, or closed is. A pidfd becomes readable at the end of its process, also of one
// that is no child (pidfd_open(2), Linux 5.3); where there is none, /proc is asked again and again.
func waitEnd(id procID, closed <-chan struct{}, open func(pid, flags int) (int, error)) {
	fd, err := open(id.PID, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	for id.alive() {
		select {
		case <-closed:
			return
		default:
		}
		if err != nil {
			time.Sleep(pollPause)
			continue
		}
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // the kernel's descriptors are small
		_, _ = unix.Poll(fds, int(closeCheck.Milliseconds()))      // interrupted or not, alive decides
	}
}
