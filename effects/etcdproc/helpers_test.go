package etcdproc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"github.com/etcd-appliance/etcd-appliance/states"
)

var (
	v35 = states.MinorVersion{Major: 3, Minor: 5}
	v37 = states.MinorVersion{Major: 3, Minor: 7}
)

// servers finds the real servers, in $ETCD_DIR/<minor>/etcd.
func servers(t testing.TB, minors ...states.MinorVersion) string {
	t.Helper()
	dir := os.Getenv("ETCD_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", ".cache", "etcd")
	}
	for _, m := range minors {
		if _, err := os.Stat(filepath.Join(dir, m.String(), "etcd")); err != nil {
			t.Skipf("NOT TESTED: needs a real etcd %s: %v (build them with make, or set ETCD_DIR)", m, err)
		}
	}
	return dir
}

// address gives loopback addresses that no other test process uses; Linux answers on all of 127.0.0.0/8.
func address(n int) string {
	pid := os.Getpid()
	return fmt.Sprintf("127.%d.%d.%d", 64+pid>>8&0x3f, pid&0xff, n)
}

// member is one etcd of a test.
type member struct {
	*Supervisor
	t       *testing.T
	o       Options
	address string
}

// newMember makes a supervisor with directories of its own; whatever runs under it at the end of the test is killed.
func newMember(t *testing.T, n int, change ...func(*Options)) *member {
	t.Helper()
	state := t.TempDir()
	m := &member{t: t, address: address(n), o: Options{
		ServerDir: servers(t, v37), DataDir: filepath.Join(state, "etcd"), StateDir: state,
		ClientPort: 2379, PeerPort: 2380, Log: zerolog.New(io.Discard),
	}}
	for _, c := range change {
		c(&m.o)
	}
	m.open()
	return m
}

// open makes the supervisor, or one more as another daemon would.
func (m *member) open() {
	m.t.Helper()
	s, err := New(m.o)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Supervisor = s
	m.t.Cleanup(func() {
		s.control.Lock()
		l := s.live
		s.control.Unlock()
		if l != nil {
			if err := l.id.signal(unix.SIGKILL); err != nil {
				m.t.Error(err)
			}
			// A process whose first thread has ended counts as ended, and its others may hold its ports for a moment longer.
			until(m.t, "end of etcd", func() bool {
				threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", l.id.PID))
				return !l.id.alive() && len(threads) <= 1
			})
		}
		if err := s.Close(); err != nil {
			m.t.Error(err)
		}
	})
}

// startOf is the start of one member of these.
func startOf(minor states.MinorVersion, state states.ClusterState, self *member, members ...*member) states.StartEtcd {
	start := states.StartEtcd{Minor: minor, Name: "i-" + self.address, Address: self.address, State: state, Token: "test"}
	for _, m := range members {
		start.Cluster = append(start.Cluster, states.ClaimMember{ID: "i-" + m.address, Address: m.address})
	}
	return start
}

func (m *member) start(s states.StartEtcd) {
	m.t.Helper()
	if err := m.Start(s); err != nil {
		m.t.Fatal(err)
	}
}

// begin starts a new cluster of one and waits until it takes writes.
func (m *member) begin() {
	m.t.Helper()
	m.start(startOf(v37, states.ClusterNew, m, m))
	m.waitServing()
}

func (m *member) restart(minor states.MinorVersion) {
	m.t.Helper()
	m.start(states.StartEtcd{Minor: minor, Name: "i-" + m.address, Address: m.address})
}

func (m *member) waitServing() {
	m.t.Helper()
	until(m.t, "etcd to take a write", func() bool {
		if p := m.Inspect(); p.Running != states.Yes {
			m.t.Fatalf("etcd has ended: %s", p.Detail)
		}
		return m.post("/v3/kv/put", map[string]any{"key": "a2V5", "value": "dmFsdWU="}, nil) == nil
	})
}

// ended waits for the end and checks its reason.
func (m *member) ended(want states.ExitReason) states.Process {
	m.t.Helper()
	until(m.t, "end of etcd", func() bool { return m.Inspect().Running == states.No })
	p := m.Inspect()
	if p.Reason != want || p.PID != 0 || p.Exited.IsZero() || p.Detail == "" {
		log, _ := os.ReadFile(m.tail.path)
		m.t.Fatalf("got %+v, want reason %d\n%s", p, want, log[max(0, len(log)-4000):])
	}
	m.t.Log(p.Detail)
	return p
}

// signal sends to the etcd of this member, past its supervisor.
func (m *member) signal(sig unix.Signal) {
	m.t.Helper()
	if err := unix.Kill(m.Inspect().PID, sig); err != nil {
		m.t.Fatal(err)
	}
}

// post asks etcd's HTTP gateway.
func (m *member) post(path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 2 * time.Second}
	res, err := client.Post("http://"+m.address+":2379"+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, res.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for: %s", what)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
