package plan

import (
	"context"
	"fmt"
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

// measurers are those of several goroutines.
type measurers struct {
	of  *making
	all []*measurer
}

func (s *measurers) next() stage.Witness {
	w := &measurer{of: s.of}
	s.all = append(s.all, w)
	return w.edge
}

func (s *measurers) sum() *measured {
	sum := &measured{}
	for _, w := range s.all {
		w.endChunk()
		sum.add(&w.measured)
	}
	return sum
}

// measure passes over a plan that is sealed, its rosters shared among the lanes.
func (j *making) measure(ctx context.Context) (*measured, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	by, over := measurers{of: j}, int64(0)
	rosters := make(chan migrate.Roster)
	var lanes sync.WaitGroup
	for range max(1, j.Lanes) {
		edge := by.next()
		lanes.Go(func() {
			for r := range rosters {
				if err := eachEdge(&r, edge); err != nil {
					cancel(err)
				}
			}
		})
	}
	for r, err := range j.stage.Rosters(ctx, nil) {
		if err != nil {
			cancel(err)
			break
		}
		if most := int64(j.Rows.MaxFriends); most > 0 && r.Edges > most {
			over++
		}
		rosters <- r
	}
	close(rosters)
	lanes.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("read the staged input: %w", err)
	}
	sum := by.sum()
	sum.over = over
	return sum, nil
}

func eachEdge(r *migrate.Roster, edge stage.Witness) error {
	nth := int64(0)
	for i := range r.Chunks {
		c, err := r.Load(i)
		if err != nil {
			return err
		}
		for k := range c.Edges {
			edge(&c.Edges[k], nth)
			nth++
		}
	}
	return nil
}

// measurer adds up what one goroutine is shown.
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
