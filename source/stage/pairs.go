package stage

import (
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
)

// pairSample counts unordered pairs of accounts and those of them that were seen in both
// directions: all pairs while they are few, then those whose hash is under a limit that is halved
// until few enough are left. Which pairs are kept depends on the set of pairs alone, not on their
// order or repetitions. All lanes share it: once it is a sample, hardly a pair gets past the limit
// to the lock.
type pairSample struct {
	limit atomic.Uint64 // hashes up to it are kept; it is only ever lowered

	mu    sync.Mutex // guards the rest
	slots []uint64   // open addressing; 0 is free; the two low bits are the directions seen
	n     int
}

const (
	exactPairs  = 100_000 // up to so many, all are kept
	samplePairs = 16_000  // of more, so many at most, and half as many at least
	maxSlots    = 1 << 17 // which takes 1 MiB
	firstSlots  = 1 << 10
	anyWay      = 3 // both directions
)

func newPairSample() *pairSample {
	s := &pairSample{slots: make([]uint64, firstSlots)}
	s.limit.Store(math.MaxUint64)
	return s
}

// pairHash hashes an unordered pair by the hashes of its accounts, and tells the direction.
func pairHash(from, to uint64) (hash, way uint64) {
	way = 1
	if from > to {
		way = 2
	}
	h := (from+to)*0x9E3779B97F4A7C15 ^ bits.RotateLeft64((from^to)*0xC2B2AE3D27D4EB4F, 31)
	h ^= h >> 29
	h *= 0xBF58476D1CE4E5B9
	return h ^ h>>32, way
}

func (s *pairSample) add(hash, way uint64) {
	if hash > s.limit.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if hash > s.limit.Load() {
		return
	}
	s.put(max(hash&^anyWay, anyWay+1), way)
	if s.n <= exactPairs && !s.sampled() {
		return
	}
	for s.n > samplePairs {
		s.limit.Store(s.limit.Load() >> 1)
		s.rebuild(firstSlots)
	}
}

func (s *pairSample) sampled() bool { return s.limit.Load() != math.MaxUint64 }

func (s *pairSample) put(key, way uint64) {
	mask := uint64(len(s.slots) - 1)
	for i := key >> 2 & mask; ; i = (i + 1) & mask {
		switch slot := s.slots[i]; {
		case slot == 0:
			s.slots[i] = key | way
			if s.n++; s.n > len(s.slots)*3/4 && len(s.slots) < maxSlots {
				s.rebuild(4 * len(s.slots))
			}
			return
		case slot&^anyWay == key:
			s.slots[i] = slot | way
			return
		}
	}
}

// rebuild makes a table of at most that many slots, and leaves out what is over the limit.
func (s *pairSample) rebuild(slots int) {
	old, limit := s.slots, s.limit.Load()
	s.slots, s.n = make([]uint64, min(slots, maxSlots)), 0
	for _, slot := range old {
		if slot != 0 && slot&^anyWay <= limit {
			s.put(slot&^anyWay, slot&anyWay)
		}
	}
}

// count returns the pairs kept, those of them with both directions, and whether they are a sample
// only.
func (s *pairSample) count() (pairs, mutual int64, sampled bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, slot := range s.slots {
		if slot != 0 {
			pairs++
			if slot&anyWay == anyWay {
				mutual++
			}
		}
	}
	return pairs, mutual, s.sampled()
}
