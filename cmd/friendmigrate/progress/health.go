package progress

import (
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// WarnAfter is how long nothing may happen before a run logs what it waits for.
const WarnAfter = time.Minute

// silentAfter is how long a healthy run may take no snapshot. They come each second, but may wait
// for a slow disk.
const silentAfter = 2 * time.Minute

// Health returns why the command looks stuck; "" means that it does not. A run that waits, for a
// service that is down for example, is not stuck: a new process would only wait as well.
func (v *View) Health(now time.Time) string {
	s := v.Snapshot()
	silent := now.Sub(s.Clock)
	if s.Phase == Starting || s.Phase == Ended || s.Finishing || silent <= silentAfter {
		return "" // snapshots come only while the input is read or calls are sent
	}
	return "nothing was heard of the run for " + terminal.Span(silent)
}

// standstill is the time since a sending run last sent or settled something.
type standstill struct {
	since         time.Time
	sent, settled int64
	told          bool // Still has returned it
}

func (w *standstill) look(s Snapshot) {
	now := standstill{since: s.Clock, settled: s.Settled}
	if s.Calls != nil {
		now.sent = s.Calls.Sent
	}
	if w.since.IsZero() || s.Phase != Sending || now.sent != w.sent || now.settled != w.settled {
		*w = now
	}
}

// Still returns what a sending run waits for, once, after a minute in which nothing was sent or
// settled. Otherwise it returns "". Reading the input has messages of its own for this.
func (v *View) Still() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, s := &v.still, v.last
	still := s.Clock.Sub(w.since)
	if w.told || s.Phase != Sending || still < WarnAfter {
		return ""
	}
	w.told = true
	return "nothing was sent or settled for " + terminal.Span(still) + ": " + s.waitsFor()
}

func (s Snapshot) waitsFor() string {
	switch c := s.Calls; {
	case s.Slow != "":
		return s.Slow
	case c != nil && c.InFlight > 0:
		return "waiting for the end of " + terminal.Some(c.InFlight, "call") + ", or for the disk"
	case c != nil && c.Waiting > 0:
		return terminal.Some(int64(c.Waiting), "account") + " waiting to be tried again"
	}
	return "waiting for the disk with the state folder"
}
