package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/report"
	"friendmigrate/migrate"
)

// undoWindow is how many chunks are looked up in one pass over the journal: at most 64 MB of sets.
const undoWindow = 512 << 10

// Created finds out which edges of each chunk a job has imported or, of the journal of an undo,
// which it has deleted. It looks up many chunks at a time, so it is fast for chunks in the order of
// the plan. It is not safe for concurrent use.
type Created struct {
	Journal *checkpoint.Journal

	window int64 // chunks that are looked up at a time; 0: undoWindow
	first  int64 // chunk of the window
	sets   []migrate.EdgeSet
}

// Of returns the edges of a chunk that were imported.
func (m *Created) Of(ctx context.Context, ordinal int64) (migrate.EdgeSet, error) {
	if ordinal < m.first || ordinal >= m.first+int64(len(m.sets)) {
		if err := m.look(ctx, ordinal); err != nil {
			m.sets = nil
			return migrate.EdgeSet{}, fmt.Errorf("look into the journal: %w", err)
		}
	}
	return m.sets[ordinal-m.first], nil
}

// look finds the imported edges of the chunks from first.
func (m *Created) look(ctx context.Context, first int64) error {
	n := min(cmp.Or(m.window, undoWindow), m.Journal.Identity().Chunks-first)
	m.first, m.sets = first, make([]migrate.EdgeSet, n)
	for s, err := range m.Journal.Settlements(first, n) {
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		if s.Outcome.Kind == migrate.Imported {
			m.sets[s.Ordinal-first].Add(s.Index)
		}
	}
	return nil
}

// OpenUndo opens the journal of the undo of the job in dir for reading. It returns nil if none has
// begun.
func OpenUndo(dir string) (*checkpoint.Journal, error) {
	return openJournal(filepath.Join(dir, folder.Undo))
}

// PerhapsDeleted reports whether a call of an undo that got no answer may have deleted the edge of a
// chunk, which the job has imported. undo is nil if none has begun.
func PerhapsDeleted(undo *checkpoint.Journal, ordinal int64, index int) bool {
	if undo == nil {
		return false
	}
	open, maybeSent := undo.Unsettled(ordinal, migrate.MaxChunkEdges)
	return maybeSent && open.Has(index)
}

// Undoing returns the progress of the undo of the job in dir, or nil if none has begun.
func Undoing(dir string) (*report.Undone, error) {
	running := int64(0)
	if writing, _ := checkpoint.Writing(filepath.Join(dir, folder.Undo)); writing {
		running = 1
	}
	journal, err := OpenUndo(dir)
	if journal == nil || err != nil {
		return nil, err
	}
	defer journal.Close() // read only
	id, t := journal.Identity(), journal.Totals()
	return &report.Undone{At: id.Created, Edges: id.Edges, Deleted: t.Imported, Failed: t.Failed,
		Pending: t.Pending, Running: running}, nil
}
