package plan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/objects"
	"friendmigrate/source/stage"
)

// Options say what is to be planned. The zero value of a field that import has a flag for means
// what it means there.
type Options struct {
	Inputs        []string
	Stdin         io.Reader      // for "-"; nil: a terminal, which has nothing to say to a job that is staged
	Objects       *objects.Store // for s3://; nil: no input is there
	Rows          source.Options
	Shard, Shards int
	State         string // --state: the input is staged beside it
	Dir           string // the state folder of this shard
	Memory        int64  // bytes that reading and staging may hold
	Lanes         int    // goroutines that read and measure
	ChunkBytes    int    // JSON of one call at most
	Rate          float64

	// Staged is shown the stage, if there is a row, and gives a warning or refuses it; it may be nil.
	Staged func(context.Context, *stage.Stage) (warning string, err error)

	Progress func(bytesRead, bytesTotal, rows int64) // as of source.Job
	Waits    func(message string)                    // the same
}

// Make plans a job. An error that is source.ErrUnusable is the user's to fix; if ctx ends, its
// error comes back soon, with everything removed.
func Make(ctx context.Context, o Options) (p *Plan, err error) {
	j := &making{Options: o}
	defer func() { err = errors.Join(err, j.close()) }()
	if err := j.open(ctx); err != nil {
		return nil, err
	}
	var m *measured
	if j.stage == nil {
		if m, err = j.read(ctx); err != nil {
			return nil, err
		}
	}
	if o.Staged != nil && !j.counts.NoRows() {
		text, err := o.Staged(ctx, j.stage)
		if err != nil {
			return nil, err
		}
		j.note("%s", text)
	}
	if m == nil {
		if m, err = j.measure(ctx); err != nil {
			return nil, err
		}
	}
	return j.plan(m)
}

// making is one making of a plan.
type making struct {
	Options
	notes   []string     // on the state folder
	stage   *stage.Stage // nil: not sealed
	totals  stage.Totals
	staged  bool   // the stage is that of the state folder
	other   bool   // the state folder holds another job
	dir     string // of the stage and its lists
	counts  source.Counts
	scratch *scratch // nil: nothing had to be staged
}

// close gives back what is open and removes what was staged.
func (j *making) close() error {
	var err error
	if j.stage != nil {
		err = j.stage.Close()
	}
	if j.scratch != nil {
		err = errors.Join(err, j.scratch.remove())
	}
	return err
}

// open finds a sealed stage of the same job, if there is one. What is wrong with the state folder
// is import's to say: here the input is read again.
func (j *making) open(ctx context.Context) error {
	s, meta, err := source.OpenStaged(filepath.Join(j.Dir, source.StageFolder), disk.OS{})
	if err != nil {
		return nil
	}
	if j.hasNews() { // what comparing it with the staged input would use up
		return s.Close()
	}
	why, err := j.compare(ctx, meta)
	if err != nil || why != "" {
		if why != "" {
			j.other = true
			j.note("%q holds another job (%s): import needs another --state", j.Dir, why)
		}
		return errors.Join(err, s.Close())
	}
	j.stage, j.totals, j.staged, j.dir = s, s.Totals(), true, j.Dir
	return nil
}

// hasNews reports whether standard input is to be read and is not empty.
func (j *making) hasNews() bool {
	if j.Stdin == nil || !slices.Contains(j.Inputs, source.Standard) {
		return false
	}
	buffered := bufio.NewReader(j.Stdin)
	j.Stdin = buffered
	_, err := buffered.Peek(1)
	return err == nil
}

func (j *making) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

// compare says why a sealed stage is not of this job, or takes up what it knows of the inputs.
func (j *making) compare(ctx context.Context, meta source.Meta) (why string, err error) {
	for flag, is := range j.Rows.Canonical() {
		if was := meta.Options[flag]; was != is {
			return fmt.Sprintf("%s was %q, is %q", flag, was, is), nil
		}
	}
	if meta.Shard != j.Shard || max(meta.Shards, 1) != max(j.Shards, 1) {
		return fmt.Sprintf("it is share %d of %d", meta.Shard, max(meta.Shards, 1)), nil
	}
	c, err := source.Compare(ctx, meta.Counts.Inputs, j.arguments())
	switch {
	case err != nil:
		return "", err
	case c.Verdict == source.Different:
		return c.Reasons[0], nil
	case c.Verdict == source.Gone:
		j.note("an input is gone or cannot be reached: the plan is of what was staged of it")
	}
	j.counts, j.counts.LeftOut = meta.Counts, c.LeftOut
	return "", j.counts.CheckEmpty(j.Rows)
}

// arguments are the inputs without what standard input holds: that can be read once only.
func (j *making) arguments() source.Arguments {
	return source.Arguments{Inputs: j.Inputs, Format: j.Rows.Format, Objects: j.Objects, AllowEmpty: j.Rows.AllowEmpty}
}

// read reads the input and measures it on the way, with the help of a folder that is removed at the
// end. Where the stage is wanted it seals one there, for a pass of its own, and measures nothing.
func (j *making) read(ctx context.Context) (m *measured, err error) {
	if _, _, err := j.arguments().Resolve(ctx); err != nil {
		return nil, err // a misspelt input leaves nothing to remove
	}
	if j.scratch, err = newScratch(j.State); err != nil {
		return nil, err
	}
	by := measurers{room: j.ChunkBytes - sink.EnvelopeBytes}
	measure := &stage.Measure{EdgeBytes: sink.EdgeBytes, Visit: by.next}
	if j.Options.Staged != nil {
		measure = nil
	}
	pending, err := source.Stage(ctx, source.Job{
		Inputs: j.Inputs, Stdin: j.Stdin, Objects: j.Objects, StateDir: j.scratch.dir, Options: j.Rows, Shard: j.Shard,
		Shards: j.Shards,
		Memory: j.Memory, Lanes: j.Lanes, FS: unsynced{}, Progress: j.Progress, Waits: j.Waits, Measure: measure,
	})
	if err != nil {
		return nil, err
	}
	j.dir, j.counts, j.totals = j.scratch.dir, pending.Counts, pending.Totals
	if measure == nil {
		if j.stage, err = pending.Finish(); err != nil {
			return nil, fmt.Errorf("stage the input: %w", err)
		}
		return nil, nil
	}
	m = by.sum()
	m.over = pending.Totals.OverMax
	return m, pending.Abort()
}

// plan puts together what reading and measuring found.
func (j *making) plan(m *measured) (*Plan, error) {
	c, t := j.counts, j.totals
	t.OverMax = m.over // --max-friends is not part of what makes a stage
	p := &Plan{
		Version: Version, Options: j.Rows.Canonical(), Shard: shardText(j.Shard, j.Shards), Staged: j.staged,
		OtherJob: j.other,
		Rows: Rows{Read: c.Rows, Rejected: c.Rejected, RejectedElsewhere: c.RejectedElsewhere,
			Duplicate: t.Duplicates, Differing: t.Differing, Changed: c.Changed, ManyLines: c.ManyLines},
		WhyAllRejected: c.WhyAllRejected(),
		Edges:          t.Edges, Added: t.Added, Accounts: t.Rosters,
		Calls: m.calls, ExtraCalls: m.calls - t.Chunks, ChunkBytes: int64(j.ChunkBytes), Bytes: m.bytes,
		AboutBoth: m.both.count(), MaxFriends: int64(j.Rows.MaxFriends), OverFriends: m.over, OverGroups: t.GroupsOver,
		Largest: []Roster{}, Disk: Disk{Staged: t.Stored},
		Mutual: Mutual{Share: float64(t.MutualPairs) / float64(max(1, t.Pairs)), Pairs: t.Pairs, Both: t.MutualPairs,
			Sampled: t.PairsSampled},
		Warnings: append(j.notes, source.Warnings(&c, &t, j.Rows)...),
	}
	for _, in := range c.Inputs {
		p.Inputs = append(p.Inputs, report.Input{Name: in.Name, Bytes: in.Size, Digest: in.Digest})
	}
	for _, r := range t.Largest {
		p.Largest = append(p.Largest, Roster{Account: r.From, Friends: r.Friends})
	}
	if j.Rate < sink.Unpaced {
		seconds := float64(m.calls) / j.Rate
		p.Rate, p.LeastSeconds = j.Rate, &seconds
	}
	var err error
	p.RejectedBy, err = rejects(filepath.Join(j.dir, source.RejectedList), c.RejectedBy)
	return p, err
}

func shardText(shard, shards int) string {
	if shards == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", shard, shards)
}
