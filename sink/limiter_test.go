package sink

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// departed runs workers at a limiter until ctx ends and returns when calls left.
func departed(ctx context.Context, l *limiter, workers int, latency time.Duration, answer func(n int) response) []time.Time {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		left []time.Time
	)
	for range workers {
		wg.Go(func() {
			for {
				p, err := l.Wait(ctx, func() {})
				if err != nil {
					return
				}
				mu.Lock()
				left = append(left, time.Now())
				n := len(left)
				mu.Unlock()
				time.Sleep(latency)
				l.Done(p, answer(n), 60007, 0)
			}
		})
	}
	wg.Wait()
	slices.SortFunc(left, time.Time.Compare)
	return left
}

// busiest is the most calls in any sliding second that begins at from or later.
func busiest(left []time.Time, from time.Time) int {
	most, i := 0, 0
	for j, at := range left {
		for left[i].Before(from) && i < j || at.Sub(left[i]) >= time.Second {
			i++
		}
		if !at.Before(from) {
			most = max(most, j-i+1)
		}
	}
	return most
}

func allTaken(int) response { return taken }

// TestNoBurst: a burst doubles the limit, at the start and everywhere.
func TestNoBurst(t *testing.T) {
	for _, limit := range []float64{1, 2, 5, 10, 66, 200, 1000} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			left := departed(ctx, newLimiter(limit, time.Time{}), int(1.5*limit)+1, 300*time.Millisecond, allTaken)
			if n := busiest(left, start); n > int(limit) {
				t.Errorf("limit %v: %d calls in a second", limit, n)
			}
			if got, want := float64(len(left)-1)/left[len(left)-1].Sub(left[0]).Seconds(), limit*underRate; got < 0.999*want || got > 1.001*want {
				t.Errorf("limit %v: %.2f calls a second, want %.2f", limit, got, want)
			}
		})
	}
}

// TestNoCatchingUpAfterAStall: a process that stood still for a second has reservations that are
// all due at once, if each waiter has one.
func TestNoCatchingUpAfterAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(200, time.Time{})
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		for _, at := range []time.Duration{1500 * time.Millisecond, 4 * time.Second} {
			time.AfterFunc(at, func() { // nobody moves while it is somebody else's turn
				l.turn <- struct{}{}
				time.Sleep(1100 * time.Millisecond)
				<-l.turn
			})
		}
		left := departed(ctx, l, 300, 50*time.Millisecond, allTaken)
		if n := busiest(left, start); n > 200 {
			t.Errorf("%d calls in a second", n)
		}
		if len(left) < 7*198 {
			t.Errorf("only %d calls left in 10 s with 2.2 s of standing still", len(left))
		}
	})
}

// TestLowerPaceHoldsAtOnce: reservations made before the pace was lowered survive in a limiter with
// many waiters.
func TestLowerPaceHoldsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(200, time.Time{})
		var low time.Time
		time.AfterFunc(2*time.Second, func() {
			l.mu.Lock()
			low = time.Now()
			l.pace.base, l.pace.max = 20, 20
			l.mu.Unlock()
		})
		ctx, stop := context.WithTimeout(t.Context(), 12*time.Second)
		defer stop()
		left := departed(ctx, l, 300, 50*time.Millisecond, allTaken)
		if n := busiest(left, low.Add(time.Nanosecond)); n > 21 {
			t.Errorf("%d calls in a second after the pace was lowered to 20", n)
		}
		after := 0
		for _, at := range left {
			if at.After(low) && at.Before(low.Add(time.Second)) {
				after++
			}
		}
		if after > 20 {
			t.Errorf("%d calls left in the second after the pace was lowered to 20", after)
		}
		if n := len(left) - 2*198; n < 170 || n > 200 {
			t.Errorf("%d calls left in 10 s at a pace of 20, after a pause in which the second before left the window", n)
		}
	})
}

// TestWaitFirstPassesTheQueue: hundreds of calls may wait for what this one finds out. It keeps to
// the pace all the same.
func TestWaitFirstPassesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(10, time.Time{})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() { _, _ = l.Wait(ctx, func() {}) })
		}
		time.Sleep(1500 * time.Millisecond)
		began := time.Now()
		for range 5 {
			if _, err := l.WaitFirst(ctx, func() {}); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took < 400*time.Millisecond || took > 1200*time.Millisecond {
			t.Errorf("five in %v at 10 a second", took)
		}
		cancel()
		if _, err := l.WaitFirst(ctx, func() {}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		wg.Wait()
	})
}

func TestStartAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		l := newLimiter(200, start.Add(1200*time.Millisecond))
		if p := l.Pace(); p.Current != 0 || p.Reason == "" || p.Cause != PaceRestart {
			t.Errorf("pace %+v", p)
		}
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		left := departed(ctx, l, 300, 50*time.Millisecond, allTaken)
		if d := left[0].Sub(start); d < 1200*time.Millisecond || d > 1210*time.Millisecond {
			t.Errorf("the first call left after %v", d)
		}
		if p := l.Pace(); p.Reason != "" || p.Cause != PaceFree {
			t.Errorf("pace %+v", p)
		}
	})
}

// TestRetryAfterHoldsForAll: nothing leaves before the service wants it, whoever was told.
func TestRetryAfterHoldsForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(200, time.Time{})
		p, err := l.Wait(t.Context(), func() {})
		if err != nil {
			t.Fatal(err)
		}
		l.Done(p, refused, 429, 30*time.Second)
		if p := l.Pace(); p.Current != 0 || p.Cause != PaceAsked || p.Reason != "waiting 30s, as the service asked with code 429" {
			t.Errorf("pace %+v", p)
		}
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
		defer stop()
		left := departed(ctx, l, 10, 50*time.Millisecond, allTaken)
		if d := left[0].Sub(start); d < 30*time.Second || d > 31*time.Second {
			t.Errorf("the first call left after %v", d)
		}
	})
}

// TestCancelledWaitSpendsNothing: its place goes to the next.
func TestCancelledWaitSpendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(1, time.Time{})
		if _, err := l.Wait(t.Context(), func() {}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancelCause(t.Context())
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := l.Wait(ctx, func() {}); !errors.Is(err, context.Canceled) {
					t.Errorf("%v, want ctx's error", err)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		stop(errors.New("enough"))
		wg.Wait()
		if d := time.Since(start); d != 0 {
			t.Errorf("a cancelled wait took %v", d)
		}
		if _, err := l.Wait(t.Context(), func() {}); err != nil || time.Since(start) > 1011*time.Millisecond {
			t.Errorf("the next call left after %v: %v", time.Since(start), err)
		}
		deadline, stop2 := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop2()
		if _, err := l.Wait(deadline, func() {}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the deadline's", err)
		}
		if _, err := l.Wait(ctx, func() {}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v from a context that had ended", err)
		}
	})
}

// TestUnpaced: 100,000 and more means no waiting at all, until the service says otherwise.
func TestUnpaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Unpaced, time.Time{})
		start := time.Now()
		var last permit
		for range 5000 {
			p, err := l.Wait(t.Context(), func() {})
			if err != nil {
				t.Fatal(err)
			}
			last = p
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("5000 calls waited for %v", d)
		}
		for range 3 {
			l.Done(last, refused, 60007, 0)
		}
		if p := l.Pace(); p.Current > 5000 {
			t.Errorf("pace %+v after refused calls", p)
		}
	})
}

func BenchmarkWaitUnpaced(b *testing.B) {
	l := newLimiter(Unpaced, time.Time{})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			p, _ := l.Wait(context.Background(), func() {})
			l.Done(p, taken, 0, 0)
		}
	})
}

// TestTheLimitChangesAtOnce, for calls that wait as well, and no second holds more than the limit
// in force: down, paused, a little, and up again.
func TestTheLimitChangesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(200, time.Time{})
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
		defer stop()
		steps := []struct {
			at    time.Duration
			limit float64
			cause PaceCause
		}{{10 * time.Second, 20, PaceSet}, {20 * time.Second, 0, PacePaused}, {30 * time.Second, 0.5, PaceSet}, {40 * time.Second, 100, PaceSet}, {50 * time.Second, 200, PaceFree}}
		for _, step := range steps {
			time.AfterFunc(step.at, func() {
				l.setLimit(step.limit)
				if p := l.Pace(); p.Cause != step.cause || (p.Reason == "") != (p.Cause == PaceFree) || step.limit == 0 && p.Current != 0 {
					t.Errorf("after %v: %+v", step.at, p)
				}
			})
		}
		left := departed(ctx, l, 300, 100*time.Millisecond, allTaken)
		count := func(from, to time.Duration) (n int) {
			for _, at := range left {
				if d := at.Sub(start); d >= from && d < to {
					n++
				}
			}
			return n
		}
		for i, step := range steps {
			end := 60 * time.Second
			if i+1 < len(steps) {
				end = steps[i+1].at
			}
			n, most := count(step.at+time.Second, end), 0
			for at := step.at; at < end; at += 50 * time.Millisecond {
				most = max(most, count(at, min(end, at+time.Second)))
			}
			if want := step.limit * underRate * (end - step.at - time.Second).Seconds(); float64(n) < 0.97*want-1 || float64(n) > 1.01*want+1 || most > int(max(step.limit, 1)) || step.limit == 0 && most > 0 {
				t.Errorf("%v from %v on: %d calls, want %.0f, and %d in one second", step.limit, step.at, n, want, most)
			}
		}
		if d := l.pausedFor(time.Now()); d != 10*time.Second {
			t.Errorf("paused for %v", d)
		}
	})
}
