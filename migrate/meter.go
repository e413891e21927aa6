package migrate

import (
	"sync"
	"time"
)

// Meter is the run's own count of what it did, to be read while it goes on. The zero Meter is
// ready.
type Meter struct {
	mu  sync.Mutex
	now Snapshot
}

// Snapshot is what a Meter shows at one moment. Edges and calls are of this run alone.
type Snapshot struct {
	Imported, Already, AlreadyUncertain, Failed int64 // edges settled
	Calls                                       int64 // calls of the Caller that were sent
	Retried                                     int64 // of those, calls for edges that had been sent before
	Uncertain                                   int64 // calls without a usable answer
	Throttled                                   int64
	Halved                                      int64
	Rosters                                     int64 // rosters done
	Working                                     int   // workers that have an order, if only to wait for the pace
	Parked                                      int   // rosters that wait out a backoff
	Holding                                     bool  // nothing gets through: one probe at a time
	HoldSince                                   time.Time
	HoldReason                                  string
	NextProbe                                   time.Time // of a hold; while it is under way, when it left
	Holds                                       int64
}

// Settled counts the edges that this run has settled.
func (s Snapshot) Settled() int64 { return s.Imported + s.Already + s.Failed }

// Snapshot reads the meter.
func (m *Meter) Snapshot() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *Meter) update(f func(*Snapshot)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.now)
}
