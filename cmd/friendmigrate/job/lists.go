package job

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/source"
)

// listMemory is what collecting a list may hold; more is spilled beside the list.
const listMemory = 8 << 20

// listName is the name of a list of edges: jsonl where an input was, so that nothing of an edge is
// lost.
func (j *Job) listName(list string) string { return list + "." + j.Counts.ListFormat() }

// ListPath is where a list of edges lies.
func (j *Job) ListPath(list string) string { return filepath.Join(j.Dir, j.listName(list)) }

// NewList begins a list of edges with some columns behind theirs.
func (j *Job) NewList(list string, extra ...string) *source.List {
	return source.NewList(source.ListOptions{FS: j.FS, Path: j.ListPath(list), Memory: listMemory,
		Format: j.Counts.ListFormat(), Extra: extra})
}

// see points at a list, unless it is gone.
func (j *Run) see(list string) string {
	if slices.Contains(j.gone, list) {
		return "but " + j.path(list) + " is gone"
	}
	return "see " + j.path(list)
}

// writeFailed writes the list of edges that are failed now, whole, and returns how many these are.
// also is told each of them; it may be nil.
func (j *Run) writeFailed(also func(checkpoint.Failure)) (n int64, err error) {
	list := j.NewList(folder.Failed, inspect.FailedColumns()...)
	defer func() { err = errors.Join(err, list.Close()) }()
	for f, err := range j.Journal.Failures() {
		if err != nil {
			return n, fmt.Errorf("write the failed list: %w", err)
		}
		if also != nil {
			also(f)
		}
		if err := list.Add(&f.Edge, int64(f.Code), f.Info, int64(f.Attempts), j.Counts.InputName(f.Edge.Input),
			f.Edge.Line); err != nil {
			return n, fmt.Errorf("write the failed list: %w", err)
		}
		n++
	}
	if err := list.Save(); err != nil {
		return n, fmt.Errorf("write the failed list: %w", err)
	}
	return n, nil
}
