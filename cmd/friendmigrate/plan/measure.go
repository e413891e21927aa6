package plan

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"friendmigrate/migrate"
	"friendmigrate/sink"
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

// measure passes over the plan, in several goroutines: one reads rosters, the others load and measure their chunks.
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
func feed(ctx context.Context, plan iter.Seq2[migrate.Roster, error], batches chan<- []migrate.Roster, fail func(error)) {
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

// measurer is one of the goroutines.
type measurer struct {
	measured
	job   *job
	large *sync.Mutex // held while a chunk is loaded of which two might not fit into memory
	names names
	sizes []int
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
	envelope := int64(sink.EnvelopeOf(r.From))
	for i := range r.Chunks {
		c, err := r.Load(i)
		if err != nil {
			return err
		}
		calls := w.chunk(c.Edges)
		w.calls += calls
		w.bytes += calls * envelope
		if w.job.accounts == nil {
			continue
		}
		for k := range c.Edges {
			if err := w.name(c.Edges[k].To); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk counts the calls of a chunk as the engine will cut them, and adds up the bytes of its edges.
func (w *measurer) chunk(edges []migrate.Edge) (calls int64) {
	w.sizes = w.sizes[:0]
	sum := 0
	for i := range edges {
		n := sink.EdgeBytes(&edges[i])
		w.sizes = append(w.sizes, n)
		sum += n
	}
	w.bytes += int64(sum)
	room := w.job.ChunkBytes - sink.EnvelopeBytes
	if sum <= room {
		return 1
	}
	for rest := w.sizes; len(rest) > 0; calls++ {
		rest = rest[migrate.Fitting(len(rest), room, func(k int) int { return rest[k] }):]
	}
	return calls
}
