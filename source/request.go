package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"

	"friendmigrate/migrate/disk"
	"friendmigrate/source/objects"
	"friendmigrate/source/stage"
)

// StageFolder is where in the state folder the staged input lies.
const StageFolder = "staged"

// Request is what Stage is to turn into a sealed stage.
type Request struct {
	Inputs   []string       // files, folders, "-", s3://bucket/key, s3://bucket/prefix/; see Resolve
	Stdin    io.Reader      // for "-"
	Objects  *objects.Store // for s3://; nil: there are none
	StateDir string         // gets the lists and StageFolder; made if need be
	Options  Options

	Shard, Shards int     // Shards 0 or 1: everything
	Memory        int64   // bytes to hold at most, about; 0: 256 MiB. Under 32 MiB it is 32 MiB
	Lanes         int     // parallel parsers; 0: as many as Lanes says
	FS            disk.FS // nil: disk.OS{}

	Measure *stage.Measure // nil: seal; else only count, and Abort is the end of it
	// may be nil; called by one goroutine at a time, some times a second and more. bytesTotal is 0 if unknown
	Progress func(bytesRead, bytesTotal, rows int64)
	// may be nil; told what is waited for where nothing was read for a minute, by a goroutine of its own
	Waits func(message string)
	Warn  func(message string) // may be nil; one sentence each, called before Stage returns

	total int64   // bytes of all inputs; 0: not known
	left  LeftOut // by the folders and prefixes that were resolved
}

// Pending is a request whose rosters are written. Seal seals its stage. Exactly one of Seal and
// Abort must be called.
type Pending struct {
	Counts Counts
	Totals stage.Totals

	request Request
	writer  *stage.Writer
}

// Stage reads all inputs to their ends, holds every row against the rules, stages the valid ones
// and writes the lists of the others. When it returns without an error, every input was whole and
// sound, and
//
//	Counts.Rows = Totals.Edges - Totals.Added + Totals.Duplicates + Counts.Rejected
//
// A sealed stage in StateDir is not touched: then the error is fs.ErrExist, and stage.Remove is for
// the caller to decide on.
//
// An error that is an ErrUnusable is the user's to fix: nothing may be sent then. With --duplicates
// error such an error is a *stage.DuplicatesError as well. If ctx ends, Stage returns its error
// soon. After an error nothing is left of the stage; the lists are those of before, except after a
// *stage.DuplicatesError.
func Stage(ctx context.Context, r Request) (*Pending, error) {
	r, err := r.complete(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.FS.MkdirAll(r.StateDir, disk.FolderMode); err != nil {
		return nil, fmt.Errorf("make state folder: %w", err)
	}
	w, err := stage.Create(stage.Options{
		Dir: filepath.Join(r.StateDir, StageFolder), FS: r.FS, Memory: r.stageMemory(), Lanes: r.Lanes, Shard: r.Shard,
		Shards:     r.Shards,
		Duplicates: r.Options.duplicates(), Mutual: r.Options.Mutual, MaxFriends: r.Options.MaxFriends,
		Measure: r.Measure,
	})
	if err != nil {
		return nil, fmt.Errorf("stage input: %w", err)
	}
	p := &Pending{request: r, writer: w}
	if err := p.fill(ctx); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	for _, warning := range Warnings(&p.Counts, &p.Totals, r.Options) {
		r.warn(warning)
	}
	return p, nil
}

func (r Request) complete(ctx context.Context) (Request, error) {
	if err := r.Options.Check(); err != nil {
		return r, err
	}
	found, left, err := r.Resolve(ctx)
	if err != nil {
		return r, err
	}
	r.Inputs, r.left = nil, left
	for _, f := range found {
		r.Inputs = append(r.Inputs, f.Name)
		r.total += f.Size
	}
	if slices.ContainsFunc(found, func(f Found) bool { return f.Size < 0 }) {
		r.total = 0
	}
	if slices.Contains(r.Inputs, Standard) && (r.Shards > 1 || r.Stdin == nil) {
		reason := "there is no standard input"
		if r.Shards > 1 {
			reason = "standard input cannot be read by several shards"
		}
		return r, &InputError{Name: Standard, Reason: reason}
	}
	if r.Memory == 0 {
		r.Memory = 256 << 20
	}
	if r.Lanes <= 0 {
		r.Lanes = Lanes(r.Memory)
	}
	if r.FS == nil {
		r.FS = disk.OS{}
	}
	return r, nil
}

// Lanes is how many parsers read side by side in so much memory: one for each processor that Go may
// use, as long as their buffers take no more than a quarter of it. More are of no use: one
// goroutine feeds them.
func Lanes(memory int64) int {
	const each = 4*blockSize + stage.MinLaneMemory // two blocks, each with what was left over from the last
	return int(max(1, min(int64(runtime.GOMAXPROCS(0)), memory/4/each)))
}

// buffers is how many blocks are under way at once: one being read, one in each parser, and as many
// waiting that none of them has to.
func (r *Request) buffers() int { return 2*r.Lanes + 1 }

// stageMemory is what is left for staging when reading has its blocks with what their cutting
// found, its lists and what gocsv throws away between two collections.
func (r *Request) stageMemory() int64 {
	own := int64(r.buffers())*3*blockSize + 3*listMemory + 4<<20
	return max(r.Memory-own, stage.MinMemory)
}

func (r *Request) warn(message string) {
	if r.Warn != nil {
		r.Warn(message)
	}
}

// fill reads the inputs, writes the rosters and the lists.
func (p *Pending) fill(ctx context.Context) (err error) {
	l := newLists(p.request.FS, p.request.StateDir, p.request.Inputs)
	defer func() { err = errors.Join(err, l.close()) }()
	r := newReading(p.request, l, p.writer.Owns, func(i int) lane { return p.writer.Lane(i) })
	if p.Counts, err = r.run(ctx); err != nil {
		return err
	}
	p.Counts.LeftOut = p.request.left
	onDuplicate := l.duplicate
	if p.request.Measure != nil {
		onDuplicate = nil // only a digest is left of the fields that the list would show
	}
	p.Totals, err = p.writer.WriteRosters(ctx, onDuplicate)
	if errors.Is(err, stage.ErrDuplicates) {
		return errors.Join(fmt.Errorf("%w: %w", ErrUnusable, err), l.save())
	}
	if err != nil {
		return fmt.Errorf("stage input: %w", err)
	}
	if sum := p.Totals.Edges - p.Totals.Added + p.Totals.Duplicates + p.Counts.Rejected; sum != p.Counts.Rows {
		return fmt.Errorf("the sum does not balance: %d rows read, but %d edges, %d of them added, %d duplicates "+
			"and %d rejected", p.Counts.Rows, p.Totals.Edges, p.Totals.Added, p.Totals.Duplicates, p.Counts.Rejected)
	}
	return l.save()
}

// Seal seals the stage. A later run finds it and does not read the rows again. A caller that keeps
// a journal for the job must make it before, because a sealed stage without one counts as damage.
//
// A crash in Seal leaves a sealed stage, or one without a manifest that the next Stage removes.
func (p *Pending) Seal() (*stage.Stage, error) {
	meta, err := newMeta(p.request, p.Counts).encode()
	if err != nil {
		return nil, err
	}
	if err := p.writer.Seal(meta); err != nil {
		return nil, errors.Join(err, p.writer.Abort())
	}
	return stage.Open(filepath.Join(p.request.StateDir, StageFolder), p.request.FS)
}

// Abort removes what was staged. The lists stay.
func (p *Pending) Abort() error { return p.writer.Abort() }
