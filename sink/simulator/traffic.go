package simulator

import (
	"cmp"
	"sync"
	"time"
)

// span is a sliding window over arrivals: the times, since the start, of those that lie in it, in
// order.
type span []time.Duration

// drop takes out everything at or before limit. A window of one second that ends at t is (t-1s, t].
func (w *span) drop(limit time.Duration) {
	n := 0
	for n < len(*w) && (*w)[n] <= limit {
		n++
	}
	*w = (*w)[n:]
}

// allow decides about one more call at t under limit calls a second. It counts the call if it is
// allowed, or if refused calls count as well.
func (w *span) allow(t time.Duration, limit float64, countRefused bool) bool {
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
	start  time.Time        // zero: not yet
	second span             // all arrivals
	limits map[string]*span // counters of the limits, by what they count
}

// begin sets the start unless it is set.
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

// limit is the code of the limit that a call exceeds. It counts the call at each of its limits.
func (t *traffic) limit(c *Config, api *command, since time.Duration) (over int) {
	check := func(counter string, limit float64, code int) {
		w := t.limits[counter]
		if w == nil {
			w = &span{}
			t.limits[counter] = w
		}
		if !w.allow(since, limit, c.CountRefused) && over == 0 {
			over = code
		}
	}
	all := ""
	if c.PerAPI {
		all = api.name
	}
	limit := inForce(since, c.Limit, c.LimitChanges)
	check(all, limit, c.ThrottleCode)
	if api.account && (limit > 0 || c.AccountLimit > 0) {
		check("accounts", cmp.Or(c.AccountLimit, 100), c.ThrottleCode)
	}
	if api.name == apiDelete {
		check("deletes", c.DeleteLimit, 31707)
	}
	return over
}

// inForce is the value of the latest of some changes, v before the first.
func inForce[T any](since time.Duration, v T, changes []Change[T]) T {
	latest := time.Duration(-1)
	for _, c := range changes {
		if c.At <= since && c.At >= latest {
			v, latest = c.To, c.At
		}
	}
	return v
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
