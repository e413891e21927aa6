package migrate

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// service is a fake Chat in virtual time. Its answers are scripted per call; its own account is
// what tests judge by.
type service struct {
	t       *testing.T
	latency time.Duration
	pace    time.Duration // between departures, 0: none
	answer  func(call) ([]Outcome, error)

	mu        sync.Mutex
	turn      chan struct{} // one caller at a time waits for the pace
	friends   map[string]int
	open      map[string]bool
	calls     int
	byAccount map[string]int
	overlaps  int
}

// call is one call as the script sees it.
type call struct {
	n, nth int // of all calls, and of the calls for this account, from 0
	at     time.Duration
	from   string
	edges  []Edge
}

func newService(t *testing.T, answer func(call) ([]Outcome, error)) *service {
	s := &service{t: t, latency: 50 * time.Millisecond, answer: answer, friends: map[string]int{}, open: map[string]bool{}, byAccount: map[string]int{}, turn: make(chan struct{}, 1)}
	if answer == nil {
		s.answer = accept
	}
	return s
}

var begun = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // synctest's first moment

func (s *service) Call(ctx context.Context, from string, edges []Edge) ([]Outcome, error) {
	if s.pace > 0 {
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		select {
		case <-time.After(s.pace):
		case <-ctx.Done():
		}
		<-s.turn
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.mu.Lock()
	c := call{n: s.calls, nth: s.byAccount[from], at: time.Since(begun), from: from, edges: edges}
	s.calls++
	s.byAccount[from]++
	if s.open[from] {
		s.overlaps++
	}
	s.open[from] = true
	s.mu.Unlock()
	time.Sleep(s.latency)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[from] = false
	outcomes, err := s.answer(c)
	for i, o := range outcomes {
		if o.Kind == Imported {
			s.friends[from+">"+edges[i].To]++
		}
	}
	return outcomes, err
}

// accept imports everything.
func accept(c call) ([]Outcome, error) { return all(c, Outcome{Kind: Imported}), nil }

func all(c call, o Outcome) []Outcome {
	out := make([]Outcome, len(c.edges))
	for i := range out {
		out[i] = o
	}
	return out
}

func later(code int) error {
	return &CallError{Verdict: VerdictRetry, Code: code, Info: "later", Answered: true}
}

var errCut = &CallError{Verdict: VerdictRetry, Info: "connection reset", Uncertain: true}

// plan makes rosters of the given sizes, for accounts a0, a1, ...
func plan(sizes ...int) iter.Seq2[Roster, error] {
	return func(yield func(Roster, error) bool) {
		var first int64
		for a, size := range sizes {
			r := roster(fmt.Sprintf("a%d", a), first, size)
			first += int64(r.Chunks)
			if !yield(r, nil) {
				return
			}
		}
	}
}

func roster(from string, first int64, size int) Roster {
	return Roster{From: from, First: first, Chunks: (size + MaxChunkEdges - 1) / MaxChunkEdges, Edges: int64(size), ChunkMemory: int64(100 * min(size, MaxChunkEdges)),
		Load: func(i int) (Chunk, error) {
			c := Chunk{Ordinal: first + int64(i), From: from}
			for k := i * MaxChunkEdges; k < min(size, (i+1)*MaxChunkEdges); k++ {
				c.Edges = append(c.Edges, Edge{From: from, To: fmt.Sprintf("f%d", k), AddSource: "AddSource_Type_Test"})
			}
			return c, nil
		}}
}

func repeat(size, n int) []int {
	sizes := make([]int, n)
	for i := range sizes {
		sizes[i] = size
	}
	return sizes
}

// memory is a Journal that holds the rules of one: nothing is settled twice.
type memory struct {
	t         *testing.T
	mu        sync.Mutex
	settled   map[int64]*EdgeSet
	outcomes  map[string]Settled
	announced map[int64]bool
	sent      bool // an earlier run may have sent everything
	fail      error

	failAnnounce error
}

func newMemory(t *testing.T) *memory {
	return &memory{t: t, settled: map[int64]*EdgeSet{}, outcomes: map[string]Settled{}, announced: map[int64]bool{}}
}

func (m *memory) Unsettled(ordinal int64, n int) (EdgeSet, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	open := FullSet(n)
	if done := m.settled[ordinal]; done != nil {
		for _, i := range done.Indexes() {
			open.Remove(i)
		}
	}
	return open, m.sent
}

func (m *memory) Announce(ordinal int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.announced[ordinal] = true
	return m.failAnnounce
}

func (m *memory) Settle(ctx context.Context, s Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		m.t.Error("Settle called with a context that has ended")
	}
	if m.fail != nil {
		return m.fail
	}
	done := m.settled[s.Chunk.Ordinal]
	if done == nil {
		done = new(EdgeSet)
		m.settled[s.Chunk.Ordinal] = done
	}
	for _, e := range s.Settled {
		if done.Has(e.Index) {
			m.t.Errorf("edge %d of chunk %d settled twice", e.Index, s.Chunk.Ordinal)
		}
		done.Add(e.Index)
		m.outcomes[s.Chunk.From+">"+s.Chunk.Edges[e.Index].To] = e
	}
	return nil
}

func (m *memory) count(k Kind) (n int) {
	for _, s := range m.outcomes {
		if s.Outcome.Kind == k {
			n++
		}
	}
	return n
}

func testOptions() Options {
	return Options{Workers: 50, Room: 1 << 20, EdgeBytes: func(*Edge) int { return 60 }, Retry: DefaultRetry, OutageTimeout: 15 * time.Minute,
		Limits: &Limits{Failures: -1, ExtraCalls: -1}, Rand: rand.New(rand.NewPCG(1, 2))}
}

// check holds a finished run against the service's own account.
func check(t *testing.T, s *service, m *memory, sum Snapshot) {
	t.Helper()
	if s.overlaps > 0 {
		t.Errorf("%d overlapping calls for one account", s.overlaps)
	}
	for pair, e := range m.outcomes {
		if e.Outcome.Kind == Imported && s.friends[pair] == 0 {
			t.Fatalf("%s is recorded as imported, but the service never took it", pair)
		}
	}
	if got := int64(len(m.outcomes)); got != sum.Settled() {
		t.Errorf("the summary says %d settled, the journal has %d", sum.Settled(), got)
	}
	if sum.Calls != int64(s.calls) {
		t.Errorf("the summary says %d calls, the service saw %d", sum.Calls, s.calls)
	}
}

func stopReason(err error) Reason {
	if stop, ok := errors.AsType[*StopError](err); ok {
		return stop.Reason
	}
	return ""
}
