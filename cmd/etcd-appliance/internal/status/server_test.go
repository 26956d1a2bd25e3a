package status

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/etcd-appliance/etcd-appliance/states"
)

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestProbes(t *testing.T) {
	ill := leading()
	ill.Cluster.Local.Leader = 0
	late := func() time.Time { return noon.Add(time.Minute) }
	for what, c := range map[string]struct {
		board                    func() *Board
		healthz, readyz, details int
		says                     string // of readyz
	}{
		"before the first turn": {newBoard, 503, 503, 503, "has not taken a turn yet"},
		"in order":              {board, 200, 200, 200, "ok"},
		"no leader":             {func() *Board { b := newBoard(); b.turn(ill, follows); return b }, 200, 503, 200, "its member knows no leader"},
		"the loop stands still": {func() *Board { b := board(); b.Now = late; return b }, 503, 503, 200, "taken no turn for 1m0s"},
	} {
		h := c.board().Handler()
		for path, want := range map[string]int{"/healthz": c.healthz, "/readyz": c.readyz, "/status": c.details, "/": c.details, "/metrics": 200, "/nothing": 404} {
			if got := get(t, h, path); got.Code != want {
				t.Errorf("%s: %s answers %d, want %d: %s", what, path, got.Code, want, got.Body)
			}
		}
		if got := strings.TrimSpace(get(t, h, "/readyz").Body.String()); !strings.Contains(got, c.says) {
			t.Errorf("%s: /readyz says %q, want %q", what, got, c.says)
		}
	}
}

func TestNothingButGet(t *testing.T) {
	w := httptest.NewRecorder()
	board().Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/status", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered with %d", w.Code)
	}
}

// TestGoldenStatus is the format that other programs rely on. A field that goes, or means something else, raises API.
func TestGoldenStatus(t *testing.T) {
	golden(t, "leader.json", get(t, board().Handler(), "/status").Body.String())
	b := newBoard()
	o := following()
	o.Process.Exits, o.Process.Exited, o.Process.Detail = 2, noon.Add(-time.Minute), "exit status 1: panic"
	o.Cluster.Upgrade.Lock = states.UpgradeLock{Owner: "i-c", From: states.MinorVersion{Major: 3, Minor: 6}, To: states.MinorVersion{Major: 3, Minor: 7}}
	o.Cluster.Upgrade.Halted = states.UpgradeLock{Owner: "an unreadable record", Why: "hello"}
	b.turn(o, follows)
	golden(t, "follower.json", get(t, b.Handler(), "/status").Body.String())
	fresh := newBoard()
	fresh.turn(&states.Observation{Now: noon}, &states.Decision{From: states.Discovering, To: states.Discovering, Why: "does not know its own instance ID yet"})
	golden(t, "fresh.json", get(t, fresh.Handler(), "/status").Body.String())
}

// lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// TestPortInUse: it is said once, loudly, and the address is taken when it is free. The end of ctx ends all of it.
func TestPortInUse(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := other.Addr().String()
	var log lockedBuffer
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		serve(ctx, address, board().Handler(), zerolog.New(&log), 5*time.Millisecond)
	}()
	until(t, "it complains", func() bool { return strings.Contains(log.String(), "CANNOT SERVE") })
	time.Sleep(50 * time.Millisecond) // several more attempts
	if said := log.String(); strings.Count(said, "CANNOT SERVE") != 1 || !strings.Contains(said, `"level":"error"`) || !strings.Contains(said, "address already in use") {
		t.Errorf("says %s", said)
	}
	_ = other.Close()
	until(t, "it serves", func() bool { return strings.Contains(log.String(), "serves its status") })
	s, err := Ask(t.Context(), http.DefaultClient, address)
	if err != nil || s.Instance != "i-a" {
		t.Errorf("%+v, %v", s, err)
	}
	cancel()
	<-ended
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("it still listens")
	}
}

// TestLoopNeverWaits: readers that ask all the time do not hold the loop up, and see no turn half written.
func TestLoopNeverWaits(t *testing.T) {
	b := board()
	server := httptest.NewServer(b.Handler())
	defer server.Close()
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for _, path := range []string{"/status", "/metrics", "/", "/readyz"} {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if r, err := http.Get(server.URL + path); err == nil {
					_, _ = io.Copy(io.Discard, r.Body)
					_ = r.Body.Close()
				}
			}
		})
	}
	o := leading()
	begun := time.Now()
	for i := range 2000 {
		o.Cluster.Members[0].Unhealthy = noon.Add(time.Duration(i)) // in place, as effects do: the race detector looks on
		b.turn(o, follows)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("2000 turns took %s while others read", took)
	}
	close(stop)
	readers.Wait()
}

func TestAskRefusesWhatIsNoStatus(t *testing.T) {
	for answer, want := range map[string]string{"<html>": "no status", `{"api":9}`: "version 1", `{}`: "version 1"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
		_, err := Ask(t.Context(), http.DefaultClient, strings.TrimPrefix(server.URL, "http://"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", answer, err)
		}
		server.Close()
	}
}

func BenchmarkGetStatus(bench *testing.B) {
	b := board()
	for range kept {
		b.turn(leading(), wonLeadership)
	}
	h := b.Handler()
	for _, path := range []string{"/status", "/metrics", "/", "/readyz"} {
		bench.Run(path, func(bench *testing.B) {
			for bench.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
			}
		})
	}
}

// TestStatusReadsBack: what is written is what a client reads.
func TestStatusReadsBack(t *testing.T) {
	b := board()
	want := b.Status(b.Latest())
	var got Status
	if err := json.Unmarshal(get(t, b.Handler(), "/status").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(got)
	first, _ := json.Marshal(want)
	if string(again) != string(first) {
		t.Errorf("got  %s\nwant %s", again, first)
	}
}
