package stage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"friendmigrate/migrate"
)

// ErrDuplicates is wrapped by every *DuplicatesError.
var ErrDuplicates = errors.New("several rows of one pair")

// DuplicatesError is the error of WriteRosters with the policy Refuse if there are duplicates.
type DuplicatesError struct {
	Rows  int64           // rows that repeat an earlier row
	First []DuplicatePair // at most ten, the first by Row
}

// DuplicatePair is a row and the first row of the same pair.
type DuplicatePair struct {
	From, To    string
	Row, Before migrate.Position
}

func (e *DuplicatesError) Error() string {
	return fmt.Sprintf("%v: %d repeat an earlier one", ErrDuplicates, e.Rows)
}

// Unwrap returns ErrDuplicates.
func (e *DuplicatesError) Unwrap() error { return ErrDuplicates }

// DuplicateFunc gets a row that lost against another row of the same pair. differ says whether they
// differ in more than their position. It may keep its arguments. Its error ends WriteRosters.
type DuplicateFunc func(lost, kept *migrate.Edge, differ bool) error

// sealJob is what the goroutines of one WriteRosters share.
type sealJob struct {
	units       [][]*partition
	next        atomic.Int64
	onDuplicate DuplicateFunc
	mu          sync.Mutex // held during onDuplicate
}

// sealer is one goroutine of WriteRosters.
type sealer struct {
	w       *Writer
	job     *sealJob
	id      int
	loaded  loaded
	rosters rosterTaker // writer, or a counter
	writer  rosterWriter
	unit    int64 // being written

	totals   Totals
	pairs    []DuplicatePair
	segments []placedSegment
	temps    int // names given out by temporary
}

// rosterTaker takes rosters in plan order.
type rosterTaker interface {
	begin(from []byte)
	add(r *record[[]byte]) error // in the order of the roster
	end() error
}

// placedSegment is a segment and its unit. Segments are in plan order if sorted by unit, and within
// a unit in the order of writing.
type placedSegment struct {
	segment
	unit int64
}

// WriteRosters groups and orders the staged edges, resolves duplicates, and writes and syncs the
// rosters. The stage is not sealed before Seal. No lane may be used any more. onDuplicate, if not
// nil, is called for every row that lost, in no particular order. The calls come from several
// goroutines, one at a time.
//
// The error is a *DuplicatesError (with the policy Refuse), the context's, one of onDuplicate, or
// one of the disk. After an error only Abort may be called. An error or a crash leaves files that
// Open does not accept and the next Create removes.
//
// With Options.Measure nothing is written: the totals lack PlanDigest, and only Abort may follow.
func (w *Writer) WriteRosters(ctx context.Context, onDuplicate DuplicateFunc) (Totals, error) {
	if w.state != adding {
		return Totals{}, errors.New("write rosters: they were written or aborted before")
	}
	w.state = failed
	for _, l := range w.lanes {
		if l.err != nil {
			return Totals{}, fmt.Errorf("write rosters: %w", l.err)
		}
	}
	job := &sealJob{onDuplicate: onDuplicate, units: w.units()}
	lanes := w.lanes
	w.lanes = nil
	sealers, err := w.run(ctx, job)
	if err != nil {
		return Totals{}, fmt.Errorf("write rosters: %w", err)
	}
	t, err := w.collect(sealers)
	if err != nil {
		return Totals{}, fmt.Errorf("write rosters: %w", err)
	}
	if w.options.Measure != nil {
		for _, l := range lanes {
			t.Stored += l.brought
		}
		return t, nil
	}
	if err := errors.Join(w.fsys.SyncDir(w.options.Dir),
		w.fsys.SyncDir(filepath.Dir(filepath.Clean(w.options.Dir)))); err != nil {
		return Totals{}, fmt.Errorf("write rosters: %w", err)
	}
	w.state = written
	return t, nil
}

// units returns the lanes' partitions in plan order. Small neighbours form one unit.
func (w *Writer) units() [][]*partition {
	var units [][]*partition
	var unit []*partition
	var sum int64
	most := min(w.limits.unit, w.limits.seal)
	for place := range w.limits.parts {
		i := partAt(place, w.limits.parts)
		p := &partition{}
		for _, l := range w.lanes {
			p.add(&l.out.buffers[i])
		}
		p.close(w.files[i])
		if p.cost() == 0 {
			continue
		}
		if len(unit) > 0 && sum+p.cost() > most {
			units, unit, sum = append(units, unit), nil, 0
		}
		unit, sum = append(unit, p), sum+p.cost()
	}
	if len(unit) > 0 {
		units = append(units, unit)
	}
	return units
}

func (w *Writer) run(ctx context.Context, job *sealJob) ([]*sealer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	sealers := make([]*sealer, w.limits.sealers)
	for i := range sealers {
		s := newSealer(w, job, i)
		sealers[i] = s
		wg.Go(func() {
			if err := migrate.Guard(func() error { return s.run(ctx) }); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return sealers, nil
}

func newSealer(w *Writer, job *sealJob, id int) *sealer {
	s := &sealer{w: w, job: job, id: id}
	name := fmt.Sprintf("%s%d", sealedPrefix, id)
	file := &sealedFile{fsys: w.fsys, name: name, path: filepath.Join(w.options.Dir, name)}
	s.writer = rosterWriter{
		rosterCount: rosterCount{totals: &s.totals, maxFriends: int64(w.options.MaxFriends),
			groups: make(map[string]struct{})},
		segments: segmentWriter{file: file},
		limits:   &w.limits,
		digest:   rosterDigest{h: sha256.New()},
	}
	s.writer.chunk.sources = w.sources.texts
	s.writer.chunk.onGroup = s.writer.group
	s.rosters = &s.writer
	if m := w.options.Measure; m != nil {
		s.rosters = &counter{rosterCount: s.writer.rosterCount, visit: m.Visit()}
	}
	return s
}

func (s *sealer) run(ctx context.Context) error {
	err := s.sealUnits(ctx)
	if err != nil {
		return errors.Join(err, s.writer.segments.file.close())
	}
	return s.writer.segments.file.finish()
}

func (s *sealer) sealUnits(ctx context.Context) error {
	for {
		s.unit = s.job.next.Add(1) - 1
		if s.unit >= int64(len(s.job.units)) {
			s.loaded.release()
			return nil
		}
		unit := s.job.units[s.unit]
		s.job.units[s.unit] = nil
		s.writer.segments.begin()
		var err error
		if len(unit) == 1 && unit[0].cost() > s.w.limits.seal {
			err = s.split(ctx, unit[0], widthOf(s.w.limits.parts))
		} else {
			err = s.seal(ctx, unit)
		}
		if err = errors.Join(err, s.nextSegment()); err != nil {
			return err
		}
	}
}

// seal writes the rosters of partitions that fit into memory together, and drops the partitions.
func (s *sealer) seal(ctx context.Context, parts []*partition) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := s.load(parts); err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.drop(); err != nil {
			return err
		}
	}
	for _, n := range s.loaded.sorted {
		if err := s.writeRoster(&s.loaded.accounts[n]); err != nil {
			return err
		}
	}
	if s.writer.segments.count < s.w.limits.segment {
		return nil
	}
	return s.nextSegment()
}

func (s *sealer) writeRoster(a *account) error {
	entries := s.loaded.roster(a)
	s.loaded.touch(entries)
	if err := s.resolve(entries); err != nil {
		return err
	}
	s.rosters.begin(s.loaded.from(a))
	var r record[[]byte]
	for i := range entries {
		if entries[i].account == lost {
			continue
		}
		s.loaded.record(&entries[i], &r)
		if err := s.rosters.add(&r); err != nil {
			return err
		}
	}
	return s.rosters.end()
}

// nextSegment ends the segment and begins another one.
func (s *sealer) nextSegment() error {
	segment, ok, err := s.writer.endSegment()
	if err != nil || !ok {
		return err
	}
	segment.file = s.id
	s.segments = append(s.segments, placedSegment{segment: segment, unit: s.unit})
	s.writer.segments.begin()
	return nil
}

// collect fills w.body from the results of the goroutines and returns its totals.
func (w *Writer) collect(sealers []*sealer) (Totals, error) {
	var sum planDigest
	var duplicates []DuplicatePair
	var segments []placedSegment
	b := &w.body
	for _, s := range sealers {
		b.Totals.merge(&s.totals)
		sum.add(s.writer.sum)
		duplicates = append(duplicates, s.pairs...)
		for _, g := range s.segments {
			g.file = len(b.Files)
			segments = append(segments, g)
		}
		if f := s.writer.segments.file; f.off > 0 {
			b.Files = append(b.Files, sealedName{Name: f.name, Size: f.off})
			b.Totals.Stored += f.off
		}
	}
	t := &b.Totals
	if w.options.Duplicates == Refuse && t.Duplicates > 0 {
		return Totals{}, &DuplicatesError{Rows: t.Duplicates, First: firstPairs(duplicates)}
	}
	slices.SortStableFunc(segments, func(a, b placedSegment) int { return cmp.Compare(a.unit, b.unit) })
	for _, g := range segments {
		b.Segments = append(b.Segments, g.segment)
	}
	t.overMax(int64(w.options.MaxFriends))
	t.Pairs, t.MutualPairs, t.PairsSampled = w.pairs.count()
	t.PlanDigest = sum.text(t.Rosters)
	return *t, nil
}
