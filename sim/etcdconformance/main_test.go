package etcdconformance

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdproc"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// reaped tells the reaper of every server that is started.
type reaped struct{ *etcdproc.Supervisor }

func (p reaped) Start(start states.StartEtcd) error {
	err := p.Supervisor.Start(start)
	if err == nil {
		fmt.Fprintln(reaper, p.Inspect().PID)
	}
	return err
}

// reaper kills every server it was told of once this process has ended, however it ends.
var reaper io.Writer = io.Discard

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "6") // scripts mostly wait; a -parallel on the command line comes later and wins
	flag.Parse()
	os.Exit(runWithReaper(m))
}

func runWithReaper(m *testing.M) int {
	cmd := exec.Command("/bin/sh", "-c", `while read pid; do all="$all $pid"; done; [ -z "$all" ] || kill -9 $all 2>/dev/null`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that a Ctrl-C does not end it first
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "servers may be left behind if this process is killed:", err)
		return m.Run()
	}
	reaper = in
	defer func() {
		_ = cmd.Process.Kill() // by now all servers have ended
		_ = cmd.Wait()
	}()
	return m.Run()
}

// needServer skips, loudly, what cannot be compared.
func needServer(t testing.TB, minor states.MinorVersion) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(servers(), minor.String(), "etcd")); err != nil {
		t.Skipf("NOT COMPARED WITH REAL SERVERS: %v; make etcd builds them", err)
	}
}

func TestReal(t *testing.T) {
	for _, minor := range minors {
		t.Run(minor.String(), func(t *testing.T) {
			t.Parallel()
			needServer(t, minor)
			for _, c := range cases {
				if c.on(minor) {
					t.Run(c.name, func(t *testing.T) {
						t.Parallel()
						// Real servers elect and connect in real time, and a busy machine can stretch a case past what it
						// is about: it is played once more then, on fresh servers, and must hold that time.
						diff := c.differs(t, newReal(t, minor, c.snapshots))
						if diff == "" {
							return
						}
						t.Logf("played again: %s", diff)
						if diff = c.differs(t, newReal(t, minor, c.snapshots)); diff != "" {
							t.Error(diff)
						}
					})
				}
			}
		})
	}
}

// The fake computes cluster and member IDs as etcd does, so that a token or a list used twice gives the same cluster there too.
func TestIDs(t *testing.T) {
	needServer(t, newest)
	t.Parallel()
	real, fake := newReal(t, newest, 0), newFake(newest, 0)
	fake.addresses = real.address
	var answers []effects.PeerAnswer
	for _, on := range []stage{real, fake} {
		s := &script{stage: on, t: t, etcd: on.etcd()}
		s.form(1, 2, 3)
		a, err := s.peers().Ask(s.context(), s.address(2))
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if !reflect.DeepEqual(answers[0], answers[1]) {
		t.Errorf("real %+v\nfake %+v", answers[0], answers[1])
	}
}

// BenchmarkStatus tells what asking a server how it is costs this process: "cpu-ns/op" is user and system time. A daemon asks
// three members a second.
func BenchmarkStatus(b *testing.B) {
	needServer(b, newest)
	r := newReal(b, newest, 0)
	if err := r.process(1).Start(states.StartEtcd{
		Minor: newest, Name: name(1), Address: r.address(1), State: states.ClusterNew,
		Cluster: []states.ClaimMember{{ID: name(1), Address: r.address(1)}},
	}); err != nil {
		b.Fatal(err)
	}
	e, url := r.etcd(), "http://"+r.address(1)+":2379"
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if s, err := e.Status(b.Context(), url); err == nil && s.Leader != 0 {
			break
		} else if time.Now().After(end) {
			b.Fatal(err)
		}
	}
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	for b.Loop() {
		if _, err := e.Status(b.Context(), url); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((used()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// A server that ends is noticed at once, and one that comes back within a second and a half, by the client that knew it before.
func TestRestartIsSeen(t *testing.T) {
	needServer(t, newest)
	t.Parallel()
	r := newReal(t, newest, 0)
	s := &script{stage: r, t: t, etcd: r.etcd()}
	s.form(1)
	r.kill(1)
	began := time.Now()
	s.until("nobody is there", func() bool { // the kernel may reset the first connection, and refuse only then
		_, err := s.etcd.Status(s.context(), s.url(1))
		return errors.Is(err, effects.ErrRefused)
	})
	if took := time.Since(began); took > time.Second {
		t.Fatal("noticed after", took)
	}
	s.pass(3 * time.Second) // long enough for any back-off to grow
	s.start(1, states.ClusterRestart)
	s.until("it serves again", func() bool {
		resp, err := http.Get(s.url(1) + "/version")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	})
	began = time.Now()
	s.until("it is seen", func() bool { return s.serves(1) })
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Fatal("seen after", took)
	}
}
