package stage

import (
	"maps"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
)

// mutualSample counts unordered pairs of accounts and the pairs that were seen in both directions.
// It keeps all pairs while they are few. Then it keeps those whose hash is up to a limit, which is
// halved until few enough are left. Which pairs are kept depends only on the set of pairs, not on
// their order or repetitions. All lanes share it. Once it is a sample, few pairs are under the
// limit and need the lock.
type mutualSample struct {
	limit atomic.Uint64 // hashes up to it are kept; never raised

	mu   sync.Mutex       // guards the rest
	seen map[uint64]uint8 // by the pair's hash: the directions, as bits
}

const (
	exactPairs  = 100_000 // up to this number, all pairs are kept
	samplePairs = 16_000  // most pairs of a sample; it has at least half of that
	pairsMemory = 4 << 20 // bytes of a map of exactPairs
	bothWays    = 3
)

func newMutualSample() *mutualSample {
	s := &mutualSample{seen: map[uint64]uint8{}}
	s.limit.Store(math.MaxUint64)
	return s
}

// pairHash returns a hash of an unordered pair, given the hashes of its accounts, and the
// direction.
func pairHash(from, to uint64) (hash uint64, way uint8) {
	way = 1
	if from > to {
		way = 2
	}
	h := (from+to)*0x9E3779B97F4A7C15 ^ bits.RotateLeft64((from^to)*0xC2B2AE3D27D4EB4F, 31)
	h ^= h >> 29
	h *= 0xBF58476D1CE4E5B9
	return h ^ h>>32, way
}

func (s *mutualSample) add(hash uint64, way uint8) {
	if hash > s.limit.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if hash > s.limit.Load() {
		return
	}
	s.seen[hash] |= way
	if len(s.seen) <= exactPairs && !s.sampled() {
		return
	}
	for len(s.seen) > samplePairs {
		limit := s.limit.Load() >> 1
		s.limit.Store(limit)
		maps.DeleteFunc(s.seen, func(hash uint64, _ uint8) bool { return hash > limit })
	}
}

func (s *mutualSample) sampled() bool { return s.limit.Load() != math.MaxUint64 }

// count returns the number of pairs kept, of those with both directions, and whether the pairs are
// only a sample.
func (s *mutualSample) count() (pairs, mutual int64, sampled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ways := range s.seen {
		pairs++
		if ways == bothWays {
			mutual++
		}
	}
	return pairs, mutual, s.sampled()
}
