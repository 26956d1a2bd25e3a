// Package etcdproc supervises the etcd process of this instance.
//
// etcd must outlive the daemon: it runs in a process group of its own, writes to a file and never to a pipe, and the next
// daemon adopts it. So the daemon may crash, be killed or be replaced at any moment, and etcd goes on serving.
//
// Under systemd this needs KillMode=process, or systemd ends etcd together with the daemon.
package etcdproc

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// Options says what to run and where. ServerDir, DataDir, StateDir and the ports are required.
type Options struct {
	ServerDir string // the servers: <ServerDir>/<minor>/etcd
	DataDir   string // etcd's --data-dir
	StateDir  string // where etcd.pid.json and etcd.log live

	ClientPort, PeerPort int
	Anywhere             bool           // it listens on all addresses, since none is the one that it is a member at
	SnapshotCount        int            // etcd's --snapshot-count; 5000 when 0
	ExtraArgs            []string       // appended to the flags that the supervisor makes
	Clients, Peers       tlsfiles.Files // for TLS towards each; without it where empty. Peers must always have certificates
	ClientCertAuth       bool           // clients must have certificates too
	PassEnv              bool           // hand ETCD_* variables on to etcd, except those that its flags settle

	// Grace is the time between SIGTERM and SIGKILL; 40 s when 0. etcd itself may take some 20 s: it drains its client
	// connections and hands over leadership for up to 7 s each (etcd embed/etcd.go Close, TransferLeadership).
	Grace time.Duration

	Log  zerolog.Logger
	Wake func()           // called from a goroutine of its own when the process starts or ends; may block
	Now  func() time.Time // time.Now when nil
}

const (
	defaultGrace         = 40 * time.Second
	defaultSnapshotCount = 5000
	settled              = time.Minute // running this long ends a row of exits
)

func (o *Options) complete() error {
	for _, dir := range []*string{&o.ServerDir, &o.DataDir, &o.StateDir} {
		if *dir == "" {
			return errors.New("etcdproc: ServerDir, DataDir and StateDir are required")
		}
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return fmt.Errorf("etcdproc: %w", err)
		}
		*dir = abs
	}
	if o.ClientPort <= 0 || o.PeerPort <= 0 {
		return errors.New("etcdproc: ClientPort and PeerPort are required")
	}
	if o.SnapshotCount == 0 {
		o.SnapshotCount = defaultSnapshotCount
	}
	if o.Grace == 0 {
		o.Grace = defaultGrace
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// Supervisor starts, watches and stops one etcd. Its methods may be called from any goroutine.
type Supervisor struct {
	o      Options
	tail   *tail
	closed chan struct{}

	control sync.Mutex // one start, stop or end at a time
	live    *live      // nil when no etcd runs

	mu   sync.Mutex // held for moments only, so that Inspect never waits for a fork or a disk
	proc states.Process
}

// live is an etcd that runs.
type live struct {
	id    procID
	asked bool        // to stop
	kill  *time.Timer // once it was asked
}

// New makes a supervisor, and adopts the etcd that runs on this data directory if there is one.
func New(o Options) (*Supervisor, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Supervisor{o: o, tail: newTail(filepath.Join(o.StateDir, "etcd.log"), o.Log), closed: make(chan struct{})}
	s.proc.Running = states.No
	s.control.Lock()
	defer s.control.Unlock()
	if _, err := s.adopt(); err != nil {
		return nil, err
	}
	go s.tail.follow(s.closed)
	return s, nil
}

// Close stops watching. etcd runs on, and another supervisor can adopt it.
func (s *Supervisor) Close() error {
	s.control.Lock()
	defer s.control.Unlock()
	if s.isClosed() {
		return nil
	}
	close(s.closed)
	if s.live != nil && s.live.kill != nil {
		s.live.kill.Stop()
	}
	return nil
}

func (s *Supervisor) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// Inspect tells the state of the process, from memory.
func (s *Supervisor) Inspect() states.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.proc
	if p.Running == states.Yes && s.o.Now().Sub(p.Started) >= settled {
		p.Exits = 0
	}
	return p
}

// Start starts the server. It is an error when one runs, also one that another daemon has left: that one is adopted.
func (s *Supervisor) Start(start states.StartEtcd) error {
	s.control.Lock()
	defer s.control.Unlock()
	if s.isClosed() {
		return errors.New("etcdproc: closed")
	}
	if s.live != nil {
		return fmt.Errorf("etcd runs already, process %d", s.live.id.PID)
	}
	if found, err := s.adopt(); err != nil || found {
		return errors.Join(err, errors.New("did not start etcd: one may be running on the data directory"))
	}
	cmd, err := s.launch(start)
	if err != nil {
		s.noteUnstarted(start.Minor, err)
		return err
	}
	l := &live{id: procID{PID: cmd.Process.Pid}}
	l.id.Start, _, err = startTicks(l.id.PID) // it cannot have vanished: only the Wait below reaps it
	if err != nil {
		s.o.Log.Error().Err(err).Msg("cannot read when etcd started: it will be neither stopped nor adopted")
	}
	s.writePID(pidRecord{procID: l.id, Minor: start.Minor.String(), Exe: cmd.Path, LogOffset: s.tail.runStart()})
	s.begin(l, start.Minor, s.o.Now())
	go func() {
		_ = cmd.Wait()
		s.ended(l, endOf(cmd.ProcessState))
	}()
	return nil
}

// Stop asks the server to stop, and makes it after Grace. It returns at once, and does nothing when none runs.
func (s *Supervisor) Stop() error {
	s.control.Lock()
	defer s.control.Unlock()
	l := s.live
	if l == nil || l.asked || s.isClosed() {
		return nil
	}
	if err := l.id.signal(unix.SIGTERM); err != nil {
		return fmt.Errorf("cannot stop etcd: %w", err)
	}
	l.asked = true
	l.kill = time.AfterFunc(s.o.Grace, func() { s.killLate(l) })
	s.update(func(p *states.Process) { p.Stopping = true })
	return nil
}

func (s *Supervisor) killLate(l *live) {
	s.control.Lock()
	defer s.control.Unlock()
	if s.live != l || s.isClosed() {
		return
	}
	s.o.Log.Warn().Int("pid", l.id.PID).Dur("grace", s.o.Grace).Msg("etcd did not stop in time and is killed")
	if err := l.id.signal(unix.SIGKILL); err != nil {
		s.o.Log.Error().Err(err).Int("pid", l.id.PID).Msg("cannot kill etcd")
	}
}

// begin notes that an etcd runs. Called with control held, as are noteUnstarted and adopt.
func (s *Supervisor) begin(l *live, minor states.MinorVersion, started time.Time) {
	s.live = l
	s.update(func(p *states.Process) {
		*p = states.Process{Running: states.Yes, PID: l.id.PID, Minor: minor, Started: started, Exits: p.Exits}
	})
	go s.o.Wake()
}

func (s *Supervisor) noteUnstarted(minor states.MinorVersion, err error) {
	s.update(func(p *states.Process) {
		*p = states.Process{Running: states.No, Minor: minor, Exited: s.o.Now(), Reason: states.ExitUnstarted, Exits: p.Exits + 1, Detail: err.Error()}
	})
	go s.o.Wake()
}

// ended notes that an etcd has ended and been reaped, so that its locks on the data are free.
func (s *Supervisor) ended(l *live, e end) {
	s.control.Lock()
	defer s.control.Unlock()
	if s.isClosed() {
		return // it belongs to the next supervisor
	}
	if l.kill != nil {
		l.kill.Stop()
	}
	s.live = nil
	s.tail.drain()
	reason, detail := classify(e, l.asked, s.tail.lastWords())
	s.removePID()
	s.update(func(p *states.Process) {
		now := s.o.Now()
		exits := p.Exits + 1
		if now.Sub(p.Started) >= settled {
			exits = 1
		}
		if reason == states.ExitStopped {
			exits = 0
		}
		*p = states.Process{Running: states.No, Minor: p.Minor, Started: p.Started, Exited: now, Reason: reason, Exits: exits, Detail: detail}
	})
	s.o.Log.Info().Int("pid", l.id.PID).Str("detail", detail).Msg("etcd ended")
	go s.o.Wake()
}

func (s *Supervisor) update(change func(*states.Process)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.proc)
}
