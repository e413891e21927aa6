package migrate

import (
	"context"
	"fmt"
	"time"
)

// Kind says what became of an edge in one call.
type Kind uint8

// The kinds of outcome. The zero value is the safe one.
const (
	Again    Kind = iota // not settled: this edge has to be sent again
	Imported             // the service says that it is in place now
	Already              // the service says that it was a friend before
	Failed               // the service refuses it for good
)

// Outcome is what one call did to one edge.
type Outcome struct {
	Kind      Kind
	Uncertain bool   // Again: sent without an answer. Already: perhaps done by a call without an answer
	Code      int    // the service's ResultCode, or the code of the whole call, or the HTTP status
	Info      string // the service's text for Code
}

// Caller makes one call for edges of one From_Account, at most MaxChunkEdges and at most the bytes
// of one call: friend_import, or another call about them. Outcomes match edges by index. It is safe
// for concurrent use, but must not be called for an account while another call for it is open.
//
// If ctx ends before the request leaves, Call returns ctx's error and has had no effect; once sent,
// a request is seen through to its answer or its timeout whatever happens to ctx. Every other error
// is a *CallError. With VerdictRetry or VerdictSuspect the outcomes may be there as well (Already
// for edges that were found in place, say): they hold, and edges without one are Again.
type Caller interface {
	Call(ctx context.Context, from string, edges []Edge) ([]Outcome, error)
}

// CallerFunc is a func that is a Caller.
type CallerFunc func(ctx context.Context, from string, edges []Edge) ([]Outcome, error)

// Call calls f.
func (f CallerFunc) Call(ctx context.Context, from string, edges []Edge) ([]Outcome, error) {
	return f(ctx, from, edges)
}

// Verdict is what the answer to a whole call leads to. The table from code to verdict is sink's;
// what a verdict does is the engine's.
type Verdict uint8

// The verdicts on a whole call.
const (
	VerdictRetry       Verdict = iota + 1 // passing: again later, counts as an attempt
	VerdictThrottle                       // too fast: again later, not an attempt; the pace is lowered already
	VerdictHalve                          // one edge or the size spoils the call: halve it
	VerdictRefuseChunk                    // every edge of the call fails with Code
	// the account does not exist: every edge of its roster fails with Code, no more calls for it
	VerdictRefuseAccount
	// a code that no table knows: a few attempts, then the call's edges fail with it
	VerdictUnknown
	// before the first success a wrong setting; then RefuseChunk if Answered, else Retry
	VerdictSuspect
	VerdictFatal // credentials, right, app, quota or region refused: stop the job now
)

// CallError is the answer to a whole call that settles none of its edges by itself.
type CallError struct {
	Verdict   Verdict
	Code      int           // ErrorCode, else the HTTP status, else 0
	Info      string        // ErrorInfo, or what went wrong; never contains a secret
	Uncertain bool          // the call may have been applied
	Answered  bool          // the API itself answered, with a code of its own
	Pause     time.Duration // VerdictThrottle: what the service asked for by Retry-After, else 0
	Limit     int           // VerdictSuspect: so many such calls with no success make it fatal, at least 1
	Took      time.Duration // since the call left
	Hint      string        // VerdictFatal and VerdictSuspect: what to check, in words for the user
}

func (e *CallError) Error() string {
	if e.Code == 0 {
		return e.Info
	}
	return fmt.Sprintf("code %d: %s", e.Code, e.Info)
}
