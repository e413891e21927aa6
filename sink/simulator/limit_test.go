package simulator

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// within counts the times in the second that ends at t, t included.
func within(times []time.Duration, t, length time.Duration) int {
	n := 0
	for _, x := range times {
		if x > t-length && x <= t {
			n++
		}
	}
	return n
}

// The limit is a sliding second, exact to the nanosecond, not a bucket: burst and catch-up show.
func TestSlidingSecondIsExact(t *testing.T) {
	for _, countRefused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const limit, calls = 20, 1500
			a := startPiped(t, Config{Limits: Limits{Limit: limit, CountRefused: countRefused}})
			r := rand.New(rand.NewPCG(1, 2))
			var all, counted []time.Duration
			largest, refused := 0, 0
			begin := time.Now()
			for i := range calls {
				now := time.Since(begin)
				allowed := within(counted, now, time.Second) < limit
				if all = append(all, now); allowed || countRefused {
					counted = append(counted, now)
				}
				largest = max(largest, within(all[max(0, len(all)-300):], now, time.Second))
				code := 0
				if !allowed {
					refused++
					code = 60007
				}
				a.imports(fmt.Sprint("u", i), "b").want(t, code)
				switch {
				case i%500 == 499:
					time.Sleep(2 * time.Second) // a pause: nothing may be saved up
				case r.IntN(3) > 0: // else at the same instant
					time.Sleep(time.Duration(r.IntN(int(100 * time.Millisecond))))
				}
			}
			s := a.sim.Stats()
			if s.LargestSecond != largest || s.RefusedRate != int64(refused) || s.Calls != calls || s.GraphEdges != int64(calls-refused) {
				t.Errorf("largest second %d, want %d; refused %d, want %d; %+v", s.LargestSecond, largest, s.RefusedRate, refused, s)
			}
			if refused == 0 || s.RefusedShare != float64(refused)/calls {
				t.Errorf("refused %d, share %g", refused, s.RefusedShare)
			}
		})
	}
}

func TestExactlyAtTheLimitNothingIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Limits: Limits{Limit: 200}, Latency: time.Millisecond})
		for i := range 450 {
			a.imports(fmt.Sprint("u", i), "b").want(t, 0)
			time.Sleep(4 * time.Millisecond)
		}
		s := a.sim.Stats()
		if s.LargestSecond != 200 || s.RefusedRate != 0 || s.Rate < 199.99 || s.Rate > 200.01 {
			t.Errorf("stats: %+v", s)
		}
	})
}

func TestLimitChangesWithTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Limits: Limits{Limit: 10, LimitChanges: []Change{{At: 5 * time.Second, To: 3}, {At: 10 * time.Second, To: 0}}}})
		landed := func() (n int) {
			for i := range 20 {
				if a.imports(fmt.Sprint("u", i), "b").code == 0 {
					n++
				}
			}
			return n
		}
		for _, want := range []struct {
			at time.Duration
			n  int
		}{{0, 10}, {4, 10}, {5, 3}, {5, 0}, {9, 3}, {10, 20}} {
			time.Sleep(want.at*time.Second - a.sim.traffic.now())
			if n := landed(); n != want.n {
				t.Errorf("at %d s %d calls landed, want %d", want.at, n, want.n)
			}
		}
	})
}

func TestLimitBelowOneASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := startPiped(t, Config{Limits: Limits{Limit: 0.5}})
		for i, code := range []int{0, 60007, 0, 60007, 0} {
			a.imports(fmt.Sprint("u", i), "b").want(t, code)
			time.Sleep(time.Second)
		}
	})
}

func TestScopesOfTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const check = `{"From_Account":"a","To_Account":["b"],"CheckType":"CheckResult_Type_Single"}`
		const accounts = `{"CheckItem":[{"UserID":"a"}]}`
		a := startPiped(t, Config{Limits: Limits{Limit: 2, AccountLimit: 1}})
		a.imports("a", "b").want(t, 0)
		a.post(apiCheck, check).want(t, 0)
		a.post(apiCheck, check).want(t, 60007)
		time.Sleep(time.Second)
		a.post(apiAccountCheck, accounts).want(t, 0)
		a.post(apiAccountCheck, accounts).want(t, 60007)
	})
}

func TestThrottleAnswers(t *testing.T) {
	a := start(t, Config{Limits: Limits{Limit: 1e-6, ThrottleCode: 60011, RetryAfter: "7"}})
	a.imports("a", "b").want(t, 0)
	a.imports("a", "b").want(t, 60011)
	a.sim.Reconfigure(func(c *Config) { c.ThrottleCode = 429 })
	if v := a.imports("a", "b"); v.http != http.StatusTooManyRequests || v.header.Get("Retry-After") != "7" {
		t.Errorf("HTTP %d, Retry-After %q", v.http, v.header.Get("Retry-After"))
	}
	if s := a.sim.Stats(); s.RefusedRate != 2 || s.ByStatus[429] != 1 || s.ByCode[60011] != 1 {
		t.Errorf("stats: %+v", s)
	}
}
