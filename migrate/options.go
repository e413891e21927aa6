package migrate

import (
	"context"
	"math/rand/v2"
	"time"
)

// Options of a run. Workers, CallBytes and EdgeBytes are required.
type Options struct {
	Workers   int             // rosters in work at once, so calls in flight at most
	CallBytes int             // JSON of one call at most, in bytes; a single edge is sent even if it is larger
	EdgeBytes func(*Edge) int // JSON that an edge takes in a call, in bytes
	Envelope  int             // JSON that a call takes beside its edges, in bytes
	Memory    int64           // bytes of loaded chunks at most, 0: no limit; one chunk may always be loaded

	Retry         RetryPolicy
	OutageTimeout time.Duration // hold so long while nothing gets through, then stop
	MaxDuration   time.Duration // stop starting calls after so long, 0: never

	MaxFailures     int64   // stop when more edges than this have failed in this run, negative: never
	MaxFailureRatio float64 // stop when more than this share of the edges settled in this run has failed, negative: never

	// Probe asks the service for something harmless; nil means that it answered. It decides whether there is an outage when fewer than three
	// accounts are left to tell. Without it, an account that fails alone is never taken for an outage.
	Probe func(ctx context.Context) error

	Meter *Meter      // to be read while the run goes on; may be nil
	Event func(Event) // told what happens, from one goroutine; may be nil
	Rand  *rand.Rand  // jitter; nil: seeded at random
}

// Event is something that happened to the run, for the log. Accounts are not in it: they are personal data.
type Event struct {
	Name string // stable: hold, hold-end, retry, give-up, halve, account-refused
	Code int    // of the service, where there is one
	Text string
	N    int // edges concerned
}

// Reason says why a run stopped before its plan was done.
type Reason string

// The reasons to stop.
const (
	ReasonSignal     Reason = "signal"     // the context ended
	ReasonDuration   Reason = "duration"   // Options.MaxDuration
	ReasonOutage     Reason = "outage"     // nothing got through for Options.OutageTimeout
	ReasonUnanswered Reason = "unanswered" // the plan was gone through, but some edges never got an answer and stay pending
	ReasonThreshold  Reason = "threshold"  // Options.MaxFailures or MaxFailureRatio
	ReasonSystematic Reason = "systematic" // chunk after chunk is refused edge by edge
	ReasonRefused    Reason = "refused"    // credentials, admin right, app, quota or region
)

// StopError ends a run that can be resumed. Everything that was answered is settled.
type StopError struct {
	Reason Reason
	Code   int    // of the service, where there is one
	Info   string // what was seen
	Hint   string // what to check, where the service's answer says so
}

func (e *StopError) Error() string { return "stopped (" + string(e.Reason) + "): " + e.Info }
