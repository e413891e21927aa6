package migrate

import (
	"context"
	"time"
)

// RetryPolicy says when an edge is sent again and when it is given up. It is arithmetic only.
type RetryPolicy struct {
	MaxAttempts int           // give up after so many attempts,
	MinSpan     time.Duration // but not before so much time has passed since the first of them
	Base        time.Duration // backoff after the first attempt; it doubles
	Cap         time.Duration // and ends here
}

// DefaultRetry is the policy of PRODUCT: 8 attempts and 10 minutes, both; 1 s doubling to 60 s.
var DefaultRetry = RetryPolicy{MaxAttempts: 8, MinSpan: 10 * time.Minute, Base: time.Second, Cap: time.Minute}

// unknownAttempts is how often a call is tried that is refused with a code that no table knows.
const unknownAttempts = 3

// shortRetries is for the end of a run. Once the plan has no new roster, no work fills a long pause:
// it would only delay the end. So the first attempts of an account, this many more than otherwise,
// are the shortest pause apart. An account that stays busy costs so many more calls, at a time when
// the pace is free.
const shortRetries = 4

// Backoff is the pause after the given number of attempts, which is at least 1. It is drawn between
// 0 and a ceiling that doubles with each attempt: draw is uniform in [0,1).
func (p RetryPolicy) Backoff(attempts int, draw float64) time.Duration {
	ceiling := p.Cap
	if shift := attempts - 1; shift < 30 {
		ceiling = min(p.Cap, p.Base<<shift)
	}
	return time.Duration(draw * float64(ceiling))
}

// Exhausted reports whether an edge is to be given up.
func (p RetryPolicy) Exhausted(attempts int, sinceFirst time.Duration) bool {
	return attempts >= p.MaxAttempts && sinceFirst >= p.MinSpan
}

// retryShare decides how much of the pace goes to retries while there is fresh work. Retries that
// fail no more often than first attempts go at once. Where they mostly fail (accounts that stay
// locked for a minute, say), they are held to one task in retrySpacing, so that a few hundred hot
// accounts do not eat the pace of all others. It is arithmetic only.
type retryShare struct {
	fresh, retry average // how often a call gets something through, of calls for fresh edges and of repeated ones
	sinceRetry   int     // tasks taken since the last repeated one
}

// retrySpacing keeps what hopeless retries cost at a quarter of a percent of the calls.
const retrySpacing = 400

// average is an exponentially weighted share of successes. It starts at 1 and gives a success more
// weight than a failure: few of the retries that are held back go out, so with equal weights the
// others would wait long after they could get through. Two successes in a row free them.
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

// Sleep waits for d or for ctx, whose error it returns.
func Sleep(ctx context.Context, d time.Duration) error { return SleepUnless(ctx, d, nil) }

// SleepUnless is Sleep that something else may end.
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
