package progress

import (
	"fmt"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// watchdog tells whether a command is stuck. It is arithmetic over the snapshots it is shown. A
// scheduler that ends a stuck run loses nothing. A run that waits, for a service that is down for
// example, is not stuck: it waits better than its successor would.
type watchdog struct {
	beat    time.Time // of the last snapshot; zero: none yet, and nothing can be said
	moved   time.Time // something was sent, settled or read, or there was a reason to wait
	changed time.Time // the same, whatever the reason
	mark    mark
	warned  bool      // that nothing changes
	resting time.Time // no snapshots come any more, since the lists are written; zero: they come
}

// How long nothing may happen.
const (
	WarnAfter    = time.Minute      // it is said what is waited for
	stillAfter   = 5 * time.Minute  // sending or reading; a call is given up long before
	silentAfter  = 2 * time.Minute  // the snapshots themselves, which come each second but may wait for a slow disk
	restingAfter = 30 * time.Minute // writing lists, of millions of rows perhaps
)

// mark is what grows while a command gets on.
type mark struct {
	phase                       string
	calls, settled, bytes, rows int64
}

func (w *watchdog) look(s Snapshot) {
	m := mark{phase: s.Phase, settled: s.Settled}
	if s.Calls != nil {
		m.calls = s.Calls.Sent
	}
	if s.Input != nil {
		m.bytes, m.rows = s.Input.Bytes, s.Input.Rows
	}
	if m != w.mark {
		w.changed, w.moved, w.warned = s.At, s.At, false
	}
	if s.waits() {
		w.moved = s.At
	}
	w.beat, w.mark, w.resting = s.At, m, time.Time{}
}

// waits reports whether there is a reason for nothing to happen.
func (s Snapshot) waits() bool {
	switch s.Phase {
	case Reading:
		// Standard input gives when it likes, and grouping shows no bytes.
		return s.Input == nil || s.Input.Total <= 0 || s.Input.Bytes >= s.Input.Total
	case Sending:
		// With no account at work it waits out a backoff, looks for the accounts of a pilot in a
		// large stage, or writes what was read. A run that has done everything closes its files.
		return s.Calls != nil && (s.idles() || s.Engine.Working == 0) || s.Total > 0 && s.Settled >= s.Total
	}
	return true
}

// health says what looks stuck; "" if nothing does.
func (w *watchdog) health(now time.Time) string {
	switch {
	case !w.resting.IsZero():
		if d := now.Sub(w.resting); d > restingAfter {
			return "the lists are being written for " + terminal.Span(d)
		}
	case w.beat.IsZero():
	case now.Sub(w.beat) > silentAfter:
		return "nothing was heard of the run for " + terminal.Span(now.Sub(w.beat))
	case now.Sub(w.moved) > stillAfter:
		return fmt.Sprintf("%s, but nothing was sent, settled or read for %s", w.mark.phase,
			terminal.Span(now.Sub(w.moved)))
	}
	return ""
}

// Still says once what a run of calls waits for, after a minute in which nothing was sent or
// settled; "" before. Reading the input says that for itself.
func (v *View) Still() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, s := &v.watchdog, v.last
	still := s.At.Sub(w.changed)
	if w.warned || s.Phase != Sending || still < WarnAfter {
		return ""
	}
	w.warned = true
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
