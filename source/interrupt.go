package source

import (
	"context"
	"io"
)

// interruptible makes reads of a terminal or pipe end with ctx. Nothing in Go interrupts a read
// that waits in the kernel, so its goroutine is the one that is left behind when ctx ends; it ends
// with the stream or the process, and touches nothing that anybody else still uses.
func interruptible(ctx context.Context, from io.Reader) io.Reader {
	out, in := io.Pipe()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.CopyBuffer(in, struct{ io.Reader }{from}, make([]byte, blockSize))
		in.CloseWithError(err)
	}()
	return out
}
