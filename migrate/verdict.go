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
	Again    Kind = iota // not settled: the edge has to be sent again
	Imported             // the service says that the edge is in place now
	Already              // the service says that it was a friend before
	Failed               // the service refuses the edge permanently
)

// Outcome is what one call did to one edge.
type Outcome struct {
	Kind      Kind
	Uncertain bool   // Already: this job may have made it; otherwise: a call with the edge had no answer
	Unsent    bool   // it is Already without a call, which says nothing about the service
	Code      int    // ResultCode, or the code of the whole call, or the HTTP status
	Info      string // the service's text for Code
}

// Caller makes one call for edges of one From_Account: friend_import, or another call about them.
// It takes at most MaxChunkEdges edges and at most the bytes of one call. Outcomes match edges by
// index. It is safe for concurrent use, but must not be called for an account while another call
// for it is open.
//
// If ctx ends before the request leaves, it returns the error of ctx and has had no effect. Once
// the request is sent, it waits for the answer or the timeout whatever happens to ctx. Every other
// error is a *CallError. With VerdictRetry or VerdictSuspect, it may return outcomes too, such as
// Already for edges that were found in place: they hold, and edges without one are Again.
type Caller func(ctx context.Context, from string, edges []Edge) ([]Outcome, error)

// Verdict says what follows from the answer to a whole call. Package sink maps codes to verdicts;
// the engine acts on them.
type Verdict uint8

// The verdicts on a whole call.
const (
	VerdictRetry       Verdict = iota + 1 // temporary: send again later, counts as an attempt
	VerdictThrottle                       // too fast: send again later, not an attempt; the pace is lowered already
	VerdictHalve                          // one edge or the size made the service refuse the call: halve it
	VerdictRefuseChunk                    // every edge of the call fails with Code
	// the account does not exist: every edge of its roster fails with Code, no more calls for it
	VerdictRefuseAccount
	// a code that no table has: a few attempts, then the edges of the call fail with it
	VerdictUnknown
	// before the first success: a wrong setting; after it: RefuseChunk if Answered, else Retry
	VerdictSuspect
	VerdictFatal // credentials, admin right, app, quota or region refused: stop the job now
)

// CallError is an answer to a whole call that does not settle any of its edges.
type CallError struct {
	Verdict   Verdict
	Code      int           // ErrorCode, else the HTTP status, else 0
	Info      string        // ErrorInfo, or what went wrong; never contains a secret
	Uncertain bool          // the call may have been applied
	Answered  bool          // the API itself answered, with a code of its own
	Pause     time.Duration // VerdictThrottle: the pause that Retry-After asks for, else 0
	Limit     int           // VerdictSuspect: after this many such calls without a success the run stops; at least 1
	Took      time.Duration // since the call left
	Hint      string        // VerdictFatal and VerdictSuspect: what the user should check
}

func (e *CallError) Error() string {
	if e.Code == 0 {
		return e.Info
	}
	return fmt.Sprintf("code %d: %s", e.Code, e.Info)
}
