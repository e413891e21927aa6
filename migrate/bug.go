package migrate

import (
	"fmt"
	"runtime/debug"
)

// Bug is a panic, brought home as an error. Go would end the process where it happened, with an
// exit code that scripts take for unusable flags, and with answers lost that other goroutines had
// just received.
type Bug struct {
	Value any    // of the panic
	Stack []byte // where it happened
}

func (b *Bug) Error() string { return fmt.Sprintf("a bug: %v", b.Value) }

// Guard calls f and returns its error, or a *Bug if f panicked. Every goroutine of ours begins with
// it or with a recover of its own. What f held at that moment is released by its deferred calls
// alone.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Bug{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
