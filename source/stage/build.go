package stage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
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

// buildJob is what the builders of one WriteRosters share.
type buildJob struct {
	units       [][]*partition
	next        atomic.Int64
	onDuplicate DuplicateFunc
	mu          sync.Mutex // held during onDuplicate
	long        longBlock  // of one builder at a time
}

// builder builds the rosters of one unit of partitions after the other. Each goroutine of
// WriteRosters has its own.
type builder struct {
	w      *Writer
	job    *buildJob
	id     int
	loaded loaded
	taker  rosterTaker // writer, or a counter
	writer rosterWriter
	unit   int64 // being written

	totals   Totals
	pairs    []DuplicatePair
	segments []segment
	temps    int // names given out by temporary
}

// rosterTaker takes rosters in plan order: rosterWriter writes them (rosters.go), counter only
// counts them, for the command plan (measure.go).
type rosterTaker interface {
	begin(from []byte)
	add(r *record[[]byte]) error // in the order of the roster
	end() error
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
	measured := int64(0)
	for _, l := range w.lanes {
		if l.err != nil {
			return Totals{}, fmt.Errorf("write rosters: %w", l.err)
		}
		measured += l.measuredBytes
	}
	if err := w.makeRoom(); err != nil {
		return Totals{}, fmt.Errorf("write rosters: %w", err)
	}
	job := &buildJob{onDuplicate: onDuplicate, units: w.units()}
	w.lanes = nil // so that each page is freed with its partition
	builders, err := w.run(ctx, job)
	if err != nil {
		return Totals{}, fmt.Errorf("write rosters: %w", err)
	}
	t, err := w.collect(builders)
	if err != nil {
		return Totals{}, fmt.Errorf("write rosters: %w", err)
	}
	if w.options.Measure != nil {
		t.Stored += measured
		return t, nil
	}
	if err := errors.Join(w.fsys.SyncDir(w.options.Dir),
		w.fsys.SyncDir(filepath.Dir(filepath.Clean(w.options.Dir)))); err != nil {
		return Totals{}, fmt.Errorf("write rosters: %w", err)
	}
	w.state = written
	return t, nil
}

// makeRoom moves all pages to the files if there are long edges: their chunks need the memory.
func (w *Writer) makeRoom() error {
	longest := 0
	for _, l := range w.lanes {
		longest = max(longest, l.out.longest)
	}
	if int64(longest)*migrate.MaxChunkEdges < w.limits.builder/2 {
		return nil
	}
	for _, l := range w.lanes {
		if err := l.out.flush(); err != nil {
			return err
		}
	}
	return nil
}

// units returns the lanes' partitions in plan order. Small neighbours form one unit.
func (w *Writer) units() [][]*partition {
	var units [][]*partition
	var unit []*partition
	var sum int64
	most := min(w.limits.unit, w.limits.builder)
	for place := range w.limits.parts {
		i := partAt(place, w.limits.parts)
		p := &partition{}
		for _, l := range w.lanes {
			p.addPages(&l.out.buffers[i])
		}
		p.addFile(w.files[i])
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

func (w *Writer) run(ctx context.Context, job *buildJob) ([]*builder, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	builders := make([]*builder, w.limits.builders)
	for i := range builders {
		b := newBuilder(w, job, i)
		builders[i] = b
		wg.Go(func() {
			if err := migrate.Guard(func() error { return b.run(ctx) }); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if job.long.out != nil { // free it before somebody loads the chunks
		job.long.out, job.long.stored = nil, nil
		runtime.GC()
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return builders, nil
}

func newBuilder(w *Writer, job *buildJob, id int) *builder {
	b := &builder{w: w, job: job, id: id}
	name := fmt.Sprintf("%s%d", sealedPrefix, id)
	file := &sealedFile{fsys: w.fsys, name: name, path: filepath.Join(w.options.Dir, name)}
	b.writer = rosterWriter{
		count: rosterCount{totals: &b.totals, maxFriends: int64(w.options.MaxFriends),
			groups: make(map[string]struct{})},
		segments: segmentWriter{file: file},
		limits:   &w.limits,
		lent:     &job.long,
		digest:   rosterDigest{h: sha256.New()},
	}
	b.writer.chunk.sources = w.sources.texts
	b.writer.chunk.onGroup = b.writer.count.group
	b.taker = &b.writer
	if m := w.options.Measure; m != nil {
		b.taker = &counter{count: b.writer.count, visit: m.Visit()}
	}
	return b
}

func (b *builder) run(ctx context.Context) error {
	defer b.writer.endLong()
	err := b.buildUnits(ctx)
	if err != nil {
		return errors.Join(err, b.writer.segments.file.close())
	}
	return b.writer.segments.file.finish()
}

func (b *builder) buildUnits(ctx context.Context) error {
	for {
		b.unit = b.job.next.Add(1) - 1
		if b.unit >= int64(len(b.job.units)) {
			b.loaded.release()
			return nil
		}
		unit := b.job.units[b.unit]
		b.job.units[b.unit] = nil
		b.writer.segments.begin()
		var err error
		if len(unit) == 1 && unit[0].cost() > b.w.limits.builder {
			err = b.split(ctx, unit[0], widthOf(b.w.limits.parts))
		} else {
			err = b.buildInMemory(ctx, unit)
		}
		if err = errors.Join(err, b.nextSegment()); err != nil {
			return err
		}
	}
}

// buildInMemory writes the rosters of partitions that fit into memory together, and drops the
// partitions.
func (b *builder) buildInMemory(ctx context.Context, parts []*partition) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := b.load(parts); err != nil {
		return err
	}
	for _, p := range parts {
		if err := p.drop(); err != nil {
			return err
		}
	}
	for _, n := range b.loaded.sorted {
		if err := b.writeRoster(&b.loaded.accounts[n]); err != nil {
			return err
		}
	}
	if b.writer.segments.count < b.w.limits.segment {
		return nil
	}
	return b.nextSegment()
}

func (b *builder) writeRoster(a *account) error {
	entries := b.loaded.roster(a)
	b.loaded.touch(entries)
	if err := b.resolve(entries); err != nil {
		return err
	}
	b.taker.begin(b.loaded.from(a))
	var r record[[]byte]
	for i := range entries {
		if entries[i].account == lost {
			continue
		}
		b.loaded.decode(&entries[i], &r)
		if err := b.taker.add(&r); err != nil {
			return err
		}
	}
	return b.taker.end()
}

// nextSegment ends the segment and begins another one.
func (b *builder) nextSegment() error {
	g, ok, err := b.writer.endSegment()
	if err != nil || !ok {
		return err
	}
	g.unit = b.unit
	b.segments = append(b.segments, g)
	b.writer.segments.begin()
	return nil
}

// collect fills w.body from the results of the builders and returns its totals.
func (w *Writer) collect(builders []*builder) (Totals, error) {
	var sum planDigest
	var duplicates []DuplicatePair
	body := &w.body
	for _, b := range builders {
		body.Totals.merge(&b.totals)
		sum.add(b.writer.sum)
		duplicates = append(duplicates, b.pairs...)
		for _, g := range b.segments {
			g.file = len(body.Files)
			body.Segments = append(body.Segments, g)
		}
		if f := b.writer.segments.file; f.off > 0 {
			body.Files = append(body.Files, sealedName{Name: f.name, Size: f.off})
			body.Totals.Stored += f.off
		}
	}
	t := &body.Totals
	if w.options.Duplicates == Refuse && t.Duplicates > 0 {
		return Totals{}, &DuplicatesError{Rows: t.Duplicates, First: firstPairs(duplicates)}
	}
	slices.SortStableFunc(body.Segments, func(a, b segment) int { return cmp.Compare(a.unit, b.unit) })
	t.overMax(int64(w.options.MaxFriends))
	t.Pairs, t.MutualPairs, t.PairsSampled = w.pairs.count()
	t.PlanDigest = sum.text(t.Rosters)
	return *t, nil
}
