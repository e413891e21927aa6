package objects

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	mostPause = 30 * time.Second
	firstGo   = 5 // attempts at a store that has never answered: its address is more likely wrong than its network down
)

// patience decides how long a request is tried again. It belongs to one goroutine; the zero value
// begins.
type patience struct {
	failed int       // attempts in a row
	since  time.Time // of the first of them
	warned bool
}

// goesOn reports whether there is another attempt after so many that failed.
func goesOn(failed int, since, most time.Duration, answered bool) bool {
	if !answered {
		return failed < firstGo
	}
	return since < most
}

// pauseAfter is how long to wait after so many failed attempts: doubling, with jitter over its
// upper half.
func pauseAfter(failed int, first time.Duration, jitter float64) time.Duration {
	pause := mostPause
	if failed < 16 {
		pause = min(first<<(failed-1), mostPause)
	}
	return pause/2 + time.Duration(jitter*float64(pause/2))
}

// progress forgets what has failed.
func (p *patience) progress() { *p = patience{} }

// after is called when an attempt has failed. It returns nil when it is time for the next one, and
// else the error that it comes to.
func (s *Store) after(ctx context.Context, p *patience, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := s.judge(err)
	if e.Kind != Unreachable {
		return e
	}
	if p.failed++; p.failed == 1 {
		p.since = time.Now()
	}
	if !goesOn(p.failed, time.Since(p.since), s.patience, s.answered.Load()) {
		return &Error{Unreachable, fmt.Sprintf("%s, and so it did %d times in %v", e.Reason, p.failed,
			time.Since(p.since).Round(time.Second))}
	}
	if p.failed > 2 && !p.warned { // a single reset is the network's daily life
		p.warned = true
		s.warn(fmt.Sprintf("object storage does not answer for %s (%s): trying again", name, e.Reason))
	}
	return sleep(ctx, pauseAfter(p.failed, s.pause, rand.Float64()))
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// query makes a request that has a short answer, and makes it again while that helps.
func (s *Store) query(ctx context.Context, name string, ask func(ctx context.Context) error) error {
	var p patience
	for {
		limited, cancel := context.WithTimeout(ctx, queryTimeout)
		err := ask(limited)
		cancel()
		if err == nil {
			s.answered.Store(true)
			return nil
		}
		if err := s.after(ctx, &p, name, err); err != nil {
			return err
		}
	}
}
