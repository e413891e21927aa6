package simulator

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a simulated service. Its methods may be called from several goroutines.
type Server struct {
	config atomic.Pointer[Config] // never changed in place
	change sync.Mutex             // held while it is replaced

	traffic     traffic
	watch       watch
	signatures  signatures
	graph       graph
	tally       tally
	connections connections
	imported    imported

	closed  chan struct{}
	closing sync.Once

	requests sync.Pool // *request
	buffers  sync.Pool // *bytes.Buffer
	bomb     func() []byte
}

// imported is the set of accounts that came by an account import.
type imported struct {
	sync.RWMutex
	ids Set
}

// New makes a server. It starts nothing. In a bubble of virtual time it has to be called inside the
// bubble. It panics if c names a kind of fault that is none.
func New(c Config) *Server {
	s := &Server{bomb: sync.OnceValue(bomb), closed: make(chan struct{})}
	s.graph.compact = c.Compact
	s.requests.New = func() any { return new(request) }
	s.buffers.New = func() any { return new(bytes.Buffer) }
	s.setConfig(c)
	return s
}

// setConfig fills in defaults and puts c in force.
func (s *Server) setConfig(c Config) {
	if c.Identifier == "" {
		c.Identifier = "administrator"
	}
	c.AdminCode = defaultTo(c.AdminCode, 60010)
	c.ThrottleCode = defaultTo(c.ThrottleCode, 60007)
	c.MaxFriends = defaultTo(c.MaxFriends, 3000)
	c.MaxGroups = defaultTo(c.MaxGroups, 32)
	c.PageSize = defaultTo(c.PageSize, 100)
	c.HotCode = defaultTo(c.HotCode, 30008)
	c.PoisonCode = defaultTo(c.PoisonCode, 30001)
	c.MaxBody = defaultTo(c.MaxBody, 64<<20)
	c.DripFor = defaultTo(c.DripFor, 2*time.Second)
	c.SpikeFor = defaultTo(c.SpikeFor, 5*time.Second)
	c.Compact = s.graph.compact
	c.shares = c.Faults.shareTable()
	for _, f := range c.shares {
		f.serves() // panics if there is no such kind
	}
	for _, o := range c.Outages {
		o.Fault.serves()
	}
	s.config.Store(&c)
}

func defaultTo[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Reconfigure changes the configuration between two calls. change gets a copy, with defaults filled
// in; it replaces maps and slices rather than writing into them. Compact can't be changed.
func (s *Server) Reconfigure(change func(*Config)) {
	s.change.Lock()
	defer s.change.Unlock()
	c := *s.config.Load()
	change(&c)
	s.setConfig(c)
}

// ServeHTTP serves the APIs, and below /_sim/ the server's own account.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_sim/") {
		s.serveAccount(w, r)
		return
	}
	s.serveCall(w, r)
}

// HTTP returns an http.Server with this handler and the hooks that count connections, silent about
// clients that misbehave.
func (s *Server) HTTP() *http.Server {
	h := &http.Server{
		Handler:           s,
		ConnState:         s.ConnState,
		ConnContext:       s.ConnContext,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	h.RegisterOnShutdown(s.Close)
	return h
}

// Close lets every wait end at once: calls that the service is at work on are done and answered,
// stalled ones are reset. Otherwise a call whose client has gone takes its whole time.
// http.Server.Shutdown calls it where the server came from HTTP. The account stays readable.
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
	for _, from := range s.graph.names() {
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
	for i := range friends {
		l.put(&friends[i])
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
	return l.len()
}

// exists reports whether an account was imported.
func (s *Server) exists(c *Config, id string) bool {
	if c.Accounts == nil && c.Missing == nil && c.MissingShare == 0 {
		return true
	}
	s.imported.RLock()
	came := s.imported.ids.Has(id)
	s.imported.RUnlock()
	switch {
	case came:
		return true
	case c.Missing.Has(id), c.Accounts != nil && !c.Accounts(id):
		return false
	}
	return c.MissingShare == 0 || draw(c.Seed, drawMissing, accountHash(id), 0) >= c.MissingShare
}

// admit imports an account, unless the app has as many as it may have (0: no limit).
func (s *Server) admit(id string, most int) bool {
	s.imported.Lock()
	defer s.imported.Unlock()
	if s.imported.ids == nil {
		s.imported.ids = Set{}
	}
	if most > 0 && len(s.imported.ids) >= most {
		return false
	}
	s.imported.ids[strings.Clone(id)] = struct{}{}
	return true
}
