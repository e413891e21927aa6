package simulator

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
)

// Listener wraps a listener, so that connections are counted, and reset as they come in while an
// outage says refuse.
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
			return &connection{Conn: c, server: l.server}, nil
		}
		resetConn(c)
	}
}

// connection is a connection that counts once it has carried a call: a look at /_sim/stats does
// not count.
type connection struct {
	net.Conn
	server *Server
	counts atomic.Bool
}

// connectionKey is where a call finds its connection.
type connectionKey struct{}

// carry notes that a connection carries a call.
func (s *Server) carry(r *http.Request) {
	c, ours := r.Context().Value(connectionKey{}).(*connection)
	if ours && !c.counts.Swap(true) {
		s.tally.change(func(s *Stats) {
			s.Connections++
			s.ConnectionsOpen++
			s.ConnectionsMax = max(s.ConnectionsMax, s.ConnectionsOpen)
		})
	}
}

// Close closes the connection.
func (c *connection) Close() error {
	if c.counts.Swap(false) {
		c.server.tally.change(func(s *Stats) { s.ConnectionsOpen-- })
	}
	return c.Conn.Close()
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
	if ours, ok := c.(*connection); ok {
		defer ours.Close()
		c = ours.Conn
	}
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
