package graph

import (
	"math"
	"math/bits"
)

// shuffle is a pseudo-random permutation of [0, n) that needs no memory: a Feistel network over
// pairs of digits to the base side, where side*side is the smallest square that is not below n. An
// image outside of [0, n) is sent through again until it is inside.
type shuffle struct {
	n, side uint64
	keys    [4]uint64
}

func newShuffle(n, seed uint64) shuffle {
	s := shuffle{n: n, side: uint64(math.Sqrt(float64(n)))}
	for s.side*s.side < n {
		s.side++
	}
	for i := range s.keys {
		s.keys[i] = mix(seed + uint64(i))
	}
	return s
}

func (s *shuffle) at(i uint64) uint64 {
	for {
		left := i / s.side
		right := i - left*s.side
		for _, key := range s.keys {
			step, _ := bits.Mul64(mix(right^key), s.side)
			sum := left + step
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

// mix is one step of splitmix64. What it returns is part of what a seed means, so it is not left to
// a library that may change.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
