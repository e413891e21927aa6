package simulator

import (
	"sync"
	"time"
)

// goneGrace is how long after a client has gone the server may learn of it. A call whose client
// went is taken to have been given up before a later call of its account began if that one began no
// longer than this before the news. Without it a busy machine would make breaches of seriality out
// of timeouts.
const goneGrace = 2 * time.Second

// endsKept is how long the end of a call is remembered, for one that arrived before it and whose
// body took longer to come.
const endsKept = 5 * time.Second

// watch knows which calls are open, twice over. On the client's side a call is open from its
// arrival to its answer, its close or the client's going: two open calls for one account are a
// breach of seriality by the client. On the service's side an account is busy while the service
// works on a friend_import for it, whether the client waits or not: that is what 30008 is about.
//
// The client's side of a call ends before the last byte of the answer is written, since the client
// may be quicker with its next call than the server with its bookkeeping. So an overlap can go
// unseen if it is shorter than that write; none is seen where there is none.
type watch struct {
	sync.Mutex
	open map[string][]*openCall
	ends [2]map[string]ended // younger and older ends
	turn time.Time

	overlaps, givenUp int64
	accounts          []string // of the first overlaps

	busy      map[string]time.Time // zero: at work; else busy until then
	conflicts int64
}

// openCall is a call that is open on the client's side.
type openCall struct {
	from    string
	arrived time.Time
	later   []time.Time // arrivals of later calls for the account while this one was open
}

// ended is a call that was open not long ago.
type ended struct {
	arrived, at time.Time
	gone        bool
}

// enter notes a call as open. It may come late, when the body has been read; what happened in
// between is made up for.
func (w *watch) enter(from string, arrived time.Time) *openCall {
	c := &openCall{from: from, arrived: arrived}
	w.Lock()
	defer w.Unlock()
	if w.open == nil {
		w.open = map[string][]*openCall{}
	}
	for _, o := range w.open[from] {
		if o.arrived.After(arrived) {
			c.later = append(c.later, o.arrived)
		} else {
			o.later = append(o.later, arrived)
		}
	}
	for _, ends := range w.ends {
		e, ok := ends[from]
		switch {
		case !ok || !e.at.After(arrived):
		case e.arrived.After(arrived):
			c.later = append(c.later, e.arrived)
		default:
			w.decide(from, e.gone, e.at.Sub(arrived))
		}
	}
	w.open[from] = append(w.open[from], c)
	return c
}

// leave ends a call on the client's side; gone says that it was the client who ended it.
func (w *watch) leave(c *openCall, at time.Time, gone bool) {
	w.Lock()
	defer w.Unlock()
	calls := w.open[c.from]
	for i, o := range calls {
		if o == c {
			calls[i] = calls[len(calls)-1]
			calls = calls[:len(calls)-1]
			break
		}
	}
	if len(calls) == 0 {
		delete(w.open, c.from)
	} else {
		w.open[c.from] = calls
	}
	for _, began := range c.later {
		w.decide(c.from, gone, at.Sub(began))
	}
	w.remember(c, at, gone)
}

// decide counts an overlap of some length once it is known how the earlier call ended.
func (w *watch) decide(from string, gone bool, length time.Duration) {
	if gone && length <= goneGrace {
		w.givenUp++
		return
	}
	w.overlaps++
	if len(w.accounts) < 10 {
		w.accounts = append(w.accounts, from)
	}
}

func (w *watch) remember(c *openCall, at time.Time, gone bool) {
	if at.Sub(w.turn) > endsKept {
		w.ends[1], w.ends[0] = w.ends[0], map[string]ended{}
		w.turn = at
		for from, until := range w.busy {
			if !until.IsZero() && !until.After(at) {
				delete(w.busy, from)
			}
		}
	}
	w.ends[0][c.from] = ended{c.arrived, at, gone}
}

// undecided counts the overlaps whose earlier call is still open.
func (w *watch) undecided() int64 {
	n := int64(0)
	for _, calls := range w.open {
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
		w.conflicts++
		return false
	}
	if w.busy == nil {
		w.busy = map[string]time.Time{}
	}
	w.busy[from] = time.Time{}
	return true
}

// release ends the service's work for the account; it stays busy for after.
func (w *watch) release(from string, now time.Time, after time.Duration) {
	w.Lock()
	defer w.Unlock()
	if after > 0 {
		w.busy[from] = now.Add(after)
		return
	}
	delete(w.busy, from)
}
