package progress

import "time"

// Windows are over how much time a speed is measured: long enough to be calm, short enough to
// follow a change.
const (
	DefaultWindow = 30 * time.Second // for a time to go
	ShortWindow   = 8 * time.Second  // for a pace
)

// Speed measures how fast a count grows of late. It is arithmetic over what it is told; the zero
// Speed is ready. Only growth since the first count is speed, so what earlier runs did never makes
// a resumed run look fast.
type Speed struct {
	Window time.Duration // 0: DefaultWindow
	points []point
}

type point struct {
	at    time.Time
	count int64
}

// Observe takes in the count at a time. Times must not go back.
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

// PerSecond is the speed, once it can be told.
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

// Left is how long something takes at the present speed; ok is false where nothing moves.
func (s *Speed) Left(togo int64) (left time.Duration, ok bool) {
	speed, known := s.PerSecond()
	if !known || speed <= 0 {
		return 0, false
	}
	const longest = 100 * 365 * 24 * time.Hour
	seconds := float64(togo) / speed
	if seconds > longest.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// Seconds is Left for a snapshot; nil where nothing moves.
func (s *Speed) Seconds(togo int64) *float64 {
	left, ok := s.Left(togo)
	if !ok {
		return nil
	}
	seconds := left.Seconds()
	return &seconds
}
