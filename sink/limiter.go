package sink

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"friendmigrate/migrate"

	"golang.org/x/time/rate"
)

// limiter lets calls leave one at a time, as fast as its pace allows.
//
// Only one caller at a time waits at the rate.Limiter, and the others wait for their turn.
// Otherwise each waiter would hold a reservation, which survives a stall and a lowered limit: with
// 300 waiters at 198 a second, 318 calls leave in one sliding second after a stall of 0.6 s. The
// limiter also remembers when calls left and counts the sliding second itself, so that after a
// stall or a change of pace no second has more calls than the present pace allows.
type limiter struct {
	queue chan struct{} // held by the caller of Wait that waits for turn; WaitFirst skips it
	turn  chan struct{} // held by the caller that leaves next
	space *rate.Limiter // burst 1: keeps calls apart; used by the holder of turn

	mu              sync.Mutex // guards the fields below
	pace            pace
	departed        departures
	notBefore       time.Time
	notBeforeReason string // in words
	notBeforeCause  PaceCause
	refusalCode     int // the code that last lowered the pace
	initialLimit    float64
	changed         chan struct{} // closed by the next change of the limit
	paused          time.Time     // start of the present pause; zero: there is none
	pausedBefore    time.Duration // total length of earlier pauses
}

func newLimiter(limit float64, startAfter time.Time) *limiter {
	l := &limiter{queue: make(chan struct{}, 1), turn: make(chan struct{}, 1), pace: newPace(limit),
		notBefore: startAfter, initialLimit: limit, changed: make(chan struct{})}
	if !startAfter.IsZero() {
		l.notBeforeReason, l.notBeforeCause = "to leave room after the run before", PaceRestart
	}
	l.space = rate.NewLimiter(rate.Limit(l.pace.max), 1)
	return l
}

// Wait returns when a call may leave. The call must then leave at once, so what takes time is for
// prepare, which is called right before. The error is ctx's; no call was then counted.
func (l *limiter) Wait(ctx context.Context, prepare func()) (permit, error) {
	select {
	case l.queue <- struct{}{}:
		defer func() { <-l.queue }()
	case <-ctx.Done():
		return permit{}, ctx.Err()
	}
	return l.WaitFirst(ctx, prepare)
}

// WaitFirst is like Wait but overtakes all callers of Wait except one. Hundreds of calls may wait
// there, and others wait for the answer to this one.
func (l *limiter) WaitFirst(ctx context.Context, prepare func()) (permit, error) {
	if err := ctx.Err(); err != nil {
		return permit{}, err
	}
	if p, ok := l.unpaced(); ok {
		prepare()
		return p, nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return permit{}, ctx.Err()
	}
	if err := l.sleep(ctx, l.untilOpen(time.Now())); err != nil {
		return permit{}, err
	}
	if err := l.keepApart(ctx); err != nil {
		return permit{}, err
	}
	for {
		prepare()
		p, wait := l.depart(time.Now())
		if wait <= 0 {
			return p, nil
		}
		if err := l.sleep(ctx, wait); err != nil {
			return permit{}, err
		}
	}
}

// setLimit changes the limit for calls that have not left; 0 is a pause. It takes effect at once
// for waiting calls.
func (l *limiter) setLimit(limit float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	switch {
	case limit == 0 && l.paused.IsZero():
		l.paused = now
	case limit > 0 && !l.paused.IsZero():
		l.pausedBefore += now.Sub(l.paused)
		l.paused = time.Time{}
	}
	if limit > 0 {
		l.pace.setRate(limit)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// pausedFor returns the total length of all pauses.
func (l *limiter) pausedFor(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paused.IsZero() {
		return l.pausedBefore
	}
	return l.pausedBefore + now.Sub(l.paused)
}

// sleep waits for d, for a change of the limit or for ctx, whose error it returns.
func (l *limiter) sleep(ctx context.Context, d time.Duration) error {
	l.mu.Lock()
	changed := l.changed
	l.mu.Unlock()
	return migrate.SleepUnless(ctx, d, changed)
}

// unpaced lets a call leave at once if there is no pace and nothing has slowed us down.
func (l *limiter) unpaced() (permit, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.pace.rate < Unpaced || !l.pace.full() || now.Before(l.notBefore) || !l.paused.IsZero() {
		return permit{}, false
	}
	return l.pace.depart(now, l.departed.add(now)), true
}

func (l *limiter) keepApart(ctx context.Context) error {
	now := time.Now()
	l.mu.Lock()
	limit := rate.Limit(l.pace.base)
	l.mu.Unlock()
	if limit != l.space.Limit() {
		l.space.SetLimitAt(now, limit)
	}
	token := l.space.ReserveN(now, 1)
	if err := l.sleep(ctx, token.DelayFrom(now)); err != nil {
		token.Cancel()
		return err
	}
	return nil
}

// depart records a departure if there is room in the sliding second. Otherwise it returns the time
// until there may be.
func (l *limiter) depart(now time.Time) (permit, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !l.paused.IsZero():
		return permit{}, time.Second // the end of the pause may come before sleep listens for it
	case now.Before(l.notBefore):
		return permit{}, l.notBefore.Sub(now)
	}
	if wait := l.departed.room(now, l.pace.window()); wait > 0 {
		return permit{}, wait
	}
	return l.pace.depart(now, l.departed.add(now)), 0
}

// Done records how the call was answered. code is the code that refused it, if it was refused.
// pause is the pause that the service asked for.
func (l *limiter) Done(p permit, r response, code int, pause time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.pace.answer(now, p, r)
	if r == refused {
		l.refusalCode = code
	}
	if until := now.Add(pause); pause > 0 && until.After(l.notBefore) {
		l.notBefore, l.notBeforeCause = until, PaceAsked
		l.notBeforeReason = "as the service asked with code " + strconv.Itoa(code)
	}
}

// untilOpen returns the time until calls may leave at all.
func (l *limiter) untilOpen(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.notBefore.Sub(now)
}

// Pace returns the present pace.
func (l *limiter) Pace() Pace {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := Pace{Limit: l.pace.rate, Current: l.pace.base}
	wait := time.Until(l.notBefore)
	switch {
	case !l.paused.IsZero():
		p.Current, p.Cause, p.Reason = 0, PacePaused, "paused"
	case wait > 0:
		p.Current, p.Cause = 0, l.notBeforeCause
		left := time.Duration(math.Ceil(wait.Seconds())) * time.Second
		p.Reason = fmt.Sprintf("waiting %v, %s", left, l.notBeforeReason)
	case !l.pace.full():
		p.Cause = PaceRefused
		p.Reason = fmt.Sprintf("throttled by the service (%d)", l.refusalCode)
	case l.pace.rate != l.initialLimit:
		p.Cause, p.Reason = PaceSet, fmt.Sprintf("pace set to %g", l.pace.rate)
	}
	return p
}

// departures holds the times at which calls left in the last second, the oldest first.
type departures []time.Time

func (d *departures) expire(now time.Time) {
	for len(*d) > 0 && now.Sub((*d)[0]) >= time.Second {
		*d = (*d)[1:]
	}
}

// room returns the time until one more call makes at most window calls in the second up to it.
func (d *departures) room(now time.Time, window int) time.Duration {
	d.expire(now)
	over := len(*d) + 1 - window
	if over <= 0 {
		return 0
	}
	last := (*d)[over-1] // has to leave the window
	return max(time.Second-now.Sub(last), 1)
}

// add records a departure and returns the number of departures in the second up to and including
// it.
func (d *departures) add(now time.Time) int {
	d.expire(now)
	*d = append(*d, now)
	return len(*d)
}
