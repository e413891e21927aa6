package source

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// standstillAfter is how long nothing may be read before it is said what reading waits for.
const standstillAfter = time.Minute

// standing is where reading stands. The reader writes to it, and others look on.
type standing struct {
	bytes, rows atomic.Int64
	waits       atomic.Pointer[string] // what for
}

// waitsFor notes what the next step waits for.
func (s *standing) waitsFor(what string) { s.waits.Store(&what) }

// watch calls tell when nothing was read for a minute, once until something is read again. stop
// ends the goroutine in which it does so.
func (s *standing) watch(tell func(message string)) (stop func()) {
	if tell == nil {
		return func() {}
	}
	quit := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		tick := time.NewTicker(standstillAfter / 12)
		defer tick.Stop()
		last, since, told := s.bytes.Load()+s.rows.Load(), time.Now(), false
		for {
			select {
			case <-quit:
				return
			case now := <-tick.C:
				if sum := s.bytes.Load() + s.rows.Load(); sum != last {
					last, since, told = sum, now, false
				}
				if what := s.waits.Load(); !told && what != nil && now.Sub(since) >= standstillAfter {
					told = true
					tell(fmt.Sprintf("nothing was read for %d s: waiting for %s", int(standstillAfter.Seconds()),
						*what))
				}
			}
		}
	})
	return func() {
		close(quit)
		ended.Wait()
	}
}
