package answers

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipes is a listener whose connections are pipes in memory. Unlike net.Pipe they hold what was
// written, as a socket does: half as many switches between goroutines, which is most of what a call
// costs in virtual time, and TLS can say goodbye to a peer that doesn't read.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// pipe makes a connection.
func pipe() (net.Conn, net.Conn) {
	a, b := newFlow(), newFlow()
	return &pipeConn{in: a, out: b}, &pipeConn{in: b, out: a}
}

// flow is one direction of a connection.
type flow struct {
	mu       sync.Mutex
	change   sync.Cond
	buf      []byte
	from     int  // what of buf was read
	ended    bool // nothing more is written
	gone     bool // nobody reads any more
	deadline [2]deadline
}

// The deadlines of a flow, by who waits.
const (
	reading = iota
	writing
)

type deadline struct {
	at    time.Time
	timer *time.Timer
}

// window is how much may be on its way.
const window = 256 << 10

func newFlow() *flow {
	f := &flow{}
	f.change.L = &f.mu
	return f
}

func (f *flow) late(who int) bool {
	at := f.deadline[who].at
	return !at.IsZero() && !time.Now().Before(at)
}

func (f *flow) read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.gone:
			return 0, io.ErrClosedPipe
		case f.late(reading):
			return 0, os.ErrDeadlineExceeded
		case f.from < len(f.buf):
			n := copy(b, f.buf[f.from:])
			if f.from += n; f.from == len(f.buf) {
				f.buf, f.from = f.buf[:0], 0
			}
			f.change.Broadcast()
			return n, nil
		case f.ended:
			return 0, io.EOF
		}
		f.change.Wait()
	}
}

func (f *flow) write(b []byte) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch room := window - len(f.buf); {
		case f.ended:
			return n, io.ErrClosedPipe
		case f.gone:
			return n, syscall.EPIPE
		case f.late(writing):
			return n, os.ErrDeadlineExceeded
		case room > 0:
			part := b[n:min(len(b), n+room)]
			f.buf = append(f.buf, part...)
			f.change.Broadcast()
			if n += len(part); n == len(b) {
				return n, nil
			}
		}
		f.change.Wait()
	}
}

// set changes a flow and wakes who waits for it.
func (f *flow) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	f.change.Broadcast()
}

func (f *flow) setDeadline(who int, at time.Time) {
	f.set(func() {
		d := &f.deadline[who]
		if d.timer != nil {
			d.timer.Stop()
		}
		*d = deadline{at: at}
		if wait := time.Until(at); !at.IsZero() && wait > 0 {
			d.timer = time.AfterFunc(wait, func() { f.set(func() {}) })
		}
	})
}

// pipeConn is one end of a connection.
type pipeConn struct{ in, out *flow }

func (c *pipeConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *pipeConn) Write(b []byte) (int, error) { return c.out.write(b) }

func (c *pipeConn) Close() error {
	c.in.set(func() { c.in.gone, c.in.buf, c.in.from = true, nil, 0 })
	c.out.set(func() { c.out.ended = true })
	return nil
}

func (c *pipeConn) LocalAddr() net.Addr  { return (*pipes)(nil).Addr() }
func (c *pipeConn) RemoteAddr() net.Addr { return (*pipes)(nil).Addr() }

func (c *pipeConn) SetDeadline(at time.Time) error {
	c.in.setDeadline(reading, at)
	c.out.setDeadline(writing, at)
	return nil
}

func (c *pipeConn) SetReadDeadline(at time.Time) error {
	c.in.setDeadline(reading, at)
	return nil
}

func (c *pipeConn) SetWriteDeadline(at time.Time) error {
	c.out.setDeadline(writing, at)
	return nil
}
