package migrate

import (
	"context"
	"math/rand/v2"
	"time"
)

// Options of a run. Workers is required.
type Options struct {
	Workers   int             // rosters at work at the same time, and so the most calls in flight
	EdgeBytes func(*Edge) int // returns the JSON bytes of an edge in a call; nil: any chunk fits into one
	Room      int             // JSON bytes that one call has for its edges; a single edge is sent even if it takes more
	Memory    int64           // most bytes of loaded chunks, 0: no limit; one chunk may always be loaded

	Retry         RetryPolicy
	OutageTimeout time.Duration // how long to hold while nothing gets through, before the run stops
	MaxDuration   time.Duration // how long to start calls, 0: without a limit
	Since         time.Time     // when MaxDuration began; zero: when Run is called

	// Clock returns the time that backoffs and outages are measured by. It stands still while the
	// caller holds calls back on purpose, so that a pause is not taken for an outage. nil:
	// time.Now.
	Clock func() time.Time

	Limits *Limits // when failures look systematic; nil: stop only if chunk after chunk is halved to the end

	// AskService makes a harmless call; a nil error means that the service answered. It decides
	// whether there is an outage when fewer than three accounts are left. Without it, an account
	// that fails alone is never taken for an outage.
	AskService func(ctx context.Context) error

	// AnsweredChecks returns how many calls the service has answered that only ask, before the
	// Caller sends edges. They are no progress, but they show that the service answers. nil: there
	// are none.
	AnsweredChecks func() int64

	Meter *Meter      // to be read during the run; may be nil
	Event func(Event) // called from one goroutine with what happens; may be nil
	Rand  *rand.Rand  // for jitter; nil: seeded at random
}

// Limits say when the failures of a run look systematic.
type Limits struct {
	Failures   int64 // stop when more edges than this have failed in this run; negative: never
	ExtraCalls int64 // stop when halving has cost more calls than this; negative: never

	// FailureRatio is the share of failed edges, of those that the run settled, at which it stops.
	// If it is set, a run whose first calls land nothing stops too. 0 or less: neither.
	FailureRatio float64
}

// Event is something that happened in the run, for the log. It names no accounts, since they are
// personal data.
type Event struct {
	Name string // stable: hold, hold-end, retry, give-up, halve, account-refused
	Code int    // of the service, where there is one
	Text string
	N    int // edges that it is about
}

// Reason says why a run stopped before its plan was done.
type Reason string

// The reasons to stop.
const (
	ReasonSignal    Reason = "signal"    // the context ended
	ReasonDuration  Reason = "duration"  // Options.MaxDuration
	ReasonOutage    Reason = "outage"    // nothing got through for Options.OutageTimeout
	ReasonThrottled Reason = "throttled" // every call was refused for exceeding the rate, for Options.OutageTimeout
	ReasonSilent    Reason = "silent"    // the run never had an answer
	// the whole plan was sent, but some edges never got an answer and stay pending
	ReasonUnanswered Reason = "unanswered"
	ReasonThreshold  Reason = "threshold"  // one of Options.Limits
	ReasonSystematic Reason = "systematic" // nothing lands from the start, or chunk after chunk is refused
	ReasonRefused    Reason = "refused"    // credentials, admin right, app, quota or region
)

// StopError is the error of a run that can be resumed. Everything that was answered is settled.
type StopError struct {
	Reason Reason
	Code   int    // of the service, where there is one
	Info   string // what was seen; Brake says more if it is set
	Hint   string // what to check, if the answer of the service says so
	Brake  *Brake // of ReasonThreshold and ReasonSystematic
}

func (e *StopError) Error() string { return "stopped (" + string(e.Reason) + "): " + e.Info }

// Brake says what made failures look systematic. StopError.Code is the most frequent code of what
// it counted.
type Brake struct {
	Kind   BrakeKind
	Count  int64    // calls (BrakeNothing, BrakeExtra), chunks (BrakeHalved, BrakeField) or failed edges
	Of     int64    // edges settled in this run (BrakeRatio)
	Limit  float64  // the limit that was reached (BrakeExtra, BrakeFailures, BrakeRatio)
	Text   string   // the service's own text for the code; it may name accounts
	All    bool     // every refusal had that code
	Bytes  int      // JSON of the smallest call of several edges that was refused for one of them
	Fields []string // optional fields that the refused edges have and no edge that landed has
	Landed bool     // some edge has landed in this run
}

// BrakeKind says which brake stopped the run.
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
