package verify

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/source"
)

// listMemory is what collecting a list may hold; more is spilled beside the list.
const listMemory = 8 << 20

// Lists is what was written.
type Lists struct {
	Missing, Different string // paths
	IntegerTags        []string
}

// Write writes both lists whole, with a header at least: what has a verdict so far.
func (v *Verify) Write(ctx context.Context) (l Lists, err error) {
	absent := v.list(folder.Missing, "Outcome", "ResultCode", "ResultInfo", "Input", "Line")
	other := v.list(folder.Different, "Fields", "Input", "Line")
	defer func() { err = errors.Join(err, absent.Close(), other.Close()) }()
	count := int64(0)
	for f, err := range v.journal.Failures() {
		if err != nil {
			return l, fmt.Errorf("write the lists: %w", err)
		}
		switch {
		case isMissing(f.Code):
			count++
		case f.Code == codeDifferent:
			if err := other.Add(&f.Edge, f.Info, v.Counts.InputName(f.Edge.Input), f.Edge.Line); err != nil {
				return l, fmt.Errorf("write the lists: %w", err)
			}
		}
	}
	if err := v.addMissing(ctx, absent, count); err != nil {
		return l, fmt.Errorf("write the lists: %w", err)
	}
	if err := errors.Join(absent.Save(), other.Save()); err != nil {
		return l, fmt.Errorf("write the lists: %w", err)
	}
	l.Missing, l.Different = v.path(folder.Missing), v.path(folder.Different)
	if v.Counts.ListFormat() == source.CSV {
		l.IntegerTags = slices.Compact(slices.Sorted(slices.Values(slices.Concat(absent.IntegerTags(), other.IntegerTags()))))
	}
	return l, nil
}

func (v *Verify) path(name string) string {
	return filepath.Join(v.Lists, name+"."+v.Counts.ListFormat())
}

func (v *Verify) list(name string, extra ...string) *source.List {
	return source.NewList(source.ListOptions{FS: v.FS, Path: v.path(name), Memory: listMemory, Format: v.Counts.ListFormat(), Extra: extra})
}

// addMissing adds the missing edges to their list, with what became of each in the job.
func (v *Verify) addMissing(ctx context.Context, list *source.List, count int64) error {
	if v.Job == nil {
		return v.eachMissing(nil, func(f *checkpoint.Failure, _ int64) error {
			return list.Add(&f.Edge, "", "", "", v.Counts.InputName(f.Edge.Input), f.Edge.Line)
		})
	}
	var origins []int64
	if v.sample != nil {
		var err error
		if origins, err = v.sample.origins(ctx); err != nil {
			return err
		}
	}
	for skip := int64(0); skip < count; skip += window { // one window, unless millions are missing
		at, keys := int64(0), make([]int64, 0, min(count, window))
		err := v.eachMissing(origins, func(_ *checkpoint.Failure, key int64) error {
			if at >= skip && at < skip+window {
				keys = append(keys, key)
			}
			at++
			return nil
		})
		if err != nil {
			return err
		}
		known, err := lookUp(v.Job, keys)
		if err != nil {
			return err
		}
		at = 0
		err = v.eachMissing(origins, func(f *checkpoint.Failure, key int64) error {
			at++
			if at <= skip || at > skip+window {
				return nil
			}
			word, code, text := known.of(key)
			result := any("")
			if code != 0 {
				result = code
			}
			return list.Add(&f.Edge, word, result, text, v.Counts.InputName(f.Edge.Input), f.Edge.Line)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachMissing goes over the missing edges, always in the same order, with the key of each in the job's plan.
func (v *Verify) eachMissing(origins []int64, each func(f *checkpoint.Failure, key int64) error) error {
	for f, err := range v.journal.Failures() {
		if err != nil {
			return err
		}
		if !isMissing(f.Code) {
			continue
		}
		key := keyOf(f.Ordinal, f.Index)
		if origins != nil {
			key = origins[v.sample.starts[f.Ordinal]+int64(f.Index)]
		}
		if err := each(&f, key); err != nil {
			return err
		}
	}
	return nil
}
