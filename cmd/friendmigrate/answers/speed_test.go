package answers

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/migrate"
	"friendmigrate/sink/simulator"
)

// trace is what the service saw of each call, in the order in which they ended.
type trace struct {
	mu    sync.Mutex
	calls []simulator.Call
}

func (t *trace) observe(c simulator.Call) {
	c.To = nil
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, c)
}

// count counts the calls that arrived from one time to another and that match.
func (t *trace) count(from, to time.Duration, match func(simulator.Call) bool) (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.calls {
		if c.Since >= from && c.Since < to && (match == nil || match(c)) {
			n++
		}
	}
	return n
}

func refused(c simulator.Call) bool { return c.Code == 60007 }
func taken(c simulator.Call) bool   { return c.Code != 60007 }

// smaller is a size that -short makes a smaller one.
func smaller(n, short int) int {
	if testing.Short() {
		return short
	}
	return n
}

// TestRate is the bar of the pace: 98.5 % of --rate and never more than --rate in any sliding
// second, near and far, and after a service that stood still for more than a second with every
// worker at its door.
func TestRate(t *testing.T) {
	t.Parallel()
	for _, latency := range []time.Duration{20 * time.Millisecond, 300 * time.Millisecond} {
		for _, still := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v standing still %t", latency, still), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					calls, workers := 2_500, 0
					config := simulator.Config{Latency: latency, Limits: simulator.Limits{Limit: 200}}
					if still {
						calls, workers = 1_500, 70
						config.Script = standStill(2*time.Second, 1200*time.Millisecond)
					}
					c := piped(t, config)
					j := newJob(t, ring(calls, 1))
					e := j.run(t.Context(), c, flags{workers: workers})
					j.audit(c)
					s := c.Stats()
					t.Logf("%d calls at %v: %.2f a second (%.2f %% of 200), %d refused for the rate (%.3f %%), largest sliding second %d",
						s.Calls, latency, s.Rate, s.Rate/2, s.RefusedRate, 100*s.RefusedShare, s.LargestSecond)
					if e.exit != 0 || s.LargestSecond > 200 || s.RefusedShare > 0.001 {
						t.Errorf("exit %d", e.exit)
					}
					if !still && s.Rate < 0.985*200 {
						t.Errorf("%.2f calls a second", s.Rate)
					}
				})
			})
		}
	}
}

// standStill lets every call that arrives in a span of time end with it, so that all workers wait
// at once.
func standStill(from, long time.Duration) func(simulator.Call) *simulator.Fault {
	return func(c simulator.Call) *simulator.Fault {
		if left := from + long - c.Since; c.Since >= from && left > 0 {
			return &simulator.Fault{Kind: simulator.FaultSpike, For: left, Applied: true}
		}
		return nil
	}
}

// TestAdaptivePace has a service whose limit goes down in the middle of the job and up again,
// whether or not it counts what it refuses. Longer phases and other latencies are for the tests of
// package sink, which need no service for it.
func TestAdaptivePace(t *testing.T) {
	t.Parallel()
	phases := []simulator.Change{{At: 0, To: 200}, {At: 5 * time.Second, To: 50}, {At: 60 * time.Second, To: 200}}
	const end = 100 * time.Second
	for _, counting := range []bool{false, true} {
		t.Run(fmt.Sprintf("refused calls count %t", counting), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				seen := &trace{}
				c := piped(t, simulator.Config{
					Latency: 60 * time.Millisecond, Jitter: 20 * time.Millisecond, Observe: seen.observe,
					Limits: simulator.Limits{Limit: 200, LimitChanges: phases, CountRefused: counting},
				})
				j := newJob(t, ring(20_000, 1))
				e := j.run(t.Context(), c, flags{maxDuration: end})
				j.audit(c)
				if e.exit != 4 || e.stop.Reason != migrate.ReasonDuration {
					t.Errorf("exit %d: %v", e.exit, e.err)
				}
				if e.Retried != 0 || e.Failed != 0 {
					t.Errorf("%d attempts were burnt, %d edges failed", e.Retried, e.Failed)
				}
				for i, p := range phases {
					until := end
					if i+1 < len(phases) {
						until = phases[i+1].At
					}
					seen.judge(t, p, until)
				}
			})
		})
	}
}

// judge holds a phase against its bars: back at 90 % of what the service allows within 30 s, and
// from then on at most 1 % refused.
func (t *trace) judge(tt *testing.T, p simulator.Change, until time.Duration) {
	tt.Helper()
	back := time.Duration(-1)
	for at := p.At; at < until && back < 0; at += 250 * time.Millisecond {
		if float64(t.count(at, at+time.Second, taken)) >= 0.9*p.To {
			back = at - p.At
		}
	}
	steady := p.At + 30*time.Second
	if p.At == 0 {
		steady = time.Second
	}
	all, bad := t.count(steady, until, nil), t.count(steady, until, refused)
	pace := float64(all-bad) / (until - steady).Seconds()
	tt.Logf("limit %g: back at 90 %% of it after %v, then %.1f a second (%.1f %%), %.2f %% refused", p.To, back, pace, 100*pace/p.To, 100*float64(bad)/float64(all))
	if back < 0 || back > 30*time.Second || pace < 0.9*p.To || float64(bad) > 0.01*float64(all) {
		tt.Errorf("limit %g: the bars are 30 s, 90 %% and 1 %%", p.To)
	}
}

// TestThrottlesBurnNoAttempt: an account that was refused for the pace a dozen times has not used
// up an attempt.
func TestThrottlesBurnNoAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJob(t, ring(3, 1))
		victim, times := j.order()[0], 0
		c := piped(t, simulator.Config{Script: func(call simulator.Call) *simulator.Fault {
			if call.From != victim {
				return nil
			}
			if times++; times <= 12 {
				return &simulator.Fault{Kind: simulator.FaultCode, Code: 60011}
			}
			return &simulator.Fault{Kind: simulator.FaultItems, Code: 30003}
		}})
		j.run(t.Context(), c, flags{workers: 1})
		a := j.audit(c)
		for name, f := range a.failures {
			if f.Attempts != 1 {
				t.Errorf("%s failed after %d attempts", name, f.Attempts)
			}
		}
		if len(a.failures) != 1 || times != 13 {
			t.Errorf("%d failures, %d calls", len(a.failures), times)
		}
	})
}
