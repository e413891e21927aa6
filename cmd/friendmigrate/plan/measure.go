package plan

import (
	"math"
	"math/bits"
	"sync"

	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source/stage"
)

// measurers are the measurers of several goroutines.
type measurers struct {
	room int
	all  []*measurer

	mu    sync.Mutex
	pilot *job.Pilot // guarded by mu while the visitors are called; nil: all accounts
}

func (s *measurers) next() stage.Visitor {
	m := &measurer{room: s.room}
	s.all = append(s.all, m)
	if s.pilot == nil {
		return m.chunk
	}
	return func(from string, edges []stage.Friend) {
		before := m.calls
		m.chunk(from, edges)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.pilot.Count(from, len(edges)) {
			m.ofPilot += m.calls - before
		}
	}
}

func (s *measurers) sum() *measurer {
	sum := &measurer{}
	for _, m := range s.all {
		sum.calls += m.calls
		sum.ofPilot += m.ofPilot
		sum.bytes += m.bytes
		sum.both.merge(&m.both)
	}
	return sum
}

// measurer adds up the chunks that one goroutine gets.
type measurer struct {
	room         int // for the edges of a call, in bytes
	calls, bytes int64
	ofPilot      int64  // of the calls
	both         sketch // ids of both sides
}

// chunk counts the calls of a chunk as the engine will cut them.
func (m *measurer) chunk(from string, edges []stage.Friend) {
	m.both.add(stage.Hash(from))
	size, calls := 0, int64(0)
	for _, e := range edges {
		m.both.add(e.Hash)
		size += e.Bytes
	}
	m.bytes += int64(size)
	if size <= m.room {
		edges, calls = nil, 1
	}
	for ; len(edges) > 0; calls++ {
		edges = edges[migrate.Fitting(len(edges), m.room, func(k int) int { return edges[k].Bytes }):]
	}
	m.calls += calls
	m.bytes += calls * int64(sink.EmptyCallBytesOf(from))
}

// sketch estimates the number of distinct hashes of ids that were added, within about 3 %
// (HyperLogLog, with linear counting for few hashes). The same ids in any order give the same
// estimate.
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
