package simulator

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"time"
)

// call is one HTTP request on its way through the service.
type call struct {
	s *Server
	c *Config // in force when it arrived
	w http.ResponseWriter
	r *http.Request
	arrival

	api  string
	req  *request
	body int64
	from string
	nth  int

	outer   refusal // of the body, known as soon as it has been read
	refused refusal // the service says no to the whole call
	limited bool    // for the limit
	fault   *Fault
	spike   bool
	busy    bool // holds the account
	clash   bool // the account was busy, said of each item
	victim  int  // the item that an odd body is about, -1 if none

	answer answer
	effect effect

	open     *openCall
	left     bool // ended on the client's side
	gone     bool // by the client
	reported bool
	code     int // ErrorCode of the answer, -1 without
	status   int // HTTP status of the answer, 0 without
	ended    time.Time
}

// effect counts what a call did.
type effect struct {
	done                                                    bool // it took effect
	sent, again, applied, reapplied                         int
	checked, given, updated, deleted, accounts, newAccounts int
}

// serveCall takes a call from its arrival to its answer.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	k := &call{s: s, c: s.config.Load(), w: w, r: r, api: apiOf(r.URL.Path), code: -1, victim: -1}
	s.carry(r)
	k.arrival = s.traffic.arrive(k.c, k.api, func(since time.Duration) bool {
		f := k.c.outage(since)
		return f != nil && !f.serves()
	})
	s.tally.arrived(k.api, r)
	k.req = s.requests.Get().(*request)
	defer k.end()
	if !k.read() {
		return
	}
	k.judge()
	k.answer = k.work()
	k.send()
}

// read takes in the whole body and enters the call in the watch. It reports whether the client was
// still there at its end.
func (k *call) read() bool {
	b := k.s.buffers.Get().(*bytes.Buffer)
	defer k.s.buffers.Put(b)
	b.Reset()
	n, err := b.ReadFrom(io.LimitReader(k.r.Body, k.c.MaxBody+1))
	if n > k.c.MaxBody && err == nil {
		var rest int64
		// a client that is still writing would see a broken pipe and not the answer
		rest, err = io.Copy(io.Discard, k.r.Body)
		n += rest
		k.outer = refusal{code: http.StatusRequestEntityTooLarge}
	}
	if k.body = n; err != nil {
		k.leave(true)
		return false
	}
	if k.api == "" || k.r.Method != http.MethodPost || k.outer.code != 0 {
		return true
	}
	text := b.String()
	if b.Cap() > 4<<20 {
		*b = bytes.Buffer{} // don't keep the memory of one huge body
	}
	var unknown []string
	k.outer, unknown = k.req.decode(k.api, text)
	k.s.tally.unknown(unknown)
	if k.outer.code != 60003 {
		k.from = strings.Clone(k.req.from)
	}
	if k.from != "" {
		k.open = k.s.watch.enter(k.from, k.at)
		k.countAgain()
	}
	return true
}

// countAgain counts the edges of a friend_import and those that are in the graph already, whatever
// becomes of the call.
func (k *call) countAgain() {
	if k.api != apiImport {
		return
	}
	k.effect.sent = len(k.req.items)
	l := k.s.graph.open(k.from)
	defer l.close()
	if l.len() == 0 {
		return
	}
	for i := range k.req.items {
		if l.has(k.req.items[i].To) {
			k.effect.again++
		}
	}
}

// work lets the time pass that the service takes, and does what it was asked for at the end of it,
// also for a client that is gone by then.
func (k *call) work() answer {
	d := k.c.Latency
	who, n := k.identity()
	if k.c.Jitter > 0 {
		d += time.Duration(draw(k.c.Seed, drawJitter, who, n) * float64(k.c.Jitter))
	}
	if k.spike {
		d += k.c.SpikeFor
	}
	if k.fault != nil && k.fault.Kind == FaultSpike {
		d += defaultTo(k.fault.For, k.c.SpikeFor)
	}
	if k.c.GiveUp > 0 && d > k.c.GiveUp && k.refused.code == 0 {
		k.wait(k.c.GiveUp)
		k.giveUp()
		d -= k.c.GiveUp
	}
	k.wait(d)
	a := k.act()
	k.s.tally.did(k)
	if k.busy {
		k.busy = false
		k.s.watch.release(k.from, time.Now(), k.c.BusyAfter)
	}
	return a
}

// giveUp answers 60008 while the work goes on.
func (k *call) giveUp() {
	if k.gone {
		return
	}
	k.code = 60008
	k.w.Header().Set("Connection", "close") // this connection is not free before the work is done
	late := k.failure(refusal{60008, callText(k.api, 60008)})
	k.writeJSON(late.append(nil, nil))
	k.flush()
}

// identity is what the draws of this call depend on: its account and how many calls of that account
// came before it, else its number.
func (k *call) identity() (who, n uint64) {
	if k.nth > 0 {
		return accountHash(k.from), uint64(k.nth)
	}
	return 0, uint64(k.number)
}

// wait lets time pass. If the client goes meanwhile that is noted at once, and the time passes all
// the same.
func (k *call) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	gone := k.r.Context().Done()
	if k.gone {
		gone = nil
	}
	for {
		select {
		case <-t.C:
			return
		case <-k.s.closed:
			return
		case <-gone:
			k.leave(true)
			gone = nil
		}
	}
}

// leave ends the call on the client's side, once.
func (k *call) leave(gone bool) {
	if k.left {
		return
	}
	k.left, k.gone, k.ended = true, gone, time.Now()
	if k.open != nil {
		k.s.watch.leave(k.open, k.ended, gone)
	}
	k.s.tally.left(gone)
}

// settle ends the call before the last of its answer is written: whoever has read the answer finds
// it in the account.
func (k *call) settle() {
	k.leave(false)
	k.report()
}

// report enters the call in the account, once.
func (k *call) report() {
	if k.reported {
		return
	}
	k.reported = true
	k.s.tally.ended(k)
	if k.c.Observe != nil {
		k.c.Observe(k.view())
	}
}

// view is the call as tests see it.
func (k *call) view() Call {
	v := Call{
		API: k.api, Number: k.number, Nth: k.nth, From: k.from, Arrived: k.at, Since: k.since, Ended: k.ended,
		Code: k.code, Status: k.status,
		Applied: k.effect.applied, GaveUp: k.gone,
	}
	if k.fault != nil {
		v.Fault = k.fault.String()
	}
	for i := range k.req.items {
		v.To = append(v.To, strings.Clone(k.req.items[i].To))
	}
	for _, to := range k.req.to {
		v.To = append(v.To, strings.Clone(to))
	}
	return v
}

// end closes what is still open, also after the handler was aborted.
func (k *call) end() {
	if k.busy {
		k.s.watch.release(k.from, time.Now(), k.c.BusyAfter)
	}
	k.leave(k.r.Context().Err() != nil)
	k.report()
	k.req.reset()
	if cap(k.req.items) <= 2000 {
		k.s.requests.Put(k.req)
	}
}
