package progress

import (
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
)

// StandstillAfter is how long nothing may be sent or settled before it is said what is waited for.
const StandstillAfter = time.Minute

// Standstill notices that a run of calls does not get on. It is arithmetic over what it is shown;
// the zero Standstill is ready. Reading the input says for itself what it waits for.
type Standstill struct {
	sent, settled int64
	since         time.Time // nothing changed
	told          bool
}

// Look says what is waited for once nothing changed for a minute; then "" until something does.
func (w *Standstill) Look(s Snapshot) string {
	var sent int64
	if s.Calls != nil {
		sent = s.Calls.Sent
	}
	if s.Phase != Sending || w.since.IsZero() || sent != w.sent || s.Settled != w.settled {
		*w = Standstill{sent: sent, settled: s.Settled, since: s.At}
		return ""
	}
	if w.told || s.At.Sub(w.since) < StandstillAfter {
		return ""
	}
	w.told = true
	return "nothing was sent or settled for " + terminal.Span(s.At.Sub(w.since)) + ": " + s.waits()
}

func (s Snapshot) waits() string {
	switch {
	case s.Slow != "":
		return s.Slow
	case s.Calls != nil && s.Calls.InFlight > 0:
		return "waiting for the end of " + terminal.Some(int64(s.Calls.InFlight), "call") + ", or for the disk"
	case s.Calls != nil && s.Calls.Waiting > 0:
		return terminal.Some(int64(s.Calls.Waiting), "account") + " waiting to be tried again"
	}
	return "waiting for the disk with the state folder"
}
