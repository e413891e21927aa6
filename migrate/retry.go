package migrate

import (
	"context"
	"math"
	"time"
)

// RetryPolicy says when an edge is sent again and when it is given up. It only computes.
type RetryPolicy struct {
	MaxAttempts int           // give up after this many attempts, at most MostAttempts,
	MinSpan     time.Duration // but not before this much time has passed since the first of them
	Base        time.Duration // longest pause after the first attempt; it doubles with each attempt
	Cap         time.Duration // up to this
}

// DefaultRetry gives an edge up after at least 8 attempts and at least 10 minutes, and only if
// another account got through in that time; if none did, it is an outage (see afterCall). The pause
// doubles from 1 s to 60 s.
var DefaultRetry = RetryPolicy{MaxAttempts: 8, MinSpan: 10 * time.Minute, Base: time.Second, Cap: time.Minute}

// MostAttempts is how many attempts of an edge are counted, to keep a parked roster small.
const MostAttempts = math.MaxUint8

// unknownAttempts is how often a call is tried if it is refused with a code that no table has.
const unknownAttempts = 3

// shortRetries is for the end of a run. Once the plan has no new roster, there is no other work
// during a long pause: it would only delay the end. So this many more of an account's first
// attempts have the shortest pause. An account that stays busy costs this many more calls, at a
// time when the pace is free.
const shortRetries = 4

// Backoff returns the pause after the given number of attempts, which is at least 1. It lies
// between 0 and a ceiling that doubles with each attempt. draw is uniform in [0,1).
func (p RetryPolicy) Backoff(attempts int, draw float64) time.Duration {
	ceiling := p.Cap
	if shift := attempts - 1; shift < 30 {
		ceiling = min(p.Cap, p.Base<<shift)
	}
	return time.Duration(draw * float64(ceiling))
}

// Exhausted reports whether an edge is given up after these attempts, this long after the first.
func (p RetryPolicy) Exhausted(attempts int, sinceFirst time.Duration) bool {
	return attempts >= p.MaxAttempts && sinceFirst >= p.MinSpan
}

// retryShare decides how much of the pace goes to retries while there is fresh work. Retries go at
// once while they get through at least half as often as first attempts. If they mostly fail, for
// example because accounts stay locked for a minute, one task in retrySpacing is a retry, so that a
// few hundred hot accounts do not use up the pace of all others. It only computes.
type retryShare struct {
	fresh, retry average // how often calls get something through: for fresh edges, and for repeated ones
	sinceRetry   int     // tasks taken since the last repeated one
}

// retrySpacing keeps what hopeless retries cost at a quarter of a percent of the calls.
const retrySpacing = 400

// average is an exponentially weighted share of successes. It starts at 1 and gives a success more
// weight than a failure. While retries are held back few of them are sent, so with equal weights
// the others would wait too long. Two successes in a row free them.
type average struct{ missed float64 }

func (a *average) add(success bool) {
	const byFailure, bySuccess = 0.1, 0.3
	if success {
		a.missed *= 1 - bySuccess
	} else {
		a.missed += byFailure * (1 - a.missed)
	}
}

func (a average) value() float64 { return 1 - a.missed }

func (s *retryShare) observe(repeated, through bool) {
	if repeated {
		s.retry.add(through)
	} else {
		s.fresh.add(through)
	}
}

// allowed reports whether a repeated call may be sent although fresh work is waiting.
func (s *retryShare) allowed() bool {
	return s.retry.value() >= s.fresh.value()/2 || s.sinceRetry >= retrySpacing
}

func (s *retryShare) taskTaken(repeated bool) {
	if repeated {
		s.sinceRetry = 0
	} else {
		s.sinceRetry++
	}
}

// Sleep waits for d, or until ctx ends; then it returns the error of ctx.
func Sleep(ctx context.Context, d time.Duration) error { return SleepUnless(ctx, d, nil) }

// SleepUnless is like Sleep but also returns when end is closed.
func SleepUnless(ctx context.Context, d time.Duration, end <-chan struct{}) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-end:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
