package sink

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// shareOf is what each of so many shards has of a rate, as package settings divides it.
func shareOf(rate, shards int) float64 { return float64(rate / shards) }

// TestShardsTogetherKeepTheRate: the limiters of several processes know nothing of each other, and
// the service has one sliding second for all of them.
func TestShardsTogetherKeepTheRate(t *testing.T) {
	const lasts = 20 * time.Second
	for _, c := range []struct{ rate, shards int }{{200, 1}, {200, 2}, {200, 4}, {200, 7}, {200, 8}, {200, 66}, {200, 100}, {200, 150}, {8, 7}, {3, 3}} {
		share := shareOf(c.rate, c.shards)
		t.Run(fmt.Sprintf("%d among %d", c.rate, c.shards), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				all := departuresOfShards(t, c.shards, share, lasts)
				var merged []time.Time
				for i, left := range all {
					if n := busiest(left, start); n > int(share) {
						t.Errorf("shard %d: %d calls in a second, its share is %g", i, n, share)
					}
					merged = append(merged, left...)
				}
				slices.SortFunc(merged, time.Time.Compare)
				if n := busiest(merged, start); n > c.rate {
					t.Errorf("%d calls in a second", n)
				}
				most := share * underRate * float64(c.shards) * lasts.Seconds()
				if n := float64(len(merged)); n > most*1.01+float64(c.shards) || n < most*0.85-float64(c.shards) { // two seconds of each were idle
					t.Errorf("%g calls left, at the pace of all it would be %g", n, most)
				}
			})
		})
	}
}

// departuresOfShards runs the limiters of so many shards side by side, each begun a little later
// than the one before, killed at some moment and started again with the second that the program
// waits then. It returns when calls left, by shard.
func departuresOfShards(t *testing.T, shards int, share float64, lasts time.Duration) [][]time.Time {
	random := rand.New(rand.NewPCG(7, uint64(shards)))
	end, stop := context.WithTimeout(t.Context(), lasts)
	defer stop()
	all := make([][]time.Time, shards)
	var wg sync.WaitGroup
	for i := range all {
		late, latency := time.Duration(random.Int64N(int64(time.Second))), time.Duration(random.Int64N(int64(300*time.Millisecond)))
		killed := time.Duration((2 + 10*random.Float64()) * float64(time.Second))
		workers := int(1.5*share) + 1
		wg.Go(func() {
			time.Sleep(late)
			first, kill := context.WithTimeout(end, killed)
			defer kill()
			all[i] = departed(first, newLimiter(share, time.Time{}), workers, latency, allTaken)
			all[i] = append(all[i], departed(end, newLimiter(share, time.Now().Add(time.Second)), workers, latency, allTaken)...)
		})
	}
	wg.Wait()
	return all
}
