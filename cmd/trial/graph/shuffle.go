package graph

import "math"

// shuffle is a pseudo-random permutation of [0, n) that needs no memory: a Feistel network over pairs of digits to the base side, where side*side is the
// smallest square that is not below n. An image outside of [0, n) is sent through again until it is inside, which keeps it a permutation.
type shuffle struct {
	n, side uint64
	keys    [4]uint64
}

func newShuffle(n, seed uint64) shuffle {
	s := shuffle{n: n, side: uint64(math.Sqrt(float64(n)))}
	for s.side*s.side < n {
		s.side++
	}
	r := random{state: seed}
	for i := range s.keys {
		s.keys[i] = r.next()
	}
	return s
}

func (s *shuffle) at(i uint64) uint64 {
	for {
		left := i / s.side
		right := i - left*s.side
		for _, key := range s.keys {
			round := random{state: right ^ key}
			sum := left + round.below(s.side)
			if sum >= s.side {
				sum -= s.side
			}
			left, right = right, sum
		}
		if i = left*s.side + right; i < s.n {
			return i
		}
	}
}
