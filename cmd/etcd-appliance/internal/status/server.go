package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
	"golang.org/x/net/netutil"
)

// Handler serves the board. It reads the latest snapshot and touches nothing else of the daemon.
func (b *Board) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w)(b.Latest().Alive(b.Now()))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		s := b.Latest()
		if alive, why := s.Alive(b.Now()); !alive {
			answer(w)(alive, why)
			return
		}
		answer(w)(s.Ready())
	})
	mux.HandleFunc("GET /status", b.serveStatus)
	mux.HandleFunc("GET /{$}", b.servePage)
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.Registry(), promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return mux
}

// answer says ok, or 503 and why not.
func answer(w http.ResponseWriter) func(bool, string) {
	return func(ok bool, why string) {
		plain(w)
		if !ok {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(w, why)
			return
		}
		fmt.Fprintln(w, "ok")
	}
}

func plain(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

func (b *Board) serveStatus(w http.ResponseWriter, _ *http.Request) {
	s := b.Latest()
	if s == nil {
		answer(w)(s.Alive(b.Now()))
		return
	}
	text, err := json.MarshalIndent(b.Status(s), "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	plain(w)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n'))
}

const (
	// most is how many connections are served at a time, whoever makes them: memory and files are etcd's.
	most = 32
	// again is how long the daemon waits before it tries once more to listen on an address that it could not have.
	again = 10 * time.Second
)

// Serve serves the board at an address until ctx ends. An address that cannot be had stops nothing: the daemon says so, and tries again.
func (b *Board) Serve(ctx context.Context, address string, log zerolog.Logger) {
	serve(ctx, address, b.Handler(), log, again)
}

func serve(ctx context.Context, address string, handler http.Handler, log zerolog.Logger, pause time.Duration) {
	complained := false
	for {
		l, err := net.Listen("tcp", address)
		if err == nil {
			log.Info().Str("address", l.Addr().String()).Msg("serves its status")
			complained, err = false, serveOn(ctx, l, handler)
		}
		if ctx.Err() != nil {
			return
		}
		if !complained {
			complained = true
			log.Error().Err(err).Str("address", address).Msg("CANNOT SERVE ITS STATUS: no health, no metrics and no `etcd-appliance status` from this instance; " +
				"goes on without, and tries again. Free the address, or choose another with --status-address")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// serveOn returns when ctx ends, with nothing left open.
func serveOn(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(netutil.LimitListener(l, most)); !errors.Is(err, http.ErrServerClosed) {
		_ = server.Close()
		return err
	}
	return nil
}

// Ask reads the status of the daemon that serves it at an address.
func Ask(ctx context.Context, client *http.Client, address string) (Status, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/status", nil)
	if err != nil {
		return Status{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return Status{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4<<20))
	switch {
	case err != nil:
		return Status{}, err
	case response.StatusCode != http.StatusOK:
		return Status{}, fmt.Errorf("it answers %s: %.200q", response.Status, body)
	}
	var s Status
	if err := json.Unmarshal(body, &s); err != nil {
		return Status{}, fmt.Errorf("its answer is no status: %w", err)
	}
	if s.API != API {
		return Status{}, fmt.Errorf("its answer is no status of version %d", API)
	}
	return s, nil
}
