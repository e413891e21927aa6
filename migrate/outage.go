package migrate

import (
	"slices"
	"time"
)

// getsThrough reports whether a call got through: it settled an edge, or the service refused it for
// a reason that it had to look up (an account that does not exist, a bad parameter). A call without
// an answer, with an unreadable one or with a code that says "again later" does not get through: in
// an outage, all calls often end in one of these ways.
func getsThrough(res *result, verdict Verdict) bool {
	return res.landed()+res.failed > 0 || verdict == VerdictHalve || verdict == VerdictRefuseChunk ||
		verdict == VerdictRefuseAccount
}

// outage decides whether anything gets through at all. It only computes, from the results and times
// that it gets; the dispatcher acts on it.
type outage struct {
	lastThrough time.Time // when something last got through; zero before the first time
	since       time.Time // the first call after that, of any kind: the start of the outage timer
	missed      int       // attempts after lastThrough that did not get through
	streak      int       // of these, attempts without an answered check in between
	firstMissed time.Time
	accounts    [outageAccounts]string // the first different accounts of these attempts
	seen        int
	answered    bool // the API itself answered the last of these attempts

	holding bool
	epoch   int // holds so far; attempts counted before the last one are void
	pause   time.Duration
	probeAt time.Time
	probing bool
}

// An outage is suspected once 20 attempts in a row, or all attempts within 10 seconds, did not get
// through. A check that the service answers, the friend_check before an import, does not get
// through, but it breaks the row. An outage is certain once the attempts were for 3 accounts. The
// first probe of a hold leaves after 1 s, and the pause doubles to 30 s.
const (
	outageAttempts = 20
	outageSilence  = 10 * time.Second
	outageAccounts = 3

	firstProbe = time.Second
	probeCap   = 30 * time.Second
)

// through records that a call got through, and reports whether that ended a hold.
func (o *outage) through(now time.Time) (ended bool) {
	ended = o.holding
	*o = outage{lastThrough: now, epoch: o.epoch}
	return ended
}

// startTimer starts the outage timer at the given time unless it runs. A call refused for exceeding
// the rate starts it too, but is no evidence of an outage.
func (o *outage) startTimer(at time.Time) {
	if o.since.IsZero() {
		o.since = at
	}
}

// miss records an attempt for an account that did not get through. took is the time since the call
// left; answered is true if the API itself answered it; checked is true if it has answered a call
// that only asks since the attempt before. The outage timer starts when the first such attempt
// left, not at its timeout.
func (o *outage) miss(now time.Time, took time.Duration, account string, answered, checked bool) {
	if left := now.Add(-took); left.After(o.lastThrough) {
		o.startTimer(left)
	}
	o.startTimer(now)
	if !o.holding {
		o.answered = answered
	}
	if o.missed == 0 {
		o.firstMissed = now
	}
	o.missed++
	if o.streak++; checked {
		o.streak = 1
	}
	if o.seen < len(o.accounts) && !slices.Contains(o.accounts[:o.seen], account) {
		o.accounts[o.seen] = account
		o.seen++
	}
}

// suspected reports whether enough attempts in a row did not get through for an outage; certain,
// whether they were for enough accounts.
func (o *outage) suspected(now time.Time) (suspected, certain bool) {
	if o.holding || o.missed == 0 {
		return false, false
	}
	suspected = o.streak >= outageAttempts || now.Sub(o.firstMissed) >= outageSilence
	return suspected, suspected && o.seen >= outageAccounts
}

func (o *outage) hold(now time.Time) {
	o.holding = true
	o.epoch++
	o.pause = firstProbe
	o.probeAt = now.Add(o.pause)
	o.probing = false
}

// probed records a probe that did not get through: the next one leaves after a longer pause. If the
// API did not answer before but answers now, even with "again later", the outage may just have
// ended, so the pauses start again with the shortest.
func (o *outage) probed(now time.Time, answered bool) {
	o.probing = false
	if o.pause = min(2*o.pause, probeCap); answered && !o.answered {
		o.pause = firstProbe
	}
	o.answered = answered
	o.probeAt = now.Add(o.pause)
}

// deadline returns when the outage timer ends; ok is false while it is not running.
func (o *outage) deadline(timeout time.Duration) (at time.Time, ok bool) {
	return o.since.Add(timeout), !o.since.IsZero()
}
