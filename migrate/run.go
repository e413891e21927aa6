package migrate

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Run sends the unsettled edges of the plan. It returns when that is done or can't go on, after
// everything that it started has ended. A nil error means that every edge of the plan is settled. A
// *StopError means that the run can be resumed. Any other error comes from the plan, from
// Roster.Load or from Journal.Settle, or is a *Bug.
//
// When ctx ends, no more calls are started. Calls that were sent are waited for and settled.
func Run(
	ctx context.Context, plan iter.Seq2[Roster, error], call Caller, journal Journal, opt Options,
) (Snapshot, error) {
	if opt.EdgeBytes == nil {
		opt.EdgeBytes = func(*Edge) int { return 0 }
	}
	if opt.Meter == nil {
		opt.Meter = new(Meter)
	}
	if opt.Rand == nil {
		opt.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.Since.IsZero() {
		opt.Since = time.Now()
	}
	pull, stop := iter.Pull2(guarded(plan))
	defer stop()
	d := &dispatcher{
		opt: opt, pull: pull, tasks: make(chan task), results: make(chan result), begun: opt.Since, rand: opt.Rand,
		brake: brake{limits: opt.Limits},
	}
	d.ctx, d.cancel = context.WithCancel(ctx)
	defer d.cancel()
	d.gate, d.shut = context.WithCancel(d.ctx)
	defer func() { d.shut() }()

	x := &worker{call: call, journal: journal, opt: opt}
	var group errgroup.Group
	for range opt.Workers {
		group.Go(func() error {
			for t := range d.tasks {
				d.results <- x.perform(t)
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(d.tasks)
		err := Guard(d.loop)
		d.drain()
		return err
	})
	err := group.Wait()
	opt.Meter.update(func(s *Snapshot) { s.Working = 0 })
	return opt.Meter.Snapshot(), err
}

// guarded returns the plan, with a panic in it as its last error. iter.Pull2 would pass the panic
// on without its stack.
func guarded(plan iter.Seq2[Roster, error]) iter.Seq2[Roster, error] {
	return func(yield func(Roster, error) bool) {
		more := true
		err := Guard(func() error {
			plan(func(r Roster, err error) bool {
				more = yield(r, err)
				return more
			})
			return nil
		})
		if err != nil && more {
			yield(Roster{}, err)
		}
	}
}

// Bug is a panic as an error. Go itself would end the process at the panic, with an exit code that
// scripts take for unusable flags, and answers would be lost that other goroutines had just
// received.
type Bug struct {
	Value any    // the value of the panic
	Stack []byte // where it happened
}

func (b *Bug) Error() string { return fmt.Sprintf("a bug: %v", b.Value) }

// Guard calls f and returns its error, or a *Bug if f panicked. The goroutines that do the work of
// a job run under Guard, because a panic would end the process before the other goroutines have
// recorded their answers. Only deferred calls release what f held when it panicked.
func Guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &Bug{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// Journal is the job's memory of what is settled.
type Journal interface {
	// Unsettled returns the edges of a chunk of n that are not settled. maybeSent reports whether
	// an earlier run may have sent some of them without seeing the answer. It reads no file. It is
	// safe for concurrent use.
	Unsettled(ordinal int64, n int) (open EdgeSet, maybeSent bool)

	// Announce records that edges of a chunk may be sent, before a call with them is made, and
	// returns once that is durable. After an error the call must not be made. It is safe for
	// concurrent use.
	Announce(ordinal int64) error

	// Settle records final outcomes of edges of one chunk and returns once they are durable. It is
	// safe for concurrent use. The first error of a write is final: every later call returns it
	// and records nothing.
	Settle(ctx context.Context, s Settlement) error
}

// Settlement is the final outcome of some edges of one chunk. No edge is settled twice unless it
// was reopened in between.
type Settlement struct {
	Chunk   Chunk
	Settled []Settled
}

// Settled is the final outcome of one edge: Imported, Already or Failed.
type Settled struct {
	Index    int // in Chunk.Edges
	Outcome  Outcome
	Attempts int // in this run and since its last hold, at least 1; a halved or throttled call does not count
}

// Meter counts what a run does. It can be read while the run goes on. The zero Meter is ready to
// use.
type Meter struct {
	mu  sync.Mutex
	now Snapshot
}

// Snapshot is what a Meter shows at one moment. It counts edges and calls of this run only.
type Snapshot struct {
	Imported, Already, AlreadyUncertain, Failed int64 // edges settled
	Calls                                       int64 // calls of the Caller that were sent
	Retried                                     int64 // of those, calls for edges that had been sent before
	Uncertain                                   int64 // calls without a usable answer
	Throttled                                   int64
	Halved                                      int64
	Rosters                                     int64 // rosters done
	Working                                     int   // workers that have a task, even one that only waits for the pace
	Parked                                      int   // rosters that wait out a backoff, or to be halved
	Halving                                     int   // of those, rosters that wait to be halved
	Stopping                                    bool  // no more calls are started
	Holding                                     bool  // a hold: only probes are sent, one at a time
	HoldSince                                   time.Time
	HoldReason                                  string
	NextProbe                                   time.Time // of a hold; while a probe is under way, when it left
	Holds                                       int64
}

// Settled returns how many edges this run has settled.
func (s Snapshot) Settled() int64 { return s.Imported + s.Already + s.Failed }

// Snapshot returns the counts so far.
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
