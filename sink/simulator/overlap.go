package simulator

import (
	"slices"
	"sync"
	"time"
)

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
			w.decide(o, arrived)
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
		w.decide(c, began)
	}
	c.later = nil
	if at.Sub(w.swept) > endsKept {
		w.sweep(at)
	}
}

// decide counts the overlap of a call that has ended with a later one.
func (w *watch) decide(c *openCall, began time.Time) {
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
