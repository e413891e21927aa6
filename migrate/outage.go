package migrate

import "time"

// outage watches whether anything gets through at all. It is arithmetic over the results and the
// time it is told; the dispatcher acts on it.
//
// A call gets through when it settles an edge or when the service refuses something of its own
// knowledge (an account that does not exist, a bad parameter). No answer, an unreadable one, and
// codes that say "again later" do not get through: an outage often shows as one of those for
// everybody.
type outage struct {
	lastThrough time.Time // when something last got through, zero before that
	since       time.Time // the first call after that, of any kind; patience counts from here
	missed      int       // attempts in a row since then that did not get through
	firstMissed time.Time
	accounts    [outageAccounts]string // the first different accounts among them
	seen        int
	heard       bool // the last of them was answered by the API itself

	holding bool
	epoch   int // holds so far: what was counted against an account before the last one is void
	pause   time.Duration
	probeAt time.Time
	probing bool
}

// What counts as an outage (PRODUCT, "What each answer leads to", last row).
const (
	outageAttempts = 20
	outageSilence  = 10 * time.Second
	outageAccounts = 3

	firstProbe = time.Second
	probeCap   = 30 * time.Second
)

// through notes that a call got through: no outage, or its end. It reports whether a hold ended.
func (o *outage) through(now time.Time) (ended bool) {
	ended = o.holding
	*o = outage{lastThrough: now, epoch: o.epoch}
	return ended
}

// throttled notes a call that was refused for the pace: it tells nothing of an outage, but patience
// runs.
func (o *outage) throttled(now time.Time) {
	if o.since.IsZero() {
		o.since = now
	}
}

// miss notes an attempt for an account that did not get through: how long ago it left and whether
// the API itself answered it. Patience runs from when the first one left, not from its timeout.
func (o *outage) miss(now time.Time, took time.Duration, account string, heard bool) {
	if left := now.Add(-took); left.After(o.lastThrough) {
		o.throttled(left)
	}
	o.throttled(now)
	if !o.holding {
		o.heard = heard
	}
	if o.missed == 0 {
		o.firstMissed = now
	}
	o.missed++
	for _, known := range o.accounts[:o.seen] {
		if known == account {
			return
		}
	}
	if o.seen < len(o.accounts) {
		o.accounts[o.seen] = account
		o.seen++
	}
}

// suspected reports whether so much failed in a row that it may be an outage; certain, whether
// enough accounts say so.
func (o *outage) suspected(now time.Time) (suspected, certain bool) {
	if o.holding || o.missed == 0 {
		return false, false
	}
	suspected = o.missed >= outageAttempts || now.Sub(o.firstMissed) >= outageSilence
	return suspected, suspected && o.seen >= outageAccounts
}

// hold begins a hold.
func (o *outage) hold(now time.Time) {
	o.holding = true
	o.epoch++
	o.pause = firstProbe
	o.probeAt = now.Add(o.pause)
	o.probing = false
}

// probed notes the end of a probe that did not get through: the next one goes out after a longer
// pause. But where nobody answered and now the API itself does, if only with "again later", the
// outage may just have ended: pauses begin anew.
func (o *outage) probed(now time.Time, heard bool) {
	o.probing = false
	if o.pause = min(2*o.pause, probeCap); heard && !o.heard {
		o.pause = firstProbe
	}
	o.heard = heard
	o.probeAt = now.Add(o.pause)
}

// deadline is when patience ends; ok is false while there is nothing to be patient about.
func (o *outage) deadline(timeout time.Duration) (at time.Time, ok bool) {
	return o.since.Add(timeout), !o.since.IsZero()
}
