package simulator

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"time"
)

// call is one HTTP request on its way through the service.
type call struct {
	s *Server
	c *Config // in force when the call arrived
	w http.ResponseWriter
	r *http.Request
	arrival

	api  *command
	req  request
	from string
	nth  int

	bodyRefusal refusal // of the body, known once it has been read
	refused     refusal // of the whole call, by the service
	fault       *Fault
	busy        bool   // this call made the account busy
	itemsBusy   bool   // the account was busy, and each item is refused for that
	oddAccount  string // the account in the item that an odd body changes, if it changes one

	answer answer
	counts Counts

	open     *openCall
	left     bool // it has ended for the client
	gone     bool // because the client disconnected
	reported bool
	code     int // ErrorCode of the answer, -1 without
	status   int // HTTP status of the answer, 0 without
	ended    time.Time
}

// serveCall handles a call from its arrival to its answer.
func (s *Server) serveCall(w http.ResponseWriter, r *http.Request) {
	k := &call{s: s, c: s.config.Load(), w: w, r: r, api: cmp.Or(commands[r.URL.Path], noCommand), code: -1}
	s.countConnection(r)
	k.arrival = s.traffic.arrive(k.c, k.api)
	s.tally.change(func(s *Stats) {
		s.ByAPI[k.api.name]++
		s.OpenNow++
		s.OpenMax = max(s.OpenMax, s.OpenNow)
	})
	defer k.end()
	if !k.read() {
		return
	}
	k.decideFate()
	k.answer = k.work()
	k.send()
}

// read reads the whole body and records the call as open. It reports whether the client was still
// connected at the end.
func (k *call) read() bool {
	b := bytes.NewBuffer(make([]byte, 0, max(0, min(k.r.ContentLength, 1<<20))+bytes.MinRead))
	n, err := b.ReadFrom(io.LimitReader(k.r.Body, k.c.MaxBody+1))
	if n > k.c.MaxBody && err == nil {
		// A client that is still writing would see a broken pipe, not the answer.
		_, err = io.Copy(io.Discard, k.r.Body)
		k.bodyRefusal = refusal{code: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		k.leave(true)
		return false
	}
	if k.api == noCommand || k.r.Method != http.MethodPost || k.bodyRefusal.code != 0 {
		return true
	}
	k.req, k.bodyRefusal = k.api.read(b.Bytes())
	k.from = k.req.from
	if k.from != "" {
		k.open = k.s.watch.enter(k.from, k.at)
		k.countAgain()
	}
	return true
}

// countAgain counts the edges of a friend_import and those that are in the graph already, whether
// or not the call is done.
func (k *call) countAgain() {
	if k.api.name != apiImport {
		return
	}
	k.counts.EdgesSent = int64(len(k.req.items))
	l := k.s.graph.open(k.from)
	defer l.close()
	for i := range k.req.items {
		if l.has(k.req.items[i].To) {
			k.counts.EdgesAgain++
		}
	}
	k.counts.CallsAgain = min(1, k.counts.EdgesAgain)
}

// work waits for the time that the service takes, then does what the call asks for, also if the
// client has disconnected by then.
func (k *call) work() answer {
	d := k.c.Latency
	who, n := k.drawKey()
	if k.c.Jitter > 0 {
		d += time.Duration(draw(k.c.Seed, drawJitter, who, n) * float64(k.c.Jitter))
	}
	if k.fault != nil && k.fault.Kind == FaultSpike {
		d += cmp.Or(k.fault.For, 5*time.Second)
	}
	k.wait(d)
	a := k.act()
	k.s.tally.change(func(s *Stats) { s.Counts.add(&k.counts) })
	k.release()
	return a
}

// drawKey returns the numbers on which the draws of this call depend: its account and the number of
// its calls before this one, or the call's number.
func (k *call) drawKey() (who, n uint64) {
	if k.nth > 0 {
		return accountHash(k.from), uint64(k.nth)
	}
	return 0, uint64(k.number)
}

// wait waits for d. If the client disconnects it records that at once, and goes on waiting.
func (k *call) wait(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	gone := k.r.Context().Done()
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

func (k *call) release() {
	if k.busy {
		k.busy = false
		k.s.watch.release(k.from, time.Now(), k.c.BusyAfter)
	}
}

// leave ends the call for the client, once.
func (k *call) leave(gone bool) {
	if k.left {
		return
	}
	k.left, k.gone, k.ended = true, gone, time.Now()
	if k.open != nil {
		k.s.watch.leave(k.open, k.ended, gone)
	}
	k.s.tally.change(func(s *Stats) {
		s.OpenNow--
		if gone {
			s.GaveUp++
		}
	})
}

// finish ends the call. It is called before the last of the answer is written, because Stats must
// have the call by then.
func (k *call) finish() {
	k.leave(false)
	k.report()
}

// report adds the call to Stats, once.
func (k *call) report() {
	if k.reported {
		return
	}
	k.reported = true
	k.s.tally.change(func(s *Stats) { s.ended(k) })
	if k.c.Observe != nil {
		k.c.Observe(k.view())
	}
}

// view returns the call as Observe and Script see it.
func (k *call) view() Call {
	v := Call{
		API: k.api.name, Request: k.r, Number: k.number, Nth: k.nth, From: k.from, Arrived: k.at, Since: k.since,
		Ended: k.ended, Code: k.code, Status: k.status, Applied: int(k.counts.EdgesApplied), GaveUp: k.gone,
	}
	if k.fault != nil {
		v.Fault = k.fault.String()
	}
	for _, r := range k.pretend().items {
		v.To = append(v.To, r.to)
	}
	return v
}

// end ends whatever is still open, also after the handler was aborted.
func (k *call) end() {
	k.release()
	k.leave(k.r.Context().Err() != nil)
	k.report()
}
