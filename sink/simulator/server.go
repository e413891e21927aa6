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

// Server is a simulated service. Its methods are safe for concurrent use.
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

// imported is the set of accounts that an account import created.
type imported struct {
	sync.RWMutex
	ids Set
}

// New returns a server. It starts nothing. With virtual time (testing/synctest), call it inside the
// bubble. It panics if c names an unknown kind of fault.
func New(c Config) *Server {
	s := &Server{
		closed: make(chan struct{}), imported: imported{ids: Set{}},
	}
	s.graph.compact, s.watch = c.Compact, newWatch()
	s.tally.sum = Stats{ // maps are {} in JSON, not null
		ByAPI: map[string]int64{}, ByFault: map[string]int64{},
		ByCode: map[int]int64{}, ByStatus: map[int]int64{}, ItemsByCode: map[int]int64{},
	}
	s.setConfig(c)
	return s
}

// setConfig fills in the defaults and makes c the configuration.
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
		o.Fault.serves() // panics if the kind does not exist
	}
	s.config.Store(&c)
}

// Reconfigure changes the configuration between two calls. It cannot change Compact. change gets a
// copy with defaults filled in, and must replace maps and slices rather than write into them.
func (s *Server) Reconfigure(change func(*Config)) {
	s.change.Lock()
	defer s.change.Unlock()
	c := *s.config.Load()
	change(&c)
	s.setConfig(c)
}

// ServeHTTP serves the APIs, and the server's own record under /_sim/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.serveAdmin(w, r)
		return
	}
	s.serveCall(w, r)
}

// HTTP returns an http.Server with this handler and the hook that counts connections. It logs no
// errors of clients.
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

// Close ends every wait at once: calls on which the service works are done and answered, and
// stalled ones are reset. Otherwise a call whose client has disconnected still takes its whole
// time. http.Server.Shutdown calls it for a server that HTTP returned. Stats and Graph can still be
// read.
func (s *Server) Close() { s.closing.Do(func() { close(s.closed) }) }

// Start sets the time from which schedules count, unless a call has set it already.
func (s *Server) Start() {
	s.traffic.Lock()
	defer s.traffic.Unlock()
	s.traffic.begin(time.Now())
}

// Graph yields every edge, account by account, in no particular order, until yield returns false.
// Calls may continue meanwhile. A compact graph yields nothing.
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

// Put adds friends to from's list without any check, and replaces existing ones.
func (s *Server) Put(from string, friends ...Friend) {
	l := s.graph.open(from)
	defer l.close()
	for _, f := range friends {
		l.put(f)
	}
}

// Remove removes to from from's list and reports whether it was there.
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

// Listener wraps a listener. During an outage with FaultRefuse it resets new connections.
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

// connectionKey is the context key of the flag that says whether the connection has carried a call.
// A request to /_sim/stats does not make a connection count.
type connectionKey struct{}

// countConnection counts the connection of a call, once.
func (s *Server) countConnection(r *http.Request) {
	if counted, ours := r.Context().Value(connectionKey{}).(*atomic.Bool); ours && !counted.Swap(true) {
		s.tally.change(func(s *Stats) { s.Connections++ })
	}
}

// refuses reports whether connections are refused now, and counts one if they are. It also sets the
// start, because a refused connection can be the first sign of a client.
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

// resetConn closes a connection, with a reset if the transport supports it.
func resetConn(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0) //nolint:errcheck // a closed connection is as good as reset
	}
	c.Close()
}

// Serve serves on l until stop is called. stop waits for calls in flight until its ctx ends, and
// returns the error of serving.
func (s *Server) Serve(l net.Listener) (stop func(context.Context) error) {
	server := s.HTTP()
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.Listener(l)) }()
	return func(ctx context.Context) error {
		err := server.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // calls may stall on purpose
		}
		if end := <-served; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
		return err
	}
}
