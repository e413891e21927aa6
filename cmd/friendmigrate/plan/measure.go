package plan

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/sink"
	"friendmigrate/source/stage"
)

// measured is what a pass over the plan adds up.
type measured struct {
	calls, bytes int64
	over         int64 // rosters over --max-friends
}

func (m *measured) add(o measured) {
	m.calls += o.calls
	m.bytes += o.bytes
	m.over += o.over
}

// batchRosters is how many rosters go to a goroutine at once.
const batchRosters = 256

// witnesses measure a plan while it is being sealed: every edge passes by once, and nothing has to
// be read again.
type witnesses struct {
	job *job
	all []*measurer
}

func (s *witnesses) next() stage.Witness {
	w := &measurer{job: s.job}
	s.all = append(s.all, w)
	return w.edge
}

func (s *witnesses) sum() *measured {
	sum := &measured{}
	for _, w := range s.all {
		w.endChunk()
		sum.add(w.measured)
	}
	return sum
}

// measure passes over a plan that is sealed, in several goroutines: one reads rosters, the others
// load and measure their chunks.
func (j *job) measure(ctx context.Context) (*measured, error) {
	sum := &measured{}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan []migrate.Roster, j.Lanes)
	var mu, large sync.Mutex // mu guards sum
	var ended sync.WaitGroup
	for range j.Lanes {
		ended.Go(func() {
			w := measurer{job: j, large: &large}
			for batch := range batches {
				if ctx.Err() != nil {
					continue
				}
				if err := migrate.Guard(func() error { return w.batch(batch) }); err != nil {
					cancel(err)
				}
			}
			w.endChunk()
			if err := migrate.Guard(w.flush); err != nil {
				cancel(err)
			}
			mu.Lock()
			sum.add(w.measured)
			mu.Unlock()
		})
	}
	feed(ctx, j.stage.Rosters(ctx, nil), batches, cancel)
	close(batches)
	ended.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("read the staged input: %w", err)
	}
	return sum, nil
}

// feed hands out the plan until it ends or something fails.
func feed(ctx context.Context, plan iter.Seq2[migrate.Roster, error], batches chan<- []migrate.Roster,
	fail func(error)) {
	var batch []migrate.Roster
	for r, err := range plan {
		if err != nil {
			fail(err)
			return
		}
		if batch = append(batch, r); len(batch) < batchRosters {
			continue
		}
		select {
		case batches <- batch:
			batch = make([]migrate.Roster, 0, batchRosters)
		case <-ctx.Done():
			return
		}
	}
	if len(batch) > 0 {
		batches <- batch // the others go on reading until it is closed
	}
}

// measurer is one of the goroutines, or one of the witnesses.
type measurer struct {
	measured
	job   *job
	large *sync.Mutex // held while a chunk is loaded of which two might not fit into memory
	names names

	// The chunk that is being added up.
	envelope int64 // of a call for its account
	sizes    []int // of its edges
	size     int   // all of them
}

func (w *measurer) batch(batch []migrate.Roster) error {
	for i := range batch {
		if err := w.roster(&batch[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *measurer) roster(r *migrate.Roster) error {
	if most := int64(w.job.Rows.MaxFriends); most > 0 && r.Edges > most {
		w.over++
	}
	if err := w.name(r.From); err != nil {
		return err
	}
	if r.ChunkBytes > w.job.Memory/int64(8*w.job.Lanes) {
		w.large.Lock()
		defer w.large.Unlock()
	}
	for i := range r.Chunks {
		c, err := r.Load(i)
		if err != nil {
			return err
		}
		for k := range c.Edges {
			w.edge(&c.Edges[k], int64(i)*migrate.MaxChunkEdges+int64(k))
			if err := w.name(c.Edges[k].To); err != nil {
				return err
			}
		}
	}
	return nil
}

// edge adds up an edge. It is the nth of its roster, and so the first of a chunk or not.
func (w *measurer) edge(e *migrate.Edge, nth int64) {
	if nth%migrate.MaxChunkEdges == 0 {
		w.endChunk()
	}
	if nth == 0 {
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
	if room := w.job.ChunkBytes - sink.EnvelopeBytes; w.size > room {
		calls = 0
		for rest := w.sizes; len(rest) > 0; calls++ {
			rest = rest[migrate.Fitting(len(rest), room, func(k int) int { return rest[k] }):]
		}
	}
	w.calls += calls
	w.bytes += calls*w.envelope + int64(w.size)
	w.sizes, w.size = w.sizes[:0], 0
}
