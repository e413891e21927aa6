package source

import (
	"context"
	"io"
)

// interruptible makes reads of a terminal or pipe end with ctx. Nothing in Go interrupts a read
// that waits in the kernel, so its goroutine is the one that is left behind when ctx ends; it ends
// with the stream or the process, and touches nothing that anybody else still uses.
func interruptible(ctx context.Context, from io.Reader) io.Reader {
	r := &interruptReader{ctx: ctx, parts: make(chan part), free: make(chan []byte, 2)}
	for range cap(r.free) {
		r.free <- make([]byte, blockSize)
	}
	go r.pump(from)
	return r
}

type part struct {
	data []byte
	err  error
}

type interruptReader struct {
	ctx   context.Context
	parts chan part
	free  chan []byte
	now   part   // what is being handed out
	rest  []byte // of now.data
}

func (r *interruptReader) pump(from io.Reader) {
	for {
		select {
		case buffer := <-r.free:
			n, err := from.Read(buffer[:cap(buffer)])
			select {
			case r.parts <- part{buffer[:n], err}:
			case <-r.ctx.Done():
				return
			}
			if err != nil {
				return
			}
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *interruptReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.now.err != nil {
			return 0, r.now.err
		}
		if r.now.data != nil {
			r.free <- r.now.data
		}
		select {
		case r.now = <-r.parts:
			r.rest = r.now.data
		case <-r.ctx.Done():
			r.now = part{err: r.ctx.Err()}
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
