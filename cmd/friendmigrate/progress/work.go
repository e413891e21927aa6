package progress

import (
	"fmt"
	"time"

	"friendmigrate/cmd/friendmigrate/terminal"
	"friendmigrate/migrate"
	"friendmigrate/sink"
)

// Work describes what a command is doing, for View.
type Work struct {
	// Fill writes what the command knows into a snapshot. Another goroutine calls it once a second
	// until View.Finish, so it must be safe for concurrent use.
	Fill   func(*Snapshot)
	Client *sink.Client   // nil: no call is sent yet
	Meter  *migrate.Meter // nil: the engine is not running yet

	Workers int           // maximum of calls in flight; 0: not known
	Timeout time.Duration // of a call
	Unpause string        // the command that ends a pause
}

// watched is work with its speeds. Both come from a recent window, so what earlier runs did never
// makes a resumed run look fast.
type watched struct {
	Work
	calls, done Speed
}

// snapshot returns a snapshot of the command, its client and its engine.
func (w *watched) snapshot(now time.Time) Snapshot {
	s := New(now, Starting)
	w.Fill(&s)
	if w.Meter != nil {
		s.Engine = w.Meter.Snapshot()
	}
	w.done.Observe(now, s.Done)
	if w.Client != nil {
		w.addCalls(&s, w.Client.Stats(), w.Client.Pace())
	}
	if s.Phase == Sending {
		s.Percent = Percent(s.Settled, s.Total)
	}
	s.Left, s.Drain = w.done.Seconds(s.ToGo), w.Timeout
	open := s.Engine.Working + s.Engine.Parked
	switch {
	case s.Engine.Stopping:
		s.Stop = "the last line will say why"
	case s.ToGo > 0 && s.Noun == "" && open < min(fewAccounts, w.Workers):
		s.Few = open
	}
	return s
}

// fewAccounts is the number of open accounts below which the end is near. Before the end, the
// engine has one open account per worker. A command that counts accounts needs a call or few for
// each, or asks about many at once.
const fewAccounts = 10

// addCalls adds the counts of the client and the engine.
func (w *watched) addCalls(s *Snapshot, stats sink.Stats, pace sink.Pace) {
	m := s.Engine
	s.Stats = stats
	s.Calls = &Calls{
		Sent: stats.Attempts, Retried: m.Retried, Throttled: stats.Throttled, Uncertain: stats.Uncertain,
		InFlight: stats.InFlight, Waiting: m.Parked, Asked: pace.Limit, Pace: pace.Current, Holding: m.Holding,
	}
	s.Calls.Reason, s.Slow = slowness(m, pace, s.Clock, w.Unpause)
	if s.idles() { // earlier speeds do not predict later ones
		w.calls, w.done = Speed{Window: ShortWindow}, Speed{}
	}
	w.calls.Observe(s.Clock, stats.Attempts)
	s.Calls.PerSecond, _ = w.calls.PerSecond()
}

// idles reports whether no calls are expected to be sent now.
func (s Snapshot) idles() bool {
	return s.Calls != nil && (s.Calls.Reason == ReasonHold || s.Calls.Reason == ReasonWaiting || s.Calls.Pace == 0)
}

// slowness returns why a run is slower than its rate: a word of Reasons, and a text.
func slowness(m migrate.Snapshot, pace sink.Pace, now time.Time, unpause string) (reason, text string) {
	switch {
	case pace.Cause == sink.PacePaused:
		return string(pace.Cause), "paused; " + unpause + " ends it"
	case m.Holding:
		next := "trying again now"
		if wait := m.NextProbe.Sub(now); wait > 0 {
			next = "next try in " + terminal.Span(wait)
		}
		return ReasonHold, fmt.Sprintf("holding for %s; %s; last answer: %s",
			terminal.Span(now.Sub(m.HoldSince)), next, terminal.Brief(m.HoldReason))
	case pace.Cause != sink.PaceFree && pace.Current == 0:
		return string(pace.Cause), pace.Reason
	case m.Halving > m.Working: // few are halved at a time, and no other account is begun
		return ReasonHalving, terminal.WasWere(int64(m.Halving), "account") +
			" refused as a whole; looking for the edges that are refused"
	case m.Working == 0 && m.Parked > 0: // the pace does not matter
		return ReasonWaiting, terminal.Some(int64(m.Parked), "account") + " waiting to be tried again"
	case pace.Cause == sink.PaceRefused:
		return string(pace.Cause), fmt.Sprintf("%s: %.0f of %.0f calls/s", pace.Reason, pace.Current, pace.Limit)
	case pace.Cause != sink.PaceFree:
		return string(pace.Cause), pace.Reason
	}
	return ReasonNone, ""
}

// A window is the time over which a speed is measured: long enough for a steady value, short enough
// to follow a change.
const (
	DefaultWindow = 30 * time.Second // for the time left
	ShortWindow   = 8 * time.Second  // for the speed of calls
)

// Speed measures how fast a count has grown recently. It reads no clock. The zero Speed is ready to
// use. Only growth since the first count is speed, so what earlier runs did never makes a resumed
// run look fast.
type Speed struct {
	Window time.Duration // 0: DefaultWindow
	points []point
}

type point struct {
	at    time.Time
	count int64
}

// Observe records the count at a time. Times must not go back.
func (s *Speed) Observe(at time.Time, count int64) {
	window := s.Window
	if window == 0 {
		window = DefaultWindow
	}
	s.points = append(s.points, point{at, count})
	for len(s.points) > 2 && at.Sub(s.points[1].at) >= window {
		s.points = s.points[1:]
	}
}

// PerSecond returns the speed, and whether it is known yet.
func (s *Speed) PerSecond() (float64, bool) {
	if len(s.points) < 2 {
		return 0, false
	}
	first, last := s.points[0], s.points[len(s.points)-1]
	span := last.at.Sub(first.at)
	if span < 900*time.Millisecond {
		return 0, false
	}
	return float64(last.count-first.count) / span.Seconds(), true
}

// Seconds returns how long togo takes at the current speed. It returns nil if nothing is left to do
// or nothing moves.
func (s *Speed) Seconds(togo int64) *float64 {
	const longest = 100 * 365 * 24 * 3600
	speed, known := s.PerSecond()
	seconds := float64(togo) / speed
	if !known || speed <= 0 || togo <= 0 || seconds > longest {
		return nil
	}
	return &seconds
}
