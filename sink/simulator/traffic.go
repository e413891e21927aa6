package simulator

import (
	"sync"
	"time"
)

// span is a sliding window over arrivals: the times, since the start, of those that lie in it, in
// order. A ring.
type span struct {
	at      []time.Duration
	head, n int
}

// drop takes out everything at or before limit: a window of one second that ends at t is (t - 1 s,
// t].
func (w *span) drop(limit time.Duration) {
	for w.n > 0 && w.at[w.head] <= limit {
		w.head = (w.head + 1) % len(w.at)
		w.n--
	}
}

func (w *span) add(t time.Duration) {
	if w.n == len(w.at) {
		bigger := make([]time.Duration, max(16, 2*w.n))
		for i := range w.n {
			bigger[i] = w.at[(w.head+i)%len(w.at)]
		}
		w.at, w.head = bigger, 0
	}
	w.at[(w.head+w.n)%len(w.at)] = t
	w.n++
}

// allow decides about one more call at t under limit calls a second, and counts it if it is allowed
// or if refused calls count as well.
func (w *span) allow(t time.Duration, limit float64, countRefused bool) bool {
	if limit <= 0 {
		return true
	}
	length, most := time.Second, int(limit)
	if limit < 1 {
		length, most = time.Duration(float64(time.Second)/limit), 1
	}
	w.drop(t - length)
	allowed := w.n < most
	if allowed || countRefused {
		w.add(t)
	}
	return allowed
}

// traffic sees every call as it arrives, in the order of arrival.
type traffic struct {
	sync.Mutex
	started     bool
	start       time.Time
	calls       int64
	first, last time.Time

	second    span // all arrivals
	largest   int
	largestAt time.Duration

	limits  map[string]*span // counters of the limit: one for all APIs under "", or one for each
	account span             // counter of AccountLimit
}

// begin sets the start unless it is set.
func (t *traffic) begin(now time.Time) {
	if !t.started {
		t.started, t.start = true, now
	}
}

// now is the time since the start, 0 before it.
func (t *traffic) now() time.Duration {
	t.Lock()
	defer t.Unlock()
	if !t.started {
		return 0
	}
	return time.Since(t.start)
}

// arrival is what the traffic knows about a call.
type arrival struct {
	at      time.Time
	since   time.Duration
	start   time.Time
	number  int64
	allowed bool // by the limits
}

// arrive counts a call and puts it to the limits, unless dead says that the service can't count at
// that time.
func (t *traffic) arrive(c *Config, api string, dead func(since time.Duration) bool) arrival {
	t.Lock()
	defer t.Unlock()
	now := time.Now()
	t.begin(now)
	since := now.Sub(t.start)
	if t.calls++; t.calls == 1 {
		t.first = now
	}
	t.last = now
	t.second.drop(since - time.Second)
	t.second.add(since)
	if t.second.n > t.largest {
		t.largest, t.largestAt = t.second.n, since
	}
	allowed := true
	if !dead(since) {
		allowed = t.counter(c.PerAPI, api).allow(since, c.limitAt(since), c.CountRefused)
		if api == apiAccountCheck || api == apiAccountImport || api == apiAccountsImport {
			allowed = t.account.allow(since, c.AccountLimit, c.CountRefused) && allowed
		}
	}
	return arrival{now, since, t.start, t.calls, allowed}
}

func (t *traffic) counter(perAPI bool, api string) *span {
	if !perAPI {
		api = ""
	}
	w := t.limits[api]
	if w == nil {
		if t.limits == nil {
			t.limits = map[string]*span{}
		}
		w = &span{}
		t.limits[api] = w
	}
	return w
}

// limitAt is the limit in force.
func (c *Config) limitAt(since time.Duration) float64 {
	limit := c.Limit
	latest := time.Duration(-1)
	for _, change := range c.LimitChanges {
		if change.At <= since && change.At >= latest {
			limit, latest = change.Limit, change.At
		}
	}
	return limit
}

// open reports whether the window is open.
func (w Window) open(since time.Duration) bool {
	return since >= w.From && (w.To == 0 || since < w.To)
}

// outage is the fault that is in force for every call, nil if there is none.
func (c *Config) outage(since time.Duration) *Fault {
	for i := range c.Outages {
		if c.Outages[i].open(since) {
			return &c.Outages[i].Fault
		}
	}
	return nil
}
