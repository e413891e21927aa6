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
	Since         time.Time     // when MaxDuration began; zero: with Run

	// Clock tells the time by which backoffs and outages are measured. It stands still while the
	// caller lets no call leave on purpose, so that a pause is no outage. nil: time.Now.
	Clock func() time.Time

	Limits *Limits // stop where failures look systematic; nil: only where every edge is refused

	// Probe asks the service for something harmless; nil means that it answered. It decides whether
	// there is an outage when fewer than three accounts are left to tell. Without it, an account
	// that fails alone is never taken for an outage.
	Probe func(ctx context.Context) error

	Meter *Meter      // to be read while the run goes on; may be nil
	Event func(Event) // told what happens, from one goroutine; may be nil
	Rand  *rand.Rand  // jitter; nil: seeded at random
}

// Limits say when the failures of a run look systematic.
type Limits struct {
	Failures   int64 // stop when more edges than this have failed in this run, negative: never
	ExtraCalls int64 // stop when halving has cost more calls than this, negative: never

	// FailureRatio stops a run when this share of the edges that it settled has failed, and a run
	// whose first calls land nothing. 0 or less: neither.
	FailureRatio float64
}

// Event is something that happened to the run, for the log. Accounts are not in it: they are
// personal data.
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
	ReasonSignal    Reason = "signal"    // the context ended
	ReasonDuration  Reason = "duration"  // Options.MaxDuration
	ReasonOutage    Reason = "outage"    // nothing got through for Options.OutageTimeout
	ReasonThrottled Reason = "throttled" // every call was refused for exceeding the rate, for as long
	ReasonSilent    Reason = "silent"    // the run never had an answer
	// the plan was gone through, but some edges never got an answer and stay pending
	ReasonUnanswered Reason = "unanswered"
	ReasonThreshold  Reason = "threshold"  // one of Options.Limits
	ReasonSystematic Reason = "systematic" // nothing lands from the start, or chunk after chunk is refused
	ReasonRefused    Reason = "refused"    // credentials, admin right, app, quota or region
)

// StopError ends a run that can be resumed. Everything that was answered is settled.
type StopError struct {
	Reason Reason
	Code   int    // of the service, where there is one
	Info   string // what was seen; Brake says more where there is one
	Hint   string // what to check, where the service's answer says so
	Brake  *Brake // of ReasonThreshold and ReasonSystematic
}

func (e *StopError) Error() string { return "stopped (" + string(e.Reason) + "): " + e.Info }

// Brake is what made failures look systematic. StopError.Code is the code of most of what it
// counted.
type Brake struct {
	Kind   BrakeKind
	Count  int64    // calls (BrakeNothing, BrakeExtra), chunks (BrakeHalved, BrakeField) or failed edges
	Of     int64    // edges settled in this run (BrakeRatio)
	Limit  float64  // of Limits (BrakeExtra, BrakeFailures, BrakeRatio)
	Text   string   // the service's own text for the code; it may name accounts
	All    bool     // every refusal had that code
	Bytes  int      // JSON of the smallest call of several edges that was refused for one of them
	Fields []string // optional fields that the refused edges have and no edge that landed has
	Landed bool     // some edge has landed in this run
}

// BrakeKind says which brake it was.
type BrakeKind string

// The brakes.
const (
	BrakeNothing  BrakeKind = "nothing landed from the start"
	BrakeHalved   BrakeKind = "chunks refused edge by edge"
	BrakeField    BrakeKind = "refused edges share a field"
	BrakeExtra    BrakeKind = "halving costs too much"
	BrakeFailures BrakeKind = "too many failures"
	BrakeRatio    BrakeKind = "too large a share of failures"
)
