package graph

import (
	"math"
	"slices"
)

// degrees returns how many friends each of n accounts has: the n-quantiles of a log-normal distribution, rounded, kept within [1, most] and shifted so
// that they add up to edges, in random order. It needs n <= edges <= n*most.
func degrees(n, edges int64, sigma float64, most int64, r *random) []int32 {
	shape := make([]float64, n)
	for i := range shape {
		p := (float64(i) + 0.5) / float64(n)
		shape[i] = math.Exp(sigma * math.Sqrt2 * math.Erfinv(2*p-1))
	}
	at := func(median float64, i int) int64 { return min(max(int64(math.Round(median*shape[i])), 1), most) }
	sum := func(median float64) (total int64) {
		for i := range shape {
			total += at(median, i)
		}
		return total
	}
	low, high := 0.0, float64(most)*2/shape[0]
	for range 60 {
		if middle := (low + high) / 2; sum(middle) <= edges {
			low = middle
		} else {
			high = middle
		}
	}
	list := make([]int32, n)
	for i := range list {
		list[i] = int32(at(low, i))
	}
	for missing := edges - sum(low); missing > 0; {
		if i := r.below(uint64(n)); int64(list[i]) < most {
			list[i]++
			missing--
		}
	}
	shuffleSlice(list, r)
	return list
}

func shuffleSlice[T any](list []T, r *random) {
	for i := len(list) - 1; i > 0; i-- {
		j := r.below(uint64(i + 1))
		list[i], list[j] = list[j], list[i]
	}
}

// callsOf is the number of calls that rosters of these sizes take, 1000 friends a call.
func callsOf(sizes []int32) (calls int64) {
	for _, size := range sizes {
		calls += callsFor(int64(size))
	}
	return calls
}

func callsFor(friends int64) int64 { return (friends + friendsPerCall - 1) / friendsPerCall }

const friendsPerCall = 1000 // of friend_import

func largest(sizes []int32) int64 {
	if len(sizes) == 0 {
		return 0
	}
	return int64(slices.Max(sizes))
}
