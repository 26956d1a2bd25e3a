package etcdproc

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"github.com/etcd-appliance/etcd-appliance/states"
)

// The flags of every minor are known to its server, on all kinds of start.
func TestEveryMinor(t *testing.T) {
	for _, minor := range []states.MinorVersion{v35, v36, v37} {
		t.Run(minor.String(), func(t *testing.T) {
			servers(t, minor)
			m := newMember(t, 1)
			m.start(startOf(minor, states.ClusterNew, m, m))
			m.waitServing()
			p := m.Inspect()
			if p.Minor != minor || p.PID <= 1 || p.Started.IsZero() || p.Stopping || p.Reason != states.ExitNone {
				t.Errorf("running: %+v", p)
			}
			must(t, m.Stop())
			m.ended(states.ExitStopped)
			m.restart(minor)
			m.waitServing()
			must(t, m.Stop())
			if p := m.ended(states.ExitStopped); p.Exits != 0 || p.Minor != minor {
				t.Errorf("stopped: %+v", p)
			}
		})
	}
}

func TestStartTwice(t *testing.T) {
	m := newMember(t, 1)
	m.begin()
	if err := m.Start(startOf(v37, states.ClusterNew, m, m)); err == nil {
		t.Fatal("started a second one")
	}
}

func TestKillIsACrash(t *testing.T) {
	var wakes atomic.Int32
	var now atomic.Int64
	m := newMember(t, 1, func(o *Options) {
		o.Wake = func() { wakes.Add(1) }
		o.Now = func() time.Time { return time.Now().Add(time.Duration(now.Load())) }
	})
	m.begin()
	for exits := 1; exits <= 2; exits++ {
		m.signal(unix.SIGKILL)
		if p := m.ended(states.ExitCrash); p.Exits != exits {
			t.Errorf("%d exits, want %d", p.Exits, exits)
		}
		m.restart(v37)
		m.waitServing()
	}
	until(t, "a wake-up for each start and end", func() bool { return wakes.Load() == 5 })

	// A minute of running ends the row.
	now.Store(int64(2 * time.Minute))
	if p := m.Inspect(); p.Exits != 0 {
		t.Errorf("%d exits after a minute", p.Exits)
	}
	m.signal(unix.SIGTERM) // not by us
	if p := m.ended(states.ExitCrash); p.Exits != 1 {
		t.Errorf("%d exits, want 1", p.Exits)
	}
}

func TestStopKillsAfterGrace(t *testing.T) {
	m := newMember(t, 1, func(o *Options) { o.Grace = 50 * time.Millisecond })
	must(t, m.Stop()) // nothing runs
	m.begin()
	m.signal(unix.SIGSTOP) // so that it cannot end by itself
	must(t, m.Stop())
	if !m.Inspect().Stopping {
		t.Error("is not said to be stopping")
	}
	must(t, m.Stop())
	p := m.ended(states.ExitStopped)
	if p.Stopping || !strings.Contains(p.Detail, "signal 9") {
		t.Errorf("got %+v", p)
	}
}

func TestUnstarted(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no server":      func(o *Options) { o.ServerDir = o.StateDir },
		"not executable": func(o *Options) { o.ServerDir = fakeServer(t, "not a program", 0o600) },
		"no log":         func(o *Options) { must(t, os.Mkdir(filepath.Join(o.StateDir, "etcd.log"), 0o700)) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMember(t, 1, change)
			if err := m.Start(startOf(v37, states.ClusterNew, m, m)); err == nil {
				t.Fatal("no error")
			}
			m.ended(states.ExitUnstarted)
		})
	}
}

func fakeServer(t *testing.T, content string, mode os.FileMode) string {
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "3.7"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "3.7", "etcd"), []byte(content), mode))
	return dir
}

// The daemon dies by SIGKILL, before or after it has noted the process; etcd serves on, and the next daemon adopts it.
func TestAdoptAfterTheDaemonWasKilled(t *testing.T) {
	for _, noted := range []bool{true, false} {
		m := newMember(t, 1)
		must(t, m.Close())
		daemon := exec.Command(os.Args[0], "-test.run=^TestDaemonProcess$")
		options, err := json.Marshal(map[string]string{"servers": m.o.ServerDir, "state": m.o.StateDir, "address": m.address})
		must(t, err)
		daemon.Env = append(os.Environ(), "TEST_DAEMON="+string(options))
		out, err := daemon.StdoutPipe()
		must(t, err)
		must(t, daemon.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || line != "started\n" {
			t.Fatalf("%q, %v", line, err)
		}
		must(t, daemon.Process.Kill())
		_ = daemon.Wait()
		if !noted {
			must(t, os.Remove(filepath.Join(m.o.StateDir, "etcd.pid.json")))
		}

		m.open()
		p := m.Inspect()
		if p.Running != states.Yes || p.Minor != v37 || time.Since(p.Started) > time.Minute || p.Started.After(time.Now()) {
			t.Fatalf("not adopted: %+v", p)
		}
		m.waitServing()
		if err := m.Start(startOf(v37, states.ClusterNew, m, m)); err == nil {
			t.Fatal("started a second one")
		}
		m.signal(unix.SIGKILL)
		if p := m.ended(states.ExitCrash); p.Exits != 1 {
			t.Errorf("%d exits", p.Exits)
		}
		m.restart(v37)
		m.waitServing()
		must(t, m.Stop())
		m.ended(states.ExitStopped)
	}
}

// TestDaemonProcess is the daemon that is killed above.
func TestDaemonProcess(t *testing.T) {
	encoded := os.Getenv("TEST_DAEMON")
	if encoded == "" {
		t.Skip("runs as a process of its own")
	}
	var o map[string]string
	must(t, json.Unmarshal([]byte(encoded), &o))
	s, err := New(Options{ServerDir: o["servers"], DataDir: filepath.Join(o["state"], "etcd"), StateDir: o["state"], ClientPort: 2379, PeerPort: 2380, Log: zerolog.Nop()})
	must(t, err)
	m := &member{address: o["address"]}
	must(t, s.Start(startOf(v37, states.ClusterNew, m, m)))
	_, _ = os.Stdout.WriteString("started\n")
	for { // not an empty select: without cgo the runtime would see that nothing can wake it
		time.Sleep(time.Hour)
	}
}

// A second supervisor stops what the first one has started, which the first, closed, no longer touches.
func TestAdoptAfterClose(t *testing.T) {
	m := newMember(t, 1, func(o *Options) { o.Grace = time.Minute })
	m.begin()
	first, pid := m.Supervisor, m.Inspect().PID
	must(t, first.Close())
	must(t, first.Close())
	if err := first.Start(startOf(v37, states.ClusterNew, m, m)); err == nil {
		t.Error("a closed supervisor started etcd")
	}
	m.open()
	if p := m.Inspect(); p.PID != pid {
		t.Fatalf("adopted %d, want %d", p.PID, pid)
	}
	must(t, m.Stop())
	m.ended(states.ExitStopped)
	if p := first.Inspect(); p.Running != states.Yes {
		t.Errorf("the closed supervisor goes on watching: %+v", p)
	}
}

// A supervisor that was there before the process adopts it rather than starting a second one on the same data.
func TestStartAdoptsAStranger(t *testing.T) {
	m := newMember(t, 1)
	late := m.Supervisor
	m.open()
	m.begin()
	must(t, m.Close())
	if err := late.Start(startOf(v37, states.ClusterNew, m, m)); err == nil {
		t.Fatal("started a second one")
	}
	if p := late.Inspect(); p.Running != states.Yes || p.PID != m.Inspect().PID {
		t.Fatalf("not adopted: %+v", p)
	}
}

// A note about a process that is not ours, by start time or by command line, is not believed, and nothing is signalled.
func TestReusedPID(t *testing.T) {
	sleep := exec.Command("sleep", "60")
	must(t, sleep.Start())
	t.Cleanup(func() { _ = sleep.Process.Kill(); _ = sleep.Wait() })
	start, _, err := startTicks(sleep.Process.Pid)
	must(t, err)

	m := newMember(t, 1)
	for _, id := range []procID{{sleep.Process.Pid, start}, {sleep.Process.Pid, start - 1}, {1, 1}, {0, 0}, {-1, 5}} {
		m.writePID(pidRecord{procID: id, Minor: "3.7"})
		m.open()
		if p := m.Inspect(); p.Running != states.No {
			t.Errorf("adopted %+v", id)
		}
	}
	must(t, procID{sleep.Process.Pid, start - 1}.signal(unix.SIGKILL))
	for _, id := range []procID{{1, 1}, {0, 0}, {-1, 5}, {sleep.Process.Pid, 0}} {
		if err := id.signal(unix.SIGKILL); err == nil {
			t.Errorf("signalled %+v", id)
		}
	}
	if id := (procID{sleep.Process.Pid, start}); !id.alive() {
		t.Fatal("killed a process that is not etcd")
	}
}

// Of another boot, the same process ID and start time are another process.
func TestNoteOfAnotherBoot(t *testing.T) {
	m := newMember(t, 1)
	m.writePID(pidRecord{procID: procID{5, 5}})
	path := filepath.Join(m.o.StateDir, "etcd.pid.json")
	data, err := os.ReadFile(path)
	must(t, err)
	if r := m.readPID(); r.PID != 5 {
		t.Fatalf("got %+v", r)
	}
	must(t, os.WriteFile(path, []byte(strings.Replace(string(data), bootID(), "another", 1)), 0o600))
	if r := m.readPID(); r != (pidRecord{}) {
		t.Errorf("got %+v", r)
	}
}

func TestEnvironmentIsScrubbed(t *testing.T) {
	t.Setenv("ETCD_NAME", "conflicts-with-the-flag")
	t.Setenv("ETCD_QUOTA_BACKEND_BYTES", "1")
	m := newMember(t, 1)
	m.begin()
	env, err := os.ReadFile("/proc/" + itoa(m.Inspect().PID) + "/environ")
	must(t, err)
	for _, entry := range strings.Split(string(env), "\x00") {
		if strings.HasPrefix(entry, "ETCD_") {
			t.Errorf("etcd got %s", entry)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Run("flag", func(t *testing.T) {
		m := newMember(t, 1, func(o *Options) { o.ExtraArgs = []string{"--no-such-flag"} })
		m.start(startOf(v37, states.ClusterNew, m, m))
		p := m.ended(states.ExitRefused)
		if !strings.Contains(p.Detail, "exit status 2: flag provided but not defined: -no-such-flag") {
			t.Errorf("detail %q", p.Detail)
		}
	})
	t.Run("address in use", func(t *testing.T) {
		m := newMember(t, 1)
		l, err := net.Listen("tcp", m.address+":2380")
		must(t, err)
		defer l.Close()
		m.start(startOf(v37, states.ClusterNew, m, m))
		m.ended(states.ExitRefused)
	})
	for _, older := range []states.MinorVersion{v23, v35, v36} {
		t.Run(older.String()+" on data of 3.7", func(t *testing.T) {
			servers(t, older)
			m := newMember(t, 1)
			m.begin()
			must(t, m.Stop())
			m.ended(states.ExitStopped)
			m.restart(older)
			m.ended(states.ExitNewer)
			m.restart(v37) // to which the attempt did no harm
			m.waitServing()
		})
	}
}

func TestStaleAndBootstrapped(t *testing.T) {
	a, b, c := newMember(t, 1), newMember(t, 2), newMember(t, 3)
	b.start(startOf(v37, states.ClusterExisting, b, a, b)) // nobody there
	b.ended(states.ExitStale)

	a.start(startOf(v37, states.ClusterNew, a, a, b))
	c.start(startOf(v37, states.ClusterNew, c, b, c)) // not the same cluster: keeps waiting for a quorum
	b.start(startOf(v37, states.ClusterNew, b, a, b))
	a.waitServing()
	b.waitServing()
	must(t, b.Stop())
	b.ended(states.ExitStopped)
	must(t, os.RemoveAll(b.o.DataDir))
	b.start(startOf(v37, states.ClusterNew, b, a, b))
	b.ended(states.ExitBootstrapped)

	must(t, os.RemoveAll(b.o.DataDir))
	b.start(startOf(v37, states.ClusterExisting, b, a, b, c)) // three listed, two members
	b.ended(states.ExitStale)
}

// A restart without data must not make a cluster of its own.
func TestRestartOfNothing(t *testing.T) {
	for _, minor := range []states.MinorVersion{v35, v37} {
		servers(t, minor)
		m := newMember(t, 1)
		m.restart(minor)
		m.ended(states.ExitStale)
	}
}

// A member that was removed while it ran ends by itself, and again when it is restarted on its data.
func TestRemovedMember(t *testing.T) {
	all := []*member{newMember(t, 1), newMember(t, 2), newMember(t, 3)}
	for _, m := range all {
		m.start(startOf(v37, states.ClusterNew, m, all...))
	}
	for _, m := range all {
		m.waitServing()
	}
	gone := all[2]
	var list struct{ Members []struct{ ID, Name string } }
	must(t, all[0].post("/v3/cluster/member/list", map[string]any{}, &list))
	for _, listed := range list.Members {
		if listed.Name == "i-"+gone.address {
			// Refused for 5 s after a start, until all members are seen connected (etcdserver/server.go mayRemoveMember).
			until(t, "removal of a member", func() bool {
				return all[0].post("/v3/cluster/member/remove", map[string]any{"ID": listed.ID}, nil) == nil
			})
		}
	}
	gone.ended(states.ExitRemoved)
	gone.restart(v37)
	gone.ended(states.ExitRemoved)
}

// A server lives on for a second after it has applied its own removal, and dies of being asked how it is in that time, which a daemon
// does all the time. That its member is gone is told then by the panic alone.
func TestRemovedMemberIsAsked(t *testing.T) {
	for _, minor := range []states.MinorVersion{v35, v36, v37} {
		t.Run(minor.String(), func(t *testing.T) {
			servers(t, minor)
			all := []*member{newMember(t, 1), newMember(t, 2), newMember(t, 3)}
			for _, m := range all {
				m.start(startOf(minor, states.ClusterNew, m, all...))
			}
			for _, m := range all {
				m.waitServing()
			}
			var status struct {
				Leader string
				Header struct {
					MemberID string `json:"member_id"`
				}
			}
			at := -1
			until(t, "a leader", func() bool {
				at = slices.IndexFunc(all, func(m *member) bool {
					return m.post("/v3/maintenance/status", map[string]any{}, &status) == nil && status.Leader == status.Header.MemberID
				})
				return at >= 0
			})
			leader, other := all[at], all[(at+1)%3]
			var asking sync.WaitGroup
			asking.Go(func() {
				for leader.Inspect().Running == states.Yes {
					_ = leader.post("/v3/maintenance/status", map[string]any{}, nil)
				}
			})
			until(t, "removal of the leader", func() bool {
				return other.post("/v3/cluster/member/remove", map[string]any{"ID": status.Leader}, nil) == nil
			})
			asking.Wait()
			if p := leader.ended(states.ExitRemoved); !strings.HasPrefix(p.Detail, "exit status 2: ") {
				t.Logf("this time it was not asked in that second: %s", p.Detail)
			}
			leader.restart(minor)
			leader.ended(states.ExitRemoved)
		})
	}
}

func TestLogIsPassedOnAndEmptied(t *testing.T) {
	var log safeBuffer
	m := newMember(t, 1, func(o *Options) { o.Log = zerolog.New(&log) })
	m.tail.max = 4 << 10
	m.begin()
	path := filepath.Join(m.o.StateDir, "etcd.log")
	until(t, "the log to be emptied", func() bool {
		info, err := os.Stat(path)
		return err == nil && info.Size() <= m.tail.max && strings.Contains(log.String(), "Initialize and start etcd server")
	})
	must(t, m.Stop())
	m.ended(states.ExitStopped)
	data, err := os.ReadFile(path)
	must(t, err)
	if strings.Contains(string(data), "\x00") {
		t.Error("the log has a hole")
	}
	if !strings.Contains(log.String(), `"level":"info"`) || !strings.Contains(log.String(), "received signal; shutting down") {
		t.Errorf("etcd's words did not arrive: %s", log.String())
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", info.Mode().Perm())
	}
}
