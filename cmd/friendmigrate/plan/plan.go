package plan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/job"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate/disk"
	"friendmigrate/sink"
	"friendmigrate/source"
	"friendmigrate/source/stage"
)

// making is one making of a plan.
type making struct {
	*job.Job
	pilot   *job.Pilot           // nil: all accounts
	waits   func(message string) // as in source.Request
	reading job.Reading

	notes   []string     // about the state folder
	staged  bool         // Stage is the state folder's
	other   bool         // the state folder holds another job
	totals  stage.Totals // of Counts
	dir     string       // of the stage and its lists
	stdin   io.Reader    // nil: a terminal, which is not read if the job is staged
	scratch *scratch     // nil: nothing had to be staged
}

// make makes the plan. The user has to fix an error that is source.ErrUnusable. If ctx ends, make
// removes everything and soon returns ctx's error.
func (m *making) make(ctx context.Context) (p *Plan, err error) {
	m.Dir, m.stdin = folder.Of(m.Set.State, m.Set.Job.Shard), m.Input()
	defer func() { err = errors.Join(err, m.close()) }()
	if err := m.open(ctx); err != nil {
		return nil, err
	}
	var found *measurer
	if m.Stage == nil {
		if found, err = m.read(ctx); err != nil {
			return nil, err
		}
	}
	if m.pilot != nil && !m.Counts.NoRows() {
		text, err := m.pilot.Planned(ctx, m.Stage)
		if err != nil {
			return nil, err
		}
		m.note("%s", text)
	}
	if found == nil {
		if found, err = m.measure(ctx); err != nil {
			return nil, err
		}
	}
	return m.plan(found)
}

// close closes what is open and removes what was staged.
func (m *making) close() error {
	var err error
	if m.Stage != nil {
		err = m.Stage.Close()
	}
	if m.scratch != nil {
		err = errors.Join(err, m.scratch.remove())
	}
	return err
}

// open opens a sealed stage of the same job, if there is one. If the state folder has a problem,
// the input is read again, and import will report the problem.
func (m *making) open(ctx context.Context) error {
	s, meta, err := source.OpenStaged(filepath.Join(m.Dir, source.StageFolder), disk.OS{})
	if err != nil {
		return nil
	}
	if m.hasNews() { // comparing it with the staged input would consume it
		return s.Close()
	}
	why, err := m.compare(ctx, meta)
	if err != nil || why != "" {
		if why != "" {
			m.other = true
			m.note("%q holds another job (%s): import needs another --state", m.Dir, why)
		}
		return errors.Join(err, s.Close())
	}
	m.Stage, m.totals, m.staged, m.dir = s, s.Totals(), true, m.Dir
	return nil
}

// hasNews reports whether standard input is an input and is not empty.
func (m *making) hasNews() bool {
	if m.stdin == nil || !slices.Contains(m.Inputs, source.Standard) {
		return false
	}
	buffered := bufio.NewReader(m.stdin)
	m.stdin = buffered
	_, err := buffered.Peek(1)
	return err == nil
}

func (m *making) note(format string, args ...any) {
	m.notes = append(m.notes, fmt.Sprintf(format, args...))
}

// compare returns why a sealed stage is not of this job, or takes the facts about the inputs from
// it.
func (m *making) compare(ctx context.Context, meta source.Meta) (why string, err error) {
	if differences := m.StagedDiffers(meta); len(differences) > 0 {
		return strings.Join(differences, "; "), nil
	}
	c, err := source.Compare(ctx, meta.Counts.Inputs, m.inputs())
	switch {
	case err != nil:
		return "", err
	case c.Match == source.Different:
		return c.Reasons[0], nil
	case c.Match == source.Gone:
		m.note("an input is gone or cannot be read: the plan is of what was staged of it")
	}
	m.Counts, m.Counts.LeftOut = meta.Counts, c.LeftOut
	return "", m.Counts.CheckEmpty(m.Set.Rows)
}

// inputs returns the input without the content of standard input, which can be read only once.
func (m *making) inputs() source.Request {
	input := m.SourceRequest("")
	input.Stdin, input.Waits = nil, nil // nothing is logged
	return input
}

// read reads the input and measures it at the same time, in a temporary folder that is removed at
// the end. For a pilot it only seals a stage there, which is measured in a separate pass.
func (m *making) read(ctx context.Context) (found *measurer, err error) {
	if _, _, err := m.inputs().Resolve(ctx); err != nil {
		return nil, err // before the folder is made, so a misspelt input leaves nothing to remove
	}
	if m.scratch, err = newScratch(m.Set.State); err != nil {
		return nil, err
	}
	m.dir = m.scratch.dir
	input, by := m.SourceRequest(m.dir), m.measurers()
	input.Stdin, input.Progress = m.stdin, m.reading.Take
	input.Waits, input.Warn = m.waits, nil // plan shows warnings itself
	if m.pilot == nil {
		input.Measure = &stage.Measure{EdgeBytes: sink.EdgeBytes, Visit: by.next}
	}
	pending, err := source.ReadInputs(ctx, input)
	if err != nil {
		return nil, err
	}
	m.Counts, m.totals = pending.Counts, pending.Totals
	if m.pilot != nil {
		if m.Stage, err = pending.Seal(); err != nil {
			return nil, fmt.Errorf("stage the input: %w", err)
		}
		return nil, nil
	}
	return by.sum(), pending.Abort()
}

// measurers returns measurers for calls of the size in the settings.
func (m *making) measurers() *measurers {
	return &measurers{room: m.Set.ChunkBytes - sink.EnvelopeBytes}
}

// plan returns the Plan from the results of reading and measuring.
func (m *making) plan(found *measurer) (*Plan, error) {
	c, t, rows := m.Counts, m.totals, m.Set.Rows
	p := &Plan{
		Version: Version, Options: rows.Canonical(), Shard: m.Set.Job.Shard.String(), Staged: m.staged,
		OtherJob: m.other,
		Rows: Rows{Read: c.Rows, Rejected: c.Rejected, RejectedElsewhere: c.RejectedElsewhere,
			Duplicate: t.Duplicates, Differing: t.Differing, Changed: c.Changed, ManyLines: c.ManyLines},
		WhyAllRejected: c.WhyAllRejected(),
		Edges:          t.Edges, Added: t.Added, Accounts: t.Rosters,
		Calls: found.calls, ExtraCalls: found.calls - t.Chunks, ChunkBytes: int64(m.Set.ChunkBytes), Bytes: found.bytes,
		AboutBoth: found.both.count(), MaxFriends: int64(rows.MaxFriends), OverFriends: t.OverMax,
		OverGroups: t.GroupsOver,
		Largest:    []Roster{}, Disk: Disk{Staged: t.Stored},
		Mutual:   Mutual{Share: report.MutualShare(t), Pairs: t.Pairs, Both: t.MutualPairs, Sampled: t.PairsSampled},
		Warnings: append(m.notes, source.Warnings(&c, &t, rows)...),
	}
	for _, in := range c.Inputs {
		p.Inputs = append(p.Inputs, report.Input{Name: in.Name, Bytes: in.Size, Digest: in.Digest})
	}
	for _, r := range t.Largest {
		p.Largest = append(p.Largest, Roster{Account: r.From, Friends: r.Friends})
	}
	if rate := m.Set.Rate; rate < sink.Unpaced {
		seconds := float64(found.calls) / rate
		p.Rate, p.LeastSeconds = rate, &seconds
	}
	var err error
	p.RejectedBy, err = rejects(filepath.Join(m.dir, source.RejectedList), c.RejectedBy)
	return p, err
}
