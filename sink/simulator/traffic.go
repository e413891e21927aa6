package simulator

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// slidingWindow is a sliding window over arrivals: the times, since the start, of those that lie in it, in
// order.
type slidingWindow []time.Duration

// drop takes out everything at or before limit. A window of one second that ends at t is (t-1s, t].
func (w *slidingWindow) drop(limit time.Duration) {
	n := 0
	for n < len(*w) && (*w)[n] <= limit {
		n++
	}
	*w = (*w)[n:]
}

// allow decides about one more call at t under limit calls a second. It counts the call if it is
// allowed, or if refused calls count as well.
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

// traffic sees every call as it arrives, in the order of arrival.
type traffic struct {
	sync.Mutex
	Arrivals
	start  time.Time     // zero: not yet
	second slidingWindow // all arrivals
	// those that count towards the limits
	calls, accountCalls, deletes slidingWindow
}

func (t *traffic) begin(now time.Time) {
	if t.start.IsZero() {
		t.start = now
	}
}

// now is the time since the start, 0 before it.
func (t *traffic) now() time.Duration {
	t.Lock()
	defer t.Unlock()
	if t.start.IsZero() {
		return 0
	}
	return time.Since(t.start)
}

// arrival is what the traffic knows about a call.
type arrival struct {
	at     time.Time
	since  time.Duration
	number int64
	over   int // code of the limit that the call exceeds, 0 if it exceeds none
}

// arrive counts a call and checks it against the limits, unless an outage keeps the service from
// counting.
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

// limit is the code of the limit that a call exceeds, 0 if it exceeds none. It counts the call at
// results of its limits.
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

// outage is the fault that is in force for every call, nil if there is none.
func (c *Config) outage(since time.Duration) *Fault {
	for i := range c.Outages {
		if c.Outages[i].has(since) {
			return &c.Outages[i].Fault
		}
	}
	return nil
}

const (
	// goneGrace is how long after a client has gone the server may learn of it. Without it a busy
	// machine would make breaches of seriality out of timeouts.
	goneGrace = 2 * time.Second
	// endsKept is how long the end of a call is remembered at least, for one whose body came later.
	endsKept = 5 * time.Second
)

// watch knows which calls are open, twice over. On the client's side a call is open from its
// arrival to its answer, its close or the client's going: two open calls for one account are a
// breach of seriality by the client. On the service's side an account is busy while the service
// works on a write for it, whether the client waits or not: that is what 30008 is about.
//
// The client's side of a call ends before the last byte of the answer is written, since the client
// may be quick with its next call. So an overlap shorter than that write goes unseen, and none is
// seen where there is none.
type watch struct {
	sync.Mutex
	calls map[string][]*openCall // by account: those that are open or have ended lately
	swept time.Time

	busy map[string]time.Time // zero: at work; else busy until then
	Overlapping
}

// openCall is a call that is or was open on the client's side.
type openCall struct {
	from           string
	arrived, ended time.Time // ended is zero while it is open
	gone           bool
	later          []time.Time // arrivals of later calls for the account while this one was open
}

func newWatch() *watch {
	return &watch{calls: map[string][]*openCall{}, busy: map[string]time.Time{},
		Overlapping: Overlapping{OverlapAccounts: []string{}}} // [] in JSON and not null
}

// enter notes a call as open. It may come late, when the body has been read; what happened in
// between is made up for.
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

// leave ends a call on the client's side; gone says that it was the client who ended it.
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

// countOverlap counts the overlap of a call that has ended with a later one.
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

// sweep forgets what can matter no more.
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

// undecided counts the overlaps whose earlier call is still open.
func (w *watch) undecided() (n int64) {
	for _, calls := range w.calls {
		for _, c := range calls {
			n += int64(len(c.later))
		}
	}
	return n
}

// acquire makes the account busy, unless it is.
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
