package migrate

import "time"

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

// shortRetries is how many more pauses are as short as the first one after the last new roster was
// taken from the plan. From then on nothing fills a longer pause: it would only delay the end of
// the run. An account that stays busy costs so many more calls, at a time when the pace is free.
const shortRetries = 4

// Backoff is the pause after the given number of attempts, at least 1, with full jitter: draw is
// uniform in [0,1).
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
