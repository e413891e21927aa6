package answers

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"friendmigrate/sink/simulator"
)

// TestRetryTail has 5 % of the calls and 1 % of the items fail in ways that pass. The last call
// leaves at most 10 s after the earliest possible end, which is the number of calls divided by the
// pace, and until then the calls use 98.5 % of the limit.
func TestRetryTail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &trace{}
		c := piped(t, simulator.Config{
			Latency: 50 * time.Millisecond, Observe: seen.observe, Limits: simulator.Limits{Limit: 200},
			Faults: simulator.Faults{
				Shares: map[string]float64{"code:30006": 0.01, "code:30007": 0.01, "code:30008": 0.01, "code:60008": 0.01, "http:502": 0.01, "items:30006": 0.005, "items:30008": 0.005},
			},
		})
		j := newJob(t, ring(4_040, 30))
		e := j.run(t.Context(), c, flags{})
		a := j.audit(c)
		if e.exit != 0 || a.totals.Failed != 0 {
			t.Errorf("exit %d: %v", e.exit, e.err)
		}
		tail, share := seen.tail(0.99 * 200)
		t.Logf("%d calls, the last one %v after the earliest end; until then %.2f %% of the limit", len(seen.calls), tail.Round(time.Millisecond), share/2)
		if tail > 10*time.Second || share < 0.985*200 {
			t.Error("the bar is 10 s and 98.5 %")
		}
	})
}

// tail is how long after the earliest possible end at this pace the last call arrived, and how many
// calls a second arrived until that end.
func (t *trace) tail(pace float64) (tail time.Duration, share float64) {
	since := func(a, b simulator.Call) int { return int(a.Since - b.Since) }
	first, last := slices.MinFunc(t.calls, since).Since, slices.MaxFunc(t.calls, since).Since
	end := first + time.Duration(float64(len(t.calls)-1)/pace*float64(time.Second))
	return last - end, float64(t.count(first, end, nil)) / (end - first).Seconds()
}
