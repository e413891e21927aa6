package plan

import (
	"math"
	"math/bits"
)

// sketch estimates how many distinct hashes of ids it was shown, within some 3 % (HyperLogLog with
// linear counting where they are few). The same ids in any order give the same estimate.
type sketch [registers]uint8

const (
	registers    = 1 << registerBits
	registerBits = 14
)

func (s *sketch) add(h uint64) {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd // a shard's accounts have the same high bits
	h ^= h >> 33
	register := &s[h>>(64-registerBits)]
	*register = max(*register, uint8(bits.LeadingZeros64(h<<registerBits|1<<(registerBits-1))+1))
}

func (s *sketch) merge(o *sketch) {
	for i := range s {
		s[i] = max(s[i], o[i])
	}
}

func (s *sketch) count() int64 {
	sum, empty := 0.0, 0
	for _, rank := range s {
		sum += math.Exp2(-float64(rank))
		if rank == 0 {
			empty++
		}
	}
	const m = float64(registers)
	n := 0.7213 / (1 + 1.079/m) * m * m / sum
	if n <= 2.5*m && empty > 0 {
		n = m * math.Log(m/float64(empty))
	}
	return int64(math.Round(n))
}
