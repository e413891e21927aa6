package stage

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
)

// Lane stages the edges of one goroutine.
type Lane struct {
	w       *Writer
	out     spill
	sources sourceCache
	extras  []byte
	err     error // the first; final
}

func newLane(w *Writer) *Lane {
	return &Lane{
		w: w,
		out: spill{
			buffers: make([]buffer, w.limits.parts),
			files:   w.files,
			budget:  w.limits.lane,
			page:    w.limits.page,
			batch:   w.limits.batch,
		},
		sources: sourceCache{all: w.sources, seen: make(map[string]uint32)},
	}
}

// Add stages a valid edge and, with Options.Mutual, its reverse. It copies what it keeps: e and its
// texts may be reused. No two edges of a job may have the same Position. ours is false where the
// row belongs to another shard (its reverse may still be taken).
//
// An edge over MaxEdgeBytes is refused with ErrEdgeTooLarge, and the lane can go on. Every other
// error is final for the job: a file could not be written. Add may be called from one goroutine at
// a time, and not any more once Seal was called.
func (l *Lane) Add(e *migrate.Edge) (ours bool, err error) {
	if l.err != nil {
		return false, l.err
	}
	o, err := orderOf(e.Position, e.Added)
	if err != nil {
		return false, err
	}
	r := record[string]{from: e.From, to: e.To, order: o, source: l.sources.code(e.AddSource)}
	if r.source == 0 {
		r.literal = e.AddSource
	}
	l.extras, r.flags = codec.AppendFields(l.extras[:0], e)
	r.extras = l.extras
	if size := len(e.From) + len(e.To) + len(e.AddSource) + len(r.extras); size > MaxEdgeBytes {
		return false, fmt.Errorf("stage edge: %w: %d bytes, and at most %d can be staged", ErrEdgeTooLarge, size,
			MaxEdgeBytes)
	}
	from, to := xxhash.Sum64String(e.From), xxhash.Sum64String(e.To)
	l.w.pairs.add(pairHash(from, to))
	if ours = l.w.owns(e.From, from); ours {
		if l.err = add(&l.out, l.w.partOf(from), &r); l.err != nil {
			return false, l.err
		}
	}
	if l.w.options.Mutual && l.w.owns(e.To, to) {
		l.err = l.addReverse(e, &r, to)
	}
	return ours, l.err
}

// addReverse stages the reverse of r: of the optional fields, which speak of one side's view of the
// other, only AddTime is the same for both.
func (l *Lane) addReverse(e *migrate.Edge, r *record[string], hash uint64) error {
	reverse := *r
	reverse.from, reverse.to = r.to, r.from
	reverse.order |= addedBit
	l.extras, reverse.flags = codec.AppendFields(l.extras[:0], &migrate.Edge{AddTime: e.AddTime})
	reverse.extras = l.extras
	return add(&l.out, l.w.partOf(hash), &reverse)
}
