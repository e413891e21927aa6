package source

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"friendmigrate/migrate"
	"friendmigrate/migrate/codec"
	"friendmigrate/migrate/disk"
	"friendmigrate/source/spool"
	"friendmigrate/source/stage"
)

// The lists that reading writes into the state folder.
const (
	RejectedList   = "rejected.csv"
	ChangedList    = "changed.csv"
	DuplicatesList = "duplicates.csv"
)

var rejectedColumns = []string{"Input", "Line", "Column", "Reason", "Row"}

// listMemory is the bytes that each list may hold in memory.
const listMemory = 2 << 20

// lists collects the rows of the lists while inputs are read, in any order.
type lists struct {
	fs         disk.FS
	dir        string
	names      []string // of the inputs
	rejected   *spool.Spool
	changed    *spool.Spool
	duplicates *List
}

func newLists(fsys disk.FS, dir string, names []string) *lists {
	sorted := func(name string) *spool.Spool { return spool.New(fsys, filepath.Join(dir, name+".spool"), listMemory) }
	return &lists{
		fs: fsys, dir: dir, names: names, rejected: sorted(RejectedList), changed: sorted(ChangedList),
		duplicates: NewList(ListOptions{FS: fsys, Path: filepath.Join(dir, DuplicatesList), Memory: listMemory,
			Format: CSV, Lossy: true,
			Extra: []string{"Input", "Line", "KeptInput", "KeptLine"}}),
	}
}

func (l *lists) addRejected(at migrate.Position, r reject, raw []byte) error {
	row := codec.AppendText(codec.AppendText(nil, r.column), r.reason)
	return l.rejected.Add(at, codec.AppendText(row, raw))
}

func (l *lists) addChanges(e *migrate.Edge, changes []change) error {
	for i, c := range changes {
		row := codec.AppendText(nil, []byte{byte(i >> 8), byte(i)}) // keeps the changes of one row in their order
		for _, cell := range []string{e.From, e.To, c.column, c.reason, c.was, c.now} {
			row = codec.AppendText(row, cell)
		}
		if err := l.changed.Add(e.Position, row); err != nil {
			return err
		}
	}
	return nil
}

// duplicate is a stage.DuplicateFunc. It lists a row that lost if its fields differ.
func (l *lists) duplicate(lost, kept *migrate.Edge, differ bool) error {
	if !differ {
		return nil
	}
	return l.duplicates.Add(lost, l.names[lost.Input], lost.Line, l.names[kept.Input], kept.Line)
}

// save writes all three lists, each whole and at least with a header. A crash in between leaves
// older lists, but then the job is staged again.
func (l *lists) save(ctx context.Context) error {
	err := l.saveTable(ctx, RejectedList, l.rejected, rejectedColumns...)
	if err != nil {
		return err
	}
	err = l.saveTable(ctx, ChangedList, l.changed, "Input", "Line", nameFrom, nameTo, "Column", "Reason", "Was",
		"Now")
	if err != nil {
		return err
	}
	return l.duplicates.Save(ctx)
}

// saveTable writes rows of texts. A row may begin with further texts, which are not written.
func (l *lists) saveTable(ctx context.Context, name string, rows *spool.Spool, header ...string) error {
	return disk.WriteWhole(l.fs, filepath.Join(l.dir, name), func(w io.Writer) error {
		out := csv.NewWriter(w)
		if err := out.Write(header); err != nil {
			return err
		}
		for row, err := range rows.Rows(ctx) {
			if err != nil {
				return err
			}
			var texts []string
			c := codec.Cursor{Rest: row.Data}
			for len(c.Rest) > 0 {
				texts = append(texts, string(c.Text()))
			}
			extra := len(texts) + 2 - len(header)
			if c.Bad || extra < 0 {
				return errSpooled
			}
			record := append([]string{l.names[row.Input], strconv.FormatInt(row.Line, 10)}, texts[extra:]...)
			if err := out.Write(record); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
}

func (l *lists) close() error {
	return errors.Join(l.rejected.Close(), l.changed.Close(), l.duplicates.Close())
}

// againFolder is the folder, within the state folder, of a job that reads the inputs again for
// their lists. A killed run leaves it; the next run or the command clean removes it.
const againFolder = "lists-again"

// RestoreLists makes the lists again that are missing in r.StateDir. was and plan are the results
// of the earlier reading. If a missing list had rows, the inputs are read again. The staged input
// is not changed. gone are the lists that cannot be made again; the error says why. If the reason
// is in the inputs, it is an ErrUnusable or ErrUnreachable.
func RestoreLists(ctx context.Context, r Request, was Counts, plan stage.Totals) (gone []string, err error) {
	rows := int64(0)
	for _, list := range []struct {
		name string
		rows int64
	}{{RejectedList, was.Rejected}, {ChangedList, was.Changed}, {DuplicatesList, plan.Differing}} {
		if _, err := os.Stat(filepath.Join(r.StateDir, list.name)); errors.Is(err, fs.ErrNotExist) {
			gone, rows = append(gone, list.name), rows+list.rows
		}
	}
	state := r.StateDir
	ForgetLists(r.FS, state)
	if len(gone) == 0 {
		return nil, nil
	}
	r.StateDir = filepath.Join(state, againFolder)
	if err := r.FS.MkdirAll(r.StateDir, disk.FolderMode); err != nil {
		return gone, err
	}
	defer ForgetLists(r.FS, state)
	if rows == 0 {
		l := newLists(r.FS, r.StateDir, nil)
		err = errors.Join(l.save(ctx), l.close())
	} else {
		err = r.readAgain(ctx, was, plan)
	}
	for len(gone) > 0 && err == nil {
		if err = r.FS.Rename(filepath.Join(r.StateDir, gone[0]), filepath.Join(state, gone[0])); err == nil {
			gone = gone[1:]
		}
	}
	return gone, errors.Join(err, r.FS.SyncDir(state))
}

// readAgain reads inputs that were staged before, only for their lists.
func (r Request) readAgain(ctx context.Context, was Counts, plan stage.Totals) error {
	for _, in := range was.Inputs {
		if in.Std {
			return &InputError{Name: in.Name, Reason: "it can be read once only"}
		}
	}
	p, err := ReadInputs(ctx, r)
	if err != nil {
		return err
	}
	if p.Totals.PlanDigest != plan.PlanDigest || p.Counts.Rejected != was.Rejected {
		err = fmt.Errorf("%w: the inputs hold other rows than those that are staged", ErrUnusable)
	}
	return errors.Join(err, p.Abort())
}

// ForgetLists removes the folder that a killed run of RestoreLists leaves. It holds personal data.
func ForgetLists(fsys disk.FS, state string) {
	dir := filepath.Join(state, againFolder)
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return
	}
	_ = stage.Remove(filepath.Join(dir, StageFolder), fsys)
	for _, name := range []string{RejectedList, ChangedList, DuplicatesList} {
		for _, suffix := range []string{"", ".spool", ".tmp"} {
			_ = fsys.Remove(filepath.Join(dir, name+suffix))
		}
	}
	_ = fsys.Remove(filepath.Join(dir, StageFolder))
	_ = fsys.Remove(dir)
}
