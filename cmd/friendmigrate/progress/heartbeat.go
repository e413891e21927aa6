package progress

import (
	"fmt"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// heartbeat tells whether a run is stuck. It is arithmetic over what it is shown. A scheduler that
// ends a run for it loses nothing, but a run that only waits, for a service that is down, say, is
// not stuck: it waits better than its successor would.
type heartbeat struct {
	beat    time.Time // of the last snapshot; zero: none yet, and nothing can be said
	moved   time.Time // something was sent, settled or read, or there was a reason to wait
	mark    mark
	closing time.Time // no snapshots come any more, since the lists are written
}

// How long nothing may happen.
const (
	stillAfter   = 5 * time.Minute  // sending or reading; a call is given up long before
	silentAfter  = 2 * time.Minute  // the watch itself, which looks each second but may wait for a slow disk
	closingAfter = 30 * time.Minute // writing lists, of millions of rows perhaps
)

// mark is what grows while a run gets on.
type mark struct {
	phase                      string
	calls, settled, bytes, row int64
}

func (p *heartbeat) show(s Snapshot) {
	m := mark{phase: s.Phase, settled: s.Settled}
	if s.Calls != nil {
		m.calls = s.Calls.Sent
	}
	if s.Input != nil {
		m.bytes, m.row = s.Input.Bytes, s.Input.Rows
	}
	p.beat = s.At
	if m != p.mark || waits(s) {
		p.mark, p.moved = m, s.At
	}
}

// waits reports whether there is a reason for nothing to happen.
func waits(s Snapshot) bool {
	switch s.Phase {
	case Reading:
		in := s.Input
		// standard input gives when it likes; grouping shows no bytes
		return in == nil || in.Total <= 0 || in.Bytes >= in.Total
	case Sending:
		// With no call under way it waits out a backoff, looks for the accounts of a pilot in a
		// large stage, or writes what was read; a run of which all is done closes its files.
		c := s.Calls
		return c != nil && (c.Holding || c.Pace == 0 || c.InFlight == 0) || s.Total > 0 && s.Settled >= s.Total
	}
	return true
}

// health says what looks stuck; "" if nothing does.
func (p *heartbeat) health(now time.Time) string {
	switch {
	case !p.closing.IsZero():
		if d := now.Sub(p.closing); d > closingAfter {
			return "the lists are being written for " + terminal.Span(d)
		}
	case p.beat.IsZero():
	case now.Sub(p.beat) > silentAfter:
		return "nothing was heard of the run for " + terminal.Span(now.Sub(p.beat))
	case now.Sub(p.moved) > stillAfter:
		return fmt.Sprintf("%s, but nothing was sent, settled or read for %s", p.mark.phase,
			terminal.Span(now.Sub(p.moved)))
	}
	return ""
}
