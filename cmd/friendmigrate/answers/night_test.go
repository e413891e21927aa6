package answers

import (
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/sink/simulator"
)

// TestThroughput keeps the pace on a bad night: 200 ms away, 5 % of the calls and 1 % of the items
// fail in ways that pass.
func TestThroughput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const end = 2 * time.Minute
		seen := &trace{}
		c := piped(t, simulator.Config{
			Latency: 200 * time.Millisecond, Observe: seen.observe, Seed: 1,
			Faults: simulator.Faults{
				Shares: map[string]float64{"code:30006": 0.01, "code:30007": 0.005, "code:30008": 0.01, "code:60008": 0.005, "http:502": 0.005, "http:503": 0.005, "close": 0.0025, "close+applied": 0.0025, "body:empty": 0.005, "items:30006": 0.004, "items:30008": 0.003, "items:30007+applied": 0.003},
			},
		})
		j := newJob(t, ring(5_000, 2))
		e := j.run(t.Context(), c, flags{})
		a := j.audit(c)
		s := c.Stats()
		busy := min(end, lastFresh(seen))
		sustained := float64(seen.count(0, busy, nil)-1) / busy.Seconds()
		t.Logf("%d calls in %v: %.2f a second (%.2f %% of 200) as long as there was fresh work (%v); whole run with its last retries %.2f; %d retried, %d uncertain, %d failed",
			s.Calls, e.took.Round(time.Second), sustained, sustained/2, busy.Round(time.Second), s.Rate, e.Retried, e.Uncertain, a.totals.Failed)
		if e.exit != 0 || a.totals.Failed != 0 {
			t.Errorf("exit %d: %v", e.exit, e.err)
		}
		if sustained < 0.97*200 {
			t.Errorf("%.2f calls a second, want %.2f", sustained, 0.97*200)
		}
	})
}

// lastFresh is when the last account had its first call.
func lastFresh(t *trace) (last time.Duration) {
	seen := map[string]bool{}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.calls {
		if !seen[c.From] {
			seen[c.From] = true
			last = max(last, c.Since)
		}
	}
	return last
}

// TestStorm has half of all calls refused with 30006, 30007 and 30008 for a minute: everything
// settles, nothing fails, and it costs at most three times the calls.
func TestStorm(t *testing.T) {
	t.Parallel()
	calls := map[bool]int64{}
	for _, stormy := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			config := simulator.Config{Latency: 50 * time.Millisecond, Seed: 2}
			if stormy {
				config.Shares = map[string]float64{"code:30006": 1.0 / 6, "code:30007": 1.0 / 6, "code:30008": 1.0 / 6}
				config.Faults.Window = simulator.Window{From: 2 * time.Second, To: 2*time.Second + time.Duration(smaller(60, 15))*time.Second}
			}
			c := piped(t, config)
			j := newJob(t, ring(smaller(5_000, 2_000), 1))
			e := j.run(t.Context(), c, flags{})
			a := j.audit(c)
			calls[stormy] = c.Stats().Calls
			if e.exit != 0 || a.totals.Failed != 0 || len(a.open) != 0 {
				t.Errorf("exit %d, %+v: %v", e.exit, a.totals, e.err)
			}
			t.Logf("storm %t: %d calls in %v, %d failed, %d holds", stormy, calls[stormy], e.took.Round(time.Second), a.totals.Failed, e.Holds)
		})
	}
	t.Logf("a storm of a minute costs %.2f times the calls of a quiet run", float64(calls[true])/float64(calls[false]))
	if calls[true] > 3*calls[false] {
		t.Error("the bar is 3")
	}
}

// TestHotAccounts has 250 accounts answer 30008 for half a minute: the others keep 95 % of the pace,
// which is 1 % under the rate. Meeting a hot account for the first time costs a call that nobody
// can save, and some 230 of them are met in that time.
func TestHotAccounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const accounts, hot, lasts = 6_500, 250, 30 * time.Second
		set := simulator.Set{}
		for i := range hot {
			set[account(i*accounts/hot)] = struct{}{}
		}
		seen := &trace{}
		c := piped(t, simulator.Config{
			Latency: 50 * time.Millisecond, Observe: seen.observe, Limits: simulator.Limits{Limit: 200},
			Faults: simulator.Faults{Hot: set, HotWindow: simulator.Window{To: lasts}},
		})
		j := newJob(t, ring(accounts, 1))
		e := j.run(t.Context(), c, flags{})
		a := j.audit(c)
		others := float64(seen.count(0, lasts, func(c simulator.Call) bool { return !set.Has(c.From) })) / lasts.Seconds()
		spent := seen.count(0, lasts, func(c simulator.Call) bool { return set.Has(c.From) })
		const pace = 0.99 * 200
		met := map[string]bool{}
		seen.count(0, lasts, func(c simulator.Call) bool {
			met[c.From] = met[c.From] || set.Has(c.From)
			return false
		})
		first := 0
		for _, isHot := range met {
			if isHot {
				first++
			}
		}
		t.Logf("%d hot accounts: the others have %.2f calls a second (%.2f %% of the pace); the hot ones took %d calls of that time, of which %d were the first (without repeats the others had %.2f %%)",
			hot, others, 100*others/pace, spent, first, 100*(1-float64(first)/lasts.Seconds()/pace))
		if others < 0.95*pace {
			t.Error("the bar is 95 %")
		}
		if e.exit != 0 || a.totals.Failed != 0 || len(a.open) != 0 {
			t.Errorf("exit %d, %+v: %v", e.exit, a.totals, e.err)
		}
	})
}
