package disk

import "context"

// Wait returns what f returns, or the cause of ctx if that ends first. Opening or reading a named
// pipe waits in the kernel for somebody who writes, and nothing in Go interrupts that: f is then
// left behind until the process ends, so it must touch nothing that anybody else uses.
func Wait[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
