package source

import (
	"context"
	"encoding/json"
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

// StageFolder is the folder of the staged input, within the state folder.
const StageFolder = "staged"

// Request names the inputs that ReadInputs reads and says how.
type Request struct {
	Inputs   []string       // files, folders, "-", s3://bucket/key, s3://bucket/prefix/; see Resolve
	Stdin    io.Reader      // for "-"
	Objects  *objects.Store // for s3://; nil: there are none
	StateDir string         // for the lists and StageFolder; created if needed
	Options  Options

	Shard, Shards int     // Shards 0 or 1: everything
	Memory        int64   // limit in bytes, approximate; 0: 256 MiB. At least 32 MiB are used
	Lanes         int     // parallel parsers; 0: as many as Lanes says
	FS            disk.FS // nil: disk.OS{}

	Measure *stage.Measure // nil: make a stage; else only count, then Abort
	// may be nil; gets the counts before a list is written, and may refuse the inputs with an error
	Accept func(Counts) error
	// may be nil; called from one goroutine at a time, several times a second. bytesTotal is 0 if
	// unknown
	Progress func(bytesRead, bytesTotal, rows int64)
	// may be nil; gets what reading waits for when nothing was read for a minute, from a separate
	// goroutine
	Waits func(message string)
	Warn  func(message string) // may be nil; gets one sentence per call, before ReadInputs returns

	total int64   // bytes of all inputs; 0: not known
	left  LeftOut // what resolved folders and prefixes hold that is not read
}

// Unsealed is a request whose rosters are written. Seal seals its stage. Exactly one of Seal and
// Abort must be called.
type Unsealed struct {
	Counts Counts
	Totals stage.Totals

	request Request
	writer  *stage.Writer
}

// ReadInputs reads all inputs to their ends, checks every row against the rules, stages the valid
// rows and lists the others. When it returns without an error, every input was whole and sound, and
//
//	Counts.Rows = Totals.Edges - Totals.Added + Totals.Duplicates + Counts.Rejected
//
// The error is fs.ErrExist if StateDir holds a sealed stage, which is not touched. The caller
// decides whether to call stage.Remove.
//
// An ErrUnusable is for the user to fix; nothing may be sent. With --duplicates error it may also
// be a *stage.DuplicatesError. If ctx ends, ReadInputs returns its error soon. After an error
// nothing is left of the stage, and the lists are unchanged unless it is a *stage.DuplicatesError.
func ReadInputs(ctx context.Context, r Request) (*Unsealed, error) {
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
	p := &Unsealed{request: r, writer: w}
	if err := p.readAndStage(ctx); err != nil {
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

// Lanes returns how many parsers run in parallel within memory bytes: one for each processor that
// Go may use, as long as their buffers take at most a quarter of the memory. More would not help,
// because one goroutine feeds them.
func Lanes(memory int64) int {
	const each = 4*blockSize + stage.MinLaneMemory // two blocks, each with the rest of the one before
	return int(max(1, min(int64(runtime.GOMAXPROCS(0)), memory/4/each)))
}

// buffers returns how many blocks are in use at once: one being read, one in each parser, and one
// waiting for each, so that no parser waits.
func (r *Request) buffers() int { return 2*r.Lanes + 1 }

// stageMemory returns the bytes left for staging. Reading needs the blocks and the records found in
// them, the lists, and the garbage of gocsv between two collections.
func (r *Request) stageMemory() int64 {
	own := int64(r.buffers())*3*blockSize + 3*listMemory + 4<<20
	return max(r.Memory-own, stage.MinMemory)
}

func (r *Request) warn(message string) {
	if r.Warn != nil {
		r.Warn(message)
	}
}

// readAndStage reads the inputs and writes the rosters and the lists.
func (p *Unsealed) readAndStage(ctx context.Context) (err error) {
	l := newLists(p.request.FS, p.request.StateDir, p.request.Inputs)
	defer func() { err = errors.Join(err, l.close()) }()
	r := newReading(p.request, l, p.writer.Owns, func(i int) lane { return p.writer.Lane(i) })
	if p.Counts, err = r.run(ctx); err != nil {
		return err
	}
	p.Counts.LeftOut = p.request.left
	if p.request.Accept != nil {
		if err := p.request.Accept(p.Counts); err != nil {
			return err
		}
	}
	onDuplicate := l.duplicate
	if p.request.Measure != nil {
		onDuplicate = nil // only a digest of the fields is staged, so there is nothing to list
	}
	p.Totals, err = p.writer.WriteRosters(ctx, onDuplicate)
	if errors.Is(err, stage.ErrDuplicates) {
		return errors.Join(fmt.Errorf("%w: %w", ErrUnusable, err), l.save(ctx))
	}
	if err != nil {
		return fmt.Errorf("stage input: %w", err)
	}
	if sum := p.Totals.Edges - p.Totals.Added + p.Totals.Duplicates + p.Counts.Rejected; sum != p.Counts.Rows {
		return fmt.Errorf("the sum does not balance: %d rows read, but %d edges, %d of them added, %d duplicates "+
			"and %d rejected", p.Counts.Rows, p.Totals.Edges, p.Totals.Added, p.Totals.Duplicates, p.Counts.Rejected)
	}
	return l.save(ctx)
}

// Seal seals the stage. A later run finds it and does not read the rows again. A caller that keeps
// a journal for the job must make it before, because a sealed stage without one counts as damage.
//
// A crash in Seal leaves a sealed stage, or one without a manifest that the next ReadInputs
// removes.
func (p *Unsealed) Seal() (*stage.Stage, error) {
	r := &p.request
	meta, err := json.Marshal(Meta{Version: metaVersion, Options: r.Options.Canonical(), Shard: r.Shard,
		Shards: r.Shards, Counts: p.Counts})
	if err != nil {
		return nil, err
	}
	if err := p.writer.Seal(meta); err != nil {
		return nil, errors.Join(err, p.writer.Abort())
	}
	return stage.Open(filepath.Join(r.StateDir, StageFolder), r.FS)
}

// Abort removes what was staged. The lists stay.
func (p *Unsealed) Abort() error { return p.writer.Abort() }
