package progress

import (
	"fmt"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// watchdog decides from snapshots whether a command is stuck. A scheduler that ends a stuck run
// loses nothing. A run that waits, for a service that is down for example, is not stuck: a new
// process would only wait as well.
type watchdog struct {
	beat      time.Time // time of the last snapshot; zero: none yet
	moved     time.Time // last time that something was sent, settled or read, or there was a reason to wait
	changed   time.Time // last time that something was sent, settled or read
	mark      mark
	warned    bool      // Still has warned
	finishing time.Time // start of writing the lists, when snapshots end; zero: not yet
}

// How long nothing may happen.
const (
	WarnAfter      = time.Minute      // log what the run waits for
	stillAfter     = 5 * time.Minute  // while sending or reading; a call times out much earlier
	silentAfter    = 2 * time.Minute  // without snapshots, which come each second but may wait for a slow disk
	finishingAfter = 30 * time.Minute // while writing lists, perhaps of millions of rows
)

// mark holds what grows while a command makes progress.
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
		w.changed, w.moved, w.warned = s.Clock, s.Clock, false
	}
	if s.waits() {
		w.moved = s.Clock
	}
	w.beat, w.mark, w.finishing = s.Clock, m, time.Time{}
}

// waits reports whether there is a reason that nothing happens.
func (s Snapshot) waits() bool {
	switch s.Phase {
	case Reading:
		// Standard input may be slow, and grouping reads no bytes.
		return s.Input == nil || s.Input.Total <= 0 || s.Input.Bytes >= s.Input.Total
	case Sending:
		// With no account at work it waits for a backoff to end, looks for the accounts of a pilot
		// in a large stage, or writes what it read. A run that has done everything closes its
		// files.
		return s.Calls != nil && (s.idles() || s.Engine.Working == 0) || s.Total > 0 && s.Settled >= s.Total
	}
	return true
}

// health returns what looks stuck; "" if nothing does.
func (w *watchdog) health(now time.Time) string {
	switch {
	case !w.finishing.IsZero():
		if d := now.Sub(w.finishing); d > finishingAfter {
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

// Still returns what a sending run waits for, once, after a minute in which nothing was sent or
// settled. Otherwise it returns "". Reading the input has messages of its own for this.
func (v *View) Still() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	w, s := &v.watchdog, v.last
	still := s.Clock.Sub(w.changed)
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
