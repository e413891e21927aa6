package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"friendmigrate/checkpoint"
	"friendmigrate/cmd/friendmigrate/folder"
	"friendmigrate/cmd/friendmigrate/inspect"
	"friendmigrate/migrate"
	"friendmigrate/source"
)

// Lists describes the lists that were written.
type Lists struct {
	Missing, Different string // paths
	IntegerTags        []string
	Updatable          bool  // an edge differs in Remark, GroupName or a custom field
	Deleted, Perhaps   int64 // as in report.Verified
}

// WriteLists replaces both lists atomically. They hold the edges that have a verdict so far, without
// those that undo has deleted: nobody wants to import these. An empty list has its header.
func (p *Part) WriteLists() (err error) {
	absent := p.NewList(folder.Missing, "Outcome", "ResultCode", "ResultInfo", "Input", "Line")
	other := p.NewList(folder.Different, "Fields", "Input", "Line")
	defer func() { err = errors.Join(err, absent.Close(), other.Close()) }()
	p.Lists = Lists{Missing: p.ListPath(folder.Missing), Different: p.ListPath(folder.Different)}
	verdict := func(f *checkpoint.Failure) bool { return hasVerdict(f.Code) }
	err = p.join(p.verdicts, p.Journal, verdict, func(f *checkpoint.Failure, became, undone outcome) error {
		input, line, outcome := p.Counts.InputName(f.Edge.Input), f.Edge.Line, outcomes[became.kind]
		switch {
		case became.kind == migrate.Failed: // it failed in the job, so it is neither missing nor different
			return nil
		case f.Code == codeDifferent:
			p.Lists.Updatable = p.Lists.Updatable || slices.ContainsFunc(strings.Fields(f.Info), updatable)
			return other.Add(&f.Edge, f.Info, input, line)
		case undone.kind == migrate.Imported:
			p.Lists.Deleted++
			return nil
		}
		if became.kind == migrate.Imported && inspect.PerhapsDeleted(p.undo, f.Ordinal, f.Index) {
			p.Lists.Perhaps++
		}
		if f.Code == codeMissing {
			return absent.Add(&f.Edge, outcome, "", "", input, line)
		}
		return absent.Add(&f.Edge, outcome, f.Code, f.Info, input, line)
	})
	if err = errors.Join(err, absent.Save(context.Background()), other.Save(context.Background())); err != nil {
		return fmt.Errorf("write the lists: %w", err)
	}
	if p.Counts.ListFormat() == source.CSV {
		tags := slices.Concat(absent.IntegerTags(), other.IntegerTags())
		p.Lists.IntegerTags = slices.Compact(slices.Sorted(slices.Values(tags)))
	}
	return nil
}

// updatable reports whether friend_update can set a field.
func updatable(field string) bool {
	return field == "Remark" || field == "GroupName" || strings.HasPrefix(field, "Tag_")
}

// removeLists removes the lists of an earlier verify in any format, so that none remains, however
// this verify ends.
func (p *Part) removeLists() error {
	for _, name := range []string{folder.Missing, folder.Different} {
		for _, format := range []string{source.CSV, source.JSONL} {
			err := p.FS.Remove(filepath.Join(p.Dir, name+"."+format))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove the list of an earlier verify: %w", err)
			}
		}
	}
	return nil
}

// outcomes are the names of a job's outcomes in the lists.
var outcomes = map[migrate.Kind]string{migrate.Imported: "imported", migrate.Already: "already"}
