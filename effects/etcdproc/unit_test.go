package etcdproc

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/effects/tlsfiles"
	"github.com/etcd-appliance/etcd-appliance/states"
)

var itoa = strconv.Itoa

// safeBuffer is a bytes.Buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestArguments(t *testing.T) {
	o := Options{DataDir: "/d", ClientPort: 2379, PeerPort: 2380, SnapshotCount: 10000, ExtraArgs: []string{"--quota-backend-bytes=1"}}
	start := states.StartEtcd{Name: "i-1", Address: "10.0.0.1", Token: "tok", Cluster: []states.ClaimMember{{ID: "i-1", Address: "10.0.0.1"}, {Address: "10.0.0.2"}}}
	common := "--name=i-1 --data-dir=/d --listen-peer-urls=http://10.0.0.1:2380 --listen-client-urls=http://10.0.0.1:2379 " +
		"--advertise-client-urls=http://10.0.0.1:2379 --initial-advertise-peer-urls=http://10.0.0.1:2380 "
	settings := "--strict-reconfig-check=true --snapshot-count=10000 "
	for _, tc := range []struct {
		minor states.MinorVersion
		state states.ClusterState
		want  string
	}{
		{v23, states.ClusterRestart, common + "--initial-cluster-state=existing " + settings + "--quota-backend-bytes=1"},
		{v35, states.ClusterRestart, common + "--initial-cluster-state=existing " + settings + "--logger=zap --quota-backend-bytes=1"},
		{v37, states.ClusterExisting, common + "--initial-cluster=i-1=http://10.0.0.1:2380,unstarted-10.0.0.2=http://10.0.0.2:2380 " +
			"--initial-cluster-state=existing --initial-cluster-token=tok " + settings + "--logger=zap --log-format=json --quota-backend-bytes=1"},
	} {
		start.Minor, start.State = tc.minor, tc.state
		if got := strings.Join(arguments(&o, start), " "); got != tc.want {
			t.Errorf("%s %q:\n got %s\nwant %s", tc.minor, tc.state, got, tc.want)
		}
	}
}

func TestArgumentsOfTLS(t *testing.T) {
	clients, peers := tlsfiles.Files{Cert: "/c", Key: "/ck", CA: "/cca"}, tlsfiles.Files{Cert: "/p", Key: "/pk", CA: "/pca"}
	start := states.StartEtcd{Name: "i-1", Address: "10.0.0.1", State: states.ClusterNew, Cluster: []states.ClaimMember{{ID: "i-1", Address: "10.0.0.1"}}}
	for name, tc := range map[string]struct {
		o    Options
		want []string // of all that has to do with TLS or with URLs
	}{
		"neither": {Options{}, []string{"--listen-peer-urls=http://10.0.0.1:2380", "--listen-client-urls=http://10.0.0.1:2379",
			"--advertise-client-urls=http://10.0.0.1:2379", "--initial-advertise-peer-urls=http://10.0.0.1:2380", "--initial-cluster=i-1=http://10.0.0.1:2380"}},
		"clients": {Options{Clients: clients}, []string{"--listen-peer-urls=http://10.0.0.1:2380", "--listen-client-urls=https://10.0.0.1:2379",
			"--advertise-client-urls=https://10.0.0.1:2379", "--initial-advertise-peer-urls=http://10.0.0.1:2380", "--initial-cluster=i-1=http://10.0.0.1:2380",
			"--cert-file=/c", "--key-file=/ck"}},
		"both, mutual": {Options{Clients: clients, ClientCertAuth: true, Peers: peers}, []string{"--listen-peer-urls=https://10.0.0.1:2380", "--listen-client-urls=https://10.0.0.1:2379",
			"--advertise-client-urls=https://10.0.0.1:2379", "--initial-advertise-peer-urls=https://10.0.0.1:2380", "--initial-cluster=i-1=https://10.0.0.1:2380",
			"--cert-file=/c", "--key-file=/ck", "--trusted-ca-file=/cca", "--client-cert-auth=true",
			"--peer-cert-file=/p", "--peer-key-file=/pk", "--peer-trusted-ca-file=/pca", "--peer-client-cert-auth=true"}},
	} {
		tc.o.ClientPort, tc.o.PeerPort = 2379, 2380
		for _, minor := range []states.MinorVersion{v23, v37} { // every minor knows them
			start.Minor = minor
			got := slices.DeleteFunc(arguments(&tc.o, start), func(arg string) bool {
				return !strings.Contains(arg, "://") && !strings.Contains(arg, "cert") && !strings.Contains(arg, "key-file") && !strings.Contains(arg, "ca-file")
			})
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s, %s:\n got %s\nwant %s", name, minor, got, tc.want)
			}
		}
	}
}

func TestEnvironment(t *testing.T) {
	environ := []string{"PATH=/bin", "ETCD_NAME=x", "ETCD_QUOTA_BACKEND_BYTES=1", "ETCD_CONFIG_FILE=/f", "NOTIFY_SOCKET=/s", "ETCDCTL_API=3"}
	args := []string{"--name=i-1"}
	if got := environment(environ, args, false); !slices.Equal(got, []string{"PATH=/bin", "ETCDCTL_API=3"}) {
		t.Errorf("scrubbed: %v", got)
	}
	if got := environment(environ, args, true); !slices.Equal(got, []string{"PATH=/bin", "ETCD_QUOTA_BACKEND_BYTES=1", "ETCDCTL_API=3"}) {
		t.Errorf("passed on: %v", got)
	}
}

func TestServes(t *testing.T) {
	for line, want := range map[string]bool{
		"etcd --data-dir=/d":           true,
		"etcd -data-dir=/d/":           true,
		"etcd --data-dir /d":           true,
		"etcd --data-dir=/d2":          false,
		"etcd --data-dir":              false,
		"etcd --wal-dir=/d":            false,
		"vi data-dir=/d":               false,
		"etcd --name=x --data-dir=/d ": true,
	} {
		if got := serves(strings.Split(line, " "), "/d"); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
}

// How etcd says why it ends, in the words of every generation; the damage to data is tested with real servers.
func TestClassify(t *testing.T) {
	exit := func(code int) end { return end{known: true, code: code} }
	fatal := func(err string) string {
		return `{"level":"fatal","msg":"discovery failed","error":"` + err + `","stacktrace":"main.main"}`
	}
	for _, tc := range []struct {
		name  string
		end   end
		asked bool
		text  string
		want  states.ExitReason
	}{
		{"said nothing", exit(1), false, "", states.ExitCrash},
		{"unknown status", end{}, false, "", states.ExitCrash},
		{"killed, whatever it said before", end{known: true, signal: syscall.SIGKILL}, false, fatal("walpb: crc mismatch"), states.ExitCrash},
		{"unknown error", exit(1), false, fatal("something new"), states.ExitCrash},
		{"disk full", exit(1), false, `{"level":"fatal","msg":"failed to save Raft hard state and entries","error":"write /d/0.wal: no space left on device"}`, states.ExitCrash},
		{"disk error on the log", exit(1), false, `{"level":"fatal","msg":"failed to read WAL, cannot be repaired","error":"read /d/0.wal: input/output error"}`, states.ExitCrash},
		{"log held by another", exit(1), false, `{"level":"fatal","msg":"failed to open WAL","error":"fileutil: file already locked"}`, states.ExitCrash},
		{"damaged .snap, which 3.7 does not need", exit(1), false, `{"level":"warn","msg":"failed to read a snap file","error":"snap: crc mismatch"}` + "\n" + fatal("something new"), states.ExitCrash},
		{"nil pointer", exit(2), false, "panic: runtime error: invalid memory address\n[signal SIGSEGV]\n\ngoroutine 1 [running]:\ngo.etcd.io/etcd/server/v3/etcdserver.bootstrap()\n\tx.go:1\ngo.etcd.io/bbolt.Open()\n", states.ExitCrash},
		{"read after close", exit(2), false, "panic: assertion failed: tx closed\n\ngoroutine 7 [running]:\ngo.etcd.io/bbolt.(*Cursor).First()\n\tx.go:1\n", states.ExitCrash},
		{"index out of range in bbolt", exit(2), false, "panic: runtime error: index out of range [7] with length 2\n\ngoroutine 7 [running]:\npanic({0x1})\n\tpanic.go:1\ngo.etcd.io/bbolt.(*Cursor).search()\n", states.ExitCorrupt},
		{"log of 3.0 under 2.3", exit(2), false, "2026-11-28 17:50:46.1 W | wal: ignored file 0.tmp in wal\npanic: runtime error: makeslice: len out of range\n\ngoroutine 1 [running]:\ngithub.com/coreos/etcd/wal.(*decoder).decode(0x1)\n\tx.go:1\n", states.ExitCorrupt},
		{"trouble of a 2.3 server that it got over", exit(1), false, "2016-05-09 11:15:23.1 W | rafthttp: crc mismatch\n2016-05-09 11:15:23.1 C | etcdserver: something new", states.ExitCrash},
		{"makeslice elsewhere", exit(2), false, "panic: runtime error: makeslice: len out of range\n\ngoroutine 1 [running]:\ngithub.com/coreos/etcd/rafthttp.x(0x1)\n\tx.go:1\n", states.ExitCrash},
		{"raft", exit(2), false, `{"level":"panic","msg":"tocommit(8) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?"}`, states.ExitCorrupt},
		{"raft 3.0", exit(1), false, "2016-05-09 11:15:23.1 C | raft: tocommit(8) is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?", states.ExitCorrupt},
		{"undecodable record", exit(1), false, fatal("proto:\u00a0cannot parse invalid wire-format data"), states.ExitCorrupt},
		{"inconsistent", exit(1), false, fatal("8e9e05c52164694d found data inconsistency with peers"), states.ExitCorrupt},
		{"stopped", end{known: true, signal: syscall.SIGTERM}, true, "", states.ExitStopped},
		{"stopped, adopted", end{}, true, fatal("something new"), states.ExitStopped},
		{"removed", exit(0), false, "", states.ExitRemoved},
		{"removed, adopted", end{}, false, `{"level":"warn","msg":"server error","error":"the member has been permanently removed from the cluster"}`, states.ExitRemoved},
		{"removed, just as it was stopped", exit(0), true, `{"level":"warn","msg":"data-dir used by this member must be removed"}`, states.ExitRemoved},
		{"removed, and asked how it is", exit(2), false, `{"level":"panic","msg":"failed to find local ID in cluster members","cluster-id":"1"}` + "\npanic: failed to find local ID in cluster members\n", states.ExitRemoved},
		{"removed 2.3", exit(0), false, "2016-05-09 11:15:23.1 E | etcdserver: the member has been permanently removed from the cluster", states.ExitRemoved},
		{"not listed", exit(1), false, fatal(`couldn't find local name \"i-1\" in the initial cluster configuration`), states.ExitStale},
		{"stale 3.0", exit(1), false, "2016-05-09 11:15:23.1 C | etcdmain: error validating peerURLs: unmatched member while checking PeerURLs", states.ExitStale},
		{"downgrade 3.6", exit(2), false, `{"level":"panic","msg":"invalid downgrade; server version is lower than determined cluster version"}`, states.ExitNewer},
		{"downgrade 2.3", exit(1), false, "2016-05-09 11:15:23.1 C | etcdserver: cluster cannot be downgraded (current version: 2.3.8 is lower than determined cluster version: 3.0).", states.ExitNewer},
		{"2.3 on data of 3.0", exit(1), false, "2016-05-09 11:15:23.1 C | etcdmain: experimental-v3demo cannot be disabled once it is enabled", states.ExitNewer},
		{"entries of an older minor", exit(2), false, "panic: unmarshal should never fail (proto: cannot parse invalid wire-format data)", states.ExitRefused},
		{"variable and flag", exit(1), false, `{"level":"fatal","msg":"conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag)"}`, states.ExitRefused},
		{"joins the wrong minor", exit(1), false, fatal("incompatible with current running cluster"), states.ExitRefused},
	} {
		if got, detail := classify(tc.end, tc.asked, readWords(tc.text)); got != tc.want {
			t.Errorf("%s: %d (%s), want %d", tc.name, got, detail, tc.want)
		}
	}
}

func TestDetail(t *testing.T) {
	text := `{"level":"info","msg":"before"}
{"level":"panic","msg":"failed to open database","error":"invalid database"}
panic: failed to open database

goroutine 1 [running]:
{"level":"info","msg":"another goroutine"}
`
	_, got := classify(end{known: true, code: 2}, false, readWords(text))
	if want := "exit status 2: failed to open database: invalid database"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, got = classify(end{known: true, code: 1}, false, readWords("2016-05-09 11:15:23.1 I | etcdmain: etcd Version: 2.3.8\n2016-05-09 11:15:23.2 C | etcdmain: listen tcp: address already in use\n"))
	if want := "exit status 1: etcdmain: listen tcp: address already in use"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, got = classify(end{known: true, code: 1}, false, readWords(`{"level":"warn","msg":"`+strings.Repeat("é", 999)+`"}`))
	if len(got) > detailMax+20 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestTail(t *testing.T) {
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), "etcd.log")
	must(t, os.WriteFile(path, []byte("of an earlier run\n"), 0o600))
	tl := newTail(path, zerolog.New(&out))
	tl.max = 400
	f, err := tl.beginRun()
	must(t, err)
	defer f.Close()
	for _, s := range []string{`{"level":"warn","ts":"x","msg":"slow","took":"1s"}` + "\n", "2016-05-09 11:15:23.1 I | etcd", "server: ready\n", "panic: x\n"} {
		_, err := f.WriteString(s)
		must(t, err)
		tl.drain()
	}
	want := `{"level":"warn","took":"1s","message":"slow"}
{"level":"info","message":"2016-05-09 11:15:23.1 I | etcdserver: ready"}
{"level":"warn","message":"panic: x"}
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if got := tl.lastWords().last; got != "panic: x" {
		t.Errorf("last words %q", got)
	}

	_, err = f.WriteString(strings.Repeat("long line\n", 50))
	must(t, err)
	tl.drain()
	_, err = f.WriteString("panic: after it was emptied\n")
	must(t, err)
	tl.drain()
	if got := tl.lastWords().last; got != "panic: after it was emptied" {
		t.Errorf("last words %q", got)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 100 {
		t.Errorf("not emptied: %v, %v", info, err)
	}
}

// Without pidfd the end is noticed all the same.
func TestWaitEnd(t *testing.T) {
	none := func(int, int) (int, error) { return 0, errors.ErrUnsupported }
	cat := exec.Command("cat")
	in, err := cat.StdinPipe()
	must(t, err)
	must(t, cat.Start())
	start, _, err := startTicks(cat.Process.Pid)
	must(t, err)
	id := procID{cat.Process.Pid, start}
	done := make(chan struct{})
	go func() { waitEnd(id, nil, none); close(done) }()
	must(t, in.Close())
	<-done // a zombie has ended
	if id.alive() {
		t.Error("is still alive")
	}
	_ = cat.Wait()
}
