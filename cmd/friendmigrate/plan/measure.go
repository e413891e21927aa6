package plan

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source/stage"
)

// measured is what a pass over the plan adds up.
type measured struct {
	calls, bytes int64
	over         int64  // rosters over --max-friends
	both         sketch // ids of both sides
}

func (m *measured) add(o *measured) {
	m.calls += o.calls
	m.bytes += o.bytes
	m.over += o.over
	m.both.merge(&o.both)
}

// witnesses measure a plan while it is being sealed: every edge passes by once, and nothing has to
// be read again.
type witnesses struct {
	of  *making
	all []*measurer
}

func (s *witnesses) next() stage.Witness {
	w := &measurer{of: s.of}
	s.all = append(s.all, w)
	return w.edge
}

func (s *witnesses) sum() *measured {
	sum := &measured{}
	for _, w := range s.all {
		w.endChunk()
		sum.add(&w.measured)
	}
	return sum
}

// measure passes over a plan that is sealed: the engine cuts it into the calls of an import, which
// are added up instead of being sent.
func (j *making) measure(ctx context.Context) (*measured, error) {
	sum := &measured{}
	var mu sync.Mutex // guards sum and the collected ids
	add := func(_ context.Context, from string, edges []migrate.Edge) ([]migrate.Outcome, error) {
		bytes := int64(sink.EnvelopeOf(from))
		for i := range edges {
			bytes += int64(sink.EdgeBytes(&edges[i]))
		}
		mu.Lock()
		defer mu.Unlock()
		sum.calls++
		sum.bytes += bytes
		sum.both.add(from)
		for i := range edges {
			sum.both.add(edges[i].To)
		}
		j.accounts.take(from, edges)
		return allImported[:len(edges)], nil
	}
	rosters := func(yield func(migrate.Roster, error) bool) {
		for r, err := range j.stage.Rosters(ctx, nil) {
			if most := int64(j.Rows.MaxFriends); most > 0 && r.Edges > most {
				sum.over++ // read when the run has ended
			}
			if !yield(r, err) {
				return
			}
		}
	}
	_, err := migrate.Run(ctx, rosters, migrate.CallerFunc(add), &memory{sent: map[int64]migrate.EdgeSet{}},
		migrate.Options{
			Workers: j.Lanes, CallBytes: j.ChunkBytes, EdgeBytes: sink.EdgeBytes, Envelope: sink.EnvelopeBytes,
			Memory: j.Memory / 2,
		})
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		return nil, fmt.Errorf("read the staged input: %w", err)
	}
	return sum, j.accounts.flush()
}

var allImported = slices.Repeat([]migrate.Outcome{{Kind: migrate.Imported}}, migrate.MaxChunkEdges)

// memory is the journal of a run that sends nothing. It knows of the chunks that are being cut.
type memory struct {
	mu   sync.Mutex // guards sent
	sent map[int64]migrate.EdgeSet
}

func (m *memory) Open(ordinal int64, n int) (migrate.EdgeSet, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return migrate.FullSet(n).Without(m.sent[ordinal]), false
}

func (m *memory) Settle(_ context.Context, s migrate.Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	sent := m.sent[s.Chunk.Ordinal]
	for _, e := range s.Edges {
		sent.Add(e.Index)
	}
	m.sent[s.Chunk.Ordinal] = sent
	if sent.Len() == len(s.Chunk.Edges) {
		delete(m.sent, s.Chunk.Ordinal)
	}
	return nil
}

// measurer is one of the witnesses.
type measurer struct {
	measured
	of *making

	// The chunk that is being added up.
	envelope int64 // of a call for its account
	sizes    []int // of its edges
	size     int   // all of them
}

// edge adds up an edge. It is the nth of its roster, and so the first of a chunk or not.
func (w *measurer) edge(e *migrate.Edge, nth int64) {
	if nth%migrate.MaxChunkEdges == 0 {
		w.endChunk()
	}
	w.both.add(e.To)
	if nth == 0 {
		w.both.add(e.From)
		w.envelope = int64(sink.EnvelopeOf(e.From))
	}
	n := sink.EdgeBytes(e)
	w.sizes = append(w.sizes, n)
	w.size += n
}

// endChunk counts the calls of a chunk as the engine will cut them.
func (w *measurer) endChunk() {
	if len(w.sizes) == 0 {
		return
	}
	calls := int64(1)
	if room := w.of.ChunkBytes - sink.EnvelopeBytes; w.size > room {
		calls = 0
		for rest := w.sizes; len(rest) > 0; calls++ {
			rest = rest[migrate.Fitting(len(rest), room, func(k int) int { return rest[k] }):]
		}
	}
	w.calls += calls
	w.bytes += calls*w.envelope + int64(w.size)
	w.sizes, w.size = w.sizes[:0], 0
}
