package progress

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Dashboard is a dashboard for Grafana over these metrics.
//
//go:embed dashboard.json
var Dashboard []byte

// Limits of the server, whose connections share the file descriptors with the job.
const (
	mostConnections = 32
	mostScrapes     = 4
	readTimeout     = 10 * time.Second
	closeTimeout    = time.Second
)

// Server serves a view over HTTP.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen serves on an address, HOST:PORT, until Close.
func Listen(address string, s *View) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve on --listen %s: %w", address, err)
	}
	server := &Server{listener, &http.Server{
		Handler: handler(s), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: readTimeout,
		WriteTimeout: 30 * time.Second, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0),
	}}
	go func() { _ = server.http.Serve(netutil.LimitListener(listener, mostConnections)) }() // until Close
	return server, nil
}

// Addr returns the address on which it listens, with the port that was chosen if a free one was
// asked for.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close stops serving. It waits for open requests for a second at most.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close()
	}
}

// handler returns the handler of all paths. It accepts GET and HEAD.
func handler(s *View) http.Handler {
	runtime := prometheus.NewRegistry()
	runtime.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherers{s.metrics.registry, runtime},
		promhttp.HandlerOpts{MaxRequestsInFlight: mostScrapes, Timeout: readTimeout}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeProbe(w, s.Health(time.Now())) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { writeProbe(w, s.Ready()) })
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = s.Snapshot().WriteJSON(w) // an error means that the client has gone
	})
	mux.HandleFunc("GET /dashboard.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(Dashboard)
	})
	return mux
}

// writeProbe answers a probe: 200, or 503 with what is wrong.
func writeProbe(w http.ResponseWriter, problem string) {
	if problem != "" {
		http.Error(w, problem, http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}
