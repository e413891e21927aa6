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

// Seconds is how long something takes at the present speed; nil where nothing is to be done or
// nothing moves.
func (s *Speed) Seconds(togo int64) *float64 {
	const longest = 100 * 365 * 24 * 3600
	speed, known := s.PerSecond()
	seconds := float64(togo) / speed
	if !known || speed <= 0 || togo <= 0 || seconds > longest {
		return nil
	}
	return &seconds
}
