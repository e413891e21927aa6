package verify

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

// listMemory is what collecting a list may hold; more is spilled beside the list.
const listMemory = 8 << 20

// Lists is what was written.
type Lists struct {
	Missing, Different string // paths
	IntegerTags        []string
	Updatable          bool // some different edge has another Remark, GroupName or custom field
}

// Write writes both lists whole, with a header at least: what has a verdict so far.
func (v *Verify) Write() (l Lists, err error) {
	absent := v.list(folder.Missing, "Outcome", "ResultCode", "ResultInfo", "Input", "Line")
	other := v.list(folder.Different, "Fields", "Input", "Line")
	defer func() { err = errors.Join(err, absent.Close(), other.Close()) }()
	err = v.eachFound(func(f *checkpoint.Failure, became migrate.Kind) error {
		input, line := v.Counts.InputName(f.Edge.Input), f.Edge.Line
		switch {
		case f.Code == codeDifferent:
			l.Updatable = l.Updatable || updatable(f.Info)
			return other.Add(&f.Edge, f.Info, input, line)
		case f.Code == codeMissing:
			return absent.Add(&f.Edge, words[became], "", "", input, line)
		}
		return absent.Add(&f.Edge, words[became], f.Code, f.Info, input, line)
	})
	if err = errors.Join(err, absent.Save(), other.Save()); err != nil {
		return l, fmt.Errorf("write the lists: %w", err)
	}
	l.Missing, l.Different = v.path(folder.Missing), v.path(folder.Different)
	if v.Counts.ListFormat() == source.CSV {
		tags := slices.Concat(absent.IntegerTags(), other.IntegerTags())
		l.IntegerTags = slices.Compact(slices.Sorted(slices.Values(tags)))
	}
	return l, nil
}

// updatable reports whether friend_update can set one of these fields.
func updatable(fields string) bool {
	return slices.ContainsFunc(strings.Fields(fields), func(name string) bool {
		return name == "Remark" || name == "GroupName" || strings.HasPrefix(name, "Tag_")
	})
}

// removeLists removes the lists of an earlier verify, in whichever format they are: nothing of it
// survives a newer one, however that ends.
func (v *Verify) removeLists() error {
	for _, name := range []string{folder.Missing, folder.Different} {
		for _, format := range []string{source.CSV, source.JSONL} {
			err := v.FS.Remove(filepath.Join(v.Lists, name+"."+format))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove the list of an earlier verify: %w", err)
			}
		}
	}
	return nil
}

func (v *Verify) path(name string) string {
	return filepath.Join(v.Lists, name+"."+v.Counts.ListFormat())
}

func (v *Verify) list(name string, extra ...string) *source.List {
	return source.NewList(source.ListOptions{FS: v.FS, Path: v.path(name), Memory: listMemory,
		Format: v.Counts.ListFormat(), Extra: extra})
}

// eachFound goes over the edges that are missing or different, with what became of each in the job.
// One that failed there is neither.
func (v *Verify) eachFound(each func(f *checkpoint.Failure, became migrate.Kind) error) error {
	if v.Job == nil {
		return v.eachOther(func(f *checkpoint.Failure, _ int64) error { return each(f, migrate.Again) })
	}
	for skip, count := int64(0), int64(1); skip < count; skip += v.window { // one window, unless millions are missing
		var keys []int64
		inWindow := func(do func(f *checkpoint.Failure, key int64) error) error {
			count = 0
			return v.eachOther(func(f *checkpoint.Failure, key int64) error {
				if count++; count <= skip || count > skip+v.window {
					return nil
				}
				return do(f, key)
			})
		}
		err := inWindow(func(_ *checkpoint.Failure, key int64) error {
			keys = append(keys, key)
			return nil
		})
		if err != nil {
			return err
		}
		known, err := lookUp(v.Job, keys)
		if err != nil {
			return err
		}
		err = inWindow(func(f *checkpoint.Failure, key int64) error {
			if became := known.of(key); became != migrate.Failed {
				return each(f, became)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachOther goes over the edges that are not as they should be, always in the same order, with the
// key of each in the job's plan.
func (v *Verify) eachOther(each func(f *checkpoint.Failure, key int64) error) error {
	for f, err := range v.journal.Failures() {
		if err != nil {
			return err
		}
		if !hasVerdict(f.Code) {
			continue
		}
		key := keyOf(f.Ordinal, f.Index)
		if v.sample != nil {
			key = v.sample.drawn[v.sample.starts[f.Ordinal]+int64(f.Index)]
		}
		if err := each(&f, key); err != nil {
			return err
		}
	}
	return nil
}
