package simulator

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a simulated service. Its methods may be called from several goroutines.
type Server struct {
	config atomic.Pointer[Config] // never changed in place
	change sync.Mutex             // held while it is replaced

	traffic    traffic
	watch      *watch
	signatures signatures
	graph      graph
	tally      tally
	imported   imported

	closed  chan struct{}
	closing sync.Once
}

// imported is the set of accounts that came by an account import.
type imported struct {
	sync.RWMutex
	ids Set
}

// New makes a server. It starts nothing. In a bubble of virtual time it has to be called inside the
// bubble. It panics if c names an unknown kind of fault.
func New(c Config) *Server {
	s := &Server{
		closed: make(chan struct{}), imported: imported{ids: Set{}},
	}
	s.graph.compact, s.watch = c.Compact, newWatch()
	s.tally.sum = Stats{ // maps, so that they are {} in JSON and not null
		ByAPI: map[string]int64{}, ByFault: map[string]int64{},
		ByCode: map[int]int64{}, ByStatus: map[int]int64{}, ItemsByCode: map[int]int64{},
	}
	s.setConfig(c)
	return s
}

// setConfig fills in defaults and puts c in force.
func (s *Server) setConfig(c Config) {
	c.Identifier = cmp.Or(c.Identifier, "administrator")
	c.ThrottleCode = cmp.Or(c.ThrottleCode, 60007)
	c.MaxFriends = cmp.Or(c.MaxFriends, 3000)
	c.MaxGroups = cmp.Or(c.MaxGroups, 32)
	c.PageSize = cmp.Or(c.PageSize, 100)
	c.MaxBody = cmp.Or(c.MaxBody, 64<<20)
	c.Compact = s.graph.compact
	c.calls, c.items = c.Faults.rules()
	for _, o := range c.Outages {
		o.Fault.serves() // panics if there is no such kind
	}
	s.config.Store(&c)
}

// Reconfigure changes the configuration between two calls, but for Compact. change gets a copy, with
// defaults filled in; it replaces maps and slices rather than writing into them.
func (s *Server) Reconfigure(change func(*Config)) {
	s.change.Lock()
	defer s.change.Unlock()
	c := *s.config.Load()
	change(&c)
	s.setConfig(c)
}

// ServeHTTP serves the APIs, and below /_sim/ the server's own record.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.serveAdmin(w, r)
		return
	}
	s.serveCall(w, r)
}

// HTTP returns an http.Server with this handler and the hook that counts connections. It logs
// nothing about clients that misbehave.
func (s *Server) HTTP() *http.Server {
	h := &http.Server{
		Handler: s, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, new(atomic.Bool))
		},
	}
	h.RegisterOnShutdown(s.Close)
	return h
}

// Close lets every wait end at once: calls that the service is at work on are done and answered,
// stalled ones are reset. Otherwise a call whose client has gone takes its whole time.
// http.Server.Shutdown calls it where the server came from HTTP. Stats and Graph stay readable.
func (s *Server) Close() { s.closing.Do(func() { close(s.closed) }) }

// Start sets the moment that schedules count from, unless a call has set it already.
func (s *Server) Start() {
	s.traffic.Lock()
	defer s.traffic.Unlock()
	s.traffic.begin(time.Now())
}

// Graph yields every edge, account by account, in no particular order, until yield returns false.
// Calls may go on meanwhile. A compact graph yields nothing.
func (s *Server) Graph(yield func(from string, f Friend) bool) {
	names, _, _ := s.graph.names()
	for _, from := range names {
		for _, f := range s.graph.friends(from) {
			if !yield(from, f) {
				return
			}
		}
	}
}

// Put puts friends into from's list, without any check, and replaces those that are there.
func (s *Server) Put(from string, friends ...Friend) {
	l := s.graph.open(from)
	defer l.close()
	for _, f := range friends {
		l.put(f)
	}
}

// Remove takes to out of from's list and reports whether it was there.
func (s *Server) Remove(from, to string) bool {
	l := s.graph.open(from)
	defer l.close()
	return l.remove(to)
}

// Has reports whether to is in from's list.
func (s *Server) Has(from, to string) bool {
	l := s.graph.open(from)
	defer l.close()
	return l.has(to)
}

// Friends is the length of from's list.
func (s *Server) Friends(from string) int {
	l := s.graph.open(from)
	defer l.close()
	return l.n
}

// Listener wraps a listener, so that connections are reset as they come in while an outage says
// refuse.
func (s *Server) Listener(l net.Listener) net.Listener { return &listener{l, s} }

type listener struct {
	net.Listener
	server *Server
}

// Accept waits for the next connection that is not refused.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !l.server.refuses() {
			return c, nil
		}
		resetConn(c)
	}
}

// connectionKey is where a call finds whether its connection has carried a call before: a look at
// /_sim/stats does not make a connection count.
type connectionKey struct{}

// countConnection counts the connection of a call, once.
func (s *Server) countConnection(r *http.Request) {
	if counted, ours := r.Context().Value(connectionKey{}).(*atomic.Bool); ours && !counted.Swap(true) {
		s.tally.change(func(s *Stats) { s.Connections++ })
	}
}

// refuses reports whether connections are refused now, and counts one if they are. A refused
// connection can be the first sign of a client: it starts the clock.
func (s *Server) refuses() bool {
	c := s.config.Load()
	if !slices.ContainsFunc(c.Outages, func(o Outage) bool { return o.Fault.Kind == FaultRefuse }) {
		return false
	}
	s.Start()
	f := c.outage(s.traffic.now())
	if f == nil || f.Kind != FaultRefuse {
		return false
	}
	s.tally.change(func(s *Stats) { s.ConnectionsRefused++ })
	return true
}

// resetConn closes a connection, with a reset where the transport knows one.
func resetConn(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0) //nolint:errcheck // a connection that is gone already is as good as reset
	}
	c.Close()
}

// Serve serves on l until stop is called. stop lets calls in flight end until its ctx ends, and
// returns what went wrong with serving.
func (s *Server) Serve(l net.Listener) (stop func(context.Context) error) {
	server := s.HTTP()
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.Listener(l)) }()
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // stalled on purpose, perhaps
		}
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}
}
