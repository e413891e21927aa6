package simulator

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// connections counts the connections that carried a call, so that a look at /_sim/stats from beside
// does not count.
type connections struct {
	sync.Mutex
	known           map[net.Conn]*connection
	strangers       Set // remote addresses, where the hooks are not set
	opened, refused int64
	now, most       int
}

// connection is one connection; it counts once it has carried a call.
type connection struct{ counts bool }

type connectionKey struct{}

// ConnContext lets calls know their connection; set it in the http.Server that serves this handler,
// together with ConnState.
func (s *Server) ConnContext(ctx context.Context, c net.Conn) context.Context {
	s.connections.Lock()
	defer s.connections.Unlock()
	if s.connections.known == nil {
		s.connections.known = map[net.Conn]*connection{}
	}
	k := &connection{}
	s.connections.known[c] = k
	return context.WithValue(ctx, connectionKey{}, k)
}

// ConnState notices the end of connections; set it in the http.Server that serves this handler,
// together with ConnContext.
func (s *Server) ConnState(c net.Conn, state http.ConnState) {
	if state != http.StateClosed && state != http.StateHijacked {
		return
	}
	s.connections.Lock()
	defer s.connections.Unlock()
	if k := s.connections.known[c]; k != nil {
		if delete(s.connections.known, c); k.counts {
			s.connections.now--
		}
	}
}

// carry notes that a connection carries a call. Without the hooks connections are told apart by
// their remote address and never end.
func (s *Server) carry(r *http.Request) {
	k, hooked := r.Context().Value(connectionKey{}).(*connection)
	t := &s.connections
	t.Lock()
	defer t.Unlock()
	if hooked {
		if k.counts {
			return
		}
		k.counts = true
	} else {
		if t.strangers.Has(r.RemoteAddr) {
			return
		}
		if t.strangers == nil {
			t.strangers = Set{}
		}
		t.strangers[r.RemoteAddr] = struct{}{}
	}
	t.opened++
	t.now++
	t.most = max(t.most, t.now)
}

// Listener wraps a listener so that connections are reset as they come in while an outage says
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

// refuses reports whether connections are refused now, and counts one if they are. A refused
// connection can be the first sign of a client: it starts the clock.
func (s *Server) refuses() bool {
	c := s.config.Load()
	any := false
	for _, o := range c.Outages {
		any = any || o.Fault.Kind == FaultRefuse
	}
	if !any {
		return false
	}
	s.Start()
	f := c.outage(s.traffic.now())
	if f == nil || f.Kind != FaultRefuse {
		return false
	}
	s.connections.Lock()
	defer s.connections.Unlock()
	s.connections.refused++
	return true
}

// resetConn closes a connection with a reset where the transport knows one.
func resetConn(c net.Conn) {
	inner := c
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		inner = t.NetConn()
	}
	if t, ok := inner.(*net.TCPConn); ok {
		t.SetLinger(0) //nolint:errcheck // a connection that is gone already is as good as reset
	}
	inner.Close()
}
