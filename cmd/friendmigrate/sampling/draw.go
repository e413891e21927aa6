package sampling

import (
	"math/rand/v2"
	"slices"
)

// Most is the largest sample that Draw gives: 8 bytes of memory for each member, and more would say
// nothing new.
const Most = 2_000_000

// Draw returns n distinct numbers from 0 to total-1 in ascending order, every such set equally
// likely; all of them if n is not less than total. The same seed gives the same sample.
func Draw(total, n int64, seed uint64) []int64 {
	if n = max(0, min(n, total)); n > total/2 { // the members that are left out are fewer
		return others(total, draw(total, total-n, seed))
	}
	return draw(total, n, seed)
}

// draw draws with repetition and forgets what was drawn before, until there are n different
// numbers: as if repeated draws had been ignored one by one.
func draw(total, n int64, seed uint64) []int64 {
	random := rand.New(rand.NewPCG(seed, uint64(total)))
	drawn := make([]int64, 0, n)
	for int64(len(drawn)) < n {
		for range n - int64(len(drawn)) {
			drawn = append(drawn, random.Int64N(total))
		}
		slices.Sort(drawn)
		drawn = slices.Compact(drawn)
	}
	return drawn
}

// others lists the numbers below total that are not in the ascending list out.
func others(total int64, out []int64) []int64 {
	list := make([]int64, 0, total-int64(len(out)))
	for i := range total {
		if len(out) > 0 && out[0] == i {
			out = out[1:]
			continue
		}
		list = append(list, i)
	}
	return list
}
