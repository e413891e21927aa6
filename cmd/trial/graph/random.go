package graph

import "math/bits"

// random is splitmix64: its sequence is part of what a seed means, so it is not left to a library that may change it.
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return mix(r.state)
}

// below returns a number in [0, n). The bias of less than n / 2^64 doesn't matter here.
func (r *random) below(n uint64) uint64 {
	high, _ := bits.Mul64(r.next(), n)
	return high
}

// chance is true with probability p.
func (r *random) chance(p float64) bool {
	return float64(r.next()>>11) < p*(1<<53)
}

func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// scale returns floor(a*b/c) for a*b/c below 2^64.
func scale(a, b, c uint64) uint64 {
	high, low := bits.Mul64(a, b)
	quotient, _ := bits.Div64(high, low, c)
	return quotient
}

// remainder returns a*b mod c.
func remainder(a, b, c uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return bits.Rem64(high, low, c)
}
