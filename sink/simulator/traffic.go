package simulator

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// slidingWindow holds the arrivals in a sliding window, as times since the start, in order.
type slidingWindow []time.Duration

// drop removes all arrivals at or before limit. A window of one second that ends at t is (t-1s, t].
func (w *slidingWindow) drop(limit time.Duration) {
	n := 0
	for n < len(*w) && (*w)[n] <= limit {
		n++
	}
	*w = (*w)[n:]
}

// allow reports whether one more call at t is allowed under limit calls a second. It counts the
// call if it is allowed, or if refused calls count too.
func (w *slidingWindow) allow(t time.Duration, limit float64, countRefused bool) bool {
	if limit <= 0 {
		return true
	}
	length, most := time.Second, int(limit)
	if limit < 1 {
		length, most = time.Duration(float64(time.Second)/limit), 1
	}
	w.drop(t - length)
	allowed := len(*w) < most
	if allowed || countRefused {
		*w = append(*w, t)
	}
	return allowed
}

// traffic counts every call as it arrives, in the order of arrival.
type traffic struct {
	sync.Mutex
	Arrivals
	start  time.Time     // zero: not yet
	second slidingWindow // all arrivals
	// arrivals that count towards the limits
	calls, accountCalls, deletes slidingWindow
}

func (t *traffic) begin(now time.Time) {
	if t.start.IsZero() {
		t.start = now
	}
}

// now returns the time since the start, 0 before it.
func (t *traffic) now() time.Duration {
	t.Lock()
	defer t.Unlock()
	if t.start.IsZero() {
		return 0
	}
	return time.Since(t.start)
}

// arrival is the traffic's record of one call.
type arrival struct {
	at     time.Time
	since  time.Duration
	number int64
	over   int // code of the limit that the call exceeds, else 0
}

// arrive counts a call and checks it against the limits, unless the service does not count during
// an outage.
func (t *traffic) arrive(c *Config, api *command) arrival {
	t.Lock()
	defer t.Unlock()
	now := time.Now()
	t.begin(now)
	since := now.Sub(t.start)
	if t.Calls++; t.Calls == 1 {
		t.First = now
	}
	t.Last = now
	t.second.drop(since - time.Second)
	t.second = append(t.second, since)
	t.LargestSecond = max(t.LargestSecond, len(t.second))
	a := arrival{at: now, since: since, number: t.Calls}
	if f := c.outage(since); f == nil || f.serves() {
		a.over = t.limit(c, api, since)
	}
	return a
}

// limit returns the code of the limit that a call exceeds, else 0. It counts the call at each of
// its limits.
func (t *traffic) limit(c *Config, api *command, since time.Duration) (over int) {
	limit, latest := c.Limit, time.Duration(-1)
	for _, change := range c.LimitChanges {
		if change.At <= since && change.At >= latest {
			limit, latest = change.To, change.At
		}
	}
	if !t.calls.allow(since, limit, c.CountRefused) {
		over = c.ThrottleCode
	}
	accounts := api.account && (limit > 0 || c.AccountLimit > 0)
	if accounts && !t.accountCalls.allow(since, cmp.Or(c.AccountLimit, 100), c.CountRefused) {
		over = c.ThrottleCode
	}
	if api.name == apiDelete && !t.deletes.allow(since, c.DeleteLimit, c.CountRefused) {
		over = cmp.Or(over, 31707)
	}
	return over
}

// outage returns the fault that hits every call at this time, or nil.
func (c *Config) outage(since time.Duration) *Fault {
	for i := range c.Outages {
		if c.Outages[i].has(since) {
			return &c.Outages[i].Fault
		}
	}
	return nil
}

const (
	// goneGrace is the longest time in which the server may notice that a client has gone. Without
	// it, a timeout on a busy machine would count as a breach of seriality.
	goneGrace = 2 * time.Second
	// endsKept is the shortest time for which the end of a call is remembered. The body of an
	// overlapping call may arrive later than that end.
	endsKept = 5 * time.Second
)

// watch records which calls are open, for the client and for the service. For the client, a call is
// open from its arrival until its answer, its close or the client's disconnection. Two open calls
// for one account are a breach of seriality by the client. For the service, an account is busy
// while the service works on a write for it, whether the client waits or not. Code 30008 is about
// that.
//
// For the client, a call ends before the last byte of its answer is written, because the client may
// send its next call at once. So an overlap shorter than that write is missed, but no overlap is
// reported that was none.
type watch struct {
	sync.Mutex
	calls map[string][]*openCall // by account: calls that are open or ended recently
	swept time.Time

	busy map[string]time.Time // zero: the service is at work; else busy until then
	Overlapping
}

// openCall is a call that is or was open for the client.
type openCall struct {
	from           string
	arrived, ended time.Time // ended is zero while it is open
	gone           bool
	later          []time.Time // arrivals of later calls for the account while this one was open
}

func newWatch() *watch {
	return &watch{calls: map[string][]*openCall{}, busy: map[string]time.Time{},
		Overlapping: Overlapping{OverlapAccounts: []string{}}} // [] in JSON, not null
}

// enter records a call as open. The caller may do so late, when the body has been read. enter then
// also counts the overlaps since the call's arrival.
func (w *watch) enter(from string, arrived time.Time) *openCall {
	c := &openCall{from: from, arrived: arrived}
	w.Lock()
	defer w.Unlock()
	for _, o := range w.calls[from] {
		switch {
		case o.arrived.After(arrived):
			c.later = append(c.later, o.arrived)
		case o.ended.IsZero():
			o.later = append(o.later, arrived)
		case o.ended.After(arrived):
			w.countOverlap(o, arrived)
		}
	}
	w.calls[from] = append(w.calls[from], c)
	return c
}

// leave ends a call for the client. gone reports whether the client ended it.
func (w *watch) leave(c *openCall, at time.Time, gone bool) {
	w.Lock()
	defer w.Unlock()
	c.ended, c.gone = at, gone
	for _, began := range c.later {
		w.countOverlap(c, began)
	}
	c.later = nil
	if at.Sub(w.swept) > endsKept {
		w.sweep(at)
	}
}

// countOverlap counts the overlap of a call that has ended with a later call that began at began.
func (w *watch) countOverlap(c *openCall, began time.Time) {
	if c.gone && c.ended.Sub(began) <= goneGrace {
		w.OverlapsGivenUp++
		return
	}
	w.Overlaps++
	if len(w.OverlapAccounts) < 10 {
		w.OverlapAccounts = append(w.OverlapAccounts, c.from)
	}
}

// sweep forgets calls and busy times that can no longer matter.
func (w *watch) sweep(now time.Time) {
	w.swept = now
	old := func(t time.Time, kept time.Duration) bool { return !t.IsZero() && !t.After(now.Add(-kept)) }
	for from, calls := range w.calls {
		calls = slices.DeleteFunc(calls, func(c *openCall) bool { return old(c.ended, endsKept) })
		if w.calls[from] = calls; len(calls) == 0 {
			delete(w.calls, from)
		}
	}
	for from, until := range w.busy {
		if old(until, 0) {
			delete(w.busy, from)
		}
	}
}

// undecided returns the number of overlaps whose earlier call is still open.
func (w *watch) undecided() (n int64) {
	for _, calls := range w.calls {
		for _, c := range calls {
			n += int64(len(c.later))
		}
	}
	return n
}

// acquire makes the account busy. It reports false if it is busy already.
func (w *watch) acquire(from string, now time.Time) bool {
	w.Lock()
	defer w.Unlock()
	if until, ok := w.busy[from]; ok && (until.IsZero() || until.After(now)) {
		w.Conflicts++
		return false
	}
	w.busy[from] = time.Time{}
	return true
}

// release ends the service's work for the account; it stays busy for after.
func (w *watch) release(from string, now time.Time, after time.Duration) {
	w.Lock()
	defer w.Unlock()
	delete(w.busy, from)
	if after > 0 {
		w.busy[from] = now.Add(after)
	}
}
