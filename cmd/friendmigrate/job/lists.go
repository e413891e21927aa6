package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/source"
)

// listMemory is the memory for collecting a list. What exceeds it is spilled to a file next to the
// list.
const listMemory = 8 << 20

// listName returns the name of a list of edges: jsonl if an input was, so that no field of an edge
// is lost.
func (j *Job) listName(list string) string { return list + "." + j.Counts.ListFormat() }

// ListPath returns the path of a list of edges.
func (j *Job) ListPath(list string) string { return filepath.Join(j.Dir, j.listName(list)) }

// NewList begins a list of edges, with extra columns after those of an edge.
func (j *Job) NewList(list string, extra ...string) *source.List {
	return source.NewList(source.ListOptions{FS: j.FS, Path: j.ListPath(list), Memory: listMemory,
		Format: j.Counts.ListFormat(), Extra: extra})
}

// see refers to a list, or says that it is gone.
func (j *Run) see(list string) string {
	if slices.Contains(j.gone, list) {
		return "but " + j.path(list) + " is gone"
	}
	return "see " + j.path(list)
}

// writeFailed writes the whole list of the edges that are failed now, and returns their number. It
// calls also, if that is not nil, for each of them. It gives up when ctx ends.
func (j *Run) writeFailed(ctx context.Context, also func(checkpoint.Failure)) (n int64, err error) {
	list := j.NewList(folder.Failed, inspect.FailedColumns()...)
	defer func() { err = errors.Join(err, list.Close()) }()
	for f, err := range j.Journal.Failures() {
		if err := cmp.Or(err, ctx.Err()); err != nil {
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
	if err := list.Save(ctx); err != nil {
		return n, fmt.Errorf("write the failed list: %w", err)
	}
	return n, nil
}
