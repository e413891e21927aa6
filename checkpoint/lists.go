package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"friendmigrate/migrate"
)

// Failure is an edge that is failed now.
type Failure struct {
	Ordinal   int64 // of its chunk
	Index     int   // in its chunk
	Edge      migrate.Edge
	Code      int    // the service's
	Info      string // the service's, at most 1024 bytes of it
	Uncertain bool   // the outcome is uncertain
	Attempts  int    // see migrate.Settled
	At        time.Time
}

// Settled is a recorded outcome of one edge.
type Settled struct {
	Ordinal  int64 // of the chunk
	Index    int   // in the chunk
	Outcome  migrate.Outcome
	Attempts int // of a failed edge; not recorded for others, so 0
	At       time.Time
	Reopened bool // a failure that was taken back later
}

// Failures yields the edges that are failed, in the order in which they failed, without those that
// were reopened. It reads the file up to the end that it had when the iteration began, and holds
// one frame in memory, however many failures there are. After an error it yields an empty Failure
// with the error and stops.
func (j *Journal) Failures() iter.Seq2[Failure, error] {
	return func(yield func(Failure, error) bool) {
		err := j.scan(func(x *settlement, seq uint32, at time.Time, r reopens) bool {
			for i := range x.failed {
				f := &x.failed[i]
				if r.after(seq, f.code) {
					continue
				}
				failure := Failure{
					Ordinal: x.ordinal, Index: f.index, Edge: f.edge, Code: f.code, Info: f.info,
					Uncertain: f.uncertain, Attempts: f.attempts, At: at,
				}
				failure.Edge.From = x.from
				if !yield(failure, nil) {
					return false
				}
			}
			return true
		})
		if err != nil {
			yield(Failure{}, err)
		}
	}
}

// Settlements yields every recorded outcome for edges of the given number of chunks from first on,
// in the order of the file. An edge that was reopened comes once for each outcome. It reads the
// file as Failures does.
func (j *Journal) Settlements(first int64, chunks int64) iter.Seq2[Settled, error] {
	return func(yield func(Settled, error) bool) {
		err := j.scan(func(x *settlement, seq uint32, at time.Time, r reopens) bool {
			if x.ordinal < first || x.ordinal-first >= chunks {
				return true
			}
			return x.outcomes(seq, at, r, yield)
		})
		if err != nil {
			yield(Settled{}, err)
		}
	}
}

func (s *settlement) outcomes(seq uint32, at time.Time, r reopens, yield func(Settled, error) bool) bool {
	imported, failed := s.imported, s.failed
	if s.whole {
		imported = migrate.FullSet(s.n)
	}
	for i := range s.n {
		one := Settled{Ordinal: s.ordinal, Index: i, At: at}
		switch {
		case len(failed) > 0 && failed[0].index == i:
			f := failed[0]
			failed = failed[1:]
			one.Outcome = migrate.Outcome{Kind: migrate.Failed, Uncertain: f.uncertain, Code: f.code, Info: f.info}
			one.Attempts, one.Reopened = f.attempts, r.after(seq, f.code)
		case imported.Has(i):
			one.Outcome.Kind = migrate.Imported
		case s.already.Has(i):
			one.Outcome = migrate.Outcome{Kind: migrate.Already, Uncertain: s.uncertain.Has(i)}
		default:
			continue
		}
		if !yield(one, nil) {
			return false
		}
	}
	return true
}

// scan calls each for all settlements up to the last durable frame, until each returns false.
func (j *Journal) scan(each func(x *settlement, seq uint32, at time.Time, r reopens) bool) error {
	j.mu.RLock()
	end, known := j.end, slices.Clone(j.state.reopens)
	j.mu.RUnlock()
	fail := func(err error) error { return fmt.Errorf("read journal %q: %w", j.name, err) }
	frames, err := openFrames(j.file, end)
	if err != nil {
		return fail(err)
	}
	var r record
	for now := int64(0); ; {
		payload, seq, err := frames.read()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, errBadFrame) {
			err = fmt.Errorf("%w: the frame at offset %d was good when the journal was opened", ErrDamaged, frames.off)
		}
		if err != nil {
			return fail(err)
		}
		d, elapsed, err := openPayload(payload, true)
		now += elapsed
		for at := time.UnixMilli(now); err == nil && d.more(); {
			if err = d.read(&r); err == nil && r.kind == kindSettled && !each(&r.settlement, seq, at, known) {
				return nil
			}
		}
		if err != nil {
			return fail(err)
		}
	}
}
