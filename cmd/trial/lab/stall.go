package lab

import (
	"sync/atomic"
	"time"
)

// Stalls measures how long this machine keeps a process waiting for a processor.
type Stalls struct{ longest atomic.Int64 }

// Watch measures until done is closed.
func (s *Stalls) Watch(done <-chan struct{}) {
	const nap = 2 * time.Millisecond
	tick := time.NewTimer(nap)
	for at := time.Now(); ; at = time.Now() {
		tick.Reset(nap)
		select {
		case <-tick.C:
		case <-done:
			return
		}
		if late := int64(time.Since(at) - nap); late > s.longest.Load() {
			s.longest.Store(late)
		}
	}
}

// Longest is the longest wait so far.
func (s *Stalls) Longest() time.Duration { return time.Duration(s.longest.Load()) }
