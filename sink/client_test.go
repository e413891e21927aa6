package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
)

// TestSignatureExpiresMidRun: no edge fails by it, and all workers share one renewal.
func TestSignatureExpiresMidRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		revoked := map[string]bool{}
		var mu sync.Mutex
		s := &service{}
		s.answer = func(_ int, r request, w http.ResponseWriter) {
			mu.Lock()
			bad := revoked[r.sig]
			mu.Unlock()
			if bad || signed(r, testKey) != nil {
				fail(w, 70001)
				return
			}
			time.Sleep(50 * time.Millisecond)
			allWell(r, w)
		}
		c, stop := s.bubble(t, func(config *Config) { config.Workers, config.Rate = 50, 200 })
		defer stop()
		revoke := func() {
			mu.Lock()
			sig, _ := c.signer.secrets()
			revoked[sig] = true
			mu.Unlock()
		}
		for round := range 3 {
			var wg sync.WaitGroup
			for i := range 50 {
				wg.Go(func() {
					for k := range 20 {
						outcomes, err := c.Import(context.Background(), fmt.Sprint("u", i), edgesTo(fmt.Sprint("f", k)))
						if err != nil || kinds(outcomes) != "imported" {
							t.Errorf("round %d: %s %v", round, kinds(outcomes), err)
						}
					}
				})
			}
			time.Sleep(time.Second)
			revoke()
			wg.Wait()
			if n := c.Stats().Renewals; n != int64(round+1) {
				t.Errorf("round %d: %d renewals", round, n)
			}
		}
		if got, want := int64(len(s.received())), c.Stats().Attempts; got != want || got < 3000 {
			t.Errorf("the service saw %d requests, the client counts %d", got, want)
		}
	})
}

// TestASlowKeyLetsNoBurstLeave: calls that had their turn before the key is read would all leave at
// once when it comes. It takes real time, because in a bubble no time passes while calls wait for a
// lock.
func TestASlowKeyLetsNoBurstLeave(t *testing.T) {
	var mu sync.Mutex
	var left []time.Time
	s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
		mu.Lock()
		left = append(left, time.Now())
		mu.Unlock()
		allWell(r, w)
	}}
	c := testClient(t, s.serve(t), func(config *Config) { config.Workers, config.Rate = 300, 100 })
	start := time.Now()
	time.AfterFunc(300*time.Millisecond, func() {
		c.signer.mu.Lock()
		defer c.signer.mu.Unlock()
		time.Sleep(1200 * time.Millisecond)
	})
	ctx, stop := context.WithTimeout(t.Context(), 2500*time.Millisecond)
	defer stop()
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = c.Import(ctx, fmt.Sprint("u", i), edgesTo("f"))
			}
		})
	}
	wg.Wait()
	if n := busiest(left, start); n > 150 || len(left) < 100 {
		t.Errorf("%d calls in a second, %d in all", n, len(left))
	}
}

// TestRefusedAgainIsFatal: after one renewal, and each call has an answer of its own.
func TestRefusedAgainIsFatal(t *testing.T) {
	for _, code := range []int{70001, 70052, 60004, 60005} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { fail(w, code) }}
			c, stop := s.bubble(t, nil)
			defer stop()
			start := time.Now()
			for calls := 1; calls <= 3; calls++ {
				_, err := c.Import(t.Context(), "A", edgesTo("B"))
				if e := callError(t, err); e.Verdict != migrate.VerdictFatal || e.Code != code || e.Hint == "" {
					t.Errorf("%d: %+v", code, e)
				}
				sent := s.received()
				if n := len(sent); n != 2*calls || sent[n-2].sig == sent[n-1].sig {
					t.Errorf("%d: %d requests for %d calls, of which every second has to have a new signature", code, n, calls)
				}
				if d := time.Since(start); d > time.Duration(calls)*1100*time.Millisecond {
					t.Errorf("%d: it took %v", code, d)
				}
			}
		})
	}
}

// TestReplacedKeySavesTheCall: the key was rotated, and the service no longer takes the old one.
func TestReplacedKeySavesTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := testKey
		s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
			if signed(r, key) != nil {
				fail(w, 70009)
				return
			}
			allWell(r, w)
		}}
		c, stop := s.bubble(t, func(config *Config) { config.Key = func() (Secret, error) { return NewSecret(key), nil } })
		defer stop()
		if _, err := c.Import(t.Context(), "A", edgesTo("B")); err != nil {
			t.Fatal(err)
		}
		key = strings.Repeat("f", 64)
		outcomes, err := c.Import(t.Context(), "A", edgesTo("B"))
		if err != nil || kinds(outcomes) != "imported" || len(s.received()) != 3 {
			t.Errorf("%s %v after %d requests", kinds(outcomes), err, len(s.received()))
		}
		s.answer = func(_ int, _ request, w http.ResponseWriter) { fail(w, 70009) }
		_, err = c.Import(t.Context(), "A", edgesTo("B"))
		if e := callError(t, err); e.Verdict != migrate.VerdictFatal || len(s.received()) != 4 {
			t.Errorf("the same key refused: %+v after %d requests", e, len(s.received()))
		}
	})
}

// TestThrottleLowersThePace for everybody, and is no attempt.
func TestThrottleLowersThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { fail(w, 60007) }}
		c, stop := s.bubble(t, func(config *Config) { config.Rate = 200 })
		defer stop()
		if p := c.Pace(); p.Limit != 200 || p.Current != 198 || p.Reason != "" {
			t.Errorf("%+v", p)
		}
		for range 3 {
			_, err := c.Import(t.Context(), "A", edgesTo("B"))
			if e := callError(t, err); e.Verdict != migrate.VerdictThrottle || e.Uncertain || e.Pause != 0 {
				t.Errorf("%+v", e)
			}
		}
		if p := c.Pace(); p.Current >= 198 || !strings.Contains(p.Reason, "60007") || p.Cause != PaceRefused {
			t.Errorf("%+v", p)
		}
		if s := c.Stats(); s.Throttled != 3 {
			t.Errorf("%+v", s)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, "60": time.Minute, "3600": time.Minute, "-1": 0, "x": 0, "1.5": 0, "99999999999999999999": 0,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &service{answer: func(n int, r request, w http.ResponseWriter) {
				if n > 1 {
					allWell(r, w)
					return
				}
				w.Header().Set("Retry-After", header)
				w.WriteHeader(http.StatusTooManyRequests)
			}}
			c, stop := s.bubble(t, nil)
			defer stop()
			_, err := c.Import(t.Context(), "A", edgesTo("B"))
			if e := callError(t, err); e.Verdict != migrate.VerdictThrottle || e.Code != 429 || e.Pause != want || e.Uncertain || e.Answered {
				t.Errorf("Retry-After %q: %+v", header, e)
			}
			start := time.Now()
			if _, err := c.Import(t.Context(), "Z", edgesTo("B")); err != nil {
				t.Error(err)
			}
			if d := time.Since(start); d < want || d > want+time.Second {
				t.Errorf("Retry-After %q: the next call of another account left after %v", header, d)
			}
		})
	}
	now := time.Now()
	if d := retryAfter(now.Add(20 * time.Second).UTC().Format(http.TimeFormat)); d < 18*time.Second || d > 20*time.Second {
		t.Errorf("a date: %v", d)
	}
	if d := retryAfter(now.Add(-time.Hour).UTC().Format(http.TimeFormat)); d != 0 {
		t.Errorf("a date that has passed: %v", d)
	}
}

// TestContextEndsBeforeDeparture has no effect; after departure the call is seen through.
func TestContextEndsBeforeDeparture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &service{answer: func(_ int, r request, w http.ResponseWriter) {
			time.Sleep(3 * time.Second)
			allWell(r, w)
		}}
		c, stop := s.bubble(t, func(config *Config) { config.Rate = 0.1 })
		defer stop()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			outcomes, err := c.Import(ctx, "A", edgesTo("B"))
			if err != nil || kinds(outcomes) != "imported" {
				t.Errorf("a call that had left: %s %v", kinds(outcomes), err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			outcomes, err := c.Import(ctx, "Z", edgesTo("B"))
			if !errors.Is(err, context.Canceled) || outcomes != nil {
				t.Errorf("a call that was waiting: %v %v", outcomes, err)
			}
		})
		time.Sleep(time.Second)
		cancel()
		wg.Wait()
		if _, err := c.Import(ctx, "Z", edgesTo("B")); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if n := len(s.received()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestCallsThatCannotBeSent(t *testing.T) {
	s := &service{}
	c := testClient(t, s.serve(t), nil)
	if outcomes, err := c.Import(t.Context(), "A", nil); err != nil || len(outcomes) != 0 {
		t.Error("no edges:", outcomes, err)
	}
	for name, edges := range map[string][]migrate.Edge{
		"1001 friends": append(thousand(), plain("one more")),
		"not UTF-8":    edgesTo("a", "b\xff"),
	} {
		_, err := c.Import(t.Context(), "A", edges)
		if e := callError(t, err); e.Verdict != migrate.VerdictHalve || e.Uncertain {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if n := len(s.received()); n != 0 {
		t.Errorf("%d requests", n)
	}
	if _, err := c.Import(t.Context(), "A", thousand()); err != nil {
		t.Error("a thousand friends:", err)
	}
}

// TestConnectionsAreKept: Go keeps two idle connections a host by default, and an answer that is
// not read to its end costs one.
func TestConnectionsAreKept(t *testing.T) {
	const workers = 16
	s := &service{answer: func(n int, r request, w http.ResponseWriter) {
		switch n % 8 {
		case 0:
			http.Error(w, strings.Repeat("x", 100_000), http.StatusBadGateway)
		case 1:
			fail(w, 30006)
		case 2:
			_, _ = io.WriteString(w, "<html>"+strings.Repeat("x", 200_000))
		case 3:
			w.WriteHeader(http.StatusTooManyRequests)
		case 4:
			http.Redirect(w, &http.Request{}, "https://elsewhere.example", http.StatusFound)
		default:
			allWell(r, w)
		}
	}}
	c := testClient(t, s.serve(t), func(config *Config) { config.Workers = workers })
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range 40 {
				_, _ = c.Import(context.Background(), "A", edgesTo("a", "b", "c"))
				c.limiter.mu.Lock() // the throttles in between are no subject here
				c.limiter.pace = newPace(Unpaced)
				c.limiter.mu.Unlock()
			}
		})
	}
	wg.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened > workers || s.mostOpen > workers {
		t.Errorf("%d connections opened, %d at once, for %d workers", s.opened, s.mostOpen, workers)
	}
	if got, want := int64(len(s.requests)), c.Stats().Attempts; got != want || got != workers*40 {
		t.Errorf("the service saw %d requests, the client counts %d", got, want)
	}
}

// TestRedirectsAreNotFollowed: they would carry the signature to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := &service{}
	other := elsewhere.serve(t)
	for _, status := range []int{301, 302, 303, 307, 308, 300, 304} {
		for _, location := range []string{other + "/v4/sns/friend_import", "", "http://%zz", "/relative"} {
			s := &service{answer: func(_ int, _ request, w http.ResponseWriter) {
				if location != "" {
					w.Header().Set("Location", location)
				}
				w.WriteHeader(status)
			}}
			_, err := testClient(t, s.serve(t), nil).Import(t.Context(), "A", edgesTo("B"))
			e := callError(t, err)
			if e.Verdict != migrate.VerdictSuspect || e.Limit != 1 || e.Code != status || !e.Uncertain || e.Hint == "" {
				t.Errorf("%d to %q: %+v", status, location, e)
			}
			if n := len(s.received()); n != 1 {
				t.Errorf("%d to %q: %d requests", status, location, n)
			}
		}
	}
	if n := len(elsewhere.received()); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}

// TestNothingIsSentTwice: net/http sends a POST again by itself in some cases. The service sees the
// attempts that we count.
func TestNothingIsSentTwice(t *testing.T) {
	s := &service{}
	s.answer = func(n int, r request, w http.ResponseWriter) {
		if n%2 == 1 {
			allWell(r, w)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack() // an idle connection that is closed as soon as it is used again
		if err == nil {
			_ = conn.Close()
		}
	}
	c := testClient(t, s.serve(t), func(config *Config) { config.Workers = 1 })
	for i := range 60 {
		_, err := c.Import(t.Context(), "A", edgesTo(fmt.Sprint("f", i)))
		if i%2 == 0 && err != nil {
			t.Errorf("call %d: %v", i, err)
		}
		if i%2 == 1 {
			if e := callError(t, err); e.Verdict != migrate.VerdictRetry || !e.Uncertain || e.Answered {
				t.Errorf("call %d: %+v", i, e)
			}
		}
	}
	seen := map[string]int{}
	for _, r := range s.received() {
		seen[r.to[0]]++
	}
	if len(seen) != 60 || slices.Max(valuesOf(seen)) != 1 || c.Stats().Attempts != 60 {
		t.Errorf("%v; the client counts %d", seen, c.Stats().Attempts)
	}
}

func valuesOf(m map[string]int) (list []int) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

func BenchmarkImport1000(b *testing.B) {
	_, answer := thousandItems()
	s := &service{answer: func(_ int, _ request, w http.ResponseWriter) { _, _ = w.Write(answer) }}
	c := testClient(b, s.serve(b), nil)
	edges := thousand()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Import(context.Background(), "id", edges); err != nil {
			b.Fatal(err)
		}
	}
}
