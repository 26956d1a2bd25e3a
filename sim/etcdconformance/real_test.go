package etcdconformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/effects"
	"github.com/etcd-appliance/etcd-appliance/effects/datadir"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdproc"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdv2"
	"github.com/etcd-appliance/etcd-appliance/effects/etcdv3"
	"github.com/etcd-appliance/etcd-appliance/effects/peerport"
	"github.com/etcd-appliance/etcd-appliance/states"
)

// real is a stage of real servers on loopback addresses.
type real struct {
	t       testing.TB
	root    string
	runs    states.MinorVersion
	number  uint32
	ports   *peerport.Peers
	nodes   map[int]*realNode
	servers string
	every   uint64 // --snapshot-count; the daemon's own when 0
}

type realNode struct {
	stalls  *exec.Cmd // what keeps its server from writing its log
	root    string
	disk    *datadir.Dir
	process *etcdproc.Supervisor
}

// stages counts stages, so that each has addresses of its own.
var stages atomic.Uint32

// servers is the directory of the servers, by minor.
func servers() string {
	if dir := os.Getenv("ETCD_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", ".cache", "etcd")
}

func newReal(t testing.TB, minor states.MinorVersion, snapshots uint64) *real {
	root := t.TempDir() // first: what is registered first is cleaned up last, and servers write until they are killed
	r := &real{root: root, t: t, runs: minor, number: stages.Add(1), ports: peerport.New(peerport.Config{}), nodes: map[int]*realNode{}, servers: servers(), every: snapshots}
	t.Cleanup(r.close)
	return r
}

func (r *real) minor() states.MinorVersion { return r.runs }

// address is one of 127.0.0.0/8 that no other process of this machine and no other stage of this one uses.
func (r *real) address(n int) string {
	pid := uint32(os.Getpid())
	return fmt.Sprintf("127.%d.%d.%d", 64+(pid>>8)%128, (pid+r.number/20)%256, r.number%20*12+uint32(n))
}

func (r *real) node(n int) *realNode {
	if known := r.nodes[n]; known != nil {
		return known
	}
	node := &realNode{root: filepath.Join(r.root, name(n))}
	r.nodes[n] = node
	r.open(node)
	return node
}

func (r *real) open(n *realNode) {
	r.t.Helper()
	var err error
	if n.disk, err = datadir.New(n.root); err != nil {
		r.t.Fatal(err)
	}
	n.process, err = etcdproc.New(etcdproc.Options{
		ServerDir: r.servers, DataDir: n.disk.EtcdDir(), StateDir: n.root, ClientPort: 2379, PeerPort: 2380,
		ExtraArgs: r.extra(), SnapshotCount: int(r.every), Log: zerolog.Nop(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// extra spares the disk, where the server can be told to.
func (r *real) extra() []string {
	if r.runs == v23 {
		return nil
	}
	return []string{"--unsafe-no-fsync"}
}

func (r *real) process(n int) effects.Process { return reaped{r.node(n).process} }
func (r *real) disk(n int) effects.Disk       { return r.node(n).disk }
func (r *real) peers() effects.Peers          { return r.ports }
func (r *real) now() time.Time                { return time.Now() }
func (r *real) pass(d time.Duration)          { time.Sleep(d) }

func (r *real) etcd() effects.Etcd {
	v2, v3 := etcdv2.New(etcdv2.Config{}), etcdv3.New(etcdv3.Config{})
	r.t.Cleanup(func() { v2.Close(); v3.Close() })
	return &effects.Choice{V2: v2, V3: v3, Level: v2.Level, Now: time.Now}
}

func (r *real) signal(n int, sig syscall.Signal) {
	if p := r.node(n).process.Inspect(); p.Running == states.Yes {
		if err := syscall.Kill(p.PID, sig); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *real) kill(n int) {
	r.signal(n, syscall.SIGKILL)
	for r.node(n).process.Inspect().Running == states.Yes {
		time.Sleep(time.Millisecond)
	}
}

func (r *real) hang(n int, hang bool) {
	if hang {
		r.signal(n, syscall.SIGSTOP)
	} else {
		r.signal(n, syscall.SIGCONT)
	}
}

// stall has strace stop every write to the log of the server before it begins, as a volume does that has stalled. Without strace, or
// without the right to trace, the script is skipped, loudly.
func (r *real) stall(n int, on bool) {
	node := r.node(n)
	if !on {
		_ = node.stalls.Process.Kill() // what it has stopped goes on then; by a signal that it handles it would end after the delay
		_ = node.stalls.Wait()
		node.stalls = nil
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		r.t.Skip("SKIPPED: no strace on PATH, so nobody has seen what a server does whose disk has stalled (apt-get install strace)")
	}
	const writes = "write,pwrite64,fdatasync,fsync"
	logs, err := filepath.Glob(filepath.Join(node.disk.EtcdDir(), "member", "wal", "*.wal"))
	if err != nil || len(logs) == 0 {
		r.t.Fatalf("no log in %s: %v", node.disk.EtcdDir(), err)
	}
	args := []string{"-f", "-qq", "-o", filepath.Join(node.root, "strace"), "-e", "trace=" + writes, "-e", "inject=" + writes + ":delay_enter=600000000"}
	for _, log := range logs {
		args = append(args, "-P", log)
	}
	pid := node.process.Inspect().PID
	node.stalls = exec.Command(strace, append(args, "-p", strconv.Itoa(pid))...)
	node.stalls.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var says strings.Builder
	node.stalls.Stderr = &says
	if err := node.stalls.Start(); err != nil {
		r.t.Fatal(err)
	}
	for begun := time.Now(); !traced(pid); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			r.stall(n, false)
			r.t.Skipf("SKIPPED: strace may not trace here, so nobody has seen what a server does whose disk has stalled: %s", says.String())
		}
	}
}

// traced tells whether a tracer has every thread of the process.
func traced(pid int) bool {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	return err == nil && len(tasks) > 0 && !slices.ContainsFunc(tasks, func(task string) bool {
		text, err := os.ReadFile(task)
		return err == nil && strings.Contains(string(text), "\nTracerPid:\t0\n")
	})
}

func (r *real) lose(n int) {
	r.kill(n)
	node := r.nodes[n]
	node.process.Close()
	if err := os.RemoveAll(node.root); err != nil {
		r.t.Fatal(err)
	}
	r.open(node)
}

func (r *real) close() {
	for n, node := range r.nodes {
		if node.stalls != nil {
			r.stall(n, false)
		}
		r.kill(n)
		node.process.Close()
	}
}
