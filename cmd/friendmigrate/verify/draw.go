package verify

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
)

// Confidence of Bound, and its name for whoever wants to check it.
const (
	Confidence = 0.95
	BoundName  = "Clopper-Pearson, one-sided, 95 %"
)

// Draw returns n distinct numbers below total in ascending order, every such set equally likely;
// all of them if n is not less than total. The same seed gives the same sample.
func Draw(total, n int64, seed uint64) []int64 {
	n = max(0, min(n, total))
	random := rand.New(rand.NewPCG(seed, uint64(total)))
	drawn := make(map[int64]struct{}, n)
	for last := total - n; last < total; last++ { // Floyd's algorithm
		number := random.Int64N(last + 1)
		if _, twice := drawn[number]; twice {
			number = last
		}
		drawn[number] = struct{}{}
	}
	return slices.Sorted(maps.Keys(drawn))
}

// Bound is the largest share of a population that can be bad, with 95 % confidence, if bad of n
// members drawn from it were. It is the upper limit of the one-sided exact (Clopper-Pearson)
// interval: exact for draws with replacement, on the safe side for draws without. With none bad it
// is about 3/n.
func Bound(n, bad int64) float64 {
	if n <= 0 || bad >= n {
		return 1
	}
	low, high := 0.0, 1.0 // the probability of so few bad ones falls as the share rises
	for {
		share := low + (high-low)/2
		if share <= low || share >= high {
			return high
		}
		if atMost(n, bad, share) >= 1-Confidence {
			low = share
		} else {
			high = share
		}
	}
}

// atMost is the probability of at most k bad ones among n that are each bad with probability p. It
// is 1 where k is not below the mean, where it is at least a half.
func atMost(n, k int64, p float64) float64 {
	if float64(k) >= float64(n)*p {
		return 1
	}
	all, _ := math.Lgamma(float64(n + 1))
	bad, _ := math.Lgamma(float64(k + 1))
	good, _ := math.Lgamma(float64(n - k + 1))
	term := math.Exp(all - bad - good + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	sum := 0.0
	for ; k >= 0 && term > sum*1e-17; k-- { // below the mean each term is smaller than the one above
		sum += term
		term *= float64(k) * (1 - p) / (float64(n-k+1) * p)
	}
	return sum
}
