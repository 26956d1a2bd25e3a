package localcloud

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/etcd-appliance/etcd-appliance/sim/awsfake"
)

// Env is the environment that points a process at this cloud as the given
// caller, in the cloud's own region. The SDK's and the aws command line's other sources of configuration
// are shut off; imds may be empty.
func (s *Server) Env(caller, imds string) []string { return s.envIn(s.cloud.Region(), caller, imds) }

func (s *Server) envIn(region, caller, imds string) []string {
	env := []string{
		"AWS_ENDPOINT_URL=" + s.url,
		"AWS_REGION=" + region,
		"AWS_DEFAULT_REGION=" + region, // the name that the command line v1 knows
		"AWS_ACCESS_KEY_ID=" + caller,
		"AWS_SECRET_ACCESS_KEY=loopback-only",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		fmt.Sprintf("%s=%s@%d", marker, caller, os.Getpid()),
	}
	if imds != "" {
		env = append(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+imds)
	}
	return env
}

// ProcessLauncher is a Launcher that runs one daemon an instance. Whatever the
// daemon starts must inherit its environment's mark, as children do, so that the
// end of the instance is the end of all of them.
type ProcessLauncher struct {
	// Command returns the daemon to run. What it leaves unset of Env, Dir, Stdout
	// and Stderr is filled in; Env is added to, not replaced. Give it files for
	// Stdout and Stderr, not pipes: etcd may outlive the daemon and keeps them open.
	Command func(Instance) *exec.Cmd
	// Dir holds a directory an instance, its disk, and <instance ID>.log beside it.
	Dir string
	// Restart is the pause before a daemon that ended by itself is started again,
	// as systemd does; 0 leaves it dead.
	Restart time.Duration
	// KeepDisks keeps the directories of terminated instances.
	KeepDisks bool

	mu      sync.Mutex
	running map[string]*daemon
}

// daemon is one instance's supervised process.
type daemon struct {
	stop chan struct{} // closed when the instance ends
	done chan struct{} // closed when the supervisor has returned
}

// Disk is the directory of an instance. It outlives stops and reboots.
func (l *ProcessLauncher) Disk(instanceID string) string { return filepath.Join(l.Dir, instanceID) }

// LogFile is what an instance's processes wrote; it outlives the instance.
func (l *ProcessLauncher) LogFile(instanceID string) string {
	return filepath.Join(l.Dir, instanceID+".log")
}

// Launch starts the daemon of an instance.
func (l *ProcessLauncher) Launch(i Instance) error {
	if err := os.MkdirAll(l.Disk(i.ID), 0o700); err != nil {
		return err
	}
	cmd, err := l.start(i)
	if err != nil {
		return err
	}
	d := &daemon{make(chan struct{}), make(chan struct{})}
	l.mu.Lock()
	if l.running == nil {
		l.running = map[string]*daemon{}
	}
	l.running[i.ID] = d
	l.mu.Unlock()
	go l.supervise(d, i, cmd)
	return nil
}

// start runs the daemon once, in a process group of its own so that signals to
// the terminal do not reach it.
func (l *ProcessLauncher) start(i Instance) (*exec.Cmd, error) {
	log, err := os.OpenFile(l.LogFile(i.ID), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own copy
	cmd := l.Command(i)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	foreign := func(v string) bool { return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, marker+"=") }
	cmd.Env = append(slices.DeleteFunc(slices.Clone(cmd.Env), foreign), i.Env...)
	if cmd.Dir == "" {
		cmd.Dir = l.Disk(i.ID)
	}
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	if cmd.Stderr == nil {
		cmd.Stderr = log
	}
	// Should the cloud be killed, its daemons are asked to stop, and stop their servers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	return cmd, fork(cmd)
}

// fork starts a command from a thread that lasts as long as the process: the
// death signal comes at the end of the thread that forked (prctl(2)).
func fork(cmd *exec.Cmd) error {
	started := make(chan error)
	forker() <- func() { started <- cmd.Start() }
	return <-started
}

var forker = sync.OnceValue(func() chan<- func() {
	forks := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range forks {
			f()
		}
	}()
	return forks
})

// supervise waits for the daemon, and starts it again if that is asked for.
func (l *ProcessLauncher) supervise(d *daemon, i Instance, cmd *exec.Cmd) {
	defer close(d.done)
	for {
		if cmd != nil {
			_ = cmd.Wait() // that it ended is all that matters
		}
		if l.Restart == 0 {
			return
		}
		select {
		case <-d.stop:
			return
		case <-time.After(l.Restart):
		}
		var err error
		if cmd, err = l.start(i); err != nil {
			cmd = nil // try again
		}
	}
}

// Kill ends all processes of an instance, and its disk when it is terminated.
func (l *ProcessLauncher) Kill(i Instance) {
	l.mu.Lock()
	d := l.running[i.ID]
	delete(l.running, i.ID)
	l.mu.Unlock()
	mine := func(mark string) bool { return mark == i.ID+"@"+itoa(os.Getpid()) }
	if d != nil {
		close(d.stop)
		for ended := false; !ended; {
			killMarked(mine) // the daemon may have been starting again just now
			select {
			case <-d.done:
				ended = true
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	killMarked(mine)
	if i.State == awsfake.ShuttingDown && !l.KeepDisks {
		os.RemoveAll(l.Disk(i.ID))
	}
}
